"""One pass gives cuts, a proxy with each frame in its place, and the sound on the clock."""

import hashlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.media.container_probe import probe
from talkingface_wild.media.decode import frames
from talkingface_wild.media.shot_boundaries import ShotDetector
from talkingface_wild.media.sound import loudness_dbfs, read_sound, read_wav
from talkingface_wild.media.source_analysis import Analysis, analyse, proxy_frames
from tests.media.fixtures import clicks, even_times, turn, uneven_times, write_video
from tests.media.test_decode import corner, level, levels, quarters


def run(path: Path, folder: Path, **how: object) -> Analysis:
    found = probe(path)
    return analyse(
        path,
        start=found.usable_start,
        end=found.usable_end,
        proxy=folder / "proxy.mp4",
        sound=folder / "sound.wav",
        detector=ShotDetector(fps=found.fps),
        **how,
    )


@pytest.mark.parametrize("name", ["head_3", "may"])
def test_the_proxy_shows_what_decoding_gives(shared: Path, tmp_path: Path, name: str) -> None:
    path = shared / f"media/clips/{name}.mp4"
    found, done = probe(path), run(path, tmp_path, proxy_side=200)
    want = list(frames(path, start=found.usable_start, end=found.usable_end, fps=5, max_side=200))
    got = list(proxy_frames(tmp_path / "proxy.mp4"))
    assert [index for index, _ in got] == list(range(done.proxy_frames))
    assert abs(len(want) - len(got)) <= 1
    assert max(done.proxy_width, done.proxy_height) == 200
    for (_, small), frame in zip(got, want, strict=False):
        height, width = small.shape[:2]
        assert np.abs(frame.rgb[:height, :width].astype(int) - small).mean() < 6


def test_the_sound_is_on_the_clock(shared: Path, tmp_path: Path) -> None:
    path = shared / "media/clips/head_2.mp4"
    found, done = probe(path), run(path, tmp_path)
    assert np.array_equal(read_wav(tmp_path / "sound.wav"), read_sound(path))
    usable = read_sound(path, found.usable_start, found.usable_end)
    assert done.loudness_dbfs == pytest.approx(loudness_dbfs(usable), abs=0.1)
    assert (done.frames_decoded, done.decode_errors) == (351, 0)


def test_proxy_frames_by_seeking(tmp_path: Path) -> None:
    times = uneven_times(12)
    path = write_video(tmp_path / "a.mp4", times, levels(times))
    done = run(path, tmp_path)
    whole = {index: level(rgb) for index, rgb in proxy_frames(tmp_path / "proxy.mp4")}
    assert len(whole) == done.proxy_frames
    for k, seen in whole.items():
        shown = sum(time < k / 5 + 0.02 - 1e-6 for time in times) - 1
        assert seen == shown % 24, k
    for first, last in [(0, 0), (7, 12), (23, 41), (50, 99)]:
        part = {i: level(rgb) for i, rgb in proxy_frames(tmp_path / "proxy.mp4", first, last)}
        assert part == {i: whole[i] for i in whole if first <= i <= last}


def test_a_cut_is_found_and_the_bits_are_the_same(tmp_path: Path) -> None:
    times = even_times(Fraction(25), 6)
    random = np.random.default_rng(0)
    scenes = [
        np.kron(random.integers(0, 255, (6, 8, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8))
        for _ in range(2)
    ]
    path = write_video(
        tmp_path / "a.mp4", times, [scenes[time >= 3] for time in times], clicks(6, [1])
    )
    digests = set()
    for _ in range(2):
        assert run(path, tmp_path).cuts == pytest.approx([3.0], abs=0.001)
        parts = [(tmp_path / name).read_bytes() for name in ("proxy.mp4", "sound.wav")]
        digests.add(hashlib.sha256(b"".join(parts)).hexdigest())
    assert len(digests) == 1


def test_turned_and_silent(tmp_path: Path) -> None:
    path = turn(write_video(tmp_path / "a.mp4", [0.0, 0.04], [quarters()] * 2), (0, 1, -1, 0))
    done = run(path, tmp_path)
    assert done.loudness_dbfs is None
    assert not (tmp_path / "sound.wav").exists()
    assert corner(next(proxy_frames(tmp_path / "proxy.mp4"))[1], 0, 0) == (0, 0, 1)


def test_nothing_usable_leaves_no_file(tmp_path: Path) -> None:
    times = even_times(Fraction(25), 1)
    path = write_video(tmp_path / "a.mp4", times, levels(times), clicks(1, [0.5]), sound_from=3.0)
    with pytest.raises(ItemRejected) as refused:
        run(path, tmp_path)
    assert refused.value.outcome.reason == "undecodable"
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]
