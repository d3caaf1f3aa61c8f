"""The sound of a file as samples on the disk: an hour takes no more memory than a second."""

import mmap
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talkingface_wild.core.arrays import Samples
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.core.paths import atomic_path
from talkingface_wild.media.audio_timeline import ClockedSound
from talkingface_wild.media.container import open_media
from talkingface_wild.media.demux import timed
from talkingface_wild.media.sound import SOUND_RATE, Loudness


@dataclass(frozen=True)
class StoredSound:
    """Mono samples, mapped from a file and read-only, with the loudness of the whole."""

    samples: Samples
    rate: int
    dbfs: float
    broke_off: bool
    """The file's data end before they should."""

    def let_go(self) -> None:
        """Give back the memory of what was read so far; it is read again when asked for."""
        mapped = getattr(self.samples, "_mmap", None)
        if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
            mapped.madvise(mmap.MADV_DONTNEED)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate


def store_sound(source: Path, target: Path, seconds: float | None = None) -> StoredSound:
    """Decode the sound of ``source``, any media file, into ``target``, 16-bit samples at 16 kHz.

    Sample k stands at ``k / 16000`` seconds on the source's clock, as ``read_sound`` has it.
    ``seconds`` ends earlier. Raises ItemRejected("no_audio") without a sound stream or without
    samples in it, DiskFull, and what ``open_media`` raises.
    """
    most = None if seconds is None else round(seconds * SOUND_RATE)
    loudness = Loudness()
    with open_media(source, pictures=False) as media, atomic_path(target) as temporary:
        if media.audio is None:
            raise ItemRejected("no_audio", f"{source.name!r} has no sound stream")
        sound = ClockedSound(SOUND_RATE)
        with temporary.open("wb") as stream:

            def put(piece: Samples) -> None:
                if most is not None:
                    piece = piece[: max(0, most - loudness.count)]
                stream.write(np.ascontiguousarray(piece, dtype="<i2").tobytes())
                loudness.add(piece)

            for time_us, frame in timed(media, media.audio, 0.0):
                for piece in sound.feed(time_us, frame):
                    put(piece)
                if most is not None and loudness.count >= most:
                    break
            for piece in sound.finish():
                put(piece)
        if not loudness.count:
            raise ItemRejected("no_audio", f"the sound stream of {source.name!r} is empty")
        broke_off = media.broke_off
    samples = np.memmap(target, "<i2", "r")
    return StoredSound(samples, SOUND_RATE, loudness.dbfs, broke_off)
