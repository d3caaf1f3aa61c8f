"""A corpus that the package makes itself: one photograph, ten voices, every fault planted."""
