"""A corpus that the package makes itself: ten persons and voices, every fault planted."""
