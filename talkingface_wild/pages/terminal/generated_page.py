"""What ``tfw generate`` says at its end."""

from collections.abc import Mapping
from typing import Any

from talkingface_wild.core.counting import human_bytes


def generated_page(data: Mapping[str, Any]) -> str:
    """A few lines of plain text; ``data`` is the verb's result."""
    lines = [f"video    {data['out']}", f"says how {data['sidecar']}"]
    if "frames" in data:
        lines.insert(
            1,
            f"frames   {data['frames']} of {data['side']} px at {data['fps']} a second"
            f", {data['frames_per_second']:.2f} a second made, peak "
            f"{human_bytes(data['peak_memory_bytes'])}",
        )
    return "\n".join(lines)
