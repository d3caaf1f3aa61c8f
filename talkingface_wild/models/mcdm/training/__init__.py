"""MCDM's three stages: features once, then encoders, archive, motion prior, and both together."""
