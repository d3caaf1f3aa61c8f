"""Pixels and samples in and out: probe, decode, sound, shots, analysis, encode."""
