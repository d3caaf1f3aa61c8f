"""Every layout of a real set, read again by what its loader expects; masks lie on face and lips."""

import json
import shutil
import tarfile

import cv2
import numpy as np
import pandas as pd
import pytest

from talkingface_wild.core.errors import InputUnreadable, UsageError
from talkingface_wild.jobs.export.request import LAYOUT_NAMES
from talkingface_wild.jobs.export.trainer_layouts import LAYOUTS
from tests.jobs.exported import PADDED, exported, make_set, refusal
from tests.pipelines.curated import tfw, tfw_killed
from tests.reference import trainer_loaders as loaders


@pytest.fixture(scope="module")
def mesh_set(tmp_path_factory, shared, open_weight):
    """The set's folder; tests only read it."""
    folder = tmp_path_factory.mktemp("export")
    return make_set(folder, shared / "media" / "clips" / "head_2.mp4", open_weight)


@pytest.fixture(scope="module")
def table(mesh_set):
    return pd.read_parquet(mesh_set / "dataset" / "clips").set_index("clip_id").sort_index()


@pytest.fixture(scope="module")
def meshes(mesh_set, table):
    """By clip the mesh in pixels of the finished picture, straight from the files."""
    points = {}
    for clip_id, row in table.iterrows():
        with np.load(mesh_set / row["mesh_track"]) as track:
            source = track["points"].astype(float) * track["widths"][:, None, None]
            source = (source + track["middles"][:, None])[..., :2]
        corner = [row["crop_left"], row["crop_top"]]
        points[clip_id] = (source - corner) * 512 / row["crop_side"]
    return points


def redness(pictures, masks):
    """Mean of Lab's a* under a mask."""
    lab = np.stack([cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)[..., 1] for picture in pictures])
    return lab[masks > 0].mean()


def test_the_set_has_a_clip_with_padding_and_names_agree(table):
    assert table.loc[PADDED, "padding_share"] > 0 and len(table) == 2
    assert tuple(LAYOUTS) == LAYOUT_NAMES


def test_stableavatar(mesh_set, table, meshes, tmp_path):
    result = exported(mesh_set, "stableavatar", tmp_path / "out")
    assert result["clips"] == result["written"] == 2 and result["frames_without_face"] == 0
    samples = loaders.stableavatar(tmp_path / "out" / "video_square_path.txt")
    assert list(samples) == ["00001", "00002"]
    for (clip_id, row), sample in zip(table.iterrows(), samples.values(), strict=True):
        images, face, lips = (sample[part] for part in ("images", "face_masks", "lip_masks"))
        assert images.shape == (row["media_frames"], 512, 512, 3) and sample["prompt"] == "speech"
        assert all(set(np.unique(mask[::20])) == {0, 255} for mask in (face, lips))
        assert (face[lips > 0] == 255).mean() > 0.99
        every, around = slice(None, None, 8), (face > 0) & ~(lips > 0)
        assert redness(images[every], lips[every]) > redness(images[every], around[every]) + 3
        for index in (0, 40, len(lips) - 1):
            rows, columns = np.nonzero(lips[index])
            corners = meshes[clip_id][index][[61, 291, 0, 17]]
            low, high = corners.min(axis=0), corners.max(axis=0)
            assert np.abs(columns.min() - low[0]) < 2 and np.abs(columns.max() - high[0]) < 2
            assert low[1] - 8 < rows.min() and rows.max() < high[1] + 8
        # A still picture of the video and the frame beside its masks are the same.
        pictures, _, _ = loaders.video_of(mesh_set / row["media_path"])
        assert np.abs(images[::20].astype(int) - pictures[::20]).mean() < 1.5


def test_latentsync(mesh_set, table, meshes, tmp_path):
    exported(mesh_set, "latentsync", tmp_path / "out", size=256)
    samples = loaders.latentsync(tmp_path / "out" / "fileslist_train.txt", resolution=256)
    assert set(samples) == set(table.index)
    # The mouth is where the fixed mask of a template is: low in the middle, in every frame.
    for clip_id, pictures in samples.items():
        assert len(pictures) == table.loc[clip_id, "media_frames"]
        lab = np.stack([cv2.cvtColor(p, cv2.COLOR_RGB2LAB)[..., 1] for p in pictures]).mean(axis=0)
        mouth = lab[130:180, 90:166].mean()
        assert mouth > lab[130:180, 30:70].mean() + 1 and mouth > lab[70:110, 90:166].mean() + 1


