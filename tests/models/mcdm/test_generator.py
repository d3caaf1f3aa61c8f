"""The generator as the benchmark calls it: sizes, fingerprints, the seed."""

import numpy as np
import pytest
import torch

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.generator import Drive, continued
from talkingface_wild.jobs.generate.state_file import load_state, save_state
from talkingface_wild.models.mcdm import MCDMPipeline
from talkingface_wild.models.mcdm.generator import MCDMGenerator
from talkingface_wild.models.out_of_memory import OutOfMemory
from tests.models.mcdm.small import QUICK, portrait, small_parts, speech


@pytest.fixture(scope="module")
def pipeline():
    return MCDMPipeline.of(small_parts())


@pytest.fixture(scope="module")
def generator(pipeline):
    return MCDMGenerator(pipeline)


def _frames(generator, picture=None, count=10, seed=0, sound=None):
    picture = portrait() if picture is None else picture
    sound = speech(count / 25) if sound is None else sound
    drive = Drive(count, sound)
    return np.concatenate(list(generator.frames(picture, drive, QUICK, seed)))


def test_it_says_what_the_protocol_asks_for(generator):
    assert generator.name == "mcdm" and generator.stochastic is True
    assert not np.array_equal(_frames(generator, seed=0), _frames(generator, seed=1))
    assert np.array_equal(_frames(generator, seed=1), _frames(generator, seed=1))


@pytest.mark.parametrize("size", [(64, 64), (128, 128), (48, 48), (96, 64), (50, 70)])
def test_frames_have_the_portraits_size_and_count(generator, size):
    picture = np.repeat(np.repeat(portrait(), 2, 0), 2, 1)[: size[0], : size[1]]
    frames = _frames(generator, picture, count=10)
    assert frames.shape == (10, *size, 3) and frames.dtype == np.uint8


def test_frames_of_the_models_own_size_are_the_pipelines_own(generator, pipeline):
    own = pipeline(portrait(), speech(0.4), frames=10, **QUICK)
    assert np.array_equal(_frames(generator), own)


def test_a_larger_portrait_gives_the_same_video_enlarged(generator):
    large = np.repeat(np.repeat(portrait(), 4, 0), 4, 1)
    made = _frames(generator, large).reshape(10, 64, 4, 64, 4, 3).mean(axis=(2, 4))
    small = _frames(generator).astype(float)
    assert np.abs(made - small).mean() < 0.2 * small.std()


def test_past_its_end_the_sound_is_silence_and_no_sound_is_silence(generator):
    padded = np.concatenate([speech(0.2), np.zeros(3200, np.int16)])
    assert np.array_equal(_frames(generator, sound=speech(0.2)), _frames(generator, sound=padded))
    assert len(_frames(generator, sound=np.zeros(0, np.int16))) == 10


def test_the_fingerprint_names_weights_settings_and_precision(pipeline):
    own = MCDMGenerator(pipeline).fingerprint(QUICK)
    assert own == MCDMGenerator(pipeline).fingerprint(QUICK)
    found = {
        MCDMGenerator(pipeline).fingerprint({"steps": 3, "prior_steps": 2}),
        MCDMGenerator(pipeline).fingerprint({"guidance": 2.0, **QUICK}),
        MCDMGenerator(pipeline, weights="another file").fingerprint(QUICK),
    }
    others = [
        MCDMPipeline.of(small_parts(seed=1)),
        MCDMPipeline.of(small_parts(("temporal.alpha=0.3",))),
        MCDMPipeline.of(small_parts()).to(torch.bfloat16),
    ]
    found |= {MCDMGenerator(other).fingerprint(QUICK) for other in others}
    assert len(found) == 6 and own not in found


def test_training_settings_change_no_fingerprint(pipeline):
    slower = small_parts(("training.stage1.iterations=7",))
    theirs = MCDMGenerator(MCDMPipeline.of(slower)).fingerprint(QUICK)
    assert theirs == MCDMGenerator(pipeline).fingerprint(QUICK)


def test_it_opens_from_a_folder_and_the_hash_is_of_its_files(pipeline, tmp_path):
    pipeline.save_pretrained(tmp_path / "model")
    opened = MCDMGenerator.open(tmp_path, device="cpu")
    other = MCDMGenerator.open(tmp_path / "model", "cpu")
    assert opened.fingerprint({}) == other.fingerprint({})
    with pytest.raises(UsageError, match="--checkpoint"):
        MCDMGenerator.open(None)


def test_a_state_that_was_saved_goes_on_to_the_same_frames(generator, tmp_path):
    drive, path = Drive(20, speech(0.8)), tmp_path / "v.safetensors"
    first, state = generator.step(generator.start(portrait(), drive, QUICK, 3))
    save_state(path, state, {"length": "7"})
    loaded, notes = load_state(path)
    again, _ = generator.step(continued(loaded, drive, QUICK))
    assert notes == {"length": "7"} and len(first) == state.position == 8
    assert np.array_equal(again, generator.step(state)[0])


def test_out_of_memory_is_one_sentence_with_the_peak(pipeline, monkeypatch):
    def full(*_args, **_kwargs):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(pipeline.parts.unet, "forward", full)
    with pytest.raises(OutOfMemory, match=r"\d\.\d GB taken at the peak; .*guidance=1"):
        _frames(MCDMGenerator(pipeline))
