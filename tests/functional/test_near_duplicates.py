import numpy as np
import pytest

from talkingface_wild.functional.fingerprints import Fingerprint, alike, fingerprint
from talkingface_wild.functional.near_duplicates import ClipPrint, duplicates
from tests.functional.clips import RATE, encode_again, pictures, sound

NAMES = ["hdtf_hill", "may", "selfie_12", "synthetic_9"]


@pytest.fixture(scope="module")
def rows(shared, tmp_path_factory):
    """3.1 s of four clips, a coarse copy of each, and a copy that begins 0.77 s later."""
    folder, found = tmp_path_factory.mktemp("copies"), []
    for place, name in enumerate(NAMES):
        source, copy = shared / "media" / "clips" / f"{name}.mp4", folder / f"{name}.mp4"
        encode_again(source, copy, side=160, crf=34, bit_rate=24000, gain=0.5)
        for kind, path, start in (("", source, 0), ("copy_", copy, 0), ("late_", copy, 0.77)):
            span = slice(int(start * RATE), int((start + 3.1) * RATE))
            marks = fingerprint(pictures(path, 1)[:3], sound(path)[span])
            found.append(ClipPrint(kind + name, f"{len(kind)}{place}", marks))
    return found


def made_up(random: np.random.Generator, words: int = 300) -> Fingerprint:
    picture = random.integers(0, 256, 8, dtype=np.uint8).tobytes().hex()
    return Fingerprint(picture * 10, random.integers(0, 256, 4 * words, np.uint8).tobytes().hex())


def worn(mark: Fingerprint, random: np.random.Generator) -> Fingerprint:
    """The same with 8 % of the sound's bits turned over."""
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(mark.sound), np.uint8))
    turned = bits ^ (random.random(len(bits)) < 0.08)
    return Fingerprint(mark.picture, np.packbits(turned).tobytes().hex())


def test_copies_are_found_and_name_the_earliest(rows):
    expected = {kind + name: name for kind in ("copy_", "late_") for name in NAMES}
    assert duplicates(rows) == expected
    assert duplicates(rows[::-1]) == expected


def test_the_order_says_which_one_stays(rows):
    turned = [ClipPrint(row.id, -place, row.fingerprint) for place, row in enumerate(rows)]
    assert duplicates(turned) == {
        kind + name: "late_" + name for kind in ("copy_", "") for name in NAMES
    }


def test_a_clip_with_a_swapped_sound_stays(rows):
    by_id = {row.id: row.fingerprint for row in rows}
    swapped = Fingerprint(by_id["may"].picture, by_id["hdtf_hill"].sound)
    assert duplicates([ClipPrint("a", 0, by_id["may"]), ClipPrint("b", 1, swapped)]) == {}


def test_the_index_finds_what_comparing_every_pair_finds():
    random = np.random.default_rng(0)
    originals = [made_up(random, int(random.integers(90, 900))) for _ in range(24)]
    copies = [worn(originals[index], random) for index in range(0, 24, 3)]
    table = [ClipPrint(f"{place:03}", place, mark) for place, mark in enumerate(originals + copies)]
    every_pair = {}
    for place, row in enumerate(table):
        for earlier in table[:place]:
            if earlier.id not in every_pair and alike(earlier.fingerprint, row.fingerprint):
                every_pair.setdefault(row.id, earlier.id)
    assert len(every_pair) == 8
    assert duplicates(table) == every_pair


def test_a_hundred_copies_of_one_clip_all_name_the_first():
    random = np.random.default_rng(1)
    mark = made_up(random)
    table = [ClipPrint("000", 0, mark)]
    table += [ClipPrint(f"{place:03}", place, worn(mark, random)) for place in range(1, 100)]
    strangers = [ClipPrint(f"s{place}", place, made_up(random)) for place in range(100)]
    assert duplicates(table + strangers) == {f"{place:03}": "000" for place in range(1, 100)}


def test_silent_clips_and_an_empty_table_have_no_duplicates():
    silent = Fingerprint("00" * 80, "00" * 4 * 300)
    assert duplicates([ClipPrint("a", 0, silent), ClipPrint("b", 1, silent)]) == {}
    assert (
        duplicates([ClipPrint("a", 0, Fingerprint("", "")), ClipPrint("b", 1, Fingerprint("", ""))])
        == {}
    )
    assert duplicates([]) == {}
