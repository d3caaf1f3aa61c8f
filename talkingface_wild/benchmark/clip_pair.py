"""A clip's two sides: decoded at most once each, and only when something needs pixels."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from talkingface_wild.benchmark.candidates import SHIFT_SECONDS, Candidate
from talkingface_wild.benchmark.clips import BenchClip
from talkingface_wild.benchmark.decoded_video import (
    SOUND_RATE,
    DecodedVideo,
    DecodeSettings,
    PixelSource,
    Recoded,
    StillPicture,
    VideoFile,
    decode_video,
    delivered,
    hear,
    on_canvas,
    pictures,
    same_shape,
)
from talkingface_wild.benchmark.feature_store import FeatureStore
from talkingface_wild.benchmark.protocol import Protocol
from talkingface_wild.core.arrays import Pictures, Samples
from talkingface_wild.core.fingerprint import digest, file_sha256
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.media.recode import recode

LEAST_SHARE = 0.5
"""A method's video shorter than this share of the frames to score is a failed clip."""


@dataclass(frozen=True)
class PairSide:
    """One side of a clip: what it is made of, keys and facts; pixels only by ``ClipPair.video``."""

    pixels: PixelSource | None
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
class ClipPair(AbstractContextManager["ClipPair"]):
    """Both sides of one clip under a protocol; as a context it lets its pixels go at the end."""

    clip: BenchClip
    candidate: Candidate
    protocol: Protocol
    store: FeatureStore
    scratch: Path
    decodes: int = 0
    _videos: dict[str, DecodedVideo] = field(default_factory=dict)
    _sounds: dict[tuple[str, int], Samples | None] = field(default_factory=dict)
    _hashes: dict[str, str] = field(default_factory=dict)

    def __exit__(self, *error: object) -> None:
        self._videos.clear()

    def sides(self) -> tuple[PairSide, PairSide | None]:
        """The generated and the real video's side; both end where the shorter one does.

        Raises ItemRejected or ItemFailed where there is no generated video: ``candidate`` says
        whether it is the method's fault. The real video's own faults come from ``reference``.
        """
        reference = self.reference()
        if self.candidate.kind != "file":
            return self._baseline(self.candidate.kind, reference), reference
        generated = self._delivered(reference)
        if reference is not None and generated.frames < reference.frames:
            reference = self.reference(generated.frames) or reference
            generated = replace(generated, sound_key=reference.sound_key)
        return generated, reference

    def reference(self, frames: int | None = None) -> PairSide | None:
        """The real video's side, its first ``frames``, or None in an open set."""
        plain = self._real(frames)
        return None if plain is None else self._recoded(plain)

    def still(self) -> PairSide:
        """The reference picture, still: a baseline, and what a failed clip is scored with."""
        return self._baseline("static", self.reference())

    def _real(self, frames: int | None = None) -> PairSide | None:
        """The real video's side before any re-encoding."""
        clip, protocol = self.clip, self.protocol
        if not clip.reference:
            return None
        most = frames or clip.frames or protocol.frames
        settings = DecodeSettings(
            clip.start_seconds, most, protocol.fps, protocol.canvas, clip.crop
        )
        side = self._video_side(clip.reference, settings)
        return replace(side, sound_key=self._sound_key(side))

    def _recoded(self, side: PairSide) -> PairSide:
        """The side after the protocol's re-encoding, where that applies to this candidate."""
        step = self.protocol.recode
        if not step or not self.candidate.recoded or side.pixels is None:
            return side
        return self._with_pixels(side, Recoded(side.pixels, step))

    def _with_pixels(self, side: PairSide, pixels: PixelSource) -> PairSide:
        return replace(side, pixels=pixels, picture_key=pixels.key(self._sha))

    def _delivered(self, reference: PairSide | None) -> PairSide:
        """A method's finished video, never more of it than there is of the real one."""
        clip, protocol = self.clip, self.protocol
        path = Path(self.candidate.path)
        expected = reference.frames if reference is not None else clip.frames or protocol.frames
        size = reference.size if reference is not None and not protocol.canvas else None
        settings = DecodeSettings(None, expected, protocol.fps, protocol.canvas, None, size)
        side = self._video_side(str(path), settings)
        codec, delivery_flags = delivered(path, protocol.fps)
        flags = self._own_flags((*side.flags, *delivery_flags), reference)
        if side.frames < max(2, LEAST_SHARE * expected):
            detail = f"expected {expected} frames, found {side.frames} in {path.name!r}"
            raise ItemRejected("too_short", detail)
        if side.frames < expected - 1:
            flags = (*flags, "short!")
        sound = reference.sound_key if reference is not None else self._sound_key(side)
        return self._recoded(replace(side, codec=codec, flags=flags, sound_key=sound))

    def _own_flags(self, flags: tuple[str, ...], reference: PairSide | None) -> tuple[str, ...]:
        """Without the flags that the real video has as well: of the same shape, cut as long."""
        if reference is None:
            return flags
        shared = {"long!"} if "long!" in reference.flags else set[str]()
        paths = Path(self.candidate.path), Path(self.clip.reference)
        if "crop!" in reference.flags and same_shape(*paths):
            shared.add("crop!")
        own = tuple(flag for flag in flags if flag not in shared)
        return (*own, "crop!") if self.candidate.reframed else own

    def _baseline(self, kind: str, reference: PairSide | None) -> PairSide:
        if reference is None or reference.pixels is None:
            return self._portrait_side(kind)
        side = replace(reference, codec="frames", flags=())
        plain = self._real() or reference
        pixels = plain.pixels or reference.pixels
        if kind == "static":
            return self._with_pixels(side, StillPicture(pixels, reference.frames))
        if kind == "shifted":
            key = digest(["shifted", SHIFT_SECONDS, reference.sound_key], 24)
            return replace(side, sound_key=key, shifted=True)
        if kind == "crf28":
            coded = self._with_pixels(side, Recoded(pixels, "x264-28"))
            return self._recoded(replace(coded, codec="h264"))
        return side

    def _portrait_side(self, kind: str) -> PairSide:
        """The still portrait of an open-set clip, as long as the clip."""
        frames = self.clip.frames or self.protocol.frames
        if kind != "static" or not self.clip.portrait or not frames:
            raise ItemRejected(
                "undecodable",
                f"an open-set clip has no real video for {kind}, or no portrait and length",
            )
        pixels = StillPicture(None, frames, self.clip.portrait, self.protocol.canvas)
        side = PairSide(pixels, pixels.key(self._sha), "", frames)
        return replace(side, sound_key=self._sound_key(side))

    def video(self, side: PairSide) -> DecodedVideo:
        """The pixels of a side and its sound; decoded once, however often it is called."""
        if side.pixels is None:
            raise ValueError("expected a side that was opened, found one that was only stored")
        return replace(
            self._decoded(side.pixels),
            sound=self.sound(side),
            fps=self.protocol.fps,
            start_seconds=side.start_seconds,
        )

    def _decoded(self, pixels: PixelSource) -> DecodedVideo:
        """The pixels of a source, decoded or drawn once."""
        key = pixels.key(self._sha)
        if key not in self._videos:
            if isinstance(pixels, VideoFile):
                self._decode(pixels)
            elif isinstance(pixels, Recoded):
                self.scratch.mkdir(parents=True, exist_ok=True)
                base = self._decoded(pixels.base)
                frames = recode(base.frames_NHWC, [pixels.step], self.protocol.fps, self.scratch)
                self._videos[key] = replace(base, frames_NHWC=frames, detections={})
            else:
                picture = self._still_picture(pixels)
                frames = np.broadcast_to(picture, (pixels.frames, *picture.shape))
                self._videos[key] = DecodedVideo(frames, scratch=self.scratch)
        return self._videos[key]

    def _still_picture(self, pixels: StillPicture) -> Pictures:
        """Frame 0 of what the still is of; the rest of a video is not decoded for it."""
        base = pixels.base
        if base is None:
            data = np.fromfile(pixels.portrait, dtype=np.uint8)
            bgr_HWC = cv2.imdecode(data, cv2.IMREAD_COLOR)
            if bgr_HWC is None:
                raise ItemRejected("undecodable", f"{Path(pixels.portrait).name!r} is no picture")
            rgb_HWC = np.asarray(bgr_HWC[:, :, ::-1], np.uint8)
            return on_canvas(rgb_HWC, DecodeSettings(canvas=pixels.canvas))[0]
        if isinstance(base, VideoFile) and base.key(self._sha) not in self._videos:
            _, rgb_HWC = next(pictures(Path(base.path), base.settings))
            return on_canvas(rgb_HWC, base.settings)[0]
        return np.array(self._decoded(base).frames_NHWC[0])

    def _video_side(self, path: str, settings: DecodeSettings) -> PairSide:
        """A file's side; its facts come from the store, or from the decode that they need."""
        pixels = VideoFile(path, settings)
        key = pixels.key(self._sha)
        facts = self.store.facts(key) or self._decode(pixels)
        return PairSide(
            pixels,
            key,
            "",
            int(facts["frames"]),
            flags=tuple(facts["flags"]),
            start_seconds=facts["start_seconds"],
            size=tuple(facts["size"]),
        )

    def _decode(self, pixels: VideoFile) -> dict[str, Any]:
        """Decode a file; its facts, which the store keeps."""
        key = pixels.key(self._sha)
        video = decode_video(Path(pixels.path), pixels.settings, self.scratch)
        self.decodes += 1
        count, *size, _ = video.frames_NHWC.shape
        facts = {
            "frames": count,
            "start_seconds": video.start_seconds,
            "size": size,
            "flags": list(video.flags),
        }
        self.store.note(key, facts)
        self._videos[key] = video
        return facts

    def _sha(self, path: str) -> str:
        if path not in self._hashes:
            if not Path(path).is_file():
                raise ItemFailed("file_missing", f"expected a file, found none at {path!r}")
            self._hashes[path] = file_sha256(Path(path))
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
        key = (side.sound_key, side.frames)
        if key not in self._sounds:
            start = self._sound_start(self._real() or side)
            seconds = side.frames / self.protocol.fps
            samples = hear(Path(self._sound_path()), start, seconds)
            if samples is not None and side.shifted:
                turn = min(SHIFT_SECONDS, seconds / 2)
                samples = np.roll(samples, round(turn * SOUND_RATE))
            self._sounds[key] = samples
        return self._sounds[key]

    def mux_offset_ms(self, path: Path, side: PairSide) -> float | None:
        """How far the container's own sound lies behind the driving sound; None without one."""
        from talkingface_wild.functional.sound_offset import sound_offset_seconds

        driving = self.sound(side)
        if driving is None:
            return None
        own = hear(path, side.start_seconds, side.frames / self.protocol.fps)
        offset = None if own is None else sound_offset_seconds(own, driving, SOUND_RATE)
        return None if offset is None else round(offset * 1000.0, 2)
