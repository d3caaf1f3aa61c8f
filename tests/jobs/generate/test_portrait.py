"""The portrait: any picture, one face in it, cut out as curation cuts clips; else a sentence."""

import numpy as np
import pytest
from PIL import Image
from skimage import data

from talkingface_wild.core.errors import InputUnreadable, UsageError, WeightMissing
from talkingface_wild.jobs.generate.portrait import (
    Portrait,
    check_side,
    find_portrait,
    read_picture,
)
from talkingface_wild.media.geometry import Window
from tests.media.fixtures import write_video

FACE = data.astronaut()


def _saved(path, picture, **how):
    Image.fromarray(picture).save(path, **how)
    return path


def test_the_face_of_a_photograph_is_found_and_cut_out(tmp_path):
    found = find_portrait(_saved(tmp_path / "f.png", FACE))
    assert found.detector == "haar"
    middle = found.window.left + found.window.side / 2, found.window.top + found.window.side / 2
    assert middle == pytest.approx((222, 113), abs=25)  # between the astronaut's eyes and mouth
    assert 120 <= found.window.side <= 260
    assert found.crop(64).shape == (64, 64, 3)


def test_a_crop_that_is_cut_out_again_stays_about_what_it_is(tmp_path):
    """Portraits are often crops already: their window is then nearly the whole picture."""
    crop = find_portrait(_saved(tmp_path / "f.png", FACE)).crop(256)
    again = find_portrait(_saved(tmp_path / "c.png", crop))
    assert again.window.side == pytest.approx(256, rel=0.2)
    assert max(abs(again.window.left), abs(again.window.top)) < 40


@pytest.mark.parametrize("name", ["f.jpg", "f.webp", "f.bmp", "f.with.dots.PNG", "-f.png"])
def test_pictures_of_all_kinds_are_read(tmp_path, name):
    assert read_picture(_saved(tmp_path / name, FACE)).shape == (512, 512, 3)


def test_a_turned_photograph_is_read_as_it_is_displayed(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise for display
    _saved(tmp_path / "f.png", np.rot90(FACE, 1), exif=exif)
    assert np.array_equal(read_picture(tmp_path / "f.png"), FACE)


def test_grey_palette_and_transparent_pictures_become_rgb(tmp_path):
    for mode in ("L", "P", "RGBA", "LA"):
        Image.fromarray(FACE).convert(mode).save(tmp_path / "f.png")
        assert read_picture(tmp_path / "f.png").shape == (512, 512, 3)


def test_of_a_video_the_first_frame_is_taken(tmp_path):
    path = write_video(tmp_path / "v.mp4", [0.0, 0.04], [FACE, np.zeros_like(FACE)])
    assert find_portrait(path).window.side == pytest.approx(180, abs=70)


def test_the_whole_picture_is_taken_when_asked_for(tmp_path):
    found = find_portrait(_saved(tmp_path / "f.png", FACE[:300]), whole=True)
    assert (found.detector, found.window) == ("none", Window(0, -106, 512))


def _grey(side=200):
    return np.full((side, side, 3), 90, np.uint8)


def test_no_face_is_said_with_what_to_do(tmp_path):
    with pytest.raises(InputUnreadable, match=r"found none \(by haar, 200 x 200 px\).*--whole"):
        find_portrait(_saved(tmp_path / "f.png", _grey()))


def test_several_faces_are_said_with_their_number(tmp_path):
    pair = np.concatenate([FACE[:256, 90:346], FACE[:256, 90:346]], axis=1)
    with pytest.raises(InputUnreadable, match="Expected one face .* found 2"):
        find_portrait(_saved(tmp_path / "f.png", pair))


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\x89PNG\r\n\x1a\n broken"])
def test_what_is_no_picture_is_said(tmp_path, content):
    (tmp_path / "f.png").write_bytes(content)
    with pytest.raises(InputUnreadable, match="Expected a picture"):
        find_portrait(tmp_path / "f.png")


def test_no_file_a_folder_and_a_picture_that_is_cut_off_are_said(tmp_path):
    for path in (tmp_path / "nowhere.png", tmp_path):
        with pytest.raises(InputUnreadable, match="found no file"):
            find_portrait(path)
    whole = _saved(tmp_path / "f.png", FACE).read_bytes()
    (tmp_path / "f.png").write_bytes(whole[:5000])
    with pytest.raises(InputUnreadable, match="cannot be read"):
        find_portrait(tmp_path / "f.png")


def test_detectors_are_known_by_name_and_need_their_weights(tmp_path):
    path = _saved(tmp_path / "f.png", FACE)
    with pytest.raises(UsageError, match="did you mean 'haar'"):
        find_portrait(path, "harr")
    with pytest.raises(WeightMissing, match="tfw weights"):
        find_portrait(path, "scrfd_10g")


def test_scrfd_is_taken_where_its_weight_is(tmp_path, shared, monkeypatch):
    monkeypatch.setenv("TFW_WEIGHTS", str(shared / "weights"))
    found = find_portrait(_saved(tmp_path / "f.png", FACE))
    assert found.detector == "scrfd_2.5g"
    assert found.window.left + found.window.side / 2 == pytest.approx(222, abs=25)


@pytest.mark.parametrize(
    ("found", "side", "outcome"),
    [(64, 512, "refused"), (255, 512, "refused"), (256, 512, "soft"), (50, 64, "soft"),
     (64, 64, ""), (900, 512, "")],
)  # fmt: skip
def test_a_face_that_is_too_small_for_the_model_is_refused_and_a_small_one_warned_of(
    tmp_path, found, side, outcome
):
    portrait, said = Portrait(_grey(), Window(0, 0, found), "haar"), []
    if outcome == "refused":
        with pytest.raises(InputUnreadable, match=f"model of {side} px, found .* {found} px"):
            check_side(portrait, side, tmp_path / "f.png", said.append)
    else:
        check_side(portrait, side, tmp_path / "f.png", said.append)
    assert bool(said) == (outcome == "soft")
