"""SyncNet against the reference's outputs under the same weights; its windows, layout, bounds."""

import shutil
import subprocess

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
import torch
from scipy.io import wavfile

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.functional import sync_distances
from talkingface_wild.functional.mfcc import mfcc
from talkingface_wild.perception.syncnet import SyncNet, SyncNetPerceiver
from tests.perception import golden

LAYOUT = "syncnet_v2"


@pytest.fixture(scope="module")
def checkpoint(goldens, tmp_path_factory):
    """A file of the published layout, holding deterministic weights."""
    path = tmp_path_factory.mktemp("syncnet") / "syncnet_v2.model"
    torch.save(golden.load(goldens, "syncnet_embed").state(LAYOUT), path)
    return path


@pytest.fixture(scope="module")
def perceiver(checkpoint):
    return SyncNetPerceiver(checkpoint).open()


def _noise(frames, samples, seed=0):
    random = np.random.default_rng(seed)
    pictures = random.integers(0, 256, (frames, 224, 224, 3)).astype(np.uint8)
    return pictures, random.integers(-9000, 9000, samples).astype(np.int16)


def _assert_evaluation(found, expected, tolerance):
    assert found.windows == expected["n_windows"]
    np.testing.assert_allclose(found.mean_distances, expected["mean_dist"], rtol=tolerance)
    assert found.distance == pytest.approx(expected["min_dist"], rel=tolerance)
    assert found.confidence == pytest.approx(expected["confidence"], rel=tolerance)


def test_golden_syncnet_embed(goldens, perceiver):
    stored = golden.load(goldens, "syncnet_embed")
    data, filler = stored.data, stored.filler
    assert filler.digest(stored.arrays(LAYOUT)) == data["weights_sha"]
    video, voice = data["video"], data["audio"]
    frames = filler.video(video["name"], stored.seed, video["frames"], *video["size"])
    sound = filler.audio(voice["name"], stored.seed, voice["samples"])
    bounds = {
        "lip": stored.tolerance("absolute") * data["lip_across_input_std"],
        "lipfeat": stored.tolerance("absolute") * data["lip_across_input_std"],
        "aud": stored.tolerance("absolute") * data["aud_across_input_std"],
    }
    network = SyncNet()
    network.load_state_dict(stored.state(LAYOUT))
    network.eval()
    cepstra = torch.from_numpy(mfcc(sound).T.astype(np.float32))
    embedded = perceiver.embed(frames, sound)
    for place, start in enumerate(video["starts"]):
        window = torch.from_numpy(frames[start : start + 5]).float().permute(3, 0, 1, 2)[None]
        with torch.inference_mode():
            lips, features = network.lips(window)[0], network.lip_features(window)[0]
        golden.assert_summary(lips, data["lip"][place], bounds["lip"])
        golden.assert_summary(features, data["lipfeat"][place], bounds["lipfeat"])
        if start < len(embedded.lips):
            golden.assert_summary(embedded.lips[start], data["lip"][place], bounds["lip"])
    for place, start in enumerate(voice["starts"]):
        with torch.inference_mode():
            sounds = network.sounds(cepstra[None, None, :, 4 * start : 4 * start + 20])[0]
        golden.assert_summary(sounds, data["aud"][place], bounds["aud"])
        if start < len(embedded.sounds):
            golden.assert_summary(embedded.sounds[start], data["aud"][place], bounds["aud"])


def test_golden_syncnet_evaluate(goldens, perceiver, tmp_path):
    stored = golden.load(goldens, "syncnet_evaluate")
    filler, tolerance = stored.filler, stored.tolerance("relative")
    for case in stored.data["cases"]:
        frames = filler.video(case["name"], stored.seed, case["frames"], *case["size"])
        sound = filler.audio(case["name"], stored.seed, case["samples"])
        if case["wav2lip_resize"]:
            frames = np.stack([cv2.resize(frame, (224, 224)) for frame in frames])
        embedded = perceiver.embed(frames, sound)
        table = sync_distances.distances(embedded.lips, embedded.sounds, case["vshift"])
        expected = case["result"]
        _assert_evaluation(sync_distances.score_distances(table), expected, tolerance)
        np.testing.assert_allclose(table[0], expected["dist_row0"], rtol=tolerance)


