"""Training of a generator on a curated data set."""
