"""Commits listed, compared, restored and pruned, and the disk freed, by the command line."""

import json
import shutil

import pytest

from talkingface_wild.cli.main import run
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.media_links import link_media
from talkingface_wild.engine.lock import folder_lock
from tests.dataset.stored import RECIPE, broken, clip_id, commit, media_equal_clips, old_commit

ONE, TWO, THREE = (clip_id(number) for number in (1, 2, 3))
OTHER = {
    **RECIPE,
    "stages": [{"faces": {"detector": "haar"}}],
    "gates": {"length": {"at_least": 5}},
}


@pytest.fixture
def out(tmp_path):
    """Commit 2 loses TWO, wins THREE, and has other media of ONE."""
    commit(tmp_path, 1, {ONE: ("en", "a"), TWO: ("en", "b")})
    commit(tmp_path, 2, {ONE: ("en", "a again"), THREE: ("ko", "c")}, OTHER)
    (tmp_path / "recipe.yaml").write_text("name: of now\n")
    link_media(Layout(tmp_path))
    return tmp_path


@pytest.fixture
def tfw(capsys):
    """Run a verb with --json: (exit code, its data, stderr)."""

    def call(*arguments):
        capsys.readouterr()
        code = run([*map(str, arguments), "--json"])
        captured = capsys.readouterr()
        return code, json.loads(captured.out)["data"], captured.err

    return call


def store_files(out):
    return {path.relative_to(out).as_posix() for path in (out / "store").glob("*/*")}


def test_the_list_says_what_each_commit_holds_and_which_is_in_use(out, tfw):
    code, data, _ = tfw("commits", out)
    assert code == 0
    rows = [(r["number"], r["latest"], r["clips"], r["recipe"]) for r in data["commits"]]
    assert rows == [(1, False, 2, "by_hand"), (2, True, 2, "by_hand")]
    assert [row["hours"] for row in data["commits"]] == [0.002, 0.002]


def test_a_diff_counts_clips_media_and_settings(out, tfw):
    code, data, _ = tfw("commits", out, "diff", 1)
    assert code == 0
    assert (data["won"], data["lost"], data["media_changed"]) == (1, 1, 1)
    assert (data["before"], data["after"]) == (1, 2)
    assert {row["setting"]: (row["before"], row["after"]) for row in data["recipe"]} == {
        "faces.detector": ("yunet", "haar"),
        "gates.length.at_least": (None, 5),
    }
    counts = {
        row["language"]: (row["clips_before"], row["clips_after"]) for row in data["languages"]
    }
    assert counts == {"en": (2, 1), "ko": (0, 1)}
    _, data, _ = tfw("commits", out, "diff", 2, 1, "--clips")
    assert (data["won"], data["lost"], data["media_changed"]) == ([TWO], [THREE], [ONE])


def test_restore_brings_back_the_tables_the_media_and_the_recipe(out, tfw):
    """There was no way back from a recut, and the older clips' files were gone."""
    code, _, _ = tfw("commits", out, "restore", 1)
    assert code == 0
    assert (out / "dataset").resolve().name == "000001"
    assert media_equal_clips(out)
    assert "yunet" in (out / "recipe.yaml").read_text()
    assert broken(out) == []
    _, data, _ = tfw("commits", out)
    assert [row["latest"] for row in data["commits"]] == [True, False]
    assert len(data["commits"][0]["restored"]) == 1


def test_prune_and_purge_free_exactly_what_only_the_pruned_named(out, tfw):
    commit(out, 3, {ONE: ("en", "a"), THREE: ("ko", "c")})
    before = store_files(out)
    code, data, _ = tfw("commits", out, "prune", "--keep", 1, "--dry-run")
    assert (code, data["removed"], data["kept"]) == (0, [1, 2], [3])
    assert len(list((out / "commits").iterdir())) == 3
    code, data, _ = tfw("commits", out, "prune", 2)
    assert (code, data["removed"]) == (0, [2])
    assert store_files(out) == before
    code, data, said = tfw("purge", out, "--dry-run")
    again = {name for name in before if (out / name).read_text().startswith("a again")}
    assert set(data["files"]) == again
    assert data["bytes"] == 2 * len("a again.mp4")
    assert "2 files" in said
    assert store_files(out) == before
    code, data, _ = tfw("purge", out)
    assert (code, store_files(out)) == (0, before - again)
    assert broken(out) == []
    assert media_equal_clips(out)


