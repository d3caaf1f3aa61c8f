"""What ``tfw model analyse`` is asked for."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.request import Request


class FigureRequest(Request):
    """A trained model, what it is to be shown on, and where the picture and the table go."""

    checkpoint: Path
    """The --out of `tfw train`, or a model's folder."""
    out: Path
    """Folder of the picture and the table."""
    image: Path | None = None
    """A picture of one face, with --audio."""
    audio: Path | None = None
    """Its speech: sound, or video with sound."""
    dataset: Path | None = None
    """Clips of a curated data set instead; real frames to compare."""
    split: str | None = None
    """train, val or test. Default: test, where there is one."""
    limit: int = Field(4, ge=1)
    """The first so many clips."""
    labels: Path | None = None
    """CSV with label and clip_id (of --dataset) or audio (beside the file)."""
    label: str | None = None
    """Column of the data set that labels clips. Default: given_emotion or emotion, else identity or
    language, and the picture says so."""
    steps: int | None = Field(None, ge=1, le=1000)
    """Denoising steps. Default: the model's."""
    seed: int = Field(0, ge=0)
    """Another seed draws other noise."""
    detector: str = "auto"
    """Face detector: auto, haar, scrfd_10g, scrfd_2.5g, scrfd_500m."""
    whole: bool = False
    """Take the picture as it is; look for no face."""
    device: str = "auto"
    """auto, cpu or cuda."""

    def check(self, labels: bool = False) -> None:
        """Raise UsageError unless it names one kind of subjects; ``labels`` for labelled ones."""
        second = "--labels" if labels else "--audio"
        paths = {
            "--image": self.image,
            second: self.labels if labels else self.audio,
            "--dataset": self.dataset,
        }
        present = [name for name, path in paths.items() if path is not None]
        pair = present == ["--image", second]
        if pair or present == ["--dataset"] or (labels and "--dataset" in present):
            return
        raise UsageError(
            f"Expected either --image with {second} or --dataset, found "
            f"{' and '.join(present) or 'neither'}."
        )
