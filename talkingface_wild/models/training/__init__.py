"""The training loop, its checkpoints and its logs; it knows no particular generator."""
