"""The face seen: one embedding per clip, the mean over the chosen frames. Names nobody."""

from dataclasses import dataclass, replace

import numpy as np

from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item, Resources
from talkingface_wild.pipelines.clip_crops import CLIP_CROPS, ensure_clip_crops
from talkingface_wild.pipelines.column_kinds import measure, text
from talkingface_wild.pipelines.identity_networks import (
    embedding_text,
    network_here,
    open_embedder,
    packages_of,
    weights_of,
)
from talkingface_wild.pipelines.source_items import ItemByItem


@dataclass(frozen=True)
class IdentityConfig:
    """Which network embeds."""

    network: str = "auto"
    """arcface_w600k_r50, or another ArcFace in the manifest; dlib: weaker, open, with the extra
    identity; auto: ArcFace where its weight is, else dlib."""


class Identity(ItemByItem):
    """Needs five points of the face; null where the detector gives none."""

    name = "identity"
    reads = (CLIP_CROPS,)
    columns = (
        text("identity_network", "network that embedded the face"),
        text(
            "identity_embedding",
            "embedding of the face, normalised, float16 in base64: 512 numbers of ArcFace, 128 "
            "of dlib",
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
    def on_this_machine(cls, config: IdentityConfig) -> IdentityConfig:
        """With the network that is here."""
        return replace(config, network=network_here(config.network))

    @classmethod
    def weights(cls, config: IdentityConfig) -> tuple[str, ...]:
        """The embedding network, and the points it aligns by."""
        return weights_of(network_here(config.network))

    @classmethod
    def requires(cls, config: IdentityConfig) -> tuple[str, ...]:
        """The package dlib for its network."""
        return packages_of(network_here(config.network))

    def open(self) -> None:
        """Load the network."""
        self._perceiver = open_embedder(self.config.network, self.place.device)

    def answer(self, item: Item) -> Outcome:
        """The mean embedding; null without aligned faces."""
        aligned = ensure_clip_crops(item, self.place).aligned
        if not len(aligned):
            return Done({})
        embeddings = self._perceiver.embed(aligned)
        mean = embeddings.mean(axis=0)
        mean /= max(float(np.linalg.norm(mean)), 1e-12)
        return Done(
            {
                "identity_network": self.config.network,
                "identity_embedding": embedding_text(mean),
                "identity_agreement": float((embeddings @ mean).min()),
            }
        )
