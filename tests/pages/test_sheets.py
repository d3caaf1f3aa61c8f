"""Contact sheets hold each clip's pictures in order, and say what is missing."""

import shutil

import cv2
import pytest

from talkingface_wild.dataset.review import draw_sample
from talkingface_wild.dataset.snapshot import read_recorded
from talkingface_wild.pages.sheets import CELL_PX, LABEL_PX, write_sheets
from tests.dataset.fixture import Take, Video, finished_path, grey_at, make_data_set, write_ramp


def test_a_strip_shows_six_instants_of_its_clip(read_only, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(read_only.out, out, symlinks=True)
    recorded = read_recorded(out)
    sample = draw_sample(recorded, 100, 30, seed=0)
    heard = []
    assert write_sheets(recorded, sample, heard.append) == [
        "review/sheets/en-001.jpg",
        "review/sheets/ko-001.jpg",
    ]
    assert heard == list(range(1, len(sample) + 1))
    english = [drawn for drawn in sample if drawn.language == "en"]
    sheet = cv2.imread(str(out / english[0].sheet))
    assert sheet.shape == (len(english) * (LABEL_PX + CELL_PX), 6 * CELL_PX, 3)
    row = [drawn.clip for drawn in english].index(read_only.clip("en/one.mp4", 1))
    middle = row * (LABEL_PX + CELL_PX) + LABEL_PX + CELL_PX // 2
    for index in range(6):
        left = index * CELL_PX + 30
        shown = sheet[middle - 10 : middle + 10, left : left + 100].mean()
        assert shown == pytest.approx(grey_at(10 + 10 * (index + 0.5) / 6), abs=4)


def test_the_finished_clip_is_shown_where_there_is_one(data_set):
    recorded = read_recorded(data_set.out)
    clip = data_set.clip("ko/three.mp4", 2)
    write_ramp(data_set.out / finished_path(clip), 9)
    sample = [drawn for drawn in draw_sample(recorded, 9, 0, seed=0) if drawn.clip == clip]
    write_sheets(recorded, sample)
    sheet = cv2.imread(str(data_set.out / "review/sheets/ko-001.jpg"))
    middle = LABEL_PX + CELL_PX // 2
    assert sheet[middle, 30:130].mean() == pytest.approx(grey_at(0.75), abs=4)


def test_pages_are_of_twelve_and_old_ones_go(tmp_path):
    video = Video("en/a.mp4", "en", [Take(10 * i, 10 * i + 10) for i in range(25)])
    foreign = Video("b.mp4", "<b>..", [Take(0, 9)])
    made = make_data_set(tmp_path / "out", [video, foreign])
    recorded = read_recorded(made.out)
    pages = write_sheets(recorded, draw_sample(recorded, 100, 0, seed=0))
    names = sorted(path.name for path in (made.out / "review/sheets").iterdir())
    assert names == ["_b___-001.jpg", "en-001.jpg", "en-002.jpg", "en-003.jpg"]
    assert len(pages) == 4
    write_sheets(recorded, draw_sample(recorded, 2, 0, seed=0))
    names = sorted(path.name for path in (made.out / "review/sheets").iterdir())
    assert names == ["_b___-001.jpg", "en-001.jpg"]
