"""Short real videos with sound, and worse copies of them; runs of the suite in this process."""

from pathlib import Path

import cv2
import numpy as np

from talkingface_wild.benchmark.clip_sources import candidates_of, clips_of
from talkingface_wild.benchmark.request import BenchRequest
from talkingface_wild.benchmark.suite import bench, select
from talkingface_wild.media.decode import frames
from talkingface_wild.media.generated_video import write_video
from talkingface_wild.media.sound import read_sound, write_wav

REAL, MADE = "real", "made"
CLIPS = {"hill": "hdtf_hill", "may": "may", "zhao": "selfie_12", "anne": "synthetic_5"}
"""Names in the two folders, and the real clips that they are cut from."""
SIDE, COUNT, FPS, RATE = 256, 40, 25, 16_000


def pictures(path: Path, count: int = COUNT, side: int = SIDE) -> np.ndarray:
    """(count, side, side, 3) from the first frame on."""
    found = []
    for frame in frames(path, fps=FPS):
        if len(found) == count:
            break
        found.append(cv2.resize(frame.rgb, (side, side), interpolation=cv2.INTER_AREA))
    return np.stack(found)


def worse(clip_NHWC: np.ndarray) -> np.ndarray:
    """Blurred and dimmed."""
    return np.stack([cv2.GaussianBlur(p, (0, 0), 3) for p in clip_NHWC]) // 8 * 7


def film(path: Path, clip_NHWC: np.ndarray, sound: np.ndarray | None, fps: int = FPS) -> Path:
    """A finished video, as a method would deliver it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if sound is None:
        write_video(path, [clip_NHWC], None, fps)
        return path
    wav = path.with_suffix(".wav")
    write_wav(wav, sound, RATE)
    write_video(path, [clip_NHWC], wav, fps)
    wav.unlink()
    return path


def make_films(clips: Path, folder: Path) -> Path:
    """Both folders of ``CLIPS``."""
    for name, stem in CLIPS.items():
        source = clips / f"{stem}.mp4"
        shown, heard = pictures(source), read_sound(source, 0.0, COUNT / FPS, RATE)
        film(folder / REAL / f"{name}.mp4", shown, heard)
        film(folder / MADE / f"{name}.mp4", worse(shown), heard)
    return folder


def pairs_csv(films: Path, path: Path, names=tuple(CLIPS), identity=None, made=MADE) -> Path:
    """A manifest of ``made`` against ``real``; one ``identity`` for all, or one each."""
    lines = ["generated,reference,identity,language"]
    for place, name in enumerate(names):
        pair = [str(films / folder / f"{name}.mp4") for folder in (made, REAL)]
        lines.append(",".join([*pair, identity or name, ("en", "ko")[place % 2]]))
    path.write_text("\n".join(lines) + "\n")
    return path


def scored(out: Path, generators=None, told=None, **asked):
    """What ``tfw bench`` does, in this process: the outcome."""
    request = BenchRequest(out=out, **{"device": "cpu", **asked})
    selection = select(request)
    clips = clips_of(request).limited(request.limit)
    said = [] if told is None else told
    selection.refuse_missing(request.skip_missing)
    offered = generators or {}
    return bench(
        request,
        clips,
        selection,
        lambda: candidates_of(request, clips, selection.protocol, offered, said.append),
    )
