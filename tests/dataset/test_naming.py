"""The many ways to name an item, and what is said where a name means several or none."""

import dataclasses

import pytest

from talkingface_wild.core.clip import Source, source_id
from talkingface_wild.core.errors import UsageError
from talkingface_wild.dataset.naming import find_item
from talkingface_wild.dataset.snapshot import read_recorded
from tests.dataset.fixture import make_data_set


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    made = make_data_set(tmp_path_factory.mktemp("named") / "out")
    for name in ("en/one.mp4", "en/two.mp4"):
        path = made.out / "videos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return made


@pytest.fixture(scope="module")
def recorded(made):
    return read_recorded(made.out)


def _source(made, name):
    return next(source.id for source in made.sources if source.path == name)


def test_every_id_is_found_by_the_least_beginning_that_no_other_shares(recorded):
    """Four characters were asked for, though fewer are often unambiguous."""
    ids = [str(item) for item in recorded.items.index]
    for item in ids:
        least = next(
            length
            for length in range(1, len(item) + 1)
            if sum(other.startswith(item[:length]) for other in ids) == 1
        )
        assert find_item(recorded, item[:least]) == find_item(recorded, item) == item


def test_a_source_is_found_by_path_name_stem_and_by_its_file_from_anywhere(
    made, recorded, monkeypatch
):
    source = _source(made, "en/one.mp4")
    file = made.out / "videos" / "en" / "one.mp4"
    monkeypatch.chdir(made.out / "videos" / "en")
    for name in ("en/one.mp4", "one.mp4", "one", str(file), "./one.mp4", "../en/one.mp4"):
        assert find_item(recorded, name) == source
    link = made.out / "shortcut.mp4"
    link.symlink_to(file)
    assert find_item(recorded, str(link)) == source


def test_a_copied_data_sets_sources_are_found_by_the_end_of_their_path(made, recorded):
    assert find_item(recorded, "/elsewhere/videos/en/two.mp4") == _source(made, "en/two.mp4")


def test_a_clip_is_found_by_its_finished_file_from_anywhere(made, recorded, monkeypatch):
    clip = made.clip("en/one.mp4", 0)
    relative = f"media/en/{clip}.mp4"
    monkeypatch.chdir(made.out)
    for name in (relative, f"media/en/{clip}.wav", str(made.out / relative), f"{clip}.mp4"):
        assert find_item(recorded, name) == clip


def test_a_clip_is_found_by_a_file_that_has_another_name(made, recorded):
    """Files may be stored under their content, with links that bear the clips' names."""
    clip = made.clip("en/two.mp4", 2)
    stored = made.out / "store" / "ab" / "abcdef.mp4"
    stored.parent.mkdir(parents=True)
    stored.touch()
    items = recorded.items.copy()
    items.loc[clip, "media_path"] = "store/ab/abcdef.mp4"
    moved = dataclasses.replace(recorded, items=items)
    link = made.out / "linked.mp4"
    link.symlink_to(stored)
    for name in ("store/ab/abcdef.mp4", str(stored), str(link)):
        assert find_item(moved, name) == clip


def test_an_address_is_a_name(recorded):
    key, url = "youtube:abc", "https://video.example/watch?v=abc"
    source = source_id(key, None, None, None)
    sources = recorded.sources.copy()
    sources.loc[len(sources)] = {"source_id": source, "source_url": url, "media_key": key}
    origins = {**recorded.origins, source: Source(source, key, "en", url=url)}
    with_url = dataclasses.replace(recorded, sources=sources, origins=origins)
    assert find_item(with_url, url) == find_item(with_url, key) == source


def test_what_means_several_lists_up_to_eight_with_their_names(recorded):
    with pytest.raises(UsageError) as error:
        find_item(recorded, "c")
    said = str(error.value)
    assert "means 11 of them" in said
    assert said.count(".mp4") == 8
    assert "and 3 more" in said


def test_what_means_nothing_names_the_nearest_and_the_verb_that_lists(made, recorded):
    with pytest.raises(UsageError, match="did you mean 'three'") as error:
        find_item(recorded, "thre")
    assert f"`tfw ls {made.out} --all`" in str(error.value)
    for name in ("", "zzzz", "no/such/file.mp4", "\0", "a" * 5000):
        with pytest.raises(UsageError, match="found nothing"):
            find_item(recorded, name)
