"""Frozen networks that look and listen. Arrays in, typed results out; nothing of files or items."""
