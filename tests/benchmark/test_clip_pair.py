"""Both sides of a clip: sounds of their own length, cuts, shapes, crops, starts, open sets."""

import numpy as np
import pytest

from talkingface_wild.benchmark.candidates import Candidate, file_candidate
from talkingface_wild.benchmark.clip_pair import ClipPair
from talkingface_wild.benchmark.clips import BenchClip
from talkingface_wild.benchmark.feature_store import FeatureStore
from talkingface_wild.benchmark.protocol import load_protocol
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.media.sound import read_sound, write_wav
from tests.benchmark.films import COUNT, FPS, MADE, RATE, REAL, film, pictures


@pytest.fixture
def opened(films, pixels, tmp_path):
    """``opened(candidate, **clip)``: a clip of the film ``may``, opened."""

    def at(candidate, **changes):
        clip = {"id": "may", "reference": str(films / REAL / "may.mp4"), **changes}
        store = FeatureStore(tmp_path / "features")
        return ClipPair(
            BenchClip(**clip), candidate, load_protocol(pixels), store, tmp_path / "work"
        )

    return at


def _beep(seconds, at):
    """Quiet noise with a loud burst ``at`` so many seconds."""
    sound = np.random.default_rng(0).normal(0, 100, round(seconds * RATE))
    sound[round(at * RATE) :][:800] += 12000 * np.sin(np.arange(800) / 3)
    return sound.astype(np.int16)


def test_a_short_video_is_held_against_as_much_of_the_real_one(films, opened, tmp_path):
    short = film(tmp_path / "short.mp4", pictures(films / MADE / "may.mp4", 30), None)
    with opened(file_candidate(str(short))) as clip:
        generated, reference = clip.sides()
        whole = clip.reference()
        assert [side.frames for side in (generated, reference, whole)] == [30, 30, COUNT]
        for side in (generated, reference, whole):
            assert len(clip.video(side)) == side.frames
            assert len(clip.video(side).sound) == side.frames * 640
        assert whole.content(True) != reference.content(True)
    assert "short!" in generated.flags


def test_a_long_video_is_cut_at_its_reference_and_flagged(films, opened, tmp_path):
    shown = pictures(films / MADE / "may.mp4")
    longer = film(tmp_path / "long.mp4", np.concatenate([shown, shown[:8]]), None)
    real = film(tmp_path / "real30.mp4", pictures(films / REAL / "may.mp4", 30), None)
    with opened(file_candidate(str(longer)), reference=str(real)) as clip:
        side = clip.sides()[0]
        assert side.frames == 30 and "long!" in side.flags
        assert len(clip.video(side)) == 30
    with opened(file_candidate(str(longer))) as clip:
        assert clip.sides()[0].frames == COUNT
    with opened(file_candidate(str(films / MADE / "may.mp4"))) as clip:
        assert "long!" not in clip.sides()[0].flags


def test_a_shape_of_its_own_is_flagged_and_the_references_shape_is_not(films, opened, tmp_path):
    shown = pictures(films / REAL / "may.mp4", 20)
    real = film(tmp_path / "real.mp4", shown[:, :144], None)
    same = film(tmp_path / "same.mp4", shown[:, :72, :128], None)
    taller = film(tmp_path / "taller.mp4", shown[:, :, :144], None)
    square = film(tmp_path / "square.mp4", shown, None)
    found = {}
    for path in (same, taller, square):
        with opened(file_candidate(str(path)), reference=str(real)) as clip:
            found[path.stem] = clip.sides()[0].flags
    with opened(file_candidate(str(taller)), reference=str(square)) as clip:
        found["of square"] = clip.sides()[0].flags
    assert "crop!" not in found["same"]
    assert "crop!" in found["taller"] and "crop!" in found["of square"]


def test_a_crop_and_a_start_choose_what_is_seen_and_heard(films, opened, tmp_path):
    sound = _beep(COUNT / FPS, 1.0)
    real = film(tmp_path / "real.mp4", pictures(films / REAL / "may.mp4"), sound)
    where = {"reference": str(real), "start_seconds": 0.4, "frames": 20, "crop": (0.25, 0.5, 0.5)}
    with opened(Candidate("groundtruth"), **where) as clip:
        side = clip.sides()[0]
        view = clip.video(side)
        assert side.frames == 20 and side.start_seconds == pytest.approx(0.4, abs=0.001)
        heard = int(np.abs(view.sound.astype(int)).argmax()) / RATE
        assert heard == pytest.approx(0.6, abs=0.06)
        whole = pictures(real)[10][128:256, 64:192].astype(int)
        assert np.abs(view.frames_NHWC[0].astype(int) - whole).mean() < 3.0


