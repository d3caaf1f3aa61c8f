"""What a refused command leaves: nothing of its own, and everything of the user's."""

import pytest

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.litter import nothing_left

OWN = ("corpus", "sources.json")


def test_a_users_file_that_arrives_meanwhile_stays(tmp_path):
    """Whatever was new in the folder went: a copy that was under way beside the command too."""
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "old.mp4").touch()
    with pytest.raises(UsageError), nothing_left(tmp_path, OWN):
        (tmp_path / "corpus" / "new.mp4").touch()
        (tmp_path / "sources.json").touch()
        (tmp_path / "footage").mkdir()
        (tmp_path / "footage" / "a.mp4").touch()
        raise UsageError("refused")
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert left == ["corpus", "corpus/old.mp4", "footage", "footage/a.mp4"]


def test_what_is_no_refusal_takes_nothing_back(tmp_path):
    with pytest.raises(KeyError), nothing_left(tmp_path, OWN):
        (tmp_path / "sources.json").touch()
        raise KeyError
    assert (tmp_path / "sources.json").exists()
