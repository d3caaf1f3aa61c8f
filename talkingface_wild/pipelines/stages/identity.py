"""The face seen: one ArcFace embedding per clip, the mean over the chosen frames. Names nobody."""

import base64
from dataclasses import dataclass

import numpy as np

from talkingface_wild import weights
from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item, Resources
from talkingface_wild.pipelines.clip_crops import CLIP_CROPS, ensure_clip_crops
from talkingface_wild.pipelines.column_kinds import measure, text
from talkingface_wild.pipelines.source_items import ItemByItem


@dataclass(frozen=True)
class IdentityConfig:
    """Which network embeds."""

    network: str = "arcface_w600k_r50"
    """The weight's name in the manifest."""


class Identity(ItemByItem):
    """Needs the five points of SCRFD; null where the detector gives none."""

    name = "identity"
    reads = (CLIP_CROPS,)
    columns = (
        text(
            "identity_embedding", "ArcFace embedding of length 512, normalised, float16 in base64"
        ),
        measure(
            "identity_agreement",
            "least cosine between a frame's embedding and their mean",
            low=-1,
            high=1,
            decimals=4,
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

    def answer(self, item: Item) -> Outcome:
        """The mean embedding; null without aligned faces."""
        aligned = ensure_clip_crops(item, self.place).aligned
        if not len(aligned):
            return Done({})
        embeddings = self._perceiver.embed(aligned)
        mean = embeddings.mean(axis=0)
        mean /= max(float(np.linalg.norm(mean)), 1e-12)
        text_form = base64.b64encode(mean.astype(np.float16).tobytes()).decode()
        return Done(
            {
                "identity_embedding": text_form,
                "identity_agreement": float((embeddings @ mean).min()),
            }
        )
