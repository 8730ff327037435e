"""From a request to verified source files on disk."""
