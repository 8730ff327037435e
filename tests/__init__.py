"""The rooms' specifications."""
