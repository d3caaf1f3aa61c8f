"""Scores of talking-face videos: one protocol, comparable tables. Knows nothing of curation."""
