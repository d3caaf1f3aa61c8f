"""CSIM: cosine between ArcFace embeddings, to the reference picture and to the reference's frame.

A still picture has 1 to the reference picture, so the two are given side by side.
"""

import numpy as np

from talkingface_wild.benchmark.base import Features, Sample
from talkingface_wild.benchmark.extractors.extractor import Extractor
from talkingface_wild.benchmark.extractors.face_features import IdentityFeatures
from talkingface_wild.benchmark.metrics.clip_mean import ClipMean
from talkingface_wild.benchmark.protocol import Protocol


class Csim(ClipMean):
    """The mean cosine to the reference picture."""

    name, title, better = "csim", "CSIM", "higher"
    cites = ("deng2019arcface", "guo2021scrfd")
    of_frames = False

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """Identities of each frame."""
        return (IdentityFeatures(protocol.identity),)

    def label(self) -> str:
        """The network; ``r100`` may be either of two files."""
        return self.protocol.identity.network

    def value(self, sample: Sample) -> float | str:
        """The clip's mean cosine to the portrait."""
        mine, theirs = sample.generated.get("identity"), sample.reference.get("identity")
        if mine is None:
            return sample.refusal("generated", "identity")
        if theirs is None or (self.of_frames and sample.open_set):
            return sample.refusal("reference", "identity")
        return self.likeness(mine, theirs)

    def likeness(self, mine: Features, theirs: Features) -> float | str:
        """The mean cosine of two videos' embeddings, or why there is none."""
        if not len(theirs["portrait"]):
            return "no_face: the reference picture shows no face"
        if not len(mine["identity"]):
            return "no_face: no frame shows a face"
        return float((mine["identity"] @ theirs["portrait"][0]).mean())


class CsimFrames(Csim):
    """The mean cosine to the reference's own frame: who it is, and how he looks just then."""

    name, title = "csim_frames", "CSIM to frames"
    of_frames = True

    def likeness(self, mine: Features, theirs: Features) -> float | str:
        """The mean over the frames in which both videos show a face."""
        _, ours, others = np.intersect1d(mine["frame"], theirs["frame"], return_indices=True)
        if not len(ours):
            return "no_face: no frame shows a face in both videos"
        return float((mine["identity"][ours] * theirs["identity"][others]).sum(axis=1).mean())
