"""The face seen: one ArcFace embedding per clip, the mean over the chosen frames. Names nobody."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from talkingface_wild import weights
from talkingface_wild.core.columns import Column
from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item, Resources, Stage
from talkingface_wild.pipelines.clip_crops import CLIP_CROPS, ensure_clip_crops


@dataclass(frozen=True)
class IdentityConfig:
    """Which network embeds."""

    network: str = "arcface_w600k_r50"
    """The weight's name in the manifest."""


class Identity(Stage):
    """Needs the five points of SCRFD; null where the detector gives none."""

    name = "identity"
    reads = (CLIP_CROPS,)
    columns = (
        Column(
            "identity_embedding",
            "string",
            "ArcFace embedding of length 512, normalised, float16 in base64",
        ),
        Column(
            "identity_agreement",
            "float",
            "least cosine between a frame's embedding and their mean",
            "",
            -1,
            1,
            4,
        ),
    )
    Config = IdentityConfig
    resources = Resources(gpus=0.1)

    @classmethod
    def weights(cls, config: IdentityConfig) -> tuple[str, ...]:
        """The embedding network."""
        return (config.network,)

    def open(self) -> None:
        """Load the network."""
        from talkingface_wild.perception.arcface import ArcFacePerceiver

        self._perceiver = ArcFacePerceiver(weights.path(self.config.network)).open(
            self.place.device
        )

    def process(self, items: Sequence[Item]) -> list[Outcome]:
        """One embedding per clip."""
        outcomes: list[Outcome] = []
        for item in items:
            aligned = ensure_clip_crops(item, self.place).aligned
            if not len(aligned):
                outcomes.append(Done({}))
                continue
            embeddings = self._perceiver.embed(aligned)
            mean = embeddings.mean(axis=0)
            mean /= max(float(np.linalg.norm(mean)), 1e-12)
            outcomes.append(
                Done(
                    {
                        "identity_embedding": base64.b64encode(
                            mean.astype(np.float16).tobytes()
                        ).decode(),
                        "identity_agreement": float((embeddings @ mean).min()),
                    }
                )
            )
        return outcomes
