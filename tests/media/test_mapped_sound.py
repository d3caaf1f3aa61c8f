"""Sound on the disk: the samples that ``read_sound`` gives, whatever the file."""

import numpy as np
import pytest

from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.media.mapped_sound import store_sound
from talkingface_wild.media.sound import loudness_dbfs, read_sound, write_wav
from tests.media.fixtures import clicks, write_video


@pytest.mark.parametrize(("codec", "name", "rate", "late"), [
    ("aac", "s.m4a", 48_000, 0.0),
    ("libmp3lame", "s.mp3", 44_100, 0.0),
    ("libopus", "s.ogg", 48_000, 0.0),
    ("flac", "s.flac", 32_000, 0.0),
    ("aac", "s.mkv", 22_050, 0.7),
])  # fmt: skip
def test_it_is_what_read_sound_gives(tmp_path, codec, name, rate, late):
    source = write_video(
        tmp_path / name,
        sound=clicks(2.0, [0.5, 1.5], rate),
        sound_codec=codec,
        sound_rate=rate,
        sound_from=late,
    )
    stored = store_sound(source, tmp_path / "s.s16")
    expected = read_sound(source)
    assert np.array_equal(stored.samples, expected)
    assert stored.seconds == pytest.approx(len(expected) / 16_000)
    assert stored.dbfs == pytest.approx(loudness_dbfs(expected))
    assert not stored.broke_off


def test_it_ends_where_it_is_asked_to_and_reads_on_after_letting_go(tmp_path):
    tone = (8000 * np.sin(np.arange(48_000) * 0.3)).astype(np.int16)
    write_wav(tmp_path / "s.wav", tone, 16_000)
    stored = store_sound(tmp_path / "s.wav", tmp_path / "s.s16", seconds=1.25)
    assert np.array_equal(stored.samples, tone[:20_000])
    stored.let_go()
    assert np.array_equal(stored.samples, tone[:20_000])
    assert isinstance(stored.samples, np.memmap)
    whole = store_sound(tmp_path / "s.wav", tmp_path / "s.s16", seconds=99.0)
    assert whole.seconds == 3.0


def test_silence_has_the_least_loudness(tmp_path):
    write_wav(tmp_path / "s.wav", np.zeros(1600, np.int16), 16_000)
    assert store_sound(tmp_path / "s.wav", tmp_path / "s.s16").dbfs == -120


def test_what_has_no_sound_leaves_no_file(tmp_path):
    picture = np.zeros((64, 64, 3), np.uint8)
    silent = write_video(tmp_path / "p.mp4", [0.0, 0.04], [picture] * 2)
    write_wav(tmp_path / "empty.wav", np.zeros(0, np.int16), 16_000)
    (tmp_path / "t.txt").write_text("no sound")
    for name in (silent.name, "empty.wav"):
        with pytest.raises(ItemRejected) as refused:
            store_sound(tmp_path / name, tmp_path / "s.s16")
        assert refused.value.outcome.reason == "no_audio"
    with pytest.raises(ItemRejected):
        store_sound(tmp_path / "t.txt", tmp_path / "s.s16")
    with pytest.raises(ItemFailed):
        store_sound(tmp_path / "nowhere.wav", tmp_path / "s.s16")
    assert not (tmp_path / "s.s16").exists()
