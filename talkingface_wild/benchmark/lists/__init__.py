"""Which clips are scored: the protocol's lists, how they are made and read."""
