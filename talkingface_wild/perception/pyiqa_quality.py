"""HyperIQA through the pyiqa package: a second backend, and an oracle for our own network.
pyiqa is not part of this project; its licence (PolyForm Noncommercial) forbids commercial use.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.errors import ExtraMissing

SCALE = 100.0
"""pyiqa's HyperIQA answers 0–1; ours is 0–100."""


class PyiqaPerceiver:
    """Scores images 0–100 by pyiqa's own HyperIQA, its 25 patches included.

    ``path`` is pyiqa's checkpoint. Without one pyiqa fetches it by itself and checks no hash; the
    trunk's starting weights it fetches in either case.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path

    def open(self, device: str = "cpu") -> Self:
        """Make pyiqa's metric on ``device``; ExtraMissing when the package does not import."""
        try:
            import pyiqa
            import torch
        except (ImportError, RuntimeError) as error:
            raise ExtraMissing(
                "Expected the package pyiqa for quality.backend=pyiqa, found that it does not "
                f"import ({error}); run: pip install 'talkingface-wild[pyiqa]'"
            ) from error
        options = {} if self.path is None else {"pretrained_model_path": str(self.path)}
        self.device = torch.device(device)
        self._metric: Any = pyiqa.create_metric("hyperiqa", device=self.device, **options)
        return self

    def score_images(self, images: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float64]:
        """One score on the scale 0–100 for each (H, W, 3) uint8 R, G, B image."""
        import torch

        scores = np.empty(len(images))
        for index, image in enumerate(images):
            pixels = torch.from_numpy(np.ascontiguousarray(image)).to(self.device)
            with torch.inference_mode():
                answer = self._metric(pixels.permute(2, 0, 1).unsqueeze(0).float() / 255.0)
            scores[index] = float(answer.mean()) * SCALE
        return scores
