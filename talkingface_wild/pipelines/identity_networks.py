"""The networks that tell persons apart, and from which likeness on each calls two faces one person.
They compare faces and name nobody; nothing else is inferred from a face.
"""

import base64
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from talkingface_wild import weights
from talkingface_wild.core.arrays import Pictures
from talkingface_wild.functional.clusters import MERGE, SEPARATE, cluster
from talkingface_wild.perception import dlib_identity

ARCFACE, DLIB = "arcface_w600k_r50", "dlib"


class FaceEmbedder(Protocol):
    """A network that embeds aligned faces."""

    def embed(self, crops: Pictures) -> np.ndarray:
        """Rows (N, D) of unit length for crops (N, 112, 112, 3)."""
        ...


@dataclass(frozen=True)
class IdentityNetwork:
    """Cosines of one network's embeddings."""

    merge: float
    """Mean cosine from which two clusters are one identity."""
    separate: float
    """Cosine from which two clips may not stand on two sides of a split."""
    lax: float
    """A count at this cosine is a low one: faces of different people come as near."""
    strict: float
    """A count at this cosine is a high one: faces of one person lie as far apart."""


def _dlib_cosine(distance: float) -> float:
    """The cosine that belongs to a distance of dlib's descriptors, whose mean length is 1.48."""
    return 1 - distance**2 / (2 * 1.48**2)


_ARCFACE = IdentityNetwork(MERGE, SEPARATE, lax=0.35, strict=0.55)
_DLIB = IdentityNetwork(
    merge=dlib_identity.SAME_COSINE,
    separate=_dlib_cosine(0.50),
    lax=_dlib_cosine(0.50),
    strict=_dlib_cosine(0.40),
)


def identity_network(name: str) -> IdentityNetwork:
    """The cosines of a network by its name in the column ``identity_network``."""
    return _DLIB if name == DLIB else _ARCFACE


def network_here(name: str) -> str:
    """``auto`` as what this machine has: ArcFace where its weight is, else dlib."""
    if name != "auto":
        return name
    return DLIB if weights.find(ARCFACE) is None else ARCFACE


def weights_of(name: str) -> tuple[str, ...]:
    """The weights that a network loads."""
    return (dlib_identity.WEIGHT, dlib_identity.POINTS_WEIGHT) if name == DLIB else (name,)


def packages_of(name: str) -> tuple[str, ...]:
    """The optional packages that it needs."""
    return ("dlib",) if name == DLIB else ()


def open_embedder(name: str, device: str) -> FaceEmbedder:
    """The network, loaded; WeightMissing or ExtraMissing where something of it is absent."""
    if name == DLIB:
        paths = (weights.path(weight) for weight in weights_of(name))
        return dlib_identity.DlibIdentity(*paths).open(device)
    from talkingface_wild.perception.arcface import ArcFacePerceiver

    return ArcFacePerceiver(weights.path(name)).open(device)


def embedding_text(embedding_D: np.ndarray) -> str:
    """A row as the column ``identity_embedding`` holds it: float16 in base64."""
    return base64.b64encode(embedding_D.astype(np.float16).tobytes()).decode()


def embeddings(texts: pd.Series) -> np.ndarray:
    """Rows (N, D) float32 of texts that are all there."""
    rows = [np.frombuffer(base64.b64decode(text), dtype=np.float16) for text in texts]
    return np.stack(rows).astype(np.float32)


def network_of(table: pd.DataFrame) -> str:
    """The one network behind a table's embeddings; ArcFace for tables of before it was named."""
    names = list(table["identity_network"].dropna()) if "identity_network" in table else []
    return str(names[0]) if names else ARCFACE


def count_range(clips: pd.DataFrame) -> tuple[int, int] | None:
    """How few and how many persons the clips may show: counts at the lax and the strict cosine.

    None without embeddings. It says how far the count hangs on the bound, not how far on the
    network: persons whom it cannot tell apart are one at either.
    """
    if "identity_embedding" not in clips or not clips["identity_embedding"].notna().any():
        return None
    rows = clips[clips["identity_embedding"].notna()]
    vectors, ids = embeddings(rows["identity_embedding"]), [str(clip) for clip in rows["clip_id"]]
    network = identity_network(network_of(rows))
    few, many = (len(set(cluster(ids, vectors, bound))) for bound in (network.lax, network.strict))
    return few, many
