"""The stage ``lips`` gives each clip the score that was made from the mesh it has now."""

import pandas as pd

from talkingface_wild.engine.stage import Workplace
from talkingface_wild.perception.lips_network import LipsTraining
from talkingface_wild.pipelines.lips_calibration import calibrate
from talkingface_wild.pipelines.lips_scores import FOLDER, write_calibration
from talkingface_wild.pipelines.stages import stage_class
from tests.pipelines.test_lips_calibration import speech


def rule(tmp_path, tracks: dict[str, str | None]) -> pd.DataFrame:
    stage = stage_class("lips")
    table = pd.DataFrame({"mesh_track": pd.Series(tracks, dtype="string")})
    return stage(stage.Config(), Workplace(tmp_path)).compute(table)


def test_nothing_is_known_before_a_calibration(tmp_path):
    assert rule(tmp_path, {"c00": "a.npz", "c01": None}).isna().all(axis=None)


def test_scores_hold_for_the_mesh_that_they_were_made_from(tmp_path):
    """Setting them failed on a mask of one column, after all networks had been trained."""
    clips = speech(12)
    answer = calibrate(clips, folds=2, training=LipsTraining(steps=10))
    tracks = {clip.clip_id: f"features/mesh/{clip.clip_id}.npz" for clip in clips}
    write_calibration(tmp_path, [answer], tracks)
    ruled = rule(tmp_path, {**tracks, "c03": "features/mesh/another.npz", "c99": None})
    assert ruled.loc[["c03", "c99"]].isna().all(axis=None)
    assert ruled.drop(index=["c03", "c99"]).notna().all(axis=None)
    assert ruled.loc["c05", "lips_margin"] == answer.scores["c05"].match.margin
    assert ruled["lips_offset_frames"].dtype == "Int64"
    names = {path.stem for path in (tmp_path / FOLDER).glob("*.safetensors")}
    assert {str(model)[:16] for model in ruled["lips_model"].dropna()} == names
