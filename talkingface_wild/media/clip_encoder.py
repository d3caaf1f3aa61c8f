"""The one encode of a clip, from its source: trim, upright, crop, scale, rate and sound together.

One run of one ffmpeg graph writes picture and sound, bit for bit the same each time.
"""

import contextlib
import wave
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.core.paths import atomic_path
from talkingface_wild.media.container import FORMATS, OpenMedia, open_media
from talkingface_wild.media.decode import frame_orientation
from talkingface_wild.media.demux import decoded, packets
from talkingface_wild.media.ffmpeg import aac_rate, file_argument, run_ffmpeg
from talkingface_wild.media.frame_times import SECOND_US, micros, tick_count
from talkingface_wild.media.geometry import Orientation, Window, displayed_size

_SEEK_MARGIN_SECONDS = 1.0
_UNINDEXED_MARGIN_SECONDS = 15.0
"""Formats without an index are sought by guess, and may land behind what was asked for."""
_INDEXED = ("mov", "matroska", "avi")
_SPARE_PICTURES = 2
"""The last picture may be repeated this often where rounding leaves the span a little short."""
_LEAST_TIMEOUT_SECONDS = 300.0
_TIMEOUT_PER_SECOND = 60.0


@dataclass(frozen=True)
class Encoded:
    """What was written: pictures, their length in seconds, and the rate of the sound in the MP4."""

    frames: int
    seconds: float
    sample_rate: int


@dataclass(frozen=True)
class _Source:
    """What the graph must know of the source; ``start_us`` is in the streams' own timestamps."""

    video_index: int
    audio_index: int
    start_us: int
    width: int
    height: int
    square: bool
    orientation: Orientation
    interlaced: bool
    sample_rate: int
    indexed: bool


@dataclass(frozen=True)
class _Plan:
    """What is to come out."""

    window: Window
    size: int
    rate: Fraction
    frames: int
    delay_us: int
    sample_rate: int
    wav_rate: int

    def samples(self, rate: int) -> int:
        """Sound samples that last as long as the pictures."""
        return int(Fraction(self.frames * rate) / self.rate + Fraction(1, 2))


def encode_clip(
    source: Path,
    *,
    start: float,
    end: float,
    window: Window,
    video_out: Path,
    audio_out: Path,
    size: int = 512,
    fps: float | Fraction = 25,
    offset_frames: int = 0,
    audio_rate: int = 16000,
    crf: int = 18,
) -> Encoded:
    """Write ``[start, end)`` of ``source`` as an MP4 (H.264, AAC) and a WAV.

    Exactly ``round((end - start) * fps)`` pictures of ``window`` (displayed source pixels; black
    beyond the picture), chosen as ``decode.frames`` chooses them. ``offset_frames`` is SyncNet's
    offset at 25 frames a second: positive when the matching sound lies earlier, that is when the
    sound leads, so the sound is delayed by ``offset_frames / 25`` s. The MP4 keeps the sound's
    own rate, at most two channels; the WAV is mono 16-bit. HDR is not tone-mapped.

    Raises ItemRejected (no_audio, undecodable, and what ``open_media`` raises), ItemFailed
    (timeout, crash), DiskFull, ExtraMissing without ffmpeg, UsageError for an empty span.
    """
    rate = Fraction(fps).limit_denominator(100_000)
    frames = tick_count(micros(start), micros(end), rate)
    if frames < 1:
        raise UsageError(f"Expected a span of at least one picture, found {start}-{end} s.")
    stream = _look(source, micros(start))
    sample_rate = aac_rate(stream.sample_rate)
    delay_us = offset_frames * SECOND_US // 25
    plan = _Plan(window, size, rate, frames, delay_us, sample_rate, audio_rate)
    margin = _SEEK_MARGIN_SECONDS if stream.indexed else _UNINDEXED_MARGIN_SECONDS
    seek = start - margin - max(0, delay_us) / SECOND_US
    with atomic_path(video_out) as video, atomic_path(audio_out) as audio:
        arguments = _graph(source, seek, stream, plan, video, audio, crf)
        timeout = _LEAST_TIMEOUT_SECONDS + _TIMEOUT_PER_SECOND * float(frames / rate)
        run_ffmpeg(arguments, writes=video_out, timeout_seconds=timeout)
        _verify(source, plan, video, audio)
    return Encoded(frames, float(frames / rate), sample_rate)


def _look(source: Path, start_us: int) -> _Source:
    with open_media(source) as media:
        if media.audio is None:
            raise ItemRejected("no_audio", f"{source.name!r} has no sound stream")
        frame = _first_picture(media, source)
        orientation = frame_orientation(frame)
        aspect = media.video.sample_aspect_ratio
        width, height = displayed_size(frame.width, frame.height, aspect, orientation)
        return _Source(
            video_index=media.video.index,
            audio_index=media.audio.index,
            start_us=start_us + media.zero_us,
            width=width,
            height=height,
            square=orientation.coded(width, height) == (frame.width, frame.height),
            orientation=orientation,
            interlaced=bool(frame.interlaced_frame),
            sample_rate=media.audio.codec_context.sample_rate or 48000,
            indexed=media.container.format.name.startswith(_INDEXED),
        )


