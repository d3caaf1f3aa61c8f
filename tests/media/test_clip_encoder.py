"""The final encode: picture and sound together, exact lengths, the same bits each time."""

import hashlib
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.media.clip_encoder import Encoded, encode_clip
from talkingface_wild.media.container_probe import probe
from talkingface_wild.media.decode import frames
from talkingface_wild.media.geometry import Window, crop_padded
from talkingface_wild.media.sound import read_wav
from tests.media.fixtures import (
    click_onsets,
    clicks,
    even_times,
    flash_and_click,
    flash_onsets,
    turn,
    uneven_times,
    write_video,
)
from tests.media.test_decode import level, levels, quarters

RATES = ["24000/1001", "24", "25", "30000/1001", "30", "50", "60", "variable"]
SECONDS = 5.0


def times_of(rate: str) -> list[float]:
    return uneven_times(SECONDS) if rate == "variable" else even_times(Fraction(rate), SECONDS)


def encode(source: Path, start: float, end: float, **how: object) -> Encoded:
    """Encode beside the source as o.mp4 and o.wav, 64 px."""
    window = how.pop("window", Window(16, 0, 64))
    return encode_clip(
        source,
        start=start,
        end=end,
        window=window,
        size=how.pop("size", 64),
        video_out=source.with_name("o.mp4"),
        audio_out=source.with_name("o.wav"),
        **how,
    )


def wav_clicks(path: Path) -> np.ndarray:
    loud = np.flatnonzero(np.abs(read_wav(path).astype(int)) > 6000) / 16000
    return loud[np.concatenate([[True], np.diff(loud) > 0.2])]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("span", [(0.0, 4.6), (1.517, 4.617)], ids=["whole", "middle"])
def test_picture_and_sound_stay_together(
    tmp_path: Path, rate: str, span: tuple[float, float]
) -> None:
    source = flash_and_click(tmp_path / "s.mp4", times_of(rate), SECONDS)
    done = encode(source, *span)
    assert done.frames == round((span[1] - span[0]) * 25)
    flash, click = flash_onsets(tmp_path / "o.mp4"), click_onsets(tmp_path / "o.mp4")
    heard = wav_clicks(tmp_path / "o.wav")
    want = [second - span[0] for second in range(1, 5) if span[0] < second < span[1] - 0.1]
    assert len(flash) == len(click) == len(heard) == len(want)
    assert np.abs(flash - click).max() < 0.020
    assert np.abs(flash - heard).max() < 0.020
    assert np.abs(click - want).max() < 0.008


@pytest.mark.parametrize("suffix", ["mkv", "ts"])
def test_other_containers(tmp_path: Path, suffix: str) -> None:
    source = flash_and_click(tmp_path / f"s.{suffix}", times_of("30"), SECONDS)
    encode(source, 1.3, 4.5)
    flash, click = flash_onsets(tmp_path / "o.mp4"), click_onsets(tmp_path / "o.mp4")
    assert len(flash) == len(click) == 3
    assert np.abs(flash - click).max() < 0.020


@pytest.mark.parametrize("offset", [3, -5])
def test_offset_moves_the_sound(tmp_path: Path, offset: int) -> None:
    """The sound leads by ``offset`` frames, SyncNet's positive offset: the encode puts it right."""
    times = times_of("25")
    at = np.arange(1, 5)
    source = write_video(
        tmp_path / "s.mp4",
        times,
        [np.full((64, 96, 3), 255 * (t >= 1 and t % 1 < 0.1), np.uint8) for t in times],
        clicks(SECONDS, at - offset / 25),
    )
    encode(source, 0.72, 4.6, offset_frames=offset)
    flash, click = flash_onsets(tmp_path / "o.mp4"), click_onsets(tmp_path / "o.mp4")
    assert len(flash) == len(click) == 4
    assert np.abs(flash - click).max() < 0.010


def test_late_picture_and_gaps_in_the_sound(tmp_path: Path) -> None:
    """Sound that begins at 1.5 s is silent before; what follows keeps its place."""
    times = times_of("25")
    sound = clicks(3.0, [0.5, 1.5])
    source = write_video(tmp_path / "s.mp4", times, levels(times), sound, sound_from=1.5)
    encode(source, 0.5, 4.5, window=Window(0, 0, 48), size=48)
    assert click_onsets(tmp_path / "o.mp4") == pytest.approx([1.5, 2.5], abs=0.003)
    assert wav_clicks(tmp_path / "o.wav") == pytest.approx([1.5, 2.5], abs=0.003)


@pytest.mark.parametrize("start", [0.0, 0.413])
@pytest.mark.parametrize("rate", ["variable", "60", "24000/1001"])
def test_the_pictures_are_those_that_decode_gives(tmp_path: Path, rate: str, start: float) -> None:
    times = times_of(rate)
    source = write_video(tmp_path / "s.mp4", times, levels(times), clicks(SECONDS, [1]))
    encode(source, start, start + 4, window=Window(0, 0, 48), size=48)
    want = [level(f.rgb) for f in frames(source, start=start, end=start + 4, fps=25)]
    got = [level(f.rgb) for f in frames(tmp_path / "o.mp4")]
    assert got == want


