"""What people would rather look at: the run's page, strips, curves, contact sheets."""
