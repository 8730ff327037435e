"""The owner's script, those who write and follow it, and the controls that explain differences."""
