"""Contact sheets: JPEG pages with six pictures of each clip, one language to a sheet."""

import re
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np

from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.core.paths import write_bytes
from talkingface_wild.dataset.review import Drawn
from talkingface_wild.dataset.snapshot import Recorded
from talkingface_wild.pages.stills import Picture, finished_span, jpeg, source_span, stills

PICTURES = 6
CELL_PX = 160
LABEL_PX = 20
CLIPS_PER_SHEET = 12
_INK, _PAPER = 30, 250


def write_sheets(
    recorded: Recorded, sample: Sequence[Drawn], progress: Callable[[int], None] | None = None
) -> list[str]:
    """Write ``review/sheets/<language>-<number>.jpg`` anew and note in each clip its sheet.

    Pictures come from the finished clip, else from the source; a clip without either is said on
    the sheet. Returns the sheets' paths relative to the output folder; ``progress`` hears how many
    clips are done.
    """
    folder = recorded.layout.review / "sheets"
    written: list[str] = []
    done = 0
    for name, clips in _pages(sample):
        strips = []
        for clip in clips:
            strips.append(_strip(recorded, clip))
            done += 1
            if progress is not None:
                progress(done)
        write_bytes(folder / name, jpeg(np.vstack(strips)))
        relative = (folder / name).relative_to(recorded.layout.out).as_posix()
        for clip in clips:
            clip.sheet = relative
        written.append(relative)
    names = {path.rsplit("/", 1)[-1] for path in written}
    for old in folder.glob("*.jpg"):
        if old.name not in names:
            old.unlink()
    return written


def _pages(sample: Sequence[Drawn]) -> Iterator[tuple[str, list[Drawn]]]:
    """Each sheet's file name and clips; names hold letters, digits and hyphens of the tag alone."""
    stems: dict[str, list[Drawn]] = {}
    for clip in sample:
        stems.setdefault(re.sub(r"[^A-Za-z0-9-]", "_", clip.language), []).append(clip)
    for stem, clips in stems.items():
        for page, first in enumerate(range(0, len(clips), CLIPS_PER_SHEET), start=1):
            yield f"{stem}-{page:03d}.jpg", clips[first : first + CLIPS_PER_SHEET]


def _strip(recorded: Recorded, clip: Drawn) -> Picture:
    """One clip: a line with its id and verdict over its pictures, (H, W, 3) uint8."""
    strip = np.full((LABEL_PX + CELL_PX, PICTURES * CELL_PX, 3), _PAPER, np.uint8)
    label = f"{clip.clip}   {recorded.verdict_of(clip.clip)}   {' '.join(clip.strata)}"
    try:
        span = finished_span(recorded, clip.clip) or source_span(recorded, clip.clip)
        pictures = stills(span, PICTURES, CELL_PX)
    except (ItemFailed, ItemRejected) as error:
        pictures, label = [], f"{label}   no picture: {error.outcome.reason}"
    except OSError:
        pictures, label = [], f"{label}   no picture: unreadable"
    _write(strip, label)
    for index, picture in enumerate(pictures):
        height, width = picture.shape[:2]
        top = LABEL_PX + (CELL_PX - height) // 2
        left = index * CELL_PX + (CELL_PX - width) // 2
        strip[top : top + height, left : left + width] = picture
    return strip


def _write(strip: Picture, text: str) -> None:
    """Put one line of ASCII at the strip's top; other characters show as question marks."""
    plain = text.encode("ascii", "replace").decode()
    font, colour = cv2.FONT_HERSHEY_SIMPLEX, (_INK, _INK, _INK)
    cv2.putText(strip, plain, (4, 14), font, 0.42, colour, 1, cv2.LINE_AA)
