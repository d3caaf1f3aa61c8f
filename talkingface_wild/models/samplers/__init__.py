"""Noise schedules and solvers that the generators share."""
