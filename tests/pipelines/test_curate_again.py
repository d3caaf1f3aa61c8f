"""A second run on the same folder, after something changed. Each test says what would be lost."""

import shutil

import pandas as pd
import pytest

from talkingface_wild.core.fingerprint import file_sha256
from tests.pipelines.curated import tfw


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    out = tmp_path_factory.mktemp("again") / "begun"
    code, _, said = tfw(*run(out))
    assert code == 0, said
    return out


@pytest.fixture
def out(begun, tmp_path):
    shutil.copytree(begun, tmp_path / "out", symlinks=True)
    return tmp_path / "out"


def run(out, *more):
    return [
        "curate",
        "--recipe",
        "demo",
        "--langs",
        "ja",
        "--engine",
        "local",
        "--out",
        str(out),
        "--json",
        *more,
    ]


def media_are_as_listed(out):
    clips = pd.read_parquet(out / "dataset" / "clips")
    assert len(clips)
    return all(file_sha256(out / row.media_path) == row.media_sha256 for row in clips.itertuples())


@pytest.mark.long
def test_a_setting_changed_and_changed_back_leaves_the_right_media(out):
    """Results of the first setting were believed though the second had overwritten their files."""
    for size in (256, 512):
        code, _, said = tfw(*run(out, "--set", f"encode.size={size}"))
        assert code == 0, said
        assert media_are_as_listed(out)


def test_deleted_media_are_made_again(out):
    """A table that names files which are gone was called up to date."""
    for path in [*(out / "media").rglob("*.mp4"), *(out / "store").rglob("*.mp4")]:
        path.unlink()
    code, _, said = tfw("curate", "--out", out, "--langs", "ja", "--engine", "local", "--json")
    assert code == 0, said
    assert media_are_as_listed(out)


def test_fresh_with_a_misspelt_source_loses_nothing(out):
    """The journal was deleted before the new sources had been read."""
    code, _, _ = tfw(*run(out, "--fresh", "--sources", out / "nowhere"))
    assert code == 5
    assert list((out / "journal" / "parts").iterdir())
    assert (out / "sources.json").is_file()


@pytest.mark.long
def test_another_language_adds_its_sources_and_an_unknown_one_is_refused(out):
    """A trial in one language would have frozen the folder to it."""
    code, _, said = tfw(*run(out, "--langs", "ja,xx"))
    assert code == 2
    assert "'xx'" in said
    code, found, said = tfw(*run(out, "--langs", "ja,zh"))
    assert code == 0, said
    assert {row["language"] for row in found["data"]["languages"]} == {"ja", "zh"}


def test_a_folder_that_moved_is_found_where_it_is_now(begun, tmp_path):
    """A known source kept its old path, and all its clips were lost as file_missing."""
    (tmp_path / "one" / "ja").mkdir(parents=True)
    shutil.copy(begun / "corpus" / "ja" / "ja_talk.mp4", tmp_path / "one" / "ja" / "talk.mp4")
    arguments = ["--recipe", "embedded", "--engine", "local", "--out", tmp_path / "out", "--json"]
    code, _, said = tfw("curate", *arguments, "--sources", tmp_path / "one")
    assert code == 0, said
    (tmp_path / "one").rename(tmp_path / "two")
    code, found, said = tfw(
        "curate", *arguments, "--sources", tmp_path / "two", "--set", "encode.size=256"
    )
    assert code == 0, said
    assert found["data"]["failed"] == 0
    assert found["data"]["clips_kept"] >= 1


def test_a_gate_is_switched_off_and_on_again(out):
    """A gate that was off was forgotten for good."""
    code, _, said = tfw("recut", out, "--set", "gates.sharpness=off", "--json")
    assert code == 0, said
    code, _, said = tfw("recut", out, "--set", "gates.sharpness=10", "--json")
    assert code == 0, said
    assert "sharpness" in (out / "recipe.yaml").read_text()
    assert "off: true" not in (out / "recipe.yaml").read_text()


def test_an_output_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    code, _, said = tfw(*run(tmp_path / "file"))
    assert code == 2
    assert "--out" in said
    assert "Traceback" not in said and "Unexpected" not in said


def test_a_wrong_setting_blames_the_setting(tmp_path):
    code, _, said = tfw(*run(tmp_path / "out", "--set", "faces.detectr=haar"))
    assert code == 3
    assert said.startswith("--set faces.detectr=haar")
    assert "'detector'" in said
