"""Initial weights from published checkpoints, with a report of what was covered."""
