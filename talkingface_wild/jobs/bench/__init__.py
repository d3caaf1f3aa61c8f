"""A method scored on a list: its videos made first, where a generator is named."""