def test_golden_syncnet_clip(goldens, perceiver, tmp_path):
    """The published path: JPEG frames and a WAV made by an ffmpeg binary at its default quality."""
    stored = golden.load(goldens, "syncnet_clip")
    ffmpeg = shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()
    clip = [ffmpeg, "-nostdin", "-v", "error", "-i", str(goldens / stored.data["file"])]
    frames = ["-threads", "1", "-f", "image2", str(tmp_path / "%06d.jpg")]
    sound = ["-async", "1", "-ac", "1", "-vn", "-acodec", "pcm_s16le", "-ar", "16000"]
    subprocess.run([*clip, *frames], check=True)
    subprocess.run([*clip, *sound, str(tmp_path / "audio.wav")], check=True)
    pictures = np.stack([cv2.imread(str(path)) for path in sorted(tmp_path.glob("*.jpg"))])
    embedded = perceiver.embed(pictures, wavfile.read(tmp_path / "audio.wav")[1])
    found = sync_distances.score(embedded.lips, embedded.sounds)
    _assert_evaluation(found, stored.data, stored.tolerance("relative"))


def test_the_network_has_exactly_the_published_names_and_shapes(goldens):
    published = golden.load(goldens, "syncnet_embed").shapes(LAYOUT)
    own = {name: list(tensor.shape) for name, tensor in SyncNet().state_dict().items()}
    assert own == published


@pytest.mark.parametrize("fault", ["missing", "extra", "shape", "torchscript"])
def test_a_checkpoint_of_another_layout_is_refused(goldens, tmp_path, fault):
    state = golden.load(goldens, "syncnet_embed").state(LAYOUT)
    path, name = tmp_path / "syncnet_v2.model", "netcnnlip.18.weight"
    if fault == "missing":
        del state[name]
    elif fault == "extra":
        state["netfcface.0.weight"] = torch.zeros(3)
    elif fault == "shape":
        state[name] = state[name][:-1]
    if fault == "torchscript":
        torch.jit.script(torch.nn.Linear(1, 1)).save(str(path))
    else:
        torch.save(state, path)
    words = {
        "missing": r"1 missing \(netcnnlip\.18\.weight\)",
        "extra": r"1 unexpected \(netfcface\.0\.weight\)",
        "shape": r"1 of a wrong shape \(netcnnlip\.18\.weight is",
        "torchscript": "TorchScript",
    }
    with pytest.raises(WeightMissing, match=words[fault]):
        SyncNetPerceiver(path).open()


@pytest.mark.parametrize(
    ("frames", "samples", "windows"), [(6, 6 * 640, 1), (9, 7 * 640 + 639, 2), (8, 64_000, 3)]
)
def test_there_is_one_window_fewer_than_fits(perceiver, frames, samples, windows):
    embedded = perceiver.embed(*_noise(frames, samples))
    assert embedded.lips.shape == embedded.sounds.shape == (windows, 1024)
    assert embedded.lips.dtype == embedded.sounds.dtype == np.float32


@pytest.mark.parametrize(("frames", "samples"), [(5, 64_000), (50, 6 * 640 - 1), (0, 0)])
def test_fewer_than_six_frames_of_either_are_rejected(perceiver, frames, samples):
    with pytest.raises(ItemRejected) as caught:
        perceiver.embed(*_noise(frames, samples))
    assert caught.value.outcome.reason == "too_few_windows"


def test_frames_of_another_size_or_type_are_refused(perceiver):
    frames, sound = _noise(6, 6400)
    with pytest.raises(ValueError, match=r"\(N, 224, 224, 3\) and type uint8"):
        perceiver.embed(frames[:, :112], sound)
    with pytest.raises(ValueError, match=r"\(N, 224, 224, 3\) and type uint8"):
        perceiver.embed(frames.astype(np.float32), sound)


def test_windows_do_not_depend_on_their_batch_and_may_come_from_a_memmap(perceiver, tmp_path):
    frames, sound = _noise(25, 25 * 640, seed=3)
    frames.tofile(tmp_path / "frames")
    mapped = np.memmap(tmp_path / "frames", np.uint8, "r", shape=frames.shape)
    whole = perceiver.embed(mapped, sound)
    assert len(whole.lips) == 20
    scale = np.abs(whole.lips).max()
    for start in (0, 7, 8, 19):
        alone = perceiver.embed(frames[start : start + 6], sound[start * 640 :])
        np.testing.assert_allclose(whole.lips[start], alone.lips[0], rtol=0, atol=1e-5 * scale)
