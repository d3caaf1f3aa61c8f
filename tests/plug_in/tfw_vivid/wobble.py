"""A generator without weights: the portrait gets brighter where the sound is loud."""

import dataclasses

import numpy as np

from talkingface_wild.core.generator import Facts, Generator, State


class Wobble(Generator):
    """The portrait, brighter where the sound is loud."""

    name = "wobble"
    stochastic = False
    needs_checkpoint = False
    facts = Facts(side=64, preset="only")

    @classmethod
    def open(cls, checkpoint, device="auto", precision="auto", compiled=False):
        return cls()

    @classmethod
    def read_facts(cls, checkpoint, label="The model"):
        return cls.facts

    def fingerprint(self, options):
        return "wobble-1"

    def start(self, portrait_HWC, drive, options, seed):
        return State(0, {"portrait": portrait_HWC}, {"seed": seed}, drive, options)

    def step(self, state):
        first, drive = state.position, state.drive
        count = min(8, drive.frames - first)
        levels = [loudness(drive.sound, first + place) for place in range(count)]
        pictures = [state.tensors["portrait"].astype(int) + level for level in levels]
        frames = np.clip(np.stack(pictures), 0, 255).astype(np.uint8)
        return frames, dataclasses.replace(state, position=first + count)


def loudness(sound, frame):
    """How much brighter a frame is: the mean of its 640 samples (16 kHz), in hundreds."""
    samples = sound[640 * frame : 640 * (frame + 1)].astype(int)
    return round(abs(samples).mean() / 100) if len(samples) else 0
