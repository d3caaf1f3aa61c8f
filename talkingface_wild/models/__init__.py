"""Generators of talking-face video. They run on torch, diffusers, transformers and numpy alone."""
