"""The stage ``features`` on made-up clips: what is measured, kept, made again and left out."""

import dataclasses

import numpy as np
import pytest
import torch

from talkingface_wild.core.errors import InputUnreadable, RecipeError
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.models.mcdm.training.clip_features import CachedClip
from talkingface_wild.models.mcdm.training.features import cache_features, tail_frames
from talkingface_wild.models.mcdm.training.sampling import ClipSampler
from talkingface_wild.models.training.feature_files import validation_share
from talkingface_wild.models.training.features_summary import FeaturesSummary
from talkingface_wild.models.training.training_clip import TrainingClip, evenly, tail_id, whole_id
from tests.models.mcdm.made import made_parts, tiny
from tests.models.mcdm.training.made_clips import made_pictures

LANDMARKS = "present.head=landmarks"


class Made:
    """A clip in memory that counts how often it is decoded."""

    def __init__(self, seed, frames=30, split="train", chunk=9, points=False, **rest):
        self.pictures, self.heard = made_pictures(frames, seed)
        self.chunk, self.decoded = chunk, 0
        moved = np.linspace(0, 0.05, frames)[:, None, None].astype(np.float32)
        upright = [(0.4, 0.4), (0.6, 0.4), (0.5, 0.55), (0.4, 0.75), (0.6, 0.75)]
        self.clip = TrainingClip(
            f"clip{seed}",
            self.frames,
            lambda: self.heard,
            identity=f"person{seed % 2}",
            language="ko",
            split=split,
            points_TP2=np.array([upright], np.float32) + moved if points else None,
            **rest,
        )

    def frames(self):
        self.decoded += 1
        for first in range(0, len(self.pictures), self.chunk):
            yield self.pictures[first : first + self.chunk]


def clips_of(*made):
    return [one.clip for one in made]


def broken():
    raise ItemRejected("undecodable", "no picture of 'x.mp4' could be decoded")


