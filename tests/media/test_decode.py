"""Frames at the right instants, upright, with square pixels, shrunk, whatever the source's rate."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.media.decode import frames
from tests.media.fixtures import even_times, turn, uneven_times, write_video

LEVELS = 24


def levels(times: list[float], size: tuple[int, int] = (64, 48)) -> list[np.ndarray]:
    """Picture i is a plain grey of level i mod 24, so that it can be told after coding."""
    return [
        np.full((size[1], size[0], 3), 10 + 10 * (i % LEVELS), dtype=np.uint8)
        for i in range(len(times))
    ]


def level(rgb: np.ndarray) -> int:
    return round((float(rgb.mean()) - 10) / 10) % LEVELS


def quarters(size: int = 64) -> np.ndarray:
    """Red top left, green top right, blue bottom left, white bottom right."""
    picture = np.zeros((size, size, 3), dtype=np.uint8)
    half = size // 2
    picture[:half, :half] = (230, 20, 20)
    picture[:half, half:] = (20, 230, 20)
    picture[half:, :half] = (20, 20, 230)
    picture[half:, half:] = (230, 230, 230)
    return picture


def corner(rgb: np.ndarray, row: int, column: int) -> tuple[int, ...]:
    height, width = rgb.shape[:2]
    patch = rgb[height // 4 + row * height // 2, width // 4 + column * width // 2]
    return tuple(int(value > 127) for value in patch)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_every_frame_comes_once_with_its_time(tmp_path: Path, suffix: str) -> None:
    times = uneven_times(3)
    path = write_video(tmp_path / f"a.{suffix}", times, levels(times))
    got = list(frames(path))
    assert [level(frame.rgb) for frame in got] == [i % LEVELS for i in range(len(times))]
    assert np.allclose([frame.seconds for frame in got], times, atol=0.001)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("start", [0.0, 0.513, 2.0, 3.977])
def test_a_span_begins_where_it_is_asked_to(tmp_path: Path, suffix: str, start: float) -> None:
    times = even_times(Fraction(30), 5)
    path = write_video(tmp_path / f"a.{suffix}", times, levels(times), gop=40)
    got = list(frames(path, start=start, end=start + 0.8))
    want = [i for i, time in enumerate(times) if start - 0.0005 <= time < start + 0.7995]
    assert [level(frame.rgb) for frame in got] == [i % LEVELS for i in want]


@pytest.mark.parametrize("rate", [25, 5, 10, 50])
@pytest.mark.parametrize("start", [0.0, 0.307, 1.26])
@pytest.mark.parametrize("uneven", [True, False])
def test_the_picture_shown_at_each_tick(
    tmp_path: Path, rate: int, start: float, uneven: bool
) -> None:
    times = uneven_times(4) if uneven else even_times(Fraction(30000, 1001), 4)
    path = write_video(tmp_path / "a.mp4", times, levels(times))
    got = list(frames(path, start=start, end=start + 2, fps=rate))
    ahead = min(0.5 / rate, 0.02)
    for k, frame in enumerate(got):
        shown = sum(time < start + k / rate + ahead - 1e-5 for time in times) - 1
        later = sum(time < start + k / rate + ahead + 1e-5 for time in times) - 1
        assert level(frame.rgb) in {shown % LEVELS, later % LEVELS}, k
        assert frame.seconds == pytest.approx(start + k / rate, abs=1e-6)
    assert len(got) == 2 * rate


def test_a_grid_ends_with_the_picture(tmp_path: Path) -> None:
    times = even_times(Fraction(25), 2)
    path = write_video(tmp_path / "a.mp4", times, levels(times))
    assert len(list(frames(path, fps=25))) == 50
    assert len(list(frames(path, start=1.0, end=9.0, fps=25))) == 25
    assert len(list(frames(path, fps=5))) == 10


@pytest.mark.parametrize(
    ("matrix", "top_left"),
    [
        ((1, 0, 0, 1), (1, 0, 0)),
        ((0, 1, -1, 0), (0, 0, 1)),
        ((-1, 0, 0, -1), (1, 1, 1)),
        ((0, -1, 1, 0), (0, 1, 0)),
        ((-1, 0, 0, 1), (0, 1, 0)),
    ],
    ids=["as coded", "clockwise", "half turn", "anticlockwise", "mirrored"],
)
def test_pictures_are_upright(
    tmp_path: Path, matrix: tuple[float, float, float, float], top_left: tuple[int, ...]
) -> None:
    path = write_video(tmp_path / "a.mp4", [0.0, 0.04], [quarters()] * 2)
    frame = next(frames(turn(path, matrix)))
    assert corner(frame.rgb, 0, 0) == top_left


def test_colours_and_area_shrinking(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [0.0, 0.04], [quarters(128)] * 2)
    frame = next(frames(path, max_side=32))
    assert frame.rgb.shape == (32, 32, 3)
    assert np.abs(frame.rgb[8, 8].astype(int) - (230, 20, 20)).max() < 8
    assert np.abs(frame.rgb[24, 24].astype(int) - 230).max() < 5


def test_square_pixels(shared: Path) -> None:
    """head_2 declares pixels of 639/640; what is shown is 300 wide."""
    frame = next(frames(shared / "media/clips/head_2.mp4", max_side=175))
    assert frame.rgb.shape == (175, 150, 3)
    assert frame.seconds == pytest.approx(8.333, abs=0.001)


def test_nothing_to_decode(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [0.0, 0.04], [quarters()] * 2)
    data = bytearray(path.read_bytes())
    place = data.index(b"mdat") + 4
    size = int.from_bytes(data[place - 8 : place - 4], "big") - 8
    data[place : place + size] = bytes(size)
    path.write_bytes(bytes(data))
    with pytest.raises(ItemRejected) as refused:
        list(frames(path))
    assert refused.value.outcome.reason == "undecodable"
