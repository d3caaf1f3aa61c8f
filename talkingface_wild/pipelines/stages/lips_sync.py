"""Lip sync by networks that this set trained for itself; null before ``tfw calibrate sync``."""

import pandas as pd

from talkingface_wild.engine.stage import Whole
from talkingface_wild.pipelines.column_kinds import count, measure, text
from talkingface_wild.pipelines.lips_scores import COLUMNS, read_scores


class LipsSync(Whole):
    """Takes each clip's score where it was made from the mesh that the clip has now."""

    name = "lips"
    needs = ("mesh_track",)
    columns = (
        count(
            "lips_offset_frames",
            "frames of 40 ms by which the matching sound lies earlier than the set's own",
            "frames",
            -15,
            15,
        ),
        measure("lips_margin", "mean cosine of lips and sound at the best lag, above the median's"),
        measure(
            "lips_z",
            "lips_margin above the mean of the same lips with wrong sounds, in their standard "
            "deviations; null where the clip is too short for them",
            low=None,
        ),
        count("lips_windows", "frames that were judged", "frames"),
        text("lips_model", "sha256 of the network, which never saw the clip's source"),
    )

    def compute(self, table: pd.DataFrame) -> pd.DataFrame:
        """One row per clip."""
        answer = pd.DataFrame(index=table.index, columns=list(COLUMNS), dtype=object)
        scores = read_scores(self.place.out)
        if scores is not None:
            scores = scores.reindex(index=table.index, columns=["mesh_track", *COLUMNS])
            same = (scores["mesh_track"] == table["mesh_track"]).fillna(False).to_numpy(bool)
            answer[same] = scores.loc[same, list(COLUMNS)].astype(object)
        return answer.astype(
            {
                "lips_offset_frames": "Int64",
                "lips_margin": "Float64",
                "lips_z": "Float64",
                "lips_windows": "Int64",
                "lips_model": "string",
            }
        )
