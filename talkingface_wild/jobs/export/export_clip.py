"""The kept clips of a data set's latest commit, as an export needs them."""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from talkingface_wild.core.arrays import Floats, Pictures
from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.language_names import UNKNOWN
from talkingface_wild.dataset.clip_store import check_stored
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.load import load
from talkingface_wild.functional.mesh_regions import in_crop
from talkingface_wild.jobs.export.request import ExportRequest
from talkingface_wild.jobs.ls import ls
from talkingface_wild.jobs.request import LsRequest
from talkingface_wild.media.container import open_media
from talkingface_wild.media.decode import frames

_CLIP_ID = re.compile(r"c[0-9a-f]{15}")
_MESH = re.compile(r"features/mesh/c[0-9a-f]{15}-[0-9a-f]{16}\.npz")
SPLITS = ("train", "val", "test")
WORDS = ("language", "split", "source", "licence", "consent", "title", "channel")
"""What is told of a clip beside its numbers; an empty text where nothing is known."""


@dataclass(frozen=True)
class ExportClip:
    """One finished clip: its files, and where its face lies."""

    clip_id: str
    video: Path
    """The finished MP4, square, with its sound."""
    sound: Path
    """16 kHz mono WAV."""
    frames: int
    rate: float
    """Frames a second."""
    words: dict[str, str]
    """``WORDS`` of it."""
    mesh: Path | None
    """The kept mesh track, 25 rows a second; None where the set has none of it."""
    crop: tuple[int, int, int]
    """Left, top and side of its crop window in source pixels."""

    @property
    def split(self) -> str:
        """train, val or test."""
        return self.words["split"]

    @functools.cached_property
    def side(self) -> int:
        """Side of the finished pictures in pixels."""
        with open_media(self.video) as media:
            return int(media.video.codec_context.width)

    @functools.cached_property
    def faceless(self) -> int:
        """In how many frames the mesh follows no face."""
        if self.mesh is None:
            return self.frames
        with np.load(self.mesh, allow_pickle=False) as track:
            return self.frames - int(np.isfinite(track["widths"][: self.frames]).sum())

    def pictures(self) -> Iterator[Pictures]:
        """Every finished picture (side, side, 3), RGB; exactly ``frames`` of them.

        Raises InputUnreadable for a file with another number of pictures.
        """
        count = 0
        for count, frame in enumerate(frames(self.video), start=1):  # noqa: B007
            yield frame.rgb
        if count != self.frames:
            raise InputUnreadable(
                f"Expected {self.frames} pictures in {self.video}, found {count}; the file is "
                "damaged: remove it, and encode it again with `tfw curate`."
            )

    def face(self, side: int) -> Floats:
        """The mesh (frames, 468, 2) in pixels of pictures of ``side`` px; NaN without a face.

        A correction of the sound moves the sound alone, so row k belongs to picture k.
        """
        points = np.full((self.frames, 468, 2), np.nan)
        if self.mesh is None:
            return points
        with np.load(self.mesh, allow_pickle=False) as track:
            rows = track["points"].astype(np.float64) * track["widths"][:, None, None]
            rows += track["middles"][:, None]
        left, top, window = self.crop
        rows = in_crop(rows[: self.frames], left, top, side / window)
        points[: len(rows)] = rows
        return points

    def facts(self, side: int) -> dict[str, Any]:
        """What is told of it beside its pictures: numbers and words, never null."""
        return {
            "clip_id": self.clip_id,
            "frames": self.frames,
            "fps": self.rate,
            "seconds": round(self.frames / self.rate, 3),
            "size": side,
            **self.words,
        }


def export_clips(request: ExportRequest) -> list[ExportClip]:
    """The clips in the order of their ids.

    Raises InputUnreadable for a set without finished clips, for tables that were not written by
    this program and for files that are gone; UsageError for a condition that cannot be.
    """
    layout = Layout(request.set_folder.absolute())
    columns = dict.fromkeys(["crop_left", "crop_top", "crop_side", "media_frames", "fps"])
    table = load(layout.out, "clips")
    texts = ["clip_id", "media_path", "audio_path", "mesh_track", "source_path", "source_url"]
    table = table.reindex(columns=list(dict.fromkeys([*texts, *WORDS, *columns])))
    if request.where is not None:
        query = LsRequest(
            out=request.set_folder, where=request.where, columns=("id",), every=False, limit=None
        )
        table = table[table["clip_id"].isin([row["id"] for row in ls(query).rows])]
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    clips = [_clip(layout.out, row) for row in rows if row["media_path"] and row["audio_path"]]
    if not clips:
        matching = "" if request.where is None else f" that matches {request.where!r}"
        raise InputUnreadable(
            f"Expected a finished clip{matching} in {request.set_folder}, found none of "
            f"{len(load(layout.out, 'clips'))}; `tfw ls {request.set_folder} --all` says why."
        )
    return sorted(clips, key=lambda clip: clip.clip_id)


def _clip(out: Path, row: dict[Any, Any]) -> ExportClip:
    clip_id, track = str(row["clip_id"]), row["mesh_track"]
    if not _CLIP_ID.fullmatch(clip_id) or not (track is None or _MESH.fullmatch(str(track))):
        raise InputUnreadable(
            f"Expected a clip_id and a mesh_track as tfw writes them in {out}, found {clip_id!r} "
            f"and {track!r}; restore another commit with `tfw commits {out} restore NUMBER`."
        )
    video, sound = (out / check_stored(row[name]) for name in ("media_path", "audio_path"))
    mesh = None if track is None or row["crop_side"] is None else out / str(track)
    for path in (video, sound, *([mesh] if mesh else [])):
        if not path.is_file():
            raise InputUnreadable(
                f"Expected {path} of clip {clip_id}, found none; make it again with "
                f"`tfw curate --out {out}`."
            )
    row["source"] = row["source_url"] or Path(row["source_path"] or "").name
    words = {name: str(row[name] or "") for name in WORDS}
    words["split"] = words["split"] if words["split"] in SPLITS else SPLITS[0]
    words["language"] = words["language"] or UNKNOWN
    crop = [int(row[name] or 0) for name in ("crop_left", "crop_top", "crop_side")]
    return ExportClip(
        clip_id=clip_id,
        video=video,
        sound=sound,
        frames=int(row["media_frames"]),
        rate=float(row["fps"] or 25.0),
        words=words,
        mesh=mesh,
        crop=(crop[0], crop[1], crop[2]),
    )
