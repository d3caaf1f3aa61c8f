"""Known answers: closed forms, and published examples where the official weights are here."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.functional import sync_distances
from talkingface_wild.functional.frechet import frechet_distance, frechet_of_moments
from talkingface_wild.functional.intervals import grouped_jackknife, holm
from talkingface_wild.functional.kernel_distance import polynomial_mmd2
from talkingface_wild.functional.moments import Moments
from talkingface_wild.functional.similarity import psnr, ssim

State = Literal["ok", "wrong", "not run"]
SYNCNET_EXAMPLE = {"offset": 3.0, "distance": 5.353, "confidence": 10.021}
"""SyncNet's published output for the example clip of its repository, to three decimals."""


@dataclass(frozen=True)
class Answer:
    """One known answer: the expected value, the value here, and whether they agree. The field names
    are keys of ``tfw bench selfcheck --json``.
    """

    name: str
    state: State
    expected: str
    found: str


def selfcheck(example: Path | None = None) -> Iterator[Answer]:
    """Every known answer in turn; ``example`` is SyncNet's example clip (data/example.avi)."""
    for name, expected, value, tolerance in closed_forms():
        agrees = math.isclose(value, expected, rel_tol=tolerance, abs_tol=tolerance)
        yield Answer(name, "ok" if agrees else "wrong", f"{expected:.10g}", f"{value:.10g}")
    yield from _syncnet_example(example)


def closed_forms() -> Iterator[tuple[str, float, float, float]]:
    """Name, the answer, what this code computes, and the tolerance."""
    # ‖μ‖² + Σ (√a − √b)² for diagonal covariances a and b.
    covariances = np.diag([1.0, 4.0, 9.0]), np.diag([4.0, 4.0, 1.0])
    gaussians = frechet_distance(
        np.zeros(3), covariances[0], np.array([1.0, 2.0, 2.0]), covariances[1]
    )
    yield "Fréchet distance of two diagonal Gaussians", 14.0, gaussians, 1e-12
    rows = np.random.default_rng(0).normal(size=(300, 64))
    same = frechet_of_moments(Moments.of(rows), Moments.of(rows[::-1]))
    yield "Fréchet distance of a set to itself", 0.0, same, 1e-9
    rows = np.random.default_rng(0).normal(size=(50, 16))
    same = polynomial_mmd2(rows, rows, biased=True)
    yield "biased KID of a set to itself", 0.0, same, 1e-12
    # One-dimensional rows: k(x, y) = (xy + 1)³.
    by_hand = 27.0 + 1.0 - 2.0 * (1 + 8 + 1 + 27) / 4
    kid = polynomial_mmd2(np.array([[1.0], [2.0]]), np.array([[0.0], [1.0]]))
    yield "unbiased KID of {1, 2} and {0, 1}", by_hand, kid, 1e-12
    grey = np.full((32, 32, 3), 100, np.uint8)
    lighter = grey + np.uint8(10)
    yield "PSNR of a difference of 10 levels", 20 * math.log10(25.5), psnr(grey, lighter), 1e-12
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    yield "SSIM of equal pictures", 1.0, ssim(picture, picture), 1e-12
    # Flat pictures differ in luminance alone: (2ab + C₁) / (a² + b² + C₁).
    luminance = (22000 + 6.5025) / (22100 + 6.5025)
    yield "SSIM of flat 100 and 110", luminance, ssim(grey, lighter), 1e-9
    # Lips that match the sound four windows later give an offset of −4.
    sounds = np.random.default_rng(0).normal(size=(120, 64))
    offset = sync_distances.score(np.roll(sounds, -4, axis=0), sounds).offset
    yield "offset of a planted lag of 4", -4.0, float(offset), 0.0
    # The jackknife's standard error of a mean is s/√n.
    values = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    left_out = [float(np.delete(values, i).mean()) for i in range(5)]
    error = grouped_jackknife(float(values.mean()), left_out).standard_error
    error = math.nan if error is None else error
    yield "jackknife error of a mean", math.sqrt(37.2 / 5), error, 1e-12
    rejections = float(sum(holm([0.001, 0.02, 0.04])))
    yield "Holm's rejections of .001 .02 .04", 3.0, rejections, 0.0


def _syncnet_example(example: Path | None) -> Iterator[Answer]:
    from talkingface_wild.benchmark.metric_weights import states

    expected = ", ".join(f"{key} {value:g}" for key, value in SYNCNET_EXAMPLE.items())
    state: State = "not run"
    if not states(["syncnet_v2"])["syncnet_v2"]["official"]:
        result = "the official weight syncnet_v2 is not here"
    elif example is None:
        result = "give data/example.avi of joonson/syncnet_python by --syncnet-example"
    else:
        try:
            scores = _score_example(example)
        except (ValueError, ItemRejected, ItemFailed) as error:
            result = f"{example.name} is not that example: {error}"
        else:
            agrees = all(
                abs(scores[key] - value) <= 5e-3 * max(1.0, abs(value))
                for key, value in SYNCNET_EXAMPLE.items()
            )
            state = "ok" if agrees else "wrong"
            result = ", ".join(f"{key} {value:.3f}" for key, value in scores.items())
    yield Answer("SyncNet's published example", state, expected, result)


def _score_example(example: Path) -> dict[str, float]:
    """The example as SyncNet's demo scores it: frames as JPEG, no face pipeline."""
    from talkingface_wild import weights
    from talkingface_wild.media.decode import frames
    from talkingface_wild.media.recode import recode
    from talkingface_wild.media.sound import read_sound
    from talkingface_wild.perception.syncnet import SyncNetPerceiver

    pictures = np.stack([frame.rgb for frame in frames(example, fps=25)])
    crops_bgr = recode(pictures, ["jpeg"])[..., ::-1]
    network = SyncNetPerceiver(weights.path("syncnet_v2")).open()
    embeddings = network.embed(np.ascontiguousarray(crops_bgr), read_sound(example))
    score = sync_distances.score(embeddings.lips, embeddings.sounds)
    return {name: float(getattr(score, name)) for name in SYNCNET_EXAMPLE}
