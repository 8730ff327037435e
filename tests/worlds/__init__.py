"""The check as a whole on backends in the style of many authors, and on their leaky twins."""
