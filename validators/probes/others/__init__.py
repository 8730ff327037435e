"""Who the users are, and what those try who are not the owner."""
