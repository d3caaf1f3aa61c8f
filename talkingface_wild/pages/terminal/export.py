"""What ``tfw export`` says at its end: what stands there, what was left out, what comes next."""

from collections.abc import Mapping
from typing import Any

from talkingface_wild.core.counting import counted
from talkingface_wild.core.durations import human_seconds


def export_page(data: Mapping[str, Any]) -> str:
    """A few lines of plain text; ``data`` is the verb's result."""
    lines = [
        f"{counted(data['clips'], 'clip')} of commit {data['commit']} for {data['layout']} in "
        f"{data['out']}: {data['frames']:,} frames, {human_seconds(data['seconds'])}; "
        f"{data['written']} written now."
    ]
    lines += [f"Left out: {counted(n, 'clip')}, {why}." for why, n in data["left_out"].items()]
    if data["frames_without_face"]:
        count = counted(data["frames_without_face"], "frame")
        lines.append(f"{count} without a face: a mask is black there, or leaves them aside.")
    lines.append(f"Each clip's source and licence: {data['manifest']}")
    return "\n".join([*lines, "Next:", *(f"  {step}" for step in data["next"])])
