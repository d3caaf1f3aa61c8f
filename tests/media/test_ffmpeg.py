"""Running ffmpeg: the program that is found, and what its failures become."""

from pathlib import Path

import pytest

from talkingface_wild.core.errors import DiskFull
from talkingface_wild.core.outcome import ItemFailed
from talkingface_wild.media.ffmpeg import ffmpeg_binary, file_argument, run_ffmpeg

BLACK = ["-f", "lavfi", "-i", "color=size=64x64:duration=1"]


def test_the_program_is_there() -> None:
    assert Path(ffmpeg_binary()).is_file()


def test_words_of_a_failure_are_kept(tmp_path: Path) -> None:
    missing = file_argument(tmp_path / "none.mp4")
    with pytest.raises(ItemFailed, match="No such file") as failed:
        run_ffmpeg(["-i", missing, "-f", "null", "-"], writes=tmp_path, timeout_seconds=60)
    assert failed.value.outcome.reason == "crash"


def test_a_time_limit_holds(tmp_path: Path) -> None:
    endless = ["-f", "lavfi", "-i", "color=size=2048x2048", "-f", "null", "-"]
    with pytest.raises(ItemFailed) as failed:
        run_ffmpeg(endless, writes=tmp_path, timeout_seconds=0.5)
    assert failed.value.outcome.reason == "timeout"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full to play a full disk")
def test_a_full_disk_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="free some space"):
        run_ffmpeg(
            [*BLACK, "-f", "rawvideo", "file:/dev/full"],
            writes=tmp_path / "clip.mp4",
            timeout_seconds=60,
        )


def test_names_stay_names(tmp_path: Path) -> None:
    target = tmp_path / "-y http:a|b %d 'q'.mkv"
    run_ffmpeg([*BLACK, file_argument(target)], writes=target, timeout_seconds=60)
    assert target.stat().st_size > 0
