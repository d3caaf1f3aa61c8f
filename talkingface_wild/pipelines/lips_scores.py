"""What ``tfw calibrate sync`` leaves in a data set's folder: networks by their hash, and scores."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from talkingface_wild.core.paths import atomic_path
from talkingface_wild.functional.lips_shape import lips_windows, windows_of_steps
from talkingface_wild.perception.lips_network import LipsClip
from talkingface_wild.pipelines.lips_calibration import Calibration

FOLDER = Path("calibration") / "lips"
SCORES = FOLDER / "scores.parquet"
COLUMNS = ("lips_offset_frames", "lips_margin", "lips_z", "lips_windows", "lips_model")


def read_windows(track: Path) -> LipsClip | None:
    """The windows of a clip out of what the stage ``mesh`` kept; None for a clip without sound."""
    with np.load(track, allow_pickle=False) as kept:
        if not len(kept["cepstra"]):
            return None
        points = kept["points"].astype(np.float64)
        return LipsClip(lips_windows(points), windows_of_steps(kept["cepstra"].astype(np.float64)))


def write_calibration(
    out: Path, calibrations: Sequence[Calibration], tracks: Mapping[str, str]
) -> None:
    """Networks first, then the scores, each whole; ``tracks`` gives each clip's mesh track."""
    from safetensors.torch import save

    rows = []
    for calibration in calibrations:
        names = []
        for network in calibration.networks:
            content = save({key: value.contiguous() for key, value in network.state_dict().items()})
            names.append(hashlib.sha256(content).hexdigest())
            with atomic_path(out / FOLDER / f"{names[-1][:16]}.safetensors") as temporary:
                temporary.write_bytes(content)
        rows += [
            {
                "clip_id": score.clip_id,
                "mesh_track": tracks[score.clip_id],
                "lips_offset_frames": score.match.offset,
                "lips_margin": score.match.margin,
                "lips_z": score.height,
                "lips_windows": score.match.frames,
                "lips_model": names[score.fold],
            }
            for score in calibration.scores.values()
            if score.match is not None
        ]
    with atomic_path(out / SCORES) as temporary:
        pd.DataFrame(rows).astype({"lips_z": "Float64"}).to_parquet(temporary, index=False)


def read_scores(out: Path) -> pd.DataFrame | None:
    """The scores by clip, with the mesh track that each was made from; None where none are."""
    path = out / SCORES
    return pd.read_parquet(path).set_index("clip_id") if path.is_file() else None
