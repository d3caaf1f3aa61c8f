"""A clip's two sides as views: decoded at most once each, and only when something needs pixels."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np

from talkingface_wild.benchmark.candidates import SHIFT_SECONDS, Candidate
from talkingface_wild.benchmark.clips import BenchClip
from talkingface_wild.benchmark.decoded_video import (
    SOUND_RATE,
    Decoded,
    DecodedVideo,
    DecodeSettings,
    decode_view,
    delivered,
    hear,
    on_canvas,
    pictures,
    same_shape,
)
from talkingface_wild.benchmark.feature_store import FeatureStore
from talkingface_wild.benchmark.pixel_source import PixelSource, Recoded, StillPicture, VideoFile
from talkingface_wild.benchmark.protocol import Protocol
from talkingface_wild.core.arrays import Pictures, Samples
from talkingface_wild.core.fingerprint import digest, file_sha256
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.media.recode import recode

LEAST_SHARE = 0.5
"""A method's video shorter than this share of what was asked is a failed clip."""


@dataclass(frozen=True)
class PairSide:
    """One side of a clip: what it is made of, keys and facts; pixels only by ``ClipPair.view``."""

    footing: PixelSource | None
    picture_key: str
    sound_key: str
    frames: int
    codec: str = "frames"
    flags: tuple[str, ...] = ()
    start_seconds: float = 0.0
    size: tuple[int, int] = (0, 0)
    shifted: bool = False
    """The driving sound is turned by ``SHIFT_SECONDS``."""

    def content(self, hears: bool) -> str:
        """The key of what an extractor looks at, and listens to where it does."""
        return digest([self.picture_key, self.sound_key], 24) if hears else self.picture_key


