"""Requests made from the app's own document: values, ids of rows, files, other variants."""
