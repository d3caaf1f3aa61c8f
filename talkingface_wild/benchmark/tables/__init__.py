"""Runs side by side: what may be compared, on which clips, and how it is printed."""
