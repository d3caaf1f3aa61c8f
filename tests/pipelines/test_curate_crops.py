"""Finished files beside their sources: what is black in them, and whether the columns say so."""

import csv
import subprocess
from pathlib import Path

import imageio_ffmpeg
import pandas as pd
import pytest

from tests.pipelines.black_borders import border_share
from tests.pipelines.curated import tfw

BARRED = {
    # Filter around a real clip, and its bars, left to bottom; ffmpeg takes even ones in 4:2:0.
    "letterbox": ("may", "crop=512:400:0:40,pad=512:512:0:56", (0, 56, 0, 56)),
    "pillarbox": ("may", "pad=1024:512:256:0", (256, 0, 256, 0)),
    "uneven": ("may", "pad=576:600:22:38", (22, 38, 42, 50)),
    "windowbox": ("may", "format=yuv444p,scale=600:600,pad=1281:721:341:59", (341, 59, 340, 62)),
    "shrunk": ("selfie_18", "scale=1080:1080,pad=1920:1080:420:0", (420, 0, 420, 0)),
    "noisy": ("may", "pad=512:640:0:64,noise=alls=6:allf=t", (0, 64, 0, 64)),
    "faded": ("may", "pad=512:640:0:64,fade=in:0:12", (0, 64, 0, 64)),
    "logo": ("may", "pad=512:640:0:64,drawbox=420:12:60:30:white:fill", (0, 64, 0, 64)),
    "vignette": ("may", "vignette=PI/2.4", (0, 0, 0, 0)),
}
RECIPE = """
name: cropped
languages: [en]
stages:
  - download
  - probe
  - shots: {detector: adaptive, tail: keep}
  - language: {weights: optional}
  - faces: {detector: scrfd_500m}
  - sync: {weights: optional}
  - languages
  - encode: {size: 256}
gates:
  presence: {column: face_presence_ratio, at_least: 0.5, reason: no_face}
"""


def _make(shared: Path, folder: Path, stem: str, how: str, name: str) -> Path:
    source, path = shared / "media" / "clips" / f"{stem}.mp4", folder / f"{name}.mp4"
    program = imageio_ffmpeg.get_ffmpeg_exe()
    command = [program, "-nostdin", "-v", "error", "-t", "3.2", "-i", source, "-vf", how]
    command += ["-map_metadata", "-1", "-preset", "veryfast", path]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=120)
    return path


def _curate(folder: Path, weights: Path, rows: list[tuple[str, ...]], *settings: str):
    """The clips table of a run over ``rows`` of path, language, start and end."""
    (folder / "recipe.yaml").write_text(RECIPE)
    with (folder / "list.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("path", "language", "start", "end"), *rows])
    out = folder / f"out{len(settings)}"
    chosen = [part for setting in settings for part in ("--set", setting)]
    code, _, said = tfw(
        "curate", "--langs", "all", "--recipe", folder / "recipe.yaml", "--sources",
        folder / "list.csv", "--engine", "local", "--out", out, "--json", *chosen, weights=weights,
    )  # fmt: skip
    assert code == 0, said
    clips = pd.read_parquet(out / "dataset" / "clips")
    clips["name"] = [Path(path).stem for path in clips["source_path"]]
    clips["finished"] = [out / path for path in clips["media_path"]]
    return clips.set_index("name")


@pytest.fixture(scope="module")
def weights(shared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    code, _, said = tfw("weights", "import", str(shared / "weights"), "--json", weights=folder)
    assert code == 0, said
    return folder


@pytest.fixture(scope="module")
def barred(shared, weights, tmp_path_factory):
    folder = tmp_path_factory.mktemp("barred")
    paths = [_make(shared, folder, *how[:2], name) for name, how in BARRED.items()]
    return _curate(folder, weights, [(str(path), "en", "", "") for path in paths])


@pytest.mark.parametrize("name", BARRED)
def test_bars_are_found_and_cut_off(barred, name):
    """Rounded inwards: a line or two of the picture may go, no black line may stay."""
    row, bars = barred.loc[name], BARRED[name][2]
    measured = [int(row[f"bar_{side}"]) for side in ("left", "top", "right", "bottom")]
    most = 4 if name == "shrunk" else 3 if name == "windowbox" else 1
    assert all(
        found == 0 if bar == 0 else 0 <= found - bar <= most
        for found, bar in zip(measured, bars, strict=True)
    ), (measured, bars)
    assert row["padding_share"] == 0
    if name != "vignette":
        assert border_share(row["finished"]) == 0


@pytest.mark.long
def test_talking_clips_get_no_black_and_the_column_says_what_there_is(shared, weights, tmp_path):
    """Version 0.3.0 put 512 x 512 clips into windows of up to 682: up to 44 % of them black."""
    talking = sorted((shared / "media" / "talking").glob("*.mp4"))
    clips = _curate(tmp_path, weights, [(str(path), "en", "0", "4") for path in talking])
    assert len(clips) >= 8
    for path in talking:
        if path.stem in clips.index:
            row = clips.loc[path.stem]
            share = border_share(row["finished"])
            assert abs(share - row["padding_share"]) <= 0.01, path.stem
            assert share <= border_share(path, 0.0, 4.0) + 0.01, path.stem


def test_padding_is_black_over_bars_too_and_its_share_is_what_one_sees(shared, weights, tmp_path):
    """A wide picture whose face, by a large crop factor, needs more than its height."""
    how = "crop=512:200:0:120,pad=512:300:0:50,drawbox=30:8:90:24:white:fill"
    path = _make(shared, tmp_path, "may", how, "low")
    rows = [(str(path), "en", "", "")]
    shares = {}
    for pad in ("needed", "never", "always"):
        folder = tmp_path / pad
        folder.mkdir()
        row = _curate(folder, weights, rows, f"faces.crop_pad={pad}").loc["low"]
        assert abs(border_share(row["finished"]) - row["padding_share"]) <= 0.01, pad
        shares[pad] = row["padding_share"]
    assert shares["never"] == 0 < shares["needed"] < shares["always"]
