"""The domain apps and their faces."""
