"""Weight files of the official layouts, made by the goldens' filler and trusted into a store.

``python -m tests.benchmark.filler_weights GOLDENS FOLDER`` makes them for a run by hand.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from scipy.io import savemat

from talkingface_wild.weights import Store
from tests.perception import golden

CHECKPOINTS = {
    "inception_fid": ("inception", "inception_fid_torchfidelity", None),
    "i3d_kinetics400": ("i3d", "i3d_pretrained_400", None),
    "syncnet_v2": ("syncnet_embed", "syncnet_v2", None),
    "s3fd": ("s3fd", "s3fd_sfd_face", None),
    "deep3d": ("deep3d", "deep3d_net_recon_resnet50", "net_recon"),
    "arcface_r100": ("arcface", "arcface_iresnet100", None),
}
"""By weight: the golden whose seed, gain and scale apply, its key list, the file's own entry."""

FIVE = np.array(
    [
        [-0.31, 0.29, 0.14],
        [0.3, 0.28, 0.15],
        [0.01, 0.01, 0.49],
        [-0.24, -0.27, 0.23],
        [0.25, -0.26, 0.22],
    ]
)
"""A plausible face of five points: eyes, nose, corners of the mouth."""


def make(
    goldens: Path, store: Store, names: tuple[str, ...] = (*CHECKPOINTS, "deep3d_points")
) -> None:
    """Write the files and place them as trusted by the user."""
    scratch = store.folder / "made"
    scratch.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = scratch / store.entry(name).file
        if name == "deep3d_points":
            savemat(path, {"lm": landmarks()})
        else:
            which, layout, within = CHECKPOINTS[name]
            state = golden.load(goldens, which).state(layout)
            if name == "s3fd":
                state = surer_of_faces(state)
            torch.save({within: state} if within else state, path)
        store.place(name, path, "trusted by the user")
        path.unlink()
    scratch.rmdir()


def landmarks() -> np.ndarray:
    """68 × 3 points that the published rule reduces to ``FIVE``."""
    points = np.zeros((68, 3))
    points[[36, 39]], points[[42, 45]] = FIVE[0], FIVE[1]
    points[30], points[48], points[54] = FIVE[2], FIVE[3], FIVE[4]
    return points


def surer_of_faces(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Random weights find no face: here the boxes of one level always are faces."""
    raised = {name: tensor.clone() for name, tensor in state.items()}
    for level in range(6):
        raised[f"conf.{level}.weight"].mul_(0.0)
        raised[f"loc.{level}.weight"].mul_(0.0)
        raised[f"loc.{level}.bias"].mul_(0.0)
        # The last entry is the face; the ones before it are background.
        raised[f"conf.{level}.bias"].fill_(0.0)
        raised[f"conf.{level}.bias"][-1] = 8.0 if level == LEVEL else -8.0
    return raised


LEVEL = 3
"""Boxes of 128 pixels in the shrunk picture: the whole of a 512² canvas."""


if __name__ == "__main__":
    make(Path(sys.argv[1]), Store(Path(sys.argv[2])))