def test_a_sound_of_its_own_begins_with_frame_0(films, opened, tmp_path):
    write_wav(tmp_path / "drive.wav", _beep(3.0, 0.5), RATE)
    driven = {"sound": str(tmp_path / "drive.wav"), "start_seconds": 0.4, "frames": 20}
    with opened(Candidate("groundtruth"), **driven) as clip:
        view = clip.video(clip.sides()[0])
        assert len(view.sound) == 20 * 640
        heard = int(np.abs(view.sound.astype(int)).argmax()) / RATE
        assert heard == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(("count", "seconds"), [(40, 0.8), (150, 2.4)])
def test_the_shifted_floor_turns_the_sound_far_enough(opened, tmp_path, pixels, count, seconds):
    """By 2.4 s, and by half of a clip that is too short for that: never back to where it was."""
    import dataclasses

    sound = np.random.default_rng(1).normal(0, 3000, round(count / FPS * RATE)).astype(np.int16)
    grey = np.zeros((count, 32, 32, 3), np.uint8)
    real = film(tmp_path / "real.mp4", grey, sound)
    with opened(Candidate("shifted"), reference=str(real), frames=count) as clip:
        clip.protocol = dataclasses.replace(load_protocol(pixels), frames=count)
        moved, kept = clip.video(clip.sides()[0]).sound, clip.video(clip.reference()).sound
    assert np.array_equal(moved, np.roll(kept, round(seconds * RATE)))


def test_a_container_whose_sound_is_late_is_measured(films, opened, tmp_path):
    sound = read_sound(films / REAL / "may.mp4", 0.0, COUNT / FPS, RATE)
    late = np.concatenate([np.zeros(1600, np.int16), sound])[: len(sound)]
    path = film(tmp_path / "late.mp4", pictures(films / REAL / "may.mp4"), late)
    with opened(file_candidate(str(path))) as clip:
        side = clip.sides()[0]
        assert clip.mux_offset_ms(path, side) == pytest.approx(100.0, abs=2.0)
        silent = film(tmp_path / "silent.mp4", pictures(path, 20), None)
        assert clip.mux_offset_ms(silent, side) is None


def test_an_open_set_has_a_portrait_and_no_real_video(films, opened, tmp_path):
    from talkingface_wild.benchmark.outputs import write_picture

    picture = pictures(films / REAL / "may.mp4", 2)[0]
    write_picture(tmp_path / "face.png", picture)
    write_wav(tmp_path / "drive.wav", _beep(1.0, 0.5), RATE)
    given = {"reference": "", "portrait": str(tmp_path / "face.png"), "frames": 25}
    given["sound"] = str(tmp_path / "drive.wav")
    with opened(Candidate("static"), **given) as clip:
        view = clip.video(clip.sides()[0])
        assert clip.reference() is None
        assert view.frames_NHWC.shape == (25, 128, 128, 3)
        assert np.array_equal(view.frames_NHWC[0], view.frames_NHWC[24])
        assert len(view.sound) == RATE
    with opened(Candidate("groundtruth"), **given) as clip, pytest.raises(ItemRejected):
        clip.sides()[0]


def test_files_that_are_not_there_are_said(films, opened, tmp_path):
    with opened(file_candidate(str(tmp_path / "none.mp4"))) as clip:
        with pytest.raises(ItemFailed) as failed:
            clip.sides()[0]
        assert failed.value.outcome.reason == "file_missing"
        assert "none.mp4" in failed.value.outcome.detail


def test_pixels_have_no_name_that_a_killed_run_could_leave(films, opened, tmp_path):
    with opened(file_candidate(str(films / MADE / "may.mp4"))) as clip:
        view = clip.video(clip.sides()[0])
        assert view.frames_NHWC.any()
        assert not list((tmp_path / "work").iterdir())