def test_hallo(mesh_set, table, meshes, tmp_path):
    out = tmp_path / "hallo set"
    result = exported(mesh_set, "hallo", out)
    samples = loaders.hallo(out)
    assert set(samples) == set(table.index)
    for clip_id, sample in samples.items():
        lips = meshes[clip_id][:, [61, 291, 0, 17]].reshape(-1, 2)
        soft = sample["sep_lip_mask"].astype(float)
        rows, columns = np.mgrid[0:64, 0:64] * 8 + 4
        middle = np.array([(columns * soft).sum(), (rows * soft).sum()]) / soft.sum()
        assert np.abs(middle - (lips.min(axis=0) + lips.max(axis=0)) / 2).max() < 12
        box = sample["face_mask"] > 0
        inside = np.floor(meshes[clip_id].reshape(-1, 2)).clip(0, 511).astype(int)
        assert box[inside[:, 1], inside[:, 0]].mean() > 0.98
        total = sample["sep_pose_mask"].astype(int) + sample["sep_face_mask"] + soft
        # All but the face, the face without lips and the lips make up the whole picture.
        assert (total >= 255).all() and np.median(total) == 255
        assert np.abs(sample["first"].astype(int) - sample["pictures"][0]).mean() < 1.5
    assert any("--step 2" in line for line in result["next"])
    assert "videos" in refusal(UsageError, mesh_set, "hallo", tmp_path / "videos" / "out")


def test_musetalk(mesh_set, table, meshes, tmp_path):
    exported(mesh_set, "musetalk", tmp_path / "out")
    samples = loaders.musetalk(tmp_path / "out")
    assert set(samples) == set(table.index)
    assert loaders.musetalk(tmp_path / "out", "val") == {}
    for clip_id, sample in samples.items():
        tip = meshes[clip_id][:, 4]
        assert np.abs(sample["points"][:, 30] + 0.5 - tip).max() < 1
        left, top, right, bottom = sample["boxes"].T
        assert ((left < tip[:, 0]) & (tip[:, 0] < right)).all()
        assert ((top < tip[:, 1]) & (tip[:, 1] < bottom)).all()
        assert sample["face_size"] == [bottom[0] - top[0], right[0] - left[0]]


def test_videofolder_and_webdataset_tell_the_same(mesh_set, table, tmp_path):
    exported(mesh_set, "videofolder", tmp_path / "folder")
    exported(mesh_set, "webdataset", tmp_path / "shards", size=128)
    rows = [row for rows in loaders.videofolder(tmp_path / "folder").values() for row in rows]
    assert [row["clip_id"] for row in rows] == list(table.index)
    shards = sorted((tmp_path / "shards").glob("*.tar"))
    samples = loaders.webdataset(shards)
    assert [sample["__key__"] for sample in samples] == list(table.index)
    for row, sample in zip(rows, samples, strict=True):
        facts = json.loads(sample["json"])
        del row["file_name"]
        assert facts == {**row, "size": 128}
        assert sample["wav"] == (mesh_set / table.loc[row["clip_id"], "audio_path"]).read_bytes()
        (tmp_path / "one.mp4").write_bytes(sample["mp4"])
        pictures, rate, sound = loaders.video_of(tmp_path / "one.mp4")
        assert pictures.shape == (row["frames"], 128, 128, 3) and rate == row["fps"] == 25
        assert sound == pytest.approx(row["seconds"], abs=0.1)
    with tarfile.open(shards[0]) as tar:
        assert {(entry.mtime, entry.uid, entry.uname) for entry in tar} == {(0, 0, "")}


def test_a_killed_export_goes_on_and_ends_as_another_does(mesh_set, tmp_path):
    words = ["export", mesh_set, "--layout", "stableavatar", "--size", "128", "--json"]
    whole = exported(mesh_set, "stableavatar", tmp_path / "whole", size=128)
    seconds = 2.0
    while tfw_killed(seconds, *words, "--out", tmp_path / "out"):
        for folder in (tmp_path / "out").glob("square/speech/*"):
            assert len(list((folder / "images").iterdir())) > 100, "a clip appears whole"
        seconds += 1.0
    code, data, _ = tfw(*words, "--out", tmp_path / "out")
    assert code == 0 and data["data"]["clips"] == whole["clips"] and data["data"]["written"] == 0
    assert files(tmp_path / "out") == files(tmp_path / "whole")
    assert not (tmp_path / "out" / ".export").exists()


