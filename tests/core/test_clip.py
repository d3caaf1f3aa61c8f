"""Ids of sources and clips: the same span of the same video is the same everywhere and always."""

import hashlib
import json
import subprocess
import sys

from talkingface_wild.core.clip import Clip, Source, make_clip, source_from_json, source_id


def _by_hand(value: object) -> str:
    text = json.dumps(value, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:15]


def test_ids_are_hashes_of_what_the_thing_is():
    assert source_id("youtube:abc", None, 2.5, (1, 2, 3, 4)) == "s" + _by_hand(
        ["youtube:abc", None, 2.5, [1, 2, 3, 4]]
    )
    assert make_clip("s1", 0.0, 30.0).id == "c" + _by_hand(["s1", 0.0, 30.0])


def test_ids_do_not_change_between_processes():
    code = "from talkingface_wild.core.clip import make_clip; print(make_clip('s', 1, 2.5).id)"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == make_clip("s", 1.0, 2.5).id


def test_spans_count_to_the_millisecond():
    assert make_clip("s", 1.00004, 2.0).id == make_clip("s", 1.0, 2.0).id
    assert make_clip("s", 1, 2).id == make_clip("s", 1.0, 2.0).id
    assert source_id("k", 1, 2, None) == source_id("k", 1.0, 2.0, None)
    assert make_clip("s", 1.001, 2.0).id != make_clip("s", 1.0, 2.0).id
    assert make_clip("s", 1.0, 2.0).id != make_clip("t", 1.0, 2.0).id


def test_sources_and_clips_come_back_from_json():
    source = Source(
        "s1", "sha256:ab", "en", path="a.mp4", root=".", crop=(0, 1, 2, 3), given={"age": "no"}
    )
    assert source_from_json(json.loads(json.dumps(source.to_json()))) == source
    clip = make_clip("s1", 1.0, 4.5, parent="c0")
    assert Clip(**json.loads(json.dumps(clip.to_json()))) == clip
    assert clip.seconds == 3.5
