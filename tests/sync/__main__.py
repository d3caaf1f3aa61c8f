"""``python -m tests.sync SET LR_ASD THRESHOLD CENTERFACE``: a calibrated set by LR-ASD too.

A clip is in sync by either where its own sound lies higher above the clip's wrong sounds (the same
sound, turned) than 95 % of all clips' wrong sounds do. Prints a Markdown table.
"""

import sys
from pathlib import Path

import av
import cv2
import numpy as np

from talkingface_wild.dataset.load import load
from talkingface_wild.functional import face_track
from talkingface_wild.functional.lips_match import height_above, null_heights
from talkingface_wild.perception.face_detector import make_detector
from talkingface_wild.perception.lr_asd import STEPS_PER_FRAME, ActiveSpeaker, cepstra
from talkingface_wild.pipelines.lips_calibration import LEAST_STEP, LEAST_TURN, TURNS
from tests.functional.clips import sound

EVERY = 12
"""Frames between two looks for the face."""


def crops(path: Path, detector) -> np.ndarray:
    """Grey face crops (T, 112, 112) of a finished clip, 25 frames a second."""
    with av.open(str(path)) as container:
        boxes = {
            place: found[0, :4]
            for place, frame in enumerate(container.decode(video=0))
            if place % EVERY == 0
            and len(found := detector.detect(frame.to_ndarray(format="rgb24")).boxes_N5)
        }
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    track = face_track.crop_path(
        face_track.interpolate(
            [place / 25 for place in boxes], np.array([*boxes.values()]), 0, len(pictures)
        ),
        "edge",
    )
    placed = zip(pictures, track.x_T, track.y_T, track.half_T, strict=True)
    squares = [face_track.crop_square(frame, (x, y), half) for frame, x, y, half in placed]
    return np.stack([cv2.cvtColor(s, cv2.COLOR_RGB2GRAY)[56:168, 56:168] for s in squares])


def scores(path: Path, audio: Path, detector, speaker: ActiveSpeaker) -> tuple[float, list[float]]:
    """The clip's mean score with its own sound, and with that sound turned."""
    features = speaker.features(crops(path, detector))
    steps = cepstra(sound(audio), len(features))
    turns = min(TURNS, (len(features) - 2 * LEAST_TURN) // LEAST_STEP)
    places = np.linspace(LEAST_TURN, len(features) - LEAST_TURN, max(turns, 0)).astype(int)
    wrong = (np.roll(steps, place * STEPS_PER_FRAME, axis=0) for place in places)
    null = [float(speaker.judge(features, sounds).mean()) for sounds in wrong]
    return float(speaker.judge(features, steps).mean()), null


def main(folder: str, weight: str, threshold: str, centerface: str) -> None:
    out = Path(folder)
    table = load(out).dropna(subset=["lips_z"])
    detector = make_detector("centerface", Path(centerface)).open()
    speaker = ActiveSpeaker(Path(weight)).open()
    rows = []
    for row in table.itertuples():
        own, null = scores(out / row.media_path, out / row.audio_path, detector, speaker)
        rows.append((row, own, height_above(own, null), null_heights(null)))
        print(Path(row.source_path).stem, f"{own:.2f}", rows[-1][2], file=sys.stderr, flush=True)
    bound = float(np.quantile(np.concatenate([null for *_, null in rows]), 0.95))
    judged = [row for row in rows if row[2] is not None]
    same = [(r.lips_z > float(threshold)) == (height > bound) for r, _, height, _ in judged]
    print(f"LR-ASD's threshold {bound:.2f}; same verdict on {sum(same)} of {len(same)} clips\n")
    print(
        "| clip | lips_z | offset | LR-ASD's mean score | its height | |\n|---|--:|--:|--:|--:|---|"
    )
    for (row, own, height, _), agree in zip(judged, same, strict=True):
        name = f"{Path(row.source_path).stem} {row.start_seconds:.1f} s"
        print(
            f"| {name} | {row.lips_z:.1f} | {row.lips_offset_frames:+.0f} | {own:.1f} | "
            f"{height:.1f} | {'' if agree else '**differ**'} |"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
