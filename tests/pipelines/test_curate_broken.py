"""Broken and odd files through the whole pipeline: each one row, one reason, nobody else harmed."""

import csv
import shutil
import subprocess
from fractions import Fraction

import imageio_ffmpeg
import numpy as np
import pandas as pd
import pytest

from talkingface_wild.media.decode import frames
from talkingface_wild.media.sound import read_sound
from tests.media.fixtures import SOUND_RATE, even_times, turn, uneven_times, write_video
from tests.pipelines.curated import tfw, verdicts_of

NAMES = [
    "with space.mp4",
    "quote'single.mp4",
    'quote"double.mp4',
    "new\nline.mp4",
    "-leading-dash.mp4",
    "ünïcödé 日本.mp4",
    "percent%20d.mp4",
    "semi;colon&amp.mp4",
]


def odd_pictures(folder, good):
    """The same seconds of a real face, unusually packed: all are to be kept but the last."""
    pictures = [frame.rgb for frame in frames(good, start=0.0, end=4.4, fps=25, max_side=320)]
    sound = read_sound(good, 0.0, 4.4, rate=SOUND_RATE)
    times = even_times(Fraction(25), 4.4)[: len(pictures)]
    write_video(folder / "rotated.mp4", times, [np.rot90(p).copy() for p in pictures], sound)
    turn(folder / "rotated.mp4", (0, 1, -1, 0))
    hevc = {
        "codec": "libx265",
        "pixels": "yuv420p10le",
        "options": {"x265-params": "log-level=none"},
    }
    write_video(folder / "ten_bit_hevc.mp4", times, pictures, sound, **hevc)
    uneven = uneven_times(4.4)
    shown = [pictures[min(round(time * 25), len(pictures) - 1)] for time in uneven]
    write_video(folder / "variable_rate.mp4", uneven, shown, sound)
    odd = [picture[:319, :317].copy() for picture in pictures]
    write_video(folder / "odd_size.mp4", times, odd, sound, pixels="yuv444p")
    write_video(folder / "wide.mp4", [0.0, 0.04], [np.zeros((16, 16000, 3), np.uint8)] * 2, sound)
    kept = ("rotated.mp4", "ten_bit_hevc.mp4", "variable_rate.mp4", "odd_size.mp4")
    return dict.fromkeys(kept, "kept") | {"wide.mp4": "too_large"}


def _small(source, path):
    """The first 4.4 s of a real face at half the side: as good for what is tested, and sooner."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-i", source]
    command += ["-t", "4.4", "-vf", "scale=256:256", path]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=120)
    return path


@pytest.fixture(scope="module")
def swept(shared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("broken")
    good = _small(shared / "media" / "clips" / "may.mp4", folder.parent / "good.mp4")
    data = good.read_bytes()
    made = {"good.mp4": "kept"}
    shutil.copy(good, folder / "good.mp4")
    for part in range(1, 11):
        name = f"cut_{part}.mp4"
        (folder / name).write_bytes(data[: len(data) * part // 11])
        made[name] = "any"
    (folder / "empty.mp4").write_bytes(b"")
    made["empty.mp4"] = "empty_file"
    (folder / "page.mp4").write_text("<html><body>404</body></html>")
    made["page.mp4"] = "not_a_video"
    shutil.copy(shared / "media" / "speech" / "en.flac", folder / "sound.mp4")
    made["sound.mp4"] = "not_a_video"
    shutil.copy(shared / "media" / "clips" / "skeleton_noface.mp4", folder / "silent.mp4")
    made["silent.mp4"] = "no_audio"
    for name in NAMES:
        shutil.copy(good, folder / name)
        made[name] = "kept"
    made |= odd_pictures(folder, good)
    made["../beside.mp4"] = "kept"
    shutil.copy(good, folder.parent / "beside.mp4")
    made["gone.mp4"] = "file_missing"
    with (folder / "list.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "language", "start"])
        for index, name in enumerate(made):
            # The same bytes are one source: a different start makes each copy a source of its own.
            writer.writerow([name, "en", f"{index / 100:.2f}"])
    out = folder / "out"
    code, found, said = tfw(
        "curate",
        "--recipe",
        "embedded",
        "--sources",
        folder / "list.csv",
        "--engine",
        "local",
        "--out",
        out,
        "--json",
    )
    return made, out, code, found, said


def test_each_broken_file_is_one_row_with_one_reason(swept):
    made, out, _, _, said = swept
    found = verdicts_of(out)
    assert set(found) == set(made), said
    for name, expected in made.items():
        assert len(found[name]) == 1, (name, found[name])
        if expected != "any":
            assert found[name] == {expected}, (name, found[name])
        else:
            assert found[name] <= {"undecodable", "too_short", "no_audio", "not_a_video", "kept"}


def test_a_missing_file_is_a_failure_that_may_succeed_later(swept):
    _, out, code, found, said = swept
    assert code == 1
    assert found["data"]["failed"] == 1
    assert "--retry-failed" in said
    assert "Traceback" not in said
    shutil.copy(out.parent / "good.mp4", out.parent / "gone.mp4")
    code, found, said = tfw("curate", "--out", out, "--engine", "local", "--retry-failed", "--json")
    assert code == 0, said
    assert found["data"]["failed"] == 0
    ledger = pd.read_parquet(out / "dataset" / "ledger")
    assert ledger["attempts"].max() >= 2
