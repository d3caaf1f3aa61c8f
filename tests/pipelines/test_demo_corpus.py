import csv
import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from scenedetect import AdaptiveDetector, detect

from talkingface_wild.core.language_names import DEFAULT
from talkingface_wild.core.reasons import REJECTED
from talkingface_wild.functional.mouth import flags_at, mouth_change
from talkingface_wild.functional.speech_share import speech_measures
from talkingface_wild.pipelines.demo import corpus, voice
from talkingface_wild.pipelines.demo.takes import DELAY_FRAMES, takes

FAULTS = {"multiple_faces", "no_face", "blurry", "no_audio", "undecodable", "too_short"}
NETWORK_FAULTS = {"voice_over", "little_speech", "sync_offset"}
HAAR = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
SMALL = ("fr", "ja")


@pytest.fixture(scope="module")
def listed(tmp_path_factory) -> Path:
    return corpus.make(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    return corpus.make(tmp_path_factory.mktemp("small"), SMALL)


def rows(listed: Path) -> list[dict[str, str]]:
    with listed.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def files(listed: Path, ending: str) -> list[Path]:
    return [listed.parent / row["path"] for row in rows(listed) if row["path"].endswith(ending)]


def grey(path: Path, every: int = 5) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        frames = enumerate(container.decode(video=0))
        return [frame.to_ndarray(format="gray") for place, frame in frames if place % every == 0]


def sound(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("s16", "mono", 16000)
        pieces = [
            piece.to_ndarray()[0]
            for frame in container.decode(audio=0)
            for piece in resampler.resample(frame)
        ]
    return np.concatenate(pieces)


def faces(picture: np.ndarray) -> np.ndarray:
    found = HAAR.detectMultiScale(picture, 1.1, 5, minSize=(60, 60))
    return np.asarray(found, dtype=int).reshape(-1, 4)


def window(pictures: list[np.ndarray]) -> np.ndarray:
    """Grey 512 × 512 crops of 1.6 union boxes."""
    few = pictures[:: max(1, len(pictures) // 12)]
    boxes = np.concatenate([faces(picture) for picture in few])
    low, high = boxes[:, :2].min(0), (boxes[:, :2] + boxes[:, 2:]).max(0)
    half = int((high - low).max() * 0.8)
    x, y = ((low + high) // 2 + half).tolist()
    padded = [cv2.copyMakeBorder(p, half, half, half, half, cv2.BORDER_REPLICATE) for p in pictures]
    crops = [p[y - half : y + half, x - half : x + half] for p in padded]
    return np.stack([cv2.resize(crop, (512, 512)) for crop in crops])


def test_every_language_talks_and_every_fault_is_planted(listed):
    table = rows(listed)
    assert list(table[0]) == ["path", "language", "expected", "needs_network", "note", "licence"]
    kept = [row["language"] for row in table if row["path"].endswith("_talk.mp4")]
    assert kept == list(DEFAULT)
    for answer, verdicts in (("no", FAULTS | {"kept"}), ("yes", NETWORK_FAULTS)):
        assert {row["expected"] for row in table if row["needs_network"] == answer} == verdicts
    assert set(REJECTED) >= FAULTS | NETWORK_FAULTS
    assert all((listed.parent / row["path"]).is_file() and row["licence"] for row in table)
    assert sum(path.stat().st_size for path in listed.parent.rglob("*.mp4")) < 30e6


def test_haar_sees_one_face_two_or_none(listed):
    for row in rows(listed):
        if row["expected"] in ("no_audio", "undecodable", "too_short"):
            continue
        wanted = {"multiple_faces": 2, "no_face": 0}.get(row["expected"], 1)
        counts = [len(faces(picture)) for picture in grey(listed.parent / row["path"], 10)[:20]]
        assert np.mean(np.array(counts) == wanted) >= 0.9, row["path"]


def test_blurred_faces_are_far_less_sharp_than_kept_ones(listed):
    def sharpness(path: Path) -> float:
        crops = window(grey(path, 50))
        return float(np.mean([cv2.Laplacian(crop, cv2.CV_64F).var() for crop in crops]))

    blurred = [sharpness(path) for path in files(listed, "_blurry.mp4")]
    sharp = [sharpness(path) for path in files(listed, "_talk.mp4") + files(listed, "_long.mp4")]
    assert max(blurred) * 5 < min(sharp)


def test_streams_lengths_and_codecs_are_what_the_list_says(listed):
    seconds = {"long": 42.0, "cuts": 10.4, "too_short": 2.0}
    for row in rows(listed):
        path, kind = listed.parent / row["path"], Path(row["path"]).stem.split("_", 1)[1]
        if row["expected"] == "undecodable":
            with pytest.raises(av.error.InvalidDataError):
                av.open(str(path))
            continue
        with av.open(str(path)) as container:
            picture = container.streams.video[0]
            assert (picture.codec_context.name, picture.average_rate) == ("h264", 25)
            assert 216 <= picture.height <= 400 and 288 <= picture.width <= 440
            length = float(picture.duration * picture.time_base)
            assert length == pytest.approx(seconds.get(kind, length), abs=0.05)
            assert length > 3.5 or kind == "too_short"
            assert len(container.streams.audio) == (0 if kind == "no_audio" else 1)
            for stream in container.streams.audio:
                assert stream.codec_context.name == "aac"
                assert float(stream.duration * stream.time_base) == pytest.approx(length, abs=0.1)


def test_the_voices_are_speech_to_the_detector(listed):
    voices = [sound(path) for path in files(listed, "_talk.mp4") + files(listed, "_cuts.mp4")]
    for samples in voices:
        measures = speech_measures(samples)
        assert 0.6 <= measures.speech_ratio <= 0.97
        assert 0.2 <= measures.longest_pause_seconds <= 1.5


def test_cuts_are_where_they_were_made_and_nowhere_else(listed):
    def cuts(path: Path) -> list[float]:
        scenes = detect(str(path), AdaptiveDetector(adaptive_threshold=3.0, min_scene_len=15))
        return [start.seconds for start, _ in scenes[1:]]

    for path in files(listed, "_cuts.mp4"):
        assert cuts(path) == pytest.approx([4.4, 6.0], abs=0.05)
    for path in files(listed, "_talk.mp4") + files(listed, "_no_face.mp4"):
        assert cuts(path) == []


def test_mouths_move_with_the_voices(listed):
    for path in files(listed, "_talk.mp4")[:2]:
        crops = window(grey(path, 1))
        flags = flags_at(speech_measures(sound(path)).flags, 0.03, len(crops))
        # Lips lead the voice by two pictures.
        assert mouth_change(crops, np.roll(flags, -2)).ratio > 2


def test_a_sound_out_of_sync_is_the_same_voice_ten_frames_later(small):
    (take,) = (take for take in takes(("fr",)) if take.kind == "out_of_sync")
    spoken = voice.speak(take.seconds, take.manner, take.seed).samples.astype(float)
    heard = sound(small.parent / take.path).astype(float)[: len(spoken)]
    size = 1 << 18
    echo = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(spoken, size)))
    assert int(np.argmax(echo)) == pytest.approx(DELAY_FRAMES * 640, abs=80)


def test_a_second_call_does_nothing(small):
    before = {path: path.stat().st_mtime_ns for path in small.parent.rglob("*") if path.is_file()}
    assert corpus.make(small.parent, SMALL) == small
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_a_lost_file_or_marker_is_made_again_with_the_same_bytes(small):
    content = {path: path.read_bytes() for path in small.parent.rglob("*") if path.is_file()}
    (small.parent / "ja" / "ja_talk.mp4").unlink()
    (small.parent / "fr" / "fr_talk.mp4").write_bytes(b"half")
    corpus.make(small.parent, SMALL)
    assert content == {
        path: path.read_bytes() for path in small.parent.rglob("*") if path.is_file()
    }


def test_another_version_is_made_again(small):
    marker = small.parent / corpus.MARKER
    state = json.loads(marker.read_text())
    marker.write_text(json.dumps({**state, "version": 0}))
    corpus.make(small.parent, SMALL)
    assert json.loads(marker.read_text()) == state


def test_a_language_of_ones_own_gets_a_talking_take(tmp_path):
    listed = corpus.make(tmp_path, ("pt-br",))
    assert [(row["path"], row["expected"]) for row in rows(listed)] == [
        ("pt-br/pt-br_talk.mp4", "kept")
    ]


def test_whoever_waits_for_the_corpus_is_told_how_far_it_is(tmp_path):
    """A minute passed under the word "starting"."""
    snapshots = []
    corpus.make(tmp_path, ("pt-br",), snapshots.append)
    (row,) = snapshots[0].rows
    assert row.total == len(snapshots) - 1
    assert [snapshot.rows[0].done for snapshot in snapshots] == list(range(len(snapshots)))
