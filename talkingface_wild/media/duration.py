"""How long a file says it is: its header alone, no packet is decoded. ``probe`` measures."""

import contextlib
from pathlib import Path

from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.media.container import open_media

_MICROSECONDS = 1_000_000


def declared_seconds(path: Path) -> float | None:
    """Seconds by the container's header, else by a stream's; None for what cannot be opened."""
    with contextlib.suppress(ItemFailed, ItemRejected), open_media(path) as media:
        if media.container.duration is not None:
            return max(0.0, float(media.container.duration) / _MICROSECONDS)
        for stream in (media.video, media.audio):
            if stream is not None and stream.duration is not None:
                return max(0.0, float(stream.duration * stream.time_base))
    return None