def same(one, other):
    values = [(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(one)]
    return all(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in values)


def cached(parts, made, folder, **rest):
    told = []
    summary = cache_features(parts, clips_of(*made), folder, tell=told.append, **rest)
    return summary, told


def test_what_is_kept_is_what_the_networks_say_of_the_whole_clip(tmp_path):
    parts, one, val = made_parts(), Made(1, 40), Made(2, 30, "val")
    summary, _ = cached(parts, (one, val), tmp_path)
    clip = CachedClip.read_folder(tmp_path, split="train", crops=True)[0]
    shown = torch.from_numpy(one.pictures)
    latents = parts.codec.encode(shown)
    torch.testing.assert_close(clip.latents_TCHW.float(), latents, rtol=1e-3, atol=1e-3)
    sound = parts.sound_features.rows(one.heard, 0, 40)
    torch.testing.assert_close(clip.sound_TE.float(), sound, rtol=1e-3, atol=1e-3)
    image = parts.image_features.rows(shown, latents)
    torch.testing.assert_close(clip.image_TE.float(), image, rtol=2e-3, atol=1e-3)
    assert clip.lips_TSSC.shape == (40, 24, 24, 3) and clip.lips_TSSC.dtype == torch.uint8
    assert clip.face_TSSC.shape == clip.head_TSSC.shape == (40, 32, 32, 3)
    wanted = {"identity": "person1", "language": "ko", "split": "train", "mouth_from": "default"}
    assert wanted.items() <= clip.facts.items()
    assert summary.figures()["splits"] == {"train": 1, "val": 1}
    # The codec was fitted on these pictures: it gives them back.
    back = parts.codec.decode(clip.latents_TCHW.float()).float()
    assert (back - shown.float()).abs().mean() < 3
    assert ClipSampler([clip], parts.config).pictures(torch.Generator(), 2).present_BFCHW.any()


def test_chunks_do_not_matter_and_few_frames_are_in_work_at_once(tmp_path):
    found, seen = [], []
    for number, chunk in enumerate((100, 7)):
        parts = made_parts()
        encode = parts.patch_codec.encode
        parts.patch_codec.encode = lambda f, encode=encode: seen.append(len(f)) or encode(f)
        one = Made(1, 100, chunk=chunk, points=True)
        cached(parts, (one, Made(2, 30, "val")), tmp_path / str(number))
        found.append(CachedClip.read_folder(tmp_path / str(number), split="train", crops=True)[0])
    assert same(*found)
    assert max(seen) <= 16


def test_a_second_run_measures_nothing_again(tmp_path):
    made = (Made(1), Made(2), Made(3, split="val"))
    cached(made_parts(), made, tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    counts = [one.decoded for one in made]
    summary, _ = cached(made_parts(seed=9), made, tmp_path)
    assert summary.kept == summary.figures()["clips"] == 3
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    # Only the codec's fit looks at training pictures once more.
    assert [one.decoded - count for one, count in zip(made, counts, strict=True)] == [1, 1, 0]


def test_a_run_that_was_stopped_goes_on(tmp_path):
    made = (Made(1), Made(2), Made(3, split="val"))
    cached(made_parts(), made, tmp_path)
    whole = [CachedClip.load(p, crops=True) for p in sorted(tmp_path.iterdir())]
    for name in ("clip2", "clip3"):
        (tmp_path / f"{name}.safetensors").unlink()
    (tmp_path / "clip2.safetensors").write_bytes(b"half a file")
    summary, _ = cached(made_parts(), made, tmp_path)
    assert summary.kept == 1
    again = [CachedClip.load(p, crops=True) for p in sorted(tmp_path.iterdir())]
    assert all(same(one, other) for one, other in zip(whole, again, strict=True))


@pytest.mark.parametrize("what", ["facts", "split", "track", "length", "codec"])
def test_what_the_features_depend_on_makes_them_anew(tmp_path, what):
    def made(changed):
        facts = {"media_sha256": "b" if changed and what == "facts" else "a"}
        other = Made(2, split="train" if changed and what == "split" else "val", facts=facts)
        one = Made(1, points=changed and what == "track")
        if changed and what == "codec":
            one.pictures = 255 - one.pictures
        return one, other

    cached(made_parts(), made(False), tmp_path)
    frames = 20 if what == "length" else 3000
    summary, _ = cached(made_parts(), made(True), tmp_path, max_frames=frames)
    assert summary.kept == {"facts": 1, "split": 0, "track": 1, "length": 0, "codec": 0}[what]


def test_files_of_other_clips_go(tmp_path):
    cached(made_parts(), (Made(1), Made(2), Made(3, split="val")), tmp_path)
    cached(made_parts(), (Made(1), Made(3, split="val")), tmp_path)
    assert [clip.clip_id for clip in CachedClip.read_folder(tmp_path)] == ["clip1", "clip3"]


def test_a_broken_clip_is_named_and_the_others_are_made(tmp_path):
    bad, empty, odd, val = Made(1), Made(2), Made(3), Made(4, split="val")
    bad.clip = dataclasses.replace(bad.clip, frames=broken)
    empty.pictures = empty.pictures[:0]
    odd.pictures = odd.pictures[:, :, :50]
    silent = Made(5)
    silent.clip = dataclasses.replace(silent.clip, sound=broken)
    summary, told = cached(made_parts(), (bad, empty, odd, silent, Made(6), val), tmp_path)
    assert [clip.clip_id for clip in CachedClip.read_folder(tmp_path)] == ["clip4", "clip6"]
    figures = summary.figures()
    assert (figures["clips"], figures["left_out"]) == (2, 4)
    assert "clip1 left out: undecodable: no picture of 'x.mp4'" in "\n".join(told)
    assert "64 x 64" in summary.broken["clip3"] and "64 x 50" in summary.broken["clip3"]
    assert set(figures["why_left_out"]) == {"clip1", "clip2", "clip3", "clip5"}


def test_without_a_clip_to_learn_from_one_sentence_says_so(tmp_path):
    bad = Made(1)
    bad.clip = dataclasses.replace(bad.clip, frames=broken)
    with pytest.raises(InputUnreadable, match=r"none that can be read; curate"):
        cached(made_parts(), (bad,), tmp_path)
    silent = Made(1)
    silent.clip = dataclasses.replace(silent.clip, sound=broken)
    with pytest.raises(InputUnreadable, match=r"none among 1 .*'x\.mp4'"):
        cached(made_parts(), (silent,), tmp_path)
    with pytest.raises(InputUnreadable, match="split 'train', found none among 1"):
        cached(made_parts(), (Made(1, split="val"),), tmp_path)


def test_a_model_without_its_networks_is_refused_before_any_clip(tmp_path):
    one = Made(1)
    with pytest.raises(InputUnreadable, match="--weights vae"):
        cached(made_parts("picture.codec=vae"), (one,), tmp_path)
    with pytest.raises(InputUnreadable, match="audio_encoder"):
        cached(made_parts("present.audio=wav2vec2"), (one,), tmp_path / "b")
    with pytest.raises(InputUnreadable, match="image_encoder"):
        cached(made_parts("present.image=clip"), (one,), tmp_path / "c")
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_long_clip_is_cut_and_that_is_said(tmp_path):
    made = Made(1, 60, chunk=25), Made(2, 20, "val")
    summary, told = cached(made_parts(), made, tmp_path, max_frames=37)
    long, short = CachedClip.read_folder(tmp_path, crops=True)
    assert (long.frames, len(long.lips_TSSC), len(long.sound_TE), short.frames) == (37, 37, 37, 20)
    assert sum("longer" in line for line in told) == 1
    assert summary.figures()["frames"] == 57


def test_an_empty_val_holds_ends_of_training_clips_out(tmp_path):
    config = tiny()
    tail = tail_frames(config)
    assert tail == 8 + 8 + 10
    long, short = Made(1, 3 * tail), Made(2, 3 * tail - 1)
    summary, told = cached(made_parts(), (long, short), tmp_path)
    clips = {clip.clip_id: clip for clip in CachedClip.read_folder(tmp_path, crops=True)}
    end = tail_id("clip1", 2 * tail)
    assert set(clips) == {"clip1", "clip2", end}
    assert whole_id(end) == ("clip1", 2 * tail) and whole_id("clip1") == ("clip1", 0)
    assert [clips[name].frames for name in ("clip1", "clip2", end)] == [52, 77, 26]
    assert [clips[name].facts["split"] for name in ("clip1", end)] == ["train", "val"]
    cached(made_parts(), (Made(1, 3 * tail), Made(2, 77), Made(3, 30, "val")), tmp_path / "b")
    whole = CachedClip.load(tmp_path / "b" / "clip1.safetensors", crops=True)
    for name in ("sound_TE", "lips_TSSC", "head_TSSC"):
        pieces = [getattr(clips[part], name) for part in ("clip1", end)]
        assert torch.equal(torch.cat(pieces), getattr(whole, name))
    assert sum("val is empty" in line for line in told) == 1
    assert summary.figures()["splits"] == {"train": 2, "val": 1}
    again, _ = cached(made_parts(), (long, short), tmp_path)
    assert again.kept == 2
    (tmp_path / f"{end}.safetensors").unlink()
    mended, _ = cached(made_parts(), (long, short), tmp_path)
    assert mended.kept == 1 and (tmp_path / f"{end}.safetensors").is_file()


def test_validation_is_shared_out_only_where_val_is_empty():
    clips = [Made(seed, 3).clip for seed in range(9)]
    assert validation_share(clips) == ("clip0", "clip3", "clip5", "clip8")
    assert validation_share(clips[:2]) == ("clip0", "clip1")
    assert validation_share([*clips, Made(9, 3, "val").clip]) == ()


def test_samples_are_spread_evenly():
    assert evenly(5, 9) == [0, 1, 2, 3, 4]
    assert evenly(101, 3) == [0, 50, 100]
    assert evenly(1, 3) == [0]


def test_head_tokens_are_the_guiders(tmp_path):
    made = (Made(1, points=True), Made(2, points=True, split="val"))
    parts = made_parts(LANDMARKS)
    summary, told = cached(parts, made, tmp_path)
    clip = CachedClip.read_folder(tmp_path, split="train", crops=True)[0]
    assert clip.facts["mouth_from"] == "points" and clip.head_TSSC is None
    np.testing.assert_array_equal(clip.landmarks_TP2, made[0].clip.points_TP2)
    tokens = parts.landmark_guider(made[0].clip.points_TP2)
    torch.testing.assert_close(clip.head_TKW.float(), tokens, rtol=2e-3, atol=2e-3)
    # Fitted on the training split, they have there no mean and unit scale along the one way
    # in which this head moves.
    assert tokens.mean(dim=0).abs().max() < 0.05
    assert tokens.square().mean(dim=0).max() == pytest.approx(1, abs=0.1)
    assert not any("face crop" in line for line in told)
    assert summary.figures()["mouth_from"] == {"points": 2}


def test_another_guider_renews_head_tokens_alone(tmp_path):
    made = (Made(1, 90, points=True), Made(2, points=True))
    cached(made_parts(LANDMARKS), made, tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    before = [CachedClip.load(tmp_path / name, crops=True) for name in names]
    counts = [one.decoded for one in made]
    other = made_parts(LANDMARKS, seed=7)
    summary, _ = cached(other, made, tmp_path)
    assert summary.kept == 2
    assert [one.decoded - count for one, count in zip(made, counts, strict=True)] == [1, 1]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name, old in zip(names, before, strict=True):
        new = CachedClip.load(tmp_path / name, crops=True)
        wanted = other.landmark_guider(new.landmarks_TP2.numpy())
        torch.testing.assert_close(new.head_TKW.float(), wanted, rtol=2e-3, atol=2e-3)
        assert not torch.equal(new.head_TKW, old.head_TKW)
        assert torch.equal(new.latents_TCHW, old.latents_TCHW)
        assert torch.equal(new.lips_TSSC, old.lips_TSSC)


def test_without_landmarks_the_sentence_says_how_to_get_them(tmp_path):
    with pytest.raises(InputUnreadable, match=r"faces\.detector=scrfd_2\.5g.*preset tiny"):
        cached(made_parts(LANDMARKS), (Made(1), Made(2, points=True, split="val")), tmp_path)
    summary, _ = cached(made_parts(LANDMARKS), (Made(1), Made(3, points=True)), tmp_path)
    assert list(summary.broken) == ["clip1"] and "landmarks" in summary.broken["clip1"]
    contour = made_parts(LANDMARKS, "present.landmarks=contour")
    with pytest.raises(RecipeError, match=r"'contour'.*5 a frame.*eyes_nose"):
        cached(contour, (Made(3, points=True),), tmp_path)


def test_the_face_crop_in_place_of_landmarks_is_said_once(tmp_path):
    summary, told = cached(made_parts(), (Made(1), Made(2, split="val")), tmp_path)
    assert sum("down-scaled face crop" in line for line in told) == 1
    assert sum("down-scaled face crop" in note for note in summary.figures()["notes"]) == 1


def test_the_summary_says_what_the_model_learns_from(tmp_path):
    made = (Made(1), Made(2, 50), Made(3, 40, "val"))
    summary, _ = cached(made_parts(), made, tmp_path / "features")
    told = summary.trained_on(tmp_path / "somewhere" / "demo_out")
    assert told.pop("sha256")
    assert told == {
        "dataset": "demo_out",
        "clips": 2,
        "seconds": 80 / 25,
        "identities": 2,
        "languages": {"ko": 2},
    }
    assert isinstance(summary, FeaturesSummary)
