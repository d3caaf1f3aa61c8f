"""A tiny model that can run, and subjects for it, made from nothing."""

import numpy as np
import torch

from talkingface_wild.models.mcdm.analyses.speaking_portrait import Subject
from tests.models.mcdm.made import awakened, made_parts

SIDE = 32
SMALL = (
    f"picture.side={SIDE}",
    "trunk.channels=[16, 32]",
    "present.layers=1",
    "sampling.steps=1",
    "sampling.prior_steps=1",
)


def running_parts(*settings, seed=0):
    """A tiny model whose every way out is open and whose codec knows the subjects' frames."""
    parts = awakened(made_parts(*SMALL, *settings, seed=seed))
    parts.patch_codec.fit(torch.from_numpy(film(16)))
    return parts.eval()


def film(frames, seed=0):
    """(T, 32, 32, 3): a bright square that goes down a slope of grey."""
    pictures = np.empty((frames, SIDE, SIDE, 3), np.uint8)
    pictures[:] = np.linspace(20, 200, SIDE).astype(np.uint8)[:, None]
    for number, picture in enumerate(pictures):
        top = (seed * 7 + number) % 20
        picture[top : top + 8, 12:20] = (230, 90, 40)
    return pictures


def speech(frames, seed=0):
    """Noise that swells four times a second, as many samples as frames at 25 a second last."""
    samples = frames * 640
    noise = np.random.default_rng(seed).standard_normal(samples)
    swell = np.abs(np.sin(np.arange(samples) * 4 * np.pi / 16_000))
    return (4000 * noise * swell).astype(np.int16)


def subject(name="one", frames=24, real=True, seed=0, **more):
    """A subject with real frames, or with a portrait alone."""
    pictures = film(frames, seed)
    truth = pictures if real else None
    return Subject(name, pictures[0], speech(frames, seed), truth, **more)