def _first_picture(media: OpenMedia, source: Path) -> Any:
    for _, frame in decoded(media, media.video):
        return frame
    raise ItemRejected("undecodable", f"no picture of {source.name!r} could be decoded")


def _graph(
    source: Path, seek: float, stream: _Source, plan: _Plan, video: Path, audio: Path, crf: int
) -> list[str]:
    opened: dict[str, Any] = {
        "format_whitelist": FORMATS,
        "protocol_whitelist": "file",
        "noautorotate": None,
        "threads": 1,
    }
    if seek > 0:
        opened |= {"ss": f"{seek:.6f}", "noaccurate_seek": None}
    media = ffmpeg.input(file_argument(source), **opened)
    pictures = _pictures(media[str(stream.video_index)], stream, plan)
    heard = _sound(media[str(stream.audio_index)], stream, plan).asplit()
    common = {"fflags": "+bitexact", "map_metadata": "-1", "map_chapters": "-1"}
    film = ffmpeg.output(
        pictures,
        heard[0],
        file_argument(video),
        format="mp4",
        vcodec="libx264",
        crf=crf,
        preset="medium",
        acodec="aac",
        audio_bitrate="192k",
        **{"flags:v": "+bitexact", "flags:a": "+bitexact", "threads:v": 1, "threads:a": 1},
        **{
            "bsf:v": "filter_units=remove_types=6",
            "movflags": "+faststart",
            "metadata:s:v:0": "encoder=H.264",
        },
        **common,
    )
    mono = heard[1].filter(
        "aformat", sample_fmts="s16", sample_rates=plan.wav_rate, channel_layouts="mono"
    )
    speech = ffmpeg.output(
        _exactly(mono, plan.samples(plan.wav_rate)),
        file_argument(audio),
        format="wav",
        acodec="pcm_s16le",
        **{"flags:a": "+bitexact"},
        **common,
    )
    both = ffmpeg.merge_outputs(film, speech)
    arguments: list[str] = both.global_args("-copyts", "-filter_complex_threads", "1").get_args()
    return arguments


def _pictures(stream: Any, source: _Source, plan: _Plan) -> Any:
    """Filters of the picture: place on the clock, 25 a second, upright, crop, scale."""
    if source.interlaced:
        stream = stream.filter("bwdif", mode="send_frame", deint="interlaced")
    stream = (
        stream.filter("settb", "AVTB")
        .filter("setpts", f"PTS-{source.start_us}")
        .filter("fps", fps=str(plan.rate), start_time=0)
        .filter("tpad", stop_mode="clone", stop=_SPARE_PICTURES)
        .filter("trim", end_frame=plan.frames)
    )
    if source.orientation.transposed:
        stream = stream.filter("transpose", "cclock_flip")
    if source.orientation.flip_rows:
        stream = stream.filter("vflip")
    if source.orientation.flip_columns:
        stream = stream.filter("hflip")
    if not source.square:
        stream = stream.filter("scale", source.width, source.height, flags=_flags("area"))
    window = plan.window
    left, top, width, height = window.inside(source.width, source.height)
    before = (left - window.left, top - window.top)
    if any(number % 2 for number in (left, top, width, height, *before)):
        stream = stream.filter("format", "yuv444p")
    stream = stream.filter("crop", width, height, left, top)
    if (width, height) != (window.side, window.side):
        stream = stream.filter("pad", window.side, window.side, *before, color="black")
    how = _flags("area" if window.side > plan.size else "lanczos")
    return (
        stream.filter("scale", plan.size, plan.size, flags=how, out_range="tv")
        .filter("setsar", 1)
        .filter("format", "yuv420p")
    )


def _sound(stream: Any, source: _Source, plan: _Plan) -> Any:
    """Filters of the sound: place on the clock (with the offset), gaps filled, exact length."""
    rate = source.sample_rate
    place = int(Fraction((source.start_us - plan.delay_us) * rate, SECOND_US) + Fraction(1, 2))
    placed = (
        stream.filter("asettb", f"1/{rate}")
        .filter("asetpts", f"PTS-({place})")
        .filter("atrim", start=0)
        .filter("aresample", **{"async": 1, "min_hard_comp": 0.01, "first_pts": 0})
        .filter("aformat", sample_rates=plan.sample_rate, channel_layouts="mono|stereo")
    )
    return _exactly(placed, plan.samples(plan.sample_rate))


def _exactly(stream: Any, samples: int) -> Any:
    return stream.filter("apad", whole_len=samples).filter("atrim", end_sample=samples)


def _flags(how: str) -> str:
    return f"{how}+accurate_rnd+full_chroma_int+bitexact"


def _verify(source: Path, plan: _Plan, video: Path, audio: Path) -> None:
    """What ffmpeg wrote is what was asked for; a source that ends early is undecodable there."""
    with contextlib.suppress(ItemRejected, ItemFailed), open_media(video) as media:
        written = sum(1 for _ in packets(media, media.video))
        if written == plan.frames:
            with wave.open(str(audio), "rb") as reader:
                if reader.getnframes() == plan.samples(plan.wav_rate):
                    return
    raise ItemRejected(
        "undecodable",
        f"{source.name!r} gives fewer pictures than the {plan.frames} that the span asks for",
    )