def files(folder):
    """Bytes by name, but for what names the folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in (".png", ".wav", ".mp4")
    }


def test_only_what_the_condition_picks_and_the_set_stays_as_it_is(mesh_set, table, tmp_path):
    before = files(mesh_set)
    condition = "padding_share > 0"
    result = exported(mesh_set, "videofolder", tmp_path / "out", where=condition)
    assert result["clips"] == 1 and (tmp_path / "out" / "train" / f"{PADDED}.mp4").is_file()
    copy = tmp_path / "out" / "train" / f"{PADDED}.mp4"
    copy.write_bytes(b"a trainer that overwrites")
    assert files(mesh_set) == before
    said = refusal(InputUnreadable, mesh_set, "videofolder", tmp_path / "no", where="yaw_p90 > 500")
    assert "yaw_p90 > 500" in said and not (tmp_path / "no").exists()


def test_one_folder_holds_one_export(mesh_set, tmp_path):
    out = tmp_path / "out"
    exported(mesh_set, "videofolder", out)
    assert exported(mesh_set, "videofolder", out)["written"] == 0
    assert "layout 'videofolder'" in refusal(UsageError, mesh_set, "webdataset", out)
    assert "size None" in refusal(UsageError, mesh_set, "videofolder", out, size=128)
    for inside in (mesh_set / "media", mesh_set, mesh_set.parent):
        assert "outside of the data set" in refusal(UsageError, mesh_set, "videofolder", inside)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    assert "notes.txt" in refusal(UsageError, mesh_set, "videofolder", tmp_path / "mine")


def test_a_set_without_a_mesh_says_how_to_get_one_and_goes_without_where_it_can(mesh_set, tmp_path):
    bare = edited(mesh_set, tmp_path, mesh_track=None)
    said = refusal(InputUnreadable, bare, "stableavatar", tmp_path / "out")
    assert "`- mesh`" in said and "tfw weights fetch --open" in said and "tfw curate" in said
    assert not (tmp_path / "out").exists()
    assert exported(bare, "videofolder", tmp_path / "out")["clips"] == 2


def test_paths_that_lead_out_of_the_set_are_refused(mesh_set, tmp_path):
    for column, path in (("media_path", "../../secret.mp4"), ("mesh_track", "/etc/hosts")):
        (tmp_path / column).mkdir()
        crooked = edited(mesh_set, tmp_path / column, **{column: path})
        said = refusal(InputUnreadable, crooked, "videofolder", tmp_path / "out")
        assert path in said and not (tmp_path / "out").exists()


def test_hostile_words_stay_words(mesh_set, tmp_path):
    title = "../../x\n\u202e\\\";rm -rf / 'é.tar"
    named = edited(mesh_set, tmp_path, title=title, channel=title)
    exported(named, "webdataset", tmp_path / "out")
    samples = loaders.webdataset([tmp_path / "out" / "train-000000.tar"])
    assert [json.loads(sample["json"])["title"] for sample in samples] == [title, title]
    exported(named, "videofolder", tmp_path / "folder")
    rows = loaders.videofolder(tmp_path / "folder")["train"]
    assert {row["channel"] for row in rows} == {title}
    assert {path.name for path in tmp_path.iterdir()} == {"set", "out", "folder"}


def test_frames_without_a_face_are_black_or_leave_the_clip_out(mesh_set, table, tmp_path):
    lost = edited(mesh_set, tmp_path)
    with np.load(mesh_set / table.loc[PADDED, "mesh_track"]) as track:
        arrays = {name: track[name].copy() for name in track.files}
    for name in ("points", "widths", "middles"):
        arrays[name][3:7] = np.nan
    np.savez(lost / table.loc[PADDED, "mesh_track"], **arrays)
    result = exported(lost, "stableavatar", tmp_path / "out", size=128)
    assert result["frames_without_face"] == 4
    samples = loaders.stableavatar(tmp_path / "out" / "video_square_path.txt", 128, 128)
    white = [mask.any() for mask in samples["00001"]["lip_masks"]]
    assert not any(white[3:7]) and all(white[:3] + white[7:])
    result = exported(lost, "musetalk", tmp_path / "points")
    assert result["clips"] == 1 and result["left_out"] == {"frames without a face": 1}


def edited(mesh_set, folder, **columns):
    """A copy of the set whose clips table says something else."""
    shutil.copytree(mesh_set, folder / "set", symlinks=True)
    for part in (folder / "set" / "dataset" / "clips").rglob("*.parquet"):
        frame = pd.read_parquet(part, partitioning=None)
        for name, value in columns.items():
            frame[name] = pd.Series([value] * len(frame), dtype="object")
        part.unlink()
        frame.to_parquet(part)
    return folder / "set"
