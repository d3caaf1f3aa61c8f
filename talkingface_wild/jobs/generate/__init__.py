"""A talking-face video from a portrait and a drive."""
