"""A growing video: pieces that make one stream, cut and gone on with to the bit, closed in sync."""

import errno
import hashlib

import av
import numpy as np
import pytest

from talkingface_wild.core.errors import DiskFull, InputUnreadable
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.media.container_probe import probe
from talkingface_wild.media.decode import frames
from talkingface_wild.media.resumable_video import ResumableVideo
from talkingface_wild.media.sound import read_sound, write_wav
from tests.media.fixtures import click_onsets, clicks, flash_onsets, write_video

WORDS = {"title": "made", "comment": "AI-generated: é = x; see v.mp4.json.", "description": "d"}


def _frames(count, first=0, side=64):
    """Flashes that begin with each second; a pattern that moves on a dark ground elsewhere."""
    pictures = np.full((count, side, side, 3), 16, np.uint8)
    for place, number in enumerate(range(first, first + count)):
        pictures[place, :8, (number * 2) % side :] = 60
        if number >= 25 and number % 25 < 3:
            pictures[place] = 255
    return pictures


def _grown(path, sizes, fps=25):
    video, first = ResumableVideo(path, fps), 0
    for size in sizes:
        video.append(_frames(size, first))
        first += size
    return video


def _sha(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _packets(path):
    with av.open(str(path)) as media:
        return [bytes(p) for p in media.demux(media.streams.video[0]) if p.size]


@pytest.fixture
def sound(tmp_path):
    return write_video(tmp_path / "s.m4a", sound=clicks(4.0, [1.0, 2.0, 3.0]))


def test_pieces_become_one_video_with_every_frame_once(tmp_path, sound):
    video = _grown(tmp_path / "new" / "-v.mp4", [8, 8, 1, 1, 16, 3])
    video.finish(37, sound, WORDS)
    facts = probe(video.path)
    assert (facts.video_codec, facts.width, facts.height, facts.fps) == ("h264", 64, 64, 25.0)
    assert not facts.variable_rate
    shown = np.stack([frame.rgb for frame in frames(video.path)]).astype(float)
    made = np.concatenate([_frames(8), _frames(8, 8), _frames(21, 16)]).astype(float)
    assert shown.shape == made.shape
    assert np.abs(shown - made).mean(axis=(1, 2, 3)).max() < 3.0


@pytest.mark.parametrize(("codec", "name", "rate", "late"), [
    ("aac", "s.m4a", 48_000, 0.0),
    ("libmp3lame", "s.mp3", 44_100, 0.0),
    ("aac", "s.mkv", 22_050, 0.7),
    ("pcm_s16le", "s.wav", 8_000, 0.0),
])  # fmt: skip
def test_a_flash_and_its_click_stay_together(tmp_path, codec, name, rate, late):
    heard = clicks(4.0 - late, [t - late for t in (1.0, 2.0, 3.0)], rate)
    source = write_video(
        tmp_path / name, sound=heard, sound_codec=codec, sound_rate=rate, sound_from=late
    )
    video = _grown(tmp_path / "v.mp4", [30, 30, 30])
    video.finish(90, source, WORDS)
    seen, heard_at = flash_onsets(video.path), click_onsets(video.path)
    assert seen == pytest.approx([1.0, 2.0, 3.0])
    assert heard_at == pytest.approx(click_onsets(source), abs=0.005)
    if late == 0.0:
        assert np.abs(heard_at - seen).max() < 0.04  # within a frame
    facts = probe(video.path)
    assert facts.audio_start == pytest.approx(0, abs=0.001)
    assert facts.audio_end == pytest.approx(3.6, abs=0.03)
    assert facts.video_end == pytest.approx(3.6, abs=0.001)


def test_sound_that_is_shorter_is_filled_with_silence_and_stereo_stays(tmp_path):
    with av.open(str(tmp_path / "s.wav"), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=16_000, layout="stereo")
        tone = (9000 * np.sin(np.arange(1600) * 0.3)).astype(np.int16)
        both = np.stack([tone, 0 * tone], axis=1).reshape(1, -1)
        block = av.AudioFrame.from_ndarray(both, format="s16", layout="stereo")
        block.sample_rate = 16_000
        out.mux(stream.encode(block))
    video = _grown(tmp_path / "v.mp4", [8])
    video.finish(8, tmp_path / "s.wav", WORDS)
    facts = probe(video.path)
    assert facts.channels == 2
    assert facts.audio_end == pytest.approx(0.32, abs=0.07)
    samples = read_sound(video.path, 0.0, 0.32)
    assert np.abs(samples[:1500]).max() > 2000 and np.abs(samples[3000:]).max() < 300


def test_what_was_cut_and_made_again_is_the_same_to_the_bit(tmp_path, sound):
    whole = _grown(tmp_path / "a.mp4", [8, 8, 8])
    stopped = ResumableVideo(tmp_path / "b.mp4")
    length = stopped.append(_frames(8))
    stopped.append(_frames(8, 8))
    with stopped.raw.open("ab") as raw:
        raw.write(b"half of a pie")
    stopped.cut(length)
    assert stopped.length == length
    stopped.append(_frames(8, 8))
    stopped.append(_frames(8, 16))
    assert _sha(stopped.raw) == _sha(whole.raw)
    for video in (whole, stopped):
        video.finish(24, sound, WORDS)
    assert _packets(whole.path) == _packets(stopped.path)
    assert _sha(whole.path) == _sha(stopped.path)


def test_every_piece_begins_with_a_key_frame_and_has_no_b_frames(tmp_path, sound):
    video = _grown(tmp_path / "v.mp4", [8, 8, 4])
    video.finish(20, sound, WORDS)
    with av.open(str(video.path)) as media:
        stream = media.streams.video[0]
        packets = [p for p in media.demux(stream) if p.size]
        assert [k for k, p in enumerate(packets) if p.is_keyframe] == [0, 8, 16]
        assert all(p.pts == p.dts for p in packets)


def test_the_words_stand_in_the_container_and_nothing_of_the_sounds_own(tmp_path):
    source = tmp_path / "s.m4a"
    write_video(source, sound=clicks(1.0, [0.5]))
    with av.open(str(source)) as old, av.open(str(tmp_path / "t.m4a"), "w") as new:
        new.metadata["artist"] = "somebody"
        stream = new.add_stream_from_template(old.streams.audio[0])
        for packet in old.demux(old.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    video = _grown(tmp_path / "v.mp4", [8])
    video.finish(8, tmp_path / "t.m4a", WORDS)
    with av.open(str(video.path)) as media:
        told = {name: media.metadata.get(name) for name in WORDS}
        assert told == WORDS
        assert "artist" not in media.metadata


def test_an_unfinished_video_is_a_stream_that_opens_and_leaves_when_discarded(tmp_path):
    video = _grown(tmp_path / "v.mp4", [8, 8])
    with av.open(str(video.raw)) as media:
        assert sum(1 for _ in media.decode(video=0)) == 16
    assert not video.path.exists()
    video.discard()
    assert list(tmp_path.iterdir()) == []
    assert video.length == 0


def test_fewer_bytes_than_the_state_says_are_refused(tmp_path):
    video = _grown(tmp_path / "v.mp4", [8])
    with pytest.raises(InputUnreadable, match="--fresh"):
        video.cut(video.length + 1)


def test_a_full_disk_is_told_and_what_was_there_stays(tmp_path, monkeypatch):
    video = _grown(tmp_path / "v.mp4", [8])
    before = video.raw.read_bytes()

    def full(read, write):
        write.write(b"some")
        write.flush()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("talkingface_wild.media.resumable_video.shutil.copyfileobj", full)
    with pytest.raises(DiskFull, match="free some space"):
        video.append(_frames(8, 8))
    assert video.raw.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["v.mp4.h264"]


def test_an_encoder_that_fails_leaves_what_was_there(tmp_path):
    video = _grown(tmp_path / "v.mp4", [8])
    before = video.length
    with pytest.raises(ItemFailed):
        video.append(np.zeros((4, 63, 63, 3), np.uint8))
    assert video.length == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["v.mp4.h264"]


def test_sound_that_is_none_leaves_no_video(tmp_path):
    video = _grown(tmp_path / "v.mp4", [8])
    silent = write_video(tmp_path / "p.mp4", [0.0, 0.04], [np.zeros((64, 64, 3), np.uint8)] * 2)
    with pytest.raises(ItemRejected):
        video.finish(8, silent, WORDS)
    write_wav(tmp_path / "s.wav", np.zeros(16, np.int16), 16_000)
    video.finish(8, tmp_path / "s.wav", WORDS)  # a millisecond will do
    assert probe(video.path).fps == 25.0
