"""The stage ``burnt_text`` on drawn faces with and without a subtitle, and on a real watermark."""

import shutil
import subprocess

import imageio_ffmpeg
import pytest

from tests.pipelines.conftest import whole_clip


@pytest.fixture
def reader(open_weight, monkeypatch, tmp_path):
    """A machine that has the detector of text, and Haar for faces."""
    folder = tmp_path / "weights"
    folder.mkdir()
    shutil.copy(open_weight("ppocr_det"), folder)
    monkeypatch.setenv("TFW_WEIGHTS", str(folder))


def _written_over(path, folder, times):
    """The video under white letters on a black bar, drawn as a subtitle's picture is laid over."""
    import cv2
    import numpy as np

    bar = np.zeros((24, 140, 3), np.uint8)
    font, white = cv2.FONT_HERSHEY_SIMPLEX, (255, 255, 255)
    cv2.putText(bar, "what we said", (4, 17), font, 0.6, white, 1, cv2.LINE_AA)
    cv2.imwrite(str(folder / "bar.png"), bar)
    written = folder / "written.mp4"
    program = imageio_ffmpeg.get_ffmpeg_exe()
    command = [program, "-nostdin", "-v", "error", "-i", path, "-i", folder / "bar.png"]
    command += ["-filter_complex", f"[0:v][1:v]overlay=26:138:enable='{times}'", written]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=60)
    return written


def test_a_face_without_text_has_none(clip_item, reader):
    clip_item.measure("faces")
    assert clip_item.measure("burnt_text") == {"text_share": 0, "text_frames_ratio": 0}


@pytest.mark.parametrize(("times", "ratio"), [("1", 1.0), ("lt(t,1)", 0.5)])
def test_a_subtitle_counts_for_as_long_as_it_is_there(talking_face, reader, tmp_path, times, ratio):
    """Letters of 12 px in a picture of 192: of four pictures all show it, or the first two."""
    clip = whole_clip(_written_over(talking_face, tmp_path, times), tmp_path)
    clip.measure("faces")
    values = clip.measure("burnt_text")
    assert values["text_frames_ratio"] == ratio
    side = clip.item.values["crop_side"]
    # The bar is 140 by 24 px; its letters, from the l's top to the t's foot, 116 by 13.
    assert 116 * 13 * ratio / side**2 < values["text_share"] < 1.2 * 140 * 24 * ratio / side**2


def test_a_watermark_is_found(shared, reader, tmp_path):
    """ "Generated Video" in two lines at the lower left, some 23 and 11 % of the width."""
    clip = whole_clip(shared / "media" / "talking" / "talking_emo_talk_emotion.mp4", tmp_path)
    clip.measure("faces")
    values = clip.measure("burnt_text")
    assert values["text_frames_ratio"] == 1
    assert 0.01 < values["text_share"] < 0.05
