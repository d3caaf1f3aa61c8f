"""``tfw export``: a data set in the folders and files that a trainer's own loader reads."""
