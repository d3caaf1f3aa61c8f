"""The contact sheet shows each method's own frames at their places; colours tell which is which."""

import json

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from talkingface_wild.cli import bench_finished
from talkingface_wild.cli.options import command
from talkingface_wild.core.errors import InputUnreadable, UsageError
from talkingface_wild.jobs.bench.finished import GridRequest
from talkingface_wild.pages.frame_grid import make_grid
from talkingface_wild.pages.run_videos import GROUND_TRUTH, Runs, driving_sound, pictures
from tests.benchmark.shown_runs import FRAMES, colour, make_shown_run, write_coloured


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    place = tmp_path_factory.mktemp("runs")
    return [
        make_shown_run(place / "truth", 0, "groundtruth", name="groundtruth"),
        make_shown_run(place / "one", 1, name="One", seeds=2),
        make_shown_run(place / "still", 0, "static", name="static"),
        make_shown_run(place / "two", 2, name="A method with a name that is far too long to print"),
    ]


def _cells(made, side=64):
    """The mean colour of every cell."""
    pixels = np.asarray(made.picture)
    height, width = pixels.shape[:2]
    rows, columns = len(made.rows), len(made.frames)
    left = width - columns * (side + 4)
    top = height - rows * (side + 4)
    inner = slice(8, side - 8)
    return [
        [
            pixels[top + r * (side + 4) :, left + c * (side + 4) :][inner, inner].mean(axis=(0, 1))
            for c in range(columns)
        ]
        for r in range(rows)
    ]


def test_each_cell_shows_its_methods_frame(runs):
    made = make_grid(runs, side=64, indices=[49, 0, 20])
    assert made.clip == "c0"
    assert made.frames == (0, 20, 49)
    assert made.rows[0] == GROUND_TRUTH
    assert [row[:6] for row in made.rows[1:]] == ["One", "static", "A meth"]
    cells = _cells(made)
    for row, method in enumerate((0, 1, 0, 2)):
        for column, frame in enumerate((0, 20, 49)):
            shown = 0 if row == 2 else frame
            expected = colour(method, 0, shown)
            assert np.abs(cells[row][column] - expected).max() < 8, (row, column)


def test_the_default_is_the_first_shared_clip_from_first_to_last_frame(runs):
    made = make_grid(runs[1:2])
    assert made.rows == (GROUND_TRUTH, "One")
    assert made.frames == (0, 10, 20, 29, 39, 49)
    assert make_grid(runs, clip="c2", side=32).clip == "c2"
    assert abs(_cells(make_grid(runs, clip="c2", side=64))[0][0][1] - colour(0, 2, 0)[1]) < 8


def test_unscored_clips_are_not_shared(tmp_path):
    first = make_shown_run(tmp_path / "a", 1)
    states = {0: "unscored", 1: "static", 2: "scored"}
    second = make_shown_run(tmp_path / "b", 2, state=states.__getitem__)
    assert Runs([first, second]).clips == ("c2",)
    assert make_grid([first, second], side=32).clip == "c2"
    with pytest.raises(UsageError, match="'c0' in all runs"):
        make_grid([first, second], clip="c0")
    lost = make_shown_run(tmp_path / "c", 2, state=lambda clip: "unscored")
    with pytest.raises(UsageError, match="a clip that all runs have scored"):
        make_grid([first, lost])


def test_frames_beyond_the_clip_and_floors_without_pictures_are_told(runs, tmp_path):
    with pytest.raises(UsageError, match=f"between 0 and {FRAMES - 1}"):
        make_grid(runs, indices=[0, FRAMES])
    shifted = make_shown_run(tmp_path / "a", 0, "shifted")
    with pytest.raises(UsageError, match="floor 'shifted'"):
        make_grid([shifted])
    with pytest.raises(UsageError, match="at least one run"):
        make_grid([])


def test_a_video_that_is_gone_is_told(tmp_path):
    run = make_shown_run(tmp_path / "a", 1)
    for path in (tmp_path / "a" / "out").iterdir():
        path.unlink()
    with pytest.raises(InputUnreadable, match="put it back"):
        make_grid([run])


def test_a_list_s_start_and_crop_are_kept(tmp_path):
    run = make_shown_run(
        tmp_path / "a", 0, "groundtruth", clips=1,
        asked=lambda clip: json.dumps(
            {"clip": {"start_seconds": 0.4, "frames": 25, "crop": [0.5, 0.0, 1.0]}}
        ),
        frames=lambda clip: 25,
    )  # fmt: skip
    write_coloured(tmp_path / "real" / "c0.mp4", 0, 0, size=(128, 64))
    shown = Runs([run]).show()
    assert (shown.truth.frames, shown.truth.start_seconds) == (25, 0.4)
    (picture,) = pictures(shown.truth, [5], 64)
    assert np.abs(picture.mean(axis=(0, 1)) - colour(0, 0, 15)).max() < 8
    assert len(driving_sound(shown, 1.0)) == 16000


def test_an_open_set_shows_the_portrait_as_its_still(tmp_path):
    portrait = tmp_path / "face.png"
    Image.new("RGB", (80, 80), (200, 10, 20)).save(portrait)
    asked = json.dumps({"clip": {"portrait": str(portrait), "frames": 50}})
    empty = {"reference": lambda clip: "", "asked": lambda clip: asked}
    still = make_shown_run(tmp_path / "a", 0, "static", **empty, name="static")
    method = make_shown_run(tmp_path / "b", 1, **empty)
    made = make_grid([still, method], side=64)
    assert made.rows == ("static", "method 1")
    assert np.abs(_cells(made)[0][3] - (200, 10, 20)).max() < 3


def test_the_command_writes_the_picture(runs, tmp_path):
    app = typer.Typer()
    command(app, GridRequest)(bench_finished.grid)
    output = tmp_path / "a folder" / "grid.png"
    folders = [str(run.folder) for run in runs]
    result = CliRunner().invoke(
        app, [*folders, "--output", str(output), "--frames", "0, 7", "--side", "48", "--json"]
    )
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)["data"]
    assert data["frames"] == [0, 7]
    assert data["rows"][0] == GROUND_TRUTH
    with Image.open(output) as picture:
        assert picture.size[1] == 26 + 4 * 52
    for bad in (["--frames", "1,x"], ["--output", str(tmp_path / "grid.gif")]):
        result = CliRunner().invoke(app, [*folders, *bad])
        assert isinstance(result.exception, UsageError)