def test_a_pruned_number_is_never_given_again(out, tfw):
    """Two data sets would have been called commit 2."""
    tfw("commits", out, "restore", 1)
    tfw("commits", out, "prune", 2)
    assert Layout(out).next_number() == 3


def test_the_commit_in_use_cannot_be_pruned(out, tfw):
    code, _, said = tfw("commits", out, "prune", 2)
    assert code == 2
    assert "restore" in said
    tfw("commits", out, "restore", 1)
    code, data, _ = tfw("commits", out, "prune", "--keep", 1)
    assert (code, data["removed"], data["kept"]) == (0, [], [1, 2])


def test_purge_takes_what_killed_runs_left_and_nothing_of_the_users(out, tfw):
    left = out / "store" / "c0" / f".{ONE}-00ff.tmp.mp4"
    left.write_text("half")
    (out / "commits" / ".building-00ff" / "clips").mkdir(parents=True)
    own = [out / "store" / "c0" / "mine.mp4", out / "review" / "manifest.csv"]
    for path in own:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a user's")
    _, data, _ = tfw("purge", out)
    assert len(data["left_over"]) == 2
    assert not left.exists() and not (out / "commits" / ".building-00ff").exists()
    assert all(path.exists() for path in own)


def test_purge_and_restore_refuse_while_a_run_holds_the_folder(out, tfw):
    with folder_lock(out):
        for verb in (("purge",), ("purge", "--dry-run")):
            code, _, said = tfw(verb[0], out, *verb[1:])
            assert code == 2
            assert "wait for it" in said
        assert tfw("commits", out, "restore", 1)[0] == 2
        assert tfw("commits", out)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("lst",), "did you mean 'list'"),
        (("diff",), "one or two numbers"),
        (("restore",), "one number"),
        (("restore", 9), "there are: 1, 2"),
        (("prune",), "neither"),
        (("prune", 1, "--keep", 1), "both"),
        (("list", "--keep", 1), "belongs to"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(out, tfw, arguments, words):
    code, _, said = tfw("commits", out, *arguments)
    assert code == 2
    assert words in said


def test_looking_at_an_old_folder_brings_it_over(tmp_path, tfw):
    old_commit(tmp_path, 1, {ONE: ("en", "a")})
    old_commit(tmp_path, 2, {ONE: ("en", "a again")})
    code, _, said = tfw("purge", tmp_path, "--dry-run")
    assert code == 2
    assert f"tfw commits {tmp_path}" in said
    code, data, said = tfw("commits", tmp_path)
    assert code == 0
    assert [row["overwritten"] for row in data["commits"]] == [1, 0]
    assert [row["made_by"] for row in data["commits"]] == [None, None]
    assert media_equal_clips(tmp_path)


def test_a_commits_folder_that_is_not_whole_is_passed_over(out, tfw):
    """It stopped every verb with "Unexpected error"; its number is not given again all the same."""
    (out / "commits" / "000009").mkdir()
    code, data, _ = tfw("commits", str(out), "--json")
    assert code == 0 and 9 not in [row["number"] for row in data["commits"]]
    assert Layout(out).next_number() == 10
    assert tfw("purge", str(out), "--dry-run", "--json")[0] == 0


def test_a_copy_whose_dataset_is_a_folder_is_refused_before_anything_is_written(out, tfw):
    """Copies that follow links have one; a recut left an unpublished commit and a stray link."""
    latest = Layout(out).latest()
    (out / "dataset").unlink()
    shutil.copytree(latest, out / "dataset")
    before = sorted(path.name for path in out.rglob("*"))
    code, _, words = tfw("commits", str(out), "restore", "1")
    assert code == 5 and "ln -s commits/NUMBER" in words
    assert sorted(path.name for path in out.rglob("*")) == before
