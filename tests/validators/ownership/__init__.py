"""The isolation proof."""
