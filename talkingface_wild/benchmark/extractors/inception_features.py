"""Inception pool features of frames, for FID and KID."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.benchmark.decoded_video import DecodedVideo, batches
from talkingface_wild.benchmark.extractors.extractor import VideoExtractor
from talkingface_wild.benchmark.protocol import FidSettings
from talkingface_wild.core.outcome import ItemRejected

_BATCH = 32


class InceptionFeatures(VideoExtractor):
    """``pool`` (frames, 2048) float16 of the protocol's frames."""

    name = "inception"
    settings: FidSettings

    def weights(self) -> tuple[str, ...]:
        """The FID Inception."""
        return (self.settings.network,)

    def open(self, device: str, threads: int) -> None:
        """Load the network with the protocol's resize."""
        from talkingface_wild.perception.inception import InceptionPerceiver

        network = InceptionPerceiver(
            self.path(self.settings.network), resize=self.settings.resize, autocast=self.autocast
        )
        self._network = network.open(device)

    def extract(self, view: DecodedVideo) -> Mapping[str, npt.NDArray[Any]]:
        """Features of the chosen frames, a few at a time."""
        indices = self.settings.indices(len(view))
        if not indices:
            raise ItemRejected("too_short", f"no frame of the protocol in {len(view)} frames")
        found = [self._network.embed(frames) for frames in batches(view, indices, _BATCH)]
        return {"pool": np.concatenate(found).astype(np.float16)}
