"""A world: one booted app, its database, its users, and names for what it makes up."""
