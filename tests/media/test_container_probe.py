"""What probe says of real clips, of files made here, and of every kind of broken file."""

import csv
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.media.container_probe import Probe, probe
from tests.media.fixtures import clicks, even_times, flashes, turn, uneven_times, write_video


def noise(times: list[float], size: tuple[int, int] = (96, 64)) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8) for _ in times]


def answer(path: Path) -> Probe | str:
    """The probe, or the one reason."""
    try:
        return probe(path)
    except ItemRejected as refused:
        return refused.outcome.reason
    except ItemFailed as failed:
        return failed.outcome.reason


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of moving picture and sound, MP4."""
    times = even_times(Fraction(25), 2)
    path = tmp_path_factory.mktemp("plain") / "plain.mp4"
    return write_video(path, times, noise(times), clicks(2, [1]))


def test_real_clips_are_what_their_table_says(shared: Path) -> None:
    media = shared / "media"
    with (media / "MEDIA.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == 22
    for row in rows:
        found = probe(media / row["path"])
        assert found.video_codec == row["codec"], row
        assert (found.width, found.height) == (int(row["width"]), int(row["height"])), row
        assert found.fps == pytest.approx(float(Fraction(row["fps"])), rel=1e-4), row
        assert not found.variable_rate, row
        assert found.duration == pytest.approx(float(row["seconds"]), abs=0.1), row
        assert (found.audio_codec is not None) == (row["audio"] == "True"), row
        assert found.decodable == 1.0
        assert not found.truncated


def test_late_pictures_are_seen(shared: Path) -> None:
    head_2 = probe(shared / "media/clips/head_2.mp4")
    head_3 = probe(shared / "media/clips/head_3.mp4")
    assert head_2.usable_start == pytest.approx(8.3, abs=0.05)
    assert head_2.usable_end - head_2.usable_start == pytest.approx(11.7, abs=0.1)
    assert head_3.usable_start == pytest.approx(7.3, abs=0.05)
    assert head_3.usable_end - head_3.usable_start == pytest.approx(4.7, abs=0.1)


def test_sound_that_never_meets_the_picture_leaves_nothing_usable(tmp_path: Path) -> None:
    times = even_times(Fraction(25), 1)
    path = write_video(tmp_path / "a.mp4", times, flashes(times), clicks(1, [0.5]), sound_from=2.0)
    found = probe(path)
    assert found.audio_start == pytest.approx(2.0, abs=0.03)
    assert found.usable_end == found.usable_start


@pytest.mark.parametrize("rate", ["24000/1001", "24", "25", "30000/1001", "30", "50", "60"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_constant_rates(tmp_path: Path, rate: str, suffix: str) -> None:
    times = even_times(Fraction(rate), 2)
    found = probe(write_video(tmp_path / f"a.{suffix}", times, flashes(times)))
    assert not found.variable_rate
    assert found.fps == pytest.approx(float(Fraction(rate)), rel=1e-3)


def test_variable_rate_is_seen_in_the_packets(tmp_path: Path) -> None:
    times = uneven_times(4)
    found = probe(write_video(tmp_path / "a.mp4", times, flashes(times)))
    assert found.variable_rate
    assert found.fps == pytest.approx((len(times) - 1) / (times[-1] - times[0]), rel=1e-3)


@pytest.mark.parametrize(
    ("options", "suffix"),
    [({}, "mp4"), ({"movflags": "+faststart"}, "mp4"), ({}, "mkv"), ({}, "ts")],
)
@pytest.mark.parametrize("tenths", range(10))
def test_cut_off_files_have_one_answer(
    tmp_path: Path, options: dict[str, str], suffix: str, tenths: int
) -> None:
    times = even_times(Fraction(25), 4)
    whole = write_video(
        tmp_path / f"w.{suffix}", times, noise(times), clicks(4, [1]), container_options=options
    )
    data = whole.read_bytes()
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(data[: len(data) * tenths // 10])
    found = answer(cut)
    if tenths == 0:
        assert found == "empty_file"
    elif suffix == "mp4" and not options:
        assert found == "undecodable"
    else:
        assert isinstance(found, Probe)
        assert found.usable_end == pytest.approx(4 * tenths / 10, abs=0.25)
        if suffix != "ts":
            assert found.truncated or tenths == 9
            assert found.duration == pytest.approx(4, abs=0.05)


@pytest.mark.parametrize("tenths", range(1, 10))
def test_a_real_clip_cut_off_before_its_index(shared: Path, tmp_path: Path, tenths: int) -> None:
    data = (shared / "media/clips/radio_2s.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) * tenths // 10])
    assert answer(tmp_path / "cut.mp4") == "undecodable"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_file"),
        (b"<html><body>404</body></html>" * 50, "not_a_video"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nplain.mp4\n", "not_a_video"),
        (b"ffconcat version 1.0\nfile plain.mp4\n", "not_a_video"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "not_a_video"),
        (bytes(5000), "not_a_video"),
        (b"\0\0\0\x18ftypmp42" + bytes(5000), "undecodable"),
    ],
)
def test_things_under_a_videos_name(
    tmp_path: Path, plain: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "plain.mp4").write_bytes(plain.read_bytes())
    (tmp_path / "a.mp4").write_bytes(content)
    assert answer(tmp_path / "a.mp4") == reason


def test_sound_only_and_picture_only(tmp_path: Path) -> None:
    assert answer(write_video(tmp_path / "s.mp4", sound=clicks(1, [0.5]))) == "not_a_video"
    times = even_times(Fraction(25), 1)
    silent = probe(write_video(tmp_path / "p.mp4", times, flashes(times)))
    assert (silent.audio_codec, silent.audio_tracks, silent.audio_start) == (None, 0, None)
    assert (silent.usable_start, silent.usable_end) == pytest.approx((0.0, 1.0))


@pytest.mark.parametrize(
    ("matrix", "degrees"),
    [((0, 1, -1, 0), 90), ((0, -1, 1, 0), 270), ((-1, 0, 0, -1), 180), ((1, 0, 0, 1), 0)],
)
def test_rotation(
    tmp_path: Path, plain: Path, matrix: tuple[float, float, float, float], degrees: int
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(plain.read_bytes())
    found = probe(turn(path, matrix))
    assert found.rotation == degrees
    assert (found.coded_width, found.coded_height) == (96, 64)
    assert (found.width, found.height) == ((64, 96) if degrees % 180 else (96, 64))


def test_ten_bit_hevc_and_odd_sizes(tmp_path: Path) -> None:
    times = even_times(Fraction(25), 1)
    quiet = {"x265-params": "log-level=none:pools=1:frame-threads=1"}
    deep = write_video(
        tmp_path / "d.mp4",
        times,
        noise(times),
        codec="libx265",
        pixels="yuv420p10le",
        options=quiet,
    )
    found = probe(deep)
    assert (found.video_codec, found.bit_depth, found.decodable) == ("hevc", 10, 1.0)
    odd = write_video(tmp_path / "o.mp4", times, noise(times, (97, 65)), pixels="yuv444p")
    assert (probe(odd).width, probe(odd).height) == (97, 65)


def test_a_header_of_16000_pixels_is_refused_unseen(tmp_path: Path) -> None:
    path = write_video(tmp_path / "wide.mp4", [0.0, 0.04], flashes([0.0, 0.04], (16000, 16)))
    assert answer(path) == "too_large"


@pytest.mark.parametrize(
    "name",
    [
        "-leading.mp4",
        "--version",
        "a b.mp4",
        'it\'s "quoted".mp4',
        "new\nline.mp4",
        "%03d.mp4",
        "http:evil.mp4",
        "concat:a|b.mp4",
        "視頻 ü é.mp4",
        "$(touch x);`id`.mp4",
        "..mp4",
        b"not-utf8-\xff.mp4",
    ],
)
def test_hostile_names(tmp_path: Path, plain: Path, name: str | bytes) -> None:
    import os

    path = tmp_path / (os.fsdecode(name) if isinstance(name, bytes) else name)
    path.write_bytes(plain.read_bytes())
    assert probe(path).usable_end == pytest.approx(2.0, abs=0.05)


def test_a_path_with_dots_and_a_missing_file(
    tmp_path: Path, plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "a.mp4").write_bytes(plain.read_bytes())
    monkeypatch.chdir(tmp_path / "inner")
    assert isinstance(answer(Path("../a.mp4")), Probe)
    assert answer(Path("../b.mp4")) == "file_missing"
    assert answer(Path(".")) == "file_missing"
