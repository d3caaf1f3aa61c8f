"""Samples at their place on the clock, whatever the rate, the container and the gaps; WAV files."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.media.sound import (
    loudness_dbfs,
    read_sound,
    read_wav,
    sound_writer,
    write_wav,
)
from tests.media.fixtures import click_onsets, clicks, even_times, flashes, write_video


def onsets(samples: np.ndarray, rate: int = 16000) -> np.ndarray:
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 6000) / rate
    return loud[np.concatenate([[True], np.diff(loud) > 0.2])]


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("source_rate", [48000, 44100, 16000])
def test_clicks_are_where_they_were_put(tmp_path: Path, suffix: str, source_rate: int) -> None:
    times = even_times(Fraction(25), 4)
    sound = clicks(4, [1, 2.5, 3.25], rate=source_rate)
    path = write_video(
        tmp_path / f"a.{suffix}", times, flashes(times), sound, sound_rate=source_rate
    )
    shift = 1024 / source_rate if suffix == "ts" else 0.0  # MPEG-TS keeps the encoder's priming.
    want = np.array([1, 2.5, 3.25]) + shift
    assert onsets(read_sound(path)) == pytest.approx(want, abs=0.002)
    assert onsets(read_sound(path, 2.0, 4.0)) == pytest.approx(want[1:] - 2, abs=0.002)


@pytest.mark.parametrize("source_rate", [48000, 44100, 22050])
def test_a_span_is_the_same_as_in_the_whole(tmp_path: Path, source_rate: int) -> None:
    random = np.random.default_rng(3)
    sound = (random.normal(size=source_rate * 6) * 3000).astype(np.int16)
    path = write_video(
        tmp_path / "a.mov",
        sound=sound,
        sound_codec="pcm_s16le",
        sound_rate=source_rate,
        times=[0.0, 0.04],
        pictures=flashes([0.0, 0.04]),
    )
    whole = read_sound(path)
    for start in (0.0, 1.003, 3.7):
        part = read_sound(path, start, start + 1)
        first = round(start * 16000)
        assert len(part) == 16000
        assert np.abs(part.astype(int) - whole[first : first + 16000]).max() <= 40


def test_late_start_and_end_are_silent(tmp_path: Path) -> None:
    times = even_times(Fraction(25), 4)
    path = write_video(tmp_path / "a.mkv", times, flashes(times), clicks(1, [0.5]), sound_from=1.5)
    samples = read_sound(path, 0.0, 5.0)
    assert len(samples) == 80000
    assert onsets(samples) == pytest.approx([2.0], abs=0.002)
    assert not samples[: int(1.45 * 16000)].any()
    assert not samples[int(2.6 * 16000) :].any()


def test_a_hole_in_the_sound_moves_nothing(tmp_path: Path) -> None:
    """Sound packets of 1 s to 2 s are left out of the file; the click at 2.5 s stays there."""
    import av

    times = even_times(Fraction(25), 4)
    whole = write_video(
        tmp_path / "w.mkv", times, flashes(times), clicks(4, [0.5, 2.5]), sound_codec="pcm_s16le"
    )
    holed = tmp_path / "h.mkv"
    with av.open(str(whole)) as source, av.open(str(holed), "w") as target:
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.size and not (
                packet.stream.type == "audio" and 1 <= packet.pts * packet.time_base < 2
            ):
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    samples = read_sound(holed, 0.0, 4.0)
    assert onsets(samples) == pytest.approx([0.5, 2.5], abs=0.002)
    assert not samples[int(1.1 * 16000) : int(1.9 * 16000)].any()
    assert click_onsets(holed) == pytest.approx([0.5, 2.5], abs=0.002)


def test_no_sound_stream(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [0.0, 0.04], flashes([0.0, 0.04]))
    with pytest.raises(ItemRejected) as refused:
        read_sound(path)
    assert refused.value.outcome.reason == "no_audio"


def test_real_silence_and_speech(shared: Path) -> None:
    clips = shared / "media/clips"
    assert loudness_dbfs(read_sound(clips / "selfie_18.mp4")) == -120
    assert -45 < loudness_dbfs(read_sound(clips / "hdtf_hill.mp4")) < -10


def test_loudness_of_known_waves() -> None:
    wave = np.sin(2 * np.pi * 100 * np.arange(16000) / 16000)
    assert loudness_dbfs(np.full(100, -32768, dtype=np.int16)) == pytest.approx(0)
    assert loudness_dbfs((wave * 16384).astype(np.int16)) == pytest.approx(-9.03, abs=0.01)
    assert loudness_dbfs(np.zeros(100, dtype=np.int16)) == -120
    assert loudness_dbfs(np.zeros(0, dtype=np.int16)) == -120


def test_wav_there_and_back(tmp_path: Path) -> None:
    samples = np.arange(-8000, 8000, dtype=np.int16)
    write_wav(tmp_path / "a.wav", samples, 16000)
    assert np.array_equal(read_wav(tmp_path / "a.wav"), samples)
    assert np.array_equal(read_wav(tmp_path / "a.wav", 0.25, 0.5), samples[4000:8000])
    around = read_wav(tmp_path / "a.wav", -0.5, 1.5)
    assert len(around) == 32000
    assert np.array_equal(around[8000:24000], samples)
    assert not around[:8000].any()
    assert not around[24000:].any()


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError), sound_writer(tmp_path / "a.wav", 16000) as write:
        write(np.zeros(10, dtype=np.int16))
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_no_wav_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"nothing of the kind")
    with pytest.raises(InputUnreadable, match="make it again"):
        read_wav(tmp_path / "a.wav")
    with pytest.raises(InputUnreadable):
        read_wav(tmp_path / "b.wav")
