"""Frames that are being made become an H.264 file with sound, or no file at all."""

import numpy as np
import pytest

from talkingface_wild.core.outcome import ItemFailed
from talkingface_wild.media.container_probe import probe
from talkingface_wild.media.decode import frames
from talkingface_wild.media.generated_video import write_video
from talkingface_wild.media.sound import read_sound, write_wav


def _chunks(count=20, side=64, size=8):
    for start in range(0, count, size):
        levels = range(start, min(start + size, count))
        yield np.stack([np.full((side, side, 3), 10 * k + 20, np.uint8) for k in levels])


def test_frames_and_sound_come_back(tmp_path):
    wav, path = tmp_path / "s.wav", tmp_path / "new" / "-v.mp4"
    tone = (8000 * np.sin(np.arange(12800) * 0.3)).astype(np.int16)
    write_wav(wav, tone, 16000)
    assert write_video(path, _chunks(), wav) == 20
    facts = probe(path)
    assert (facts.video_codec, facts.width, facts.height) == ("h264", 64, 64)
    levels = [float(frame.rgb.mean()) for frame in frames(path)]
    assert levels == pytest.approx([10 * k + 20 for k in range(20)], abs=2.0)
    sound = read_sound(path, 0.0, 0.8)
    assert np.corrcoef(sound[2000:10000], tone[2000:10000])[0, 1] > 0.95


def test_a_silent_video_has_no_sound_stream(tmp_path):
    write_video(tmp_path / "v.mp4", _chunks(), None, fps=30)
    facts = probe(tmp_path / "v.mp4")
    assert facts.audio_codec is None
    assert facts.fps == pytest.approx(30.0)


def _breaking():
    yield next(_chunks())
    raise RuntimeError("no memory is left")


@pytest.mark.parametrize(
    ("chunks", "error"),
    [
        (_breaking, RuntimeError),
        (lambda: iter(()), ItemFailed),
        (lambda: (c[:, : 64 - 2 * i] for i, c in enumerate(_chunks())), ValueError),
        (lambda: (c.astype(np.float32) for c in _chunks()), ValueError),
        (lambda: iter([np.zeros((4, 63, 63, 3), np.uint8)]), ItemFailed),
    ],
)
def test_what_cannot_be_written_leaves_no_file_and_the_old_one(tmp_path, chunks, error):
    path = tmp_path / "v.mp4"
    path.write_text("the old one")
    with pytest.raises(error):
        write_video(path, chunks(), None)
    assert [entry.name for entry in tmp_path.iterdir()] == ["v.mp4"]
    assert path.read_text() == "the old one"


def test_a_sound_that_is_no_sound_fails_with_a_reason(tmp_path):
    (tmp_path / "s.wav").write_text("no sound")
    with pytest.raises(ItemFailed) as failed:
        write_video(tmp_path / "v.mp4", _chunks(), tmp_path / "s.wav")
    assert "s.wav" in failed.value.outcome.detail or "nvalid" in failed.value.outcome.detail
    assert not (tmp_path / "v.mp4").exists()