@dataclass
class ClipPair:
    """Both sides of one clip under a protocol; use it as a context, so that pixels are let go."""

    clip: BenchClip
    candidate: Candidate
    protocol: Protocol
    store: FeatureStore
    scratch: Path
    decodes: int = 0
    _views: dict[str, DecodedVideo] = field(default_factory=dict)
    _sounds: dict[tuple[str, int], Samples | None] = field(default_factory=dict)
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

    def sides(self) -> tuple[PairSide, PairSide | None]:
        """The generated and the real video's side; both end where the shorter one does.

        Raises ItemRejected or ItemFailed where there is no generated video: ``candidate`` says
        whether it is the method's fault. The real video's own faults come from ``reference``.
        """
        reference = self.reference()
        if self.candidate.kind != "file":
            return self._floor(self.candidate.kind, reference), reference
        generated = self._delivered(reference)
        if reference is not None and generated.frames < reference.frames:
            reference = self.reference(generated.frames) or reference
            generated = replace(generated, sound_key=reference.sound_key)
        return generated, reference

    def reference(self, frames: int | None = None) -> PairSide | None:
        """The real video's side, its first ``frames``, or None in an open set."""
        plain = self._real(frames)
        return plain if plain is None else self._prepared(plain)

    def still(self) -> PairSide:
        """The reference picture, still: the floor, and what a failed clip is scored with."""
        return self._floor("static", self.reference())

    def _real(self, frames: int | None = None) -> PairSide | None:
        """The real video's side before any re-encoding."""
        clip, protocol = self.clip, self.protocol
        if not clip.reference:
            return None
        most = frames or clip.frames or protocol.frames
        wanted = DecodeSettings(clip.start_seconds, most, protocol.fps, protocol.canvas, clip.crop)
        side = self._video(clip.reference, wanted)
        return replace(side, sound_key=self._sound_key(side))

    def _prepared(self, side: PairSide) -> PairSide:
        """The side after the protocol's re-encoding, where that applies to this candidate."""
        step = self.protocol.recode
        if not step or not self.candidate.recoded or side.footing is None:
            return side
        footing = Recoded(side.footing, step)
        return replace(side, footing=footing, picture_key=footing.key(self._sha))

    def _delivered(self, reference: PairSide | None) -> PairSide:
        """A method's finished video, never more of it than there is of the real one."""
        clip, protocol = self.clip, self.protocol
        path = Path(self.candidate.path)
        asked = reference.frames if reference is not None else clip.frames or protocol.frames
        size = reference.size if reference is not None and not protocol.canvas else None
        wanted = DecodeSettings(None, asked, protocol.fps, protocol.canvas, None, size)
        side = self._video(str(path), wanted)
        codec, found = delivered(path, protocol.fps)
        flags = self._against(reference, (*side.flags, *found))
        if side.frames < max(2, LEAST_SHARE * asked):
            said = f"expected {asked} frames, found {side.frames} in {path.name!r}"
            raise ItemRejected("too_short", said)
        if side.frames < asked - 1:
            flags = (*flags, "short!")
        sound = reference.sound_key if reference is not None else self._sound_key(side)
        return self._prepared(replace(side, codec=codec, flags=flags, sound_key=sound))

    def _against(self, reference: PairSide | None, flags: tuple[str, ...]) -> tuple[str, ...]:
        """Without the flags that the real video has as well: of the same shape, cut as long."""
        if reference is None:
            return flags
        alike = {"long!"} if "long!" in reference.flags else set[str]()
        if "crop!" in reference.flags:
            paths = Path(self.candidate.path), Path(self.clip.reference)
            alike |= {"crop!"} if same_shape(*paths) else set()
        kept = tuple(flag for flag in flags if flag not in alike)
        return (*kept, "crop!") if self.candidate.reframed else kept

    def _floor(self, kind: str, reference: PairSide | None) -> PairSide:
        if reference is None or reference.footing is None:
            return self._portrait_side(kind)
        if kind == "static":
            plain = self._real()
            base = reference.footing if plain is None or plain.footing is None else plain.footing
            footing: PixelSource = StillPicture(base, reference.frames)
            key = footing.key(self._sha)
            return replace(reference, footing=footing, picture_key=key, codec="frames", flags=())
        if kind == "shifted":
            key = digest(["shifted", SHIFT_SECONDS, reference.sound_key], 24)
            return replace(reference, sound_key=key, codec="frames", flags=(), shifted=True)
        if kind == "crf28":
            plain = self._real() or reference
            footing = Recoded(plain.footing or reference.footing, "x264-28")
            side = replace(reference, footing=footing, codec="h264", flags=())
            return self._prepared(replace(side, picture_key=footing.key(self._sha)))
        return replace(reference, codec="frames", flags=())

    def _portrait_side(self, kind: str) -> PairSide:
        """The still portrait of an open-set clip, as long as the clip is asked for."""
        frames = self.clip.frames or self.protocol.frames
        if kind != "static" or not self.clip.portrait or not frames:
            raise ItemRejected(
                "undecodable",
                f"an open-set clip has no real video for {kind}, or no portrait and length",
            )
        footing = StillPicture(None, frames, self.clip.portrait, self.protocol.canvas)
        side = PairSide(footing, footing.key(self._sha), "", frames)
        return replace(side, sound_key=self._sound_key(side))

    def view(self, side: PairSide) -> DecodedVideo:
        """The pixels of a side and its sound; decoded once, whoever asks."""
        if side.footing is None:
            raise ValueError("expected a side that was opened, found one that was only stored")
        self._make(side.footing)
        return replace(
            self._views[side.picture_key],
            sound=self.sound(side),
            sound_key=side.sound_key,
            fps=self.protocol.fps,
            start_seconds=side.start_seconds,
            codec=side.codec,
            flags=side.flags,
        )

    def _make(self, footing: PixelSource) -> Pictures:
        """The pixels of a footing, made once."""
        key = footing.key(self._sha)
        if key not in self._views:
            content = None
            if isinstance(footing, VideoFile):
                decoded = self._decode(footing)
                frames, content = decoded.frames_NHWC, decoded.content
            elif isinstance(footing, Recoded):
                self.scratch.mkdir(parents=True, exist_ok=True)
                base = self._make(footing.base)
                content = self._views[footing.base.key(self._sha)].content
                frames = recode(base, [footing.step], self.protocol.fps, self.scratch)
            else:
                picture = self._still_picture(footing)
                frames = np.broadcast_to(picture, (footing.frames, *picture.shape))
            self._views[key] = DecodedVideo(frames, key, content=content, scratch=self.scratch)
        return self._views[key].frames_NHWC

    def _still_picture(self, footing: StillPicture) -> Pictures:
        """Frame 0 of what the still is of; the rest of a video is not decoded for it."""
        if footing.base is None:
            data = np.fromfile(footing.portrait, dtype=np.uint8)
            picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
            if picture is None:
                raise ItemRejected("undecodable", f"{Path(footing.portrait).name!r} is no picture")
            rgb = np.asarray(picture[:, :, ::-1], np.uint8)
            return on_canvas(rgb, DecodeSettings(canvas=footing.canvas))[0]
        known = self._views.get(footing.base.key(self._sha))
        if known is None and isinstance(footing.base, VideoFile):
            video = footing.base
            _, rgb = next(pictures(Path(video.path), video.wanted))
            return on_canvas(rgb, video.wanted)[0]
        return np.array(self._make(footing.base)[0])

    def _video(self, path: str, wanted: DecodeSettings) -> PairSide:
        """A file's side; its facts come from the store, or from the decode that they need."""
        footing = VideoFile(path, wanted)
        key = footing.key(self._sha)
        facts = self.store.facts(key)
        if facts is None:
            self._decode(footing)
            facts = self.store.facts(key) or {}
        return PairSide(
            footing,
            key,
            "",
            int(facts["frames"]),
            flags=tuple(facts["flags"]),
            start_seconds=facts["start_seconds"],
            size=tuple(facts["size"]),
        )

    def _decode(self, footing: VideoFile) -> Decoded:
        """Decode a file and remember its facts."""
        key = footing.key(self._sha)
        decoded = decode_view(Path(footing.path), footing.wanted, self.scratch)
        self.decodes += 1
        count, *size, _ = decoded.frames_NHWC.shape
        facts = {"frames": count, "start_seconds": decoded.start_seconds, "size": size}
        self.store.note(key, {**facts, "flags": list(decoded.flags)})
        view = DecodedVideo(decoded.frames_NHWC, key, content=decoded.content, scratch=self.scratch)
        self._views[key] = view
        return decoded

    def _sha(self, path: str) -> str:
        if path not in self._hashes:
            file = Path(path)
            if not path or not file.is_file():
                raise ItemFailed("file_missing", f"expected a file, found none at {path!r}")
            self._hashes[path] = file_sha256(file)
        return self._hashes[path]

    def _sound_path(self) -> str:
        return self.clip.sound or self.clip.reference or self.candidate.path

    def _sound_key(self, side: PairSide) -> str:
        """Names the driving sound: its file, and the span that belongs to the frames."""
        sha, start = self._sha(self._sound_path()), self._sound_start(side)
        return digest([sha, start, side.frames, self.protocol.fps], 24)

    def _sound_start(self, side: PairSide) -> float:
        """Where frame 0 lies on the sound's clock: a sound file of its own begins with it."""
        return 0.0 if self.clip.sound else side.start_seconds

    def sound(self, side: PairSide) -> Samples | None:
        """The driving sound of a side, 16 kHz mono; None where there is none."""
        known = (side.sound_key, side.frames)
        if known not in self._sounds:
            start = self._real() or side
            seconds = side.frames / self.protocol.fps
            samples = hear(Path(self._sound_path()), self._sound_start(start), seconds)
            if samples is not None and side.shifted:
                turn = min(SHIFT_SECONDS, seconds / 2)
                samples = np.roll(samples, round(turn * SOUND_RATE))
            self._sounds[known] = samples
        return self._sounds[known]


def mux_offset_ms(path: Path, side: PairSide, driving: Samples | None, fps: int) -> float | None:
    """How far the container's own sound lies behind the driving sound, in ms; None without one."""
    from talkingface_wild.functional.sound_offset import sound_offset_seconds

    if driving is None:
        return None
    own: Any = hear(path, side.start_seconds, side.frames / fps)
    if own is None:
        return None
    found = sound_offset_seconds(own, driving, SOUND_RATE)
    return None if found is None else round(found * 1000.0, 2)
