import numpy as np
import pytest

from talkingface_wild.functional.fingerprints import (
    PICTURE_LIMIT,
    SOUND_LIMIT,
    Fingerprint,
    alike,
    fingerprint,
    picture_fingerprint,
    similar,
    sound_fingerprint,
    sound_words,
)
from tests.functional.clips import RATE, encode_again, pictures, sound

NAMES = ["hdtf_hill", "may", "selfie_12", "synthetic_9", "two_faces"]


def of(path, start=0.0, end=None):
    """The fingerprint of a span of a file."""
    samples, frames = sound(path), pictures(path, 1)
    end = len(samples) / RATE if end is None else end
    return fingerprint(
        frames[round(start) : max(round(end), 1)], samples[int(start * RATE) : int(end * RATE)]
    )


@pytest.fixture(scope="module")
def folder(shared, tmp_path_factory):
    copies = tmp_path_factory.mktemp("copies")
    for name in NAMES:
        source = shared / "media" / "clips" / f"{name}.mp4"
        encode_again(source, copies / f"{name}.mp4", side=160, crf=34, bit_rate=24000, gain=0.5)
    return copies


@pytest.mark.parametrize("name", NAMES)
def test_a_small_coarse_quiet_copy_is_alike(shared, folder, name):
    original = of(shared / "media" / "clips" / f"{name}.mp4")
    picture, heard = similar(original, of(folder / f"{name}.mp4"))
    assert picture < PICTURE_LIMIT
    assert heard < SOUND_LIMIT / 2
    later = of(folder / f"{name}.mp4", start=1.0)
    assert alike(original, later)
    assert alike(later, original)


def test_different_clips_are_not_alike(shared):
    prints = [of(shared / "media" / "clips" / f"{name}.mp4") for name in NAMES]
    for index, one in enumerate(prints):
        for other in prints[index + 1 :]:
            assert similar(one, other)[1] > SOUND_LIMIT + 0.05


@pytest.mark.parametrize("name", ["hdtf_hill", "synthetic_9"])
def test_two_clips_of_one_take_look_alike_and_are_not(shared, name):
    path = shared / "media" / "clips" / f"{name}.mp4"
    picture, heard = similar(of(path, 0, 4), of(path, 4, 8))
    assert picture < PICTURE_LIMIT
    assert heard > SOUND_LIMIT + 0.05


def test_the_same_picture_with_another_sound_is_not_alike(shared):
    path = shared / "media" / "clips" / "synthetic_9.mp4"
    original = of(path)
    speech = sound(shared / "media" / "speech" / "ja.flac")
    assert not alike(original, Fingerprint(original.picture, sound_fingerprint(speech)))


def test_the_same_sound_with_another_picture_is_not_alike(shared):
    one = of(shared / "media" / "clips" / "hdtf_hill.mp4")
    other = of(shared / "media" / "clips" / "synthetic_9.mp4")
    assert not alike(one, Fingerprint(other.picture, one.sound))


def test_the_sound_fingerprint_ignores_gain_and_finds_a_shift(shared):
    samples = sound(shared / "media" / "speech" / "de.flac")
    assert sound_fingerprint(samples // 4) != ""
    quiet = sound_words(sound_fingerprint(samples // 4))
    loud = sound_words(sound_fingerprint(samples))
    both = (quiet != 0) & (loud != 0)
    assert np.bitwise_count((quiet ^ loud)[both]).mean() / 32 < 0.02
    late = Fingerprint("00" * 8, sound_fingerprint(samples[2 * RATE :]))
    assert similar(Fingerprint("00" * 8, sound_fingerprint(samples)), late)[1] < SOUND_LIMIT / 2


def test_silence_is_never_alike():
    silence = Fingerprint("00" * 80, sound_fingerprint(np.zeros(10 * RATE, np.int16)))
    assert not sound_words(silence.sound).any()
    assert similar(silence, silence) == (1.0, 1.0)
    assert not alike(silence, silence)


def test_one_hertz_of_difference_between_rates_of_sampling_does_not_matter(shared):
    samples = sound(shared / "media" / "speech" / "fr.flac")
    doubled = np.repeat(samples, 2)
    one = Fingerprint("00" * 8, sound_fingerprint(samples))
    other = Fingerprint("00" * 8, sound_fingerprint(doubled, 2 * RATE))
    assert similar(one, other)[1] < 0.05


def test_the_picture_fingerprint_ignores_size_and_brightness():
    random = np.random.default_rng(2)
    coarse = random.integers(40, 180, (8, 8)).astype(np.uint8)
    large = np.kron(coarse, np.ones((40, 40), np.uint8))
    small = np.kron(coarse, np.ones((8, 8), np.uint8))
    assert len(picture_fingerprint([large, small])) == 32
    words = [int(picture_fingerprint([picture]), 16) for picture in (large, small, small + 30)]
    assert (words[0] ^ words[1]).bit_count() <= 4
    assert (words[1] ^ words[2]).bit_count() <= 2


def test_nothing_gives_nothing():
    empty = fingerprint([], np.zeros(0, np.int16))
    assert empty == Fingerprint("", "")
    assert similar(empty, empty) == (1.0, 1.0)
