"""The one analysis decode of a source: a small 5 fps proxy and 16 kHz sound for the cache."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from talkingface_wild.engine.stage import Item, Workplace
from talkingface_wild.media.sound import read_wav
from talkingface_wild.media.source_analysis import Analysis, CutDetector, analyse, proxy_frames
from talkingface_wild.pipelines.source_items import media_file, number, source_of

PROXY_RATE = 5.0
"""Proxy frames a second: the rate at which faces are sampled."""
SOURCE_SPAN = ("usable_start_seconds", "usable_end_seconds", "has_audio")
"""What the analysis of a source needs."""
SPAN_SOUND = (*SOURCE_SPAN, "start_seconds", "end_seconds")
"""What the part of it needs that belongs to a clip."""


def proxy_path(item: Item, place: Workplace) -> Path:
    """Where the proxy of an item's source lies, when it is there."""
    return place.cache / "proxy" / f"{source_of(item).id}.mp4"


def sound_path(item: Item, place: Workplace) -> Path:
    """Where the 16 kHz sound of an item's source lies, when it is there."""
    return place.cache / "sound" / f"{source_of(item).id}.wav"


def analyse_source(item: Item, place: Workplace, detector: CutDetector | None = None) -> Analysis:
    """Decode the usable span once: cuts for the detector, proxy and sound into the cache."""
    proxy, sound = proxy_path(item, place), sound_path(item, place)
    proxy.parent.mkdir(parents=True, exist_ok=True)
    sound.parent.mkdir(parents=True, exist_ok=True)
    return analyse(
        media_file(item, place),
        start=number(item, "usable_start_seconds"),
        end=number(item, "usable_end_seconds"),
        proxy=proxy,
        sound=sound,
        detector=detector or _Blind(),
        proxy_fps=int(PROXY_RATE),
    )


class _Blind:
    """Looks for no cuts: they are known, and only the cached files are wanted again."""

    def feed(self, seconds: float, bgr: npt.NDArray[np.uint8]) -> None:
        """Ignore the picture."""

    def cuts(self) -> list[float]:
        """None."""
        return []


def ensure_analysis(item: Item, place: Workplace) -> None:
    """Make the cached files again where a finished round, or a kill, took them away."""
    files = [proxy_path(item, place)]
    if item.values.get("has_audio"):
        files.append(sound_path(item, place))
    if not all(path.exists() for path in files):
        analyse_source(item, place)


def span_samples(item: Item, place: Workplace) -> npt.NDArray[np.int16]:
    """The 16 kHz mono samples of a clip's span."""
    ensure_analysis(item, place)
    return read_wav(
        sound_path(item, place), number(item, "start_seconds"), number(item, "end_seconds")
    )


def proxy_range(origin: float, start: float, end: float) -> tuple[int, int]:
    """First and last of the proxy's frames inside a span, all on the source's clock."""
    first = int(np.ceil((start - origin) * PROXY_RATE - 1e-6))
    return first, int(np.floor((end - origin) * PROXY_RATE - 1e-6))


def span_frames(item: Item, place: Workplace) -> Iterator[tuple[float, npt.NDArray[np.uint8]]]:
    """The proxy's frames inside a clip's span: (seconds on the source's clock, RGB)."""
    ensure_analysis(item, place)
    origin = number(item, "usable_start_seconds")
    first, last = proxy_range(origin, number(item, "start_seconds"), number(item, "end_seconds"))
    for index, rgb in proxy_frames(proxy_path(item, place), first, last):
        yield origin + index / PROXY_RATE, rgb
