"""Initial weights from published checkpoints, with a report of what was covered."""

from talkingface_wild.models.loading.coverage import Coverage, Mismatch, table
from talkingface_wild.models.loading.slots import NAMES, Slot, cover_weights, load_weights

__all__ = ["NAMES", "Coverage", "Mismatch", "Slot", "cover_weights", "load_weights", "table"]
