"""A clip's two sides as views: decoded at most once each, and only when something needs pixels."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np

from talkingface_wild.benchmark.candidates import SHIFT_SECONDS, Candidate
from talkingface_wild.benchmark.clips import BenchClip
from talkingface_wild.benchmark.protocol import Protocol
from talkingface_wild.benchmark.store import FeatureStore
from talkingface_wild.benchmark.view import (
    SOUND_RATE,
    Pictures,
    Samples,
    View,
    Wanted,
    decode_into,
    delivered,
    hear,
    on_canvas,
    pixel_file,
)
from talkingface_wild.core.fingerprint import digest, file_sha256
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.media.recode import recode

LEAST_SHARE = 0.5
"""A method's video shorter than this share of the reference is a failed clip."""


@dataclass
class Side:
    """One side of a clip: its keys and facts at once, its view when asked for."""

    picture_key: str
    sound_key: str
    frames: int
    codec: str = "frames"
    flags: tuple[str, ...] = ()
    start_seconds: float = 0.0

    def content(self, hears: bool) -> str:
        """The key of what an extractor looks at, and listens to where it does."""
        return digest([self.picture_key, self.sound_key], 24) if hears else self.picture_key


@dataclass
class Opened:
    """Both sides of one clip under a protocol; use it as a context, so that pixels are let go."""

    clip: BenchClip
    candidate: Candidate
    protocol: Protocol
    store: FeatureStore
    scratch: Path
    decodes: int = 0
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _views: dict[str, View] = field(default_factory=dict)
    _sounds: dict[str, Samples | None] = field(default_factory=dict)
    _hashes: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._views.clear()
        self._stack.close()

    def reference(self) -> Side | None:
        """The real video's side, or None in an open set. Raises ItemRejected, ItemFailed."""
        if not self.clip.reference:
            return None
        side = self._file(self.clip.reference, self._wanted(self.clip.reference))
        if self.protocol.recode and self.candidate.recoded:
            side = replace(side, picture_key=digest([self.protocol.recode, side.picture_key], 24))
        return replace(side, sound_key=self._sound_key(side))

    def generated(self) -> Side:
        """The scored video's side. Raises ItemRejected or ItemFailed where there is none."""
        kind = self.candidate.kind
        if kind != "file":
            return self._floor(kind)
        side = self._file(self.candidate.path, self._wanted(None))
        codec, flags = delivered(Path(self.candidate.path), self.protocol.fps)
        reference = self.reference()
        flags = (*side.flags, *flags)
        if reference is not None:
            if side.frames < max(2, LEAST_SHARE * reference.frames):
                raise ItemRejected(
                    "too_short",
                    f"expected {reference.frames} frames, found {side.frames} in "
                    f"{Path(self.candidate.path).name!r}",
                )
            if side.frames < reference.frames - 1:
                flags = (*flags, "short!")
        key = side.picture_key
        if self.protocol.recode:
            key = digest([self.protocol.recode, key], 24)
        sound = reference.sound_key if reference is not None else self._sound_key(side)
        return replace(side, picture_key=key, codec=codec, flags=flags, sound_key=sound)

    def still(self) -> Side:
        """The static frame's side: the floor, and what a failed clip is scored with."""
        return self._floor("static")

    def _floor(self, kind: str) -> Side:
        reference = self.reference()
        if reference is None:
            if kind != "static":
                raise ItemRejected("undecodable", f"an open-set clip has no real video for {kind}")
            frames = self.clip.frames or self.protocol.frames
            key = digest(["portrait", self._sha(self.clip.portrait), frames], 24)
            side = Side(key, "", frames)
            return replace(side, sound_key=self._sound_key(side))
        if kind == "static":
            key = digest(["static", reference.picture_key], 24)
            return replace(reference, picture_key=key, codec="frames", flags=())
        if kind == "shifted":
            key = digest(["shifted", SHIFT_SECONDS, reference.sound_key], 24)
            return replace(reference, sound_key=key, codec="frames", flags=())
        if kind == "crf28":
            key = digest(["x264-28", reference.picture_key], 24)
            return replace(reference, picture_key=key, codec="h264", flags=())
        return replace(reference, codec="frames", flags=())

    def view(self, side: Side) -> View:
        """The pixels of a side and its sound; decoded once, whoever asks."""
        if side.picture_key not in self._views:
            self._views[side.picture_key] = View(self._pixels(side), side.picture_key)
        known = self._views[side.picture_key]
        return replace(
            known,
            sound=self.sound(side),
            sound_key=side.sound_key,
            fps=self.protocol.fps,
            start_seconds=side.start_seconds,
            codec=side.codec,
            flags=side.flags,
        )

    def _wanted(self, reference: str | None) -> Wanted:
        clip, protocol = self.clip, self.protocol
        frames = min(clip.frames or protocol.frames, max(protocol.frames, clip.frames))
        start = clip.start_seconds if reference is not None else None
        crop = clip.crop if reference is not None else None
        return Wanted(start, frames, protocol.fps, protocol.canvas, crop)

    def _file(self, path: str, wanted: Wanted) -> Side:
        """A file's side; its facts come from the store, or from the decode that they need."""
        key = wanted.key(self._sha(path))
        facts = self.store.facts(key)
        if facts is None:
            pixels = self._room(wanted.frames)
            count, start, flags = decode_into(pixels, Path(path), wanted)
            self.decodes += 1
            self._views[key] = View(pixels[:count], key)
            facts = {"frames": count, "start_seconds": start, "flags": list(flags)}
            self.store.note(key, facts)
        return Side(
            key,
            "",
            int(facts["frames"]),
            flags=tuple(facts["flags"]),
            start_seconds=facts["start_seconds"],
        )

    def _pixels(self, side: Side) -> Pictures:
        """Decode or make the pixels of a key that no view has yet."""
        reference = self._plain_reference()
        candidate = self.candidate
        if reference is not None and side.picture_key == reference.picture_key:
            return self._decoded(self.clip.reference, self._wanted(self.clip.reference))
        if side.picture_key == (self.still().picture_key if self._has_still() else None):
            return self._repeated(side.frames)
        if candidate.kind == "crf28" and reference is not None:
            return recode(self.view(reference).frames_NHWC, ["x264-28"], self.protocol.fps)
        if self.protocol.recode:
            if reference is not None and side.picture_key == digest(
                [self.protocol.recode, reference.picture_key], 24
            ):
                plain = self.view(reference).frames_NHWC
            else:
                plain = self._decoded(candidate.path, self._wanted(None))
            return recode(plain, [self.protocol.recode], self.protocol.fps)
        return self._decoded(candidate.path, self._wanted(None))

    def _has_still(self) -> bool:
        return bool(self.clip.reference or self.clip.portrait)

    def _plain_reference(self) -> Side | None:
        """The real video's side before any re-encoding."""
        if not self.clip.reference:
            return None
        return self._file(self.clip.reference, self._wanted(self.clip.reference))

    def _decoded(self, path: str, wanted: Wanted) -> Pictures:
        key = wanted.key(self._sha(path))
        if key not in self._views:
            pixels = self._room(wanted.frames)
            count, _, _ = decode_into(pixels, Path(path), wanted)
            self.decodes += 1
            self._views[key] = View(pixels[:count], key)
        return self._views[key].frames_NHWC

    def _repeated(self, frames: int) -> Pictures:
        """The reference picture, ``frames`` times, in one picture's memory."""
        if self.clip.portrait:
            picture = self._portrait()
        else:
            reference = self._plain_reference()
            if reference is None:
                raise ItemRejected("undecodable", "there is no picture to stand still")
            picture = np.array(self.view(reference).frames_NHWC[0])
        return np.broadcast_to(picture, (frames, *picture.shape))

    def _portrait(self) -> Pictures:
        data = np.fromfile(self.clip.portrait, dtype=np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
        if picture is None:
            raise ItemRejected("undecodable", f"{Path(self.clip.portrait).name!r} is no picture")
        return on_canvas(np.asarray(picture[:, :, ::-1], np.uint8), self.protocol.canvas)[0]

    def _room(self, frames: int) -> Pictures:
        return self._stack.enter_context(pixel_file(self.scratch, frames, self.protocol.canvas))

    def _sha(self, path: str) -> str:
        if path not in self._hashes:
            file = Path(path)
            if not path or not file.is_file():
                raise ItemFailed("file_missing", f"expected a file, found none at {path!r}")
            self._hashes[path] = file_sha256(file)
        return self._hashes[path]

    def _sound_key(self, side: Side) -> str:
        """Names the driving sound: its file, and the span that belongs to the frames."""
        path = self.clip.sound or self.clip.reference or self.candidate.path
        return digest(
            [self._sha(path), self._sound_start(side), side.frames, self.protocol.fps], 24
        )

    def _sound_start(self, side: Side) -> float:
        """Where frame 0 lies on the sound's clock: a sound file of its own begins with it."""
        return 0.0 if self.clip.sound else side.start_seconds

    def sound(self, side: Side) -> Samples | None:
        """The driving sound of a side, 16 kHz mono; None where there is none."""
        if side.sound_key not in self._sounds:
            path = Path(self.clip.sound or self.clip.reference or self.candidate.path)
            seconds = side.frames / self.protocol.fps
            samples = hear(path, self._sound_start(side), seconds)
            reference = self.reference() if self.clip.reference else None
            if (
                samples is not None
                and reference is not None
                and side.sound_key != reference.sound_key
            ):
                samples = np.roll(samples, round(SHIFT_SECONDS * SOUND_RATE))
            self._sounds[side.sound_key] = samples
        return self._sounds[side.sound_key]


def mux_offset_ms(path: Path, side: Side, driving: Samples | None, fps: int) -> float | None:
    """How far the container's own sound lies behind the driving sound, in ms; None without one."""
    from talkingface_wild.functional.sound_offset import sound_offset_seconds

    if driving is None:
        return None
    own: Any = hear(path, side.start_seconds, side.frames / fps)
    if own is None:
        return None
    found = sound_offset_seconds(own, driving, SOUND_RATE)
    return None if found is None else round(found * 1000.0, 2)