@pytest.mark.parametrize(
    "window",
    [
        Window(0, 0, 64),
        Window(-21, -13, 101),
        Window(33, 17, 40),
        Window(40, 40, 60),
        Window(-10, -4, 72, (9, 5, 17, 3)),
    ],
    ids=["whole", "beyond", "odd", "corner", "bars"],
)
@pytest.mark.parametrize("matrix", [(1, 0, 0, 1), (0, 1, -1, 0), (0, -1, 1, 0), (-1, 0, 0, 1)])
def test_crop_is_the_window_in_displayed_pixels(
    tmp_path: Path, window: Window, matrix: tuple[float, float, float, float]
) -> None:
    times = times_of("25")[:25]
    source = write_video(tmp_path / "s.mp4", times, [quarters()] * 25, clicks(1, [0.5]))
    turn(source, matrix)
    encode(source, 0.0, 1.0, window=window)
    want = crop_padded(next(frames(source)).rgb, window, 64)
    got = list(frames(tmp_path / "o.mp4"))[12].rgb
    assert np.abs(got.astype(int) - want).mean() < 6


def test_the_same_bits_each_time_and_no_dates(tmp_path: Path) -> None:
    times = times_of("30")
    source = write_video(tmp_path / "s.mp4", times, levels(times), clicks(SECONDS, [1]))
    digests = set()
    for _ in range(2):
        encode(source, 0.4, 3.4, window=Window(0, 0, 48), size=48)
        parts = [(tmp_path / name).read_bytes() for name in ("o.mp4", "o.wav")]
        digests.add(hashlib.sha256(b"".join(parts)).hexdigest())
    assert len(digests) == 1
    assert not any(word in parts[0] + parts[1] for word in (b"Lavf", b"Lavc", b"x264", b"LIST"))
    with av.open(str(tmp_path / "o.mp4")) as made:
        assert "creation_time" not in made.metadata


def test_what_is_written(tmp_path: Path) -> None:
    times = times_of("30")
    sound = clicks(SECONDS, [1], rate=44100)
    source = write_video(tmp_path / "s.mp4", times, levels(times), sound, sound_rate=44100)
    encode(source, 0.4, 3.4, window=Window(0, 0, 48), size=512)
    made = probe(tmp_path / "o.mp4")
    assert (made.width, made.height, made.fps, made.variable_rate) == (512, 512, 25.0, False)
    assert (made.video_codec, made.audio_codec, made.sample_rate) == ("h264", "aac", 44100)
    assert made.duration == pytest.approx(3.0, abs=0.001)
    with av.open(str(tmp_path / "o.mp4")) as film:
        assert film.streams.video[0].codec_context.pix_fmt == "yuv420p"
    with wave.open(str(tmp_path / "o.wav")) as reader:
        assert reader.getparams()[:4] == (1, 2, 16000, 48000)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.mp4", "o.wav", "s.mp4"]


def test_a_real_clip_whose_picture_starts_late(shared: Path, tmp_path: Path) -> None:
    source = shared / "media/clips/head_3.mp4"
    found = probe(source)
    encode_clip(
        source,
        start=found.usable_start,
        end=found.usable_start + 2,
        window=Window(-20, -20, 618),
        size=128,
        video_out=tmp_path / "o.mp4",
        audio_out=tmp_path / "o.wav",
    )
    got = [frame.rgb.astype(int) for frame in frames(tmp_path / "o.mp4")]
    still = sum(
        np.abs(now - before).mean() < 0.2 for now, before in zip(got[1:], got, strict=False)
    )
    assert len(got) == 50
    assert still < 5


def test_refusals_leave_no_file(tmp_path: Path) -> None:
    times = times_of("25")
    silent = write_video(tmp_path / "silent.mp4", times, levels(times))
    source = write_video(tmp_path / "s.mp4", times, levels(times), clicks(SECONDS, [1]))
    with pytest.raises(ItemRejected) as no_sound:
        encode(silent, 0, 1)
    assert no_sound.value.outcome.reason == "no_audio"
    with pytest.raises(ItemRejected) as beyond:
        encode(source, 4, 8, window=Window(0, 0, 48))
    assert beyond.value.outcome.reason == "undecodable"
    with pytest.raises(UsageError):
        encode(source, 1, 1)
    with pytest.raises(UsageError):
        encode(source, 0, 1, window=Window(900, 900, 64))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.mp4", "silent.mp4"]


def test_hostile_names(tmp_path: Path) -> None:
    folder = tmp_path / "it's;$(x)\n%d"
    folder.mkdir()
    times = times_of("25")[:30]
    source = write_video(folder / "-i 'q\".mp4", times, levels(times), clicks(1.2, [1]))
    assert encode(source, 0, 1, window=Window(0, 0, 48)).frames == 25
