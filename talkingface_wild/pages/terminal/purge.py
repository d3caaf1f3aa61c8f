"""What ``tfw purge`` says at its end."""

from collections.abc import Mapping
from typing import Any

from talkingface_wild.core.counting import human_bytes


def purged_page(data: Mapping[str, Any]) -> str:
    """One sentence; ``data`` is the verb's result."""
    count, size = len([*data["files"], *data["left_over"]]), human_bytes(data["bytes"])
    if not count:
        return "Nothing to remove: every finished clip is kept by a commit."
    if data["dry_run"]:
        return f"{count} files could go, {size}; nothing was removed."
    return f"Removed {count} files, {size}."
