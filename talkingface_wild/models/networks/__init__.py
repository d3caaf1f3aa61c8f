"""Networks that the generators share; what only one of them has stands in its own folder."""
