"""Figure 6a: where in the picture the present attention reads the predicted lip tokens.

Shapes: T F frames, K tokens that a frame may read, S side of the heat map, N places.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from talkingface_wild.core.arrays import Floats, Pictures
from talkingface_wild.core.errors import RecipeError
from talkingface_wild.models.conditions.crops import DEFAULT_LIPS
from talkingface_wild.models.mcdm.analyses import drawing
from talkingface_wild.models.mcdm.analyses.speaking_portrait import (
    Draws,
    Subject,
    long_enough,
    rolled,
)
from talkingface_wild.models.mcdm.config import PresentConfig
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.variants import Checkpoint, model_cautions

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in [0, 1] of the picture."""
WITH, WITHOUT = "w/ F_pc", "w/o F_pc"


class HeatWatch(list[Tensor]):
    """Receives each block's and step's probabilities and keeps only their sum, heads averaged."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side
        self._sum: Tensor | None = None
        self._count = 0

    def append(self, probabilities_BFHNK: Tensor) -> None:
        """Add one block of one step; of a guided pair the second is the one with contexts."""
        places_FNK = probabilities_BFHNK[-1].float().mean(dim=1)
        own = math.isqrt(places_FNK.shape[1])
        maps_FKSS = places_FNK.transpose(1, 2).unflatten(-1, (own, own))
        maps_FKSS = functional.interpolate(
            maps_FKSS, (self.side, self.side), mode="bilinear", align_corners=False
        ).cpu()
        self._sum = maps_FKSS if self._sum is None else self._sum + maps_FKSS
        self._count += 1

    def taken(self) -> Tensor:
        """The mean (F, K, S, S) since it was last taken. Raises RecipeError when nothing came."""
        if self._sum is None:
            raise RecipeError(
                "Expected a model whose present attention reads tokens, found none read; give a "
                "model trained through stage 3."
            )
        mean, self._sum, self._count = self._sum / self._count, None, 0
        return mean


def mass_in_box(heat_SS: npt.ArrayLike, box: Sequence[float]) -> float:
    """Share of a map's mass that lies in a box; cells that its edge cuts count in part.

    A map that is even gives the box's share of the area.
    """
    heat = np.asarray(heat_SS, dtype=np.float64)
    left, top, right, bottom = box
    rows, columns = _covered(heat.shape[0], top, bottom), _covered(heat.shape[1], left, right)
    return float(rows @ heat @ columns / heat.sum())


def _covered(cells: int, low: float, high: float) -> Floats:
    """How much of each of ``cells`` equal cells of [0, 1] lies in [low, high]."""
    start = np.arange(cells)
    return np.clip(np.minimum(start + 1, high * cells) - np.maximum(start, low * cells), 0, 1)


@dataclass(frozen=True)
class LipMaps:
    """One model: which tokens are watched, frames and maps of the first subject, and the share of
    each frame's mass that lies in the mouth, by subject."""

    name: str
    tokens: str
    frames_THWC: Pictures
    heat_TSS: Floats
    mass: dict[str, Floats]

    @property
    def share(self) -> float:
        """The mean over all frames."""
        return float(np.concatenate(list(self.mass.values())).mean())


@dataclass(frozen=True)
class Lips:
    """The model, its variant without the prior if there is one, and what must be said."""

    maps: tuple[LipMaps, ...]
    mouths: dict[str, Floats]
    """The mouth's box in each frame, (T, 4), by subject."""
    mouth_from: str
    cautions: tuple[str, ...]

    @property
    def even(self) -> dict[str, Floats]:
        """The share of an even map: the box's area, (T,) by subject."""
        sides = {clip: box_T4[:, 2:] - box_T4[:, :2] for clip, box_T4 in self.mouths.items()}
        return {clip: side_T2.prod(axis=1) for clip, side_T2 in sides.items()}

    @property
    def even_share(self) -> float:
        """Its mean over all frames."""
        return float(np.concatenate(list(self.even.values())).mean())

    def figures(self) -> dict[str, Any]:
        """Share of the mass in the mouth, by model, and that of an even map."""
        shares = {maps.name: {"tokens": maps.tokens, "mass": maps.share} for maps in self.maps}
        return {"models": shares, "even": self.even_share, "mouth": self.mouth_from}

    def rows(self) -> list[dict[str, Any]]:
        """The table: a row for each model, clip and frame."""
        even = self.even
        return [
            {
                "model": maps.name,
                "tokens": maps.tokens,
                "clip": clip,
                "frame": frame,
                "mass_in_mouth": float(value),
                "mass_if_even": float(even[clip][frame]),
            }
            for maps in self.maps
            for clip, mass_T in maps.mass.items()
            for frame, value in enumerate(mass_T)
        ]


def lips(
    checkpoint: Checkpoint,
    parts: MCDMParts,
    subjects: Sequence[Subject],
    draws: Draws,
    frames: int,
    mouth: Box | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Lips:
    """Maps of the first ``frames`` frames of every subject that has them.

    Without ``mouth`` the subjects' own boxes count, or where portraits usually have the mouth.
    Raises RecipeError for a model without a motion prior, InputUnreadable as ``long_enough``.
    """
    if parts.config.present.kind != "prior":
        raise RecipeError(
            "Expected a model that predicts lip tokens, found the variant w/o F_pc; give the "
            "training folder of the model itself."
        )
    enough = long_enough(subjects, parts.config.picture.fps, frames)
    mouths = {subject.name: _mouth(subject, frames, mouth) for subject in enough}
    variant = checkpoint.variant("no_present", parts)
    models = [(WITH, parts), *([(WITHOUT, variant)] if variant else [])]
    where = "where --mouth has it" if mouth else "where portraits usually have it"
    if mouth is None and all(subject.mouth_T4 is not None for subject in enough):
        where = "where the faces' boxes have it"
    return Lips(
        maps=tuple(_maps(p, name, enough, draws, mouths, tell) for name, p in models),
        mouths=mouths,
        mouth_from=where,
        cautions=model_cautions(parts, {WITHOUT: variant.facts if variant else None}),
    )


def _mouth(subject: Subject, frames: int, box: Box | None) -> Floats:
    """(frames, 4)."""
    if box is None and subject.mouth_T4 is not None:
        index = np.arange(frames).clip(max=len(subject.mouth_T4) - 1)
        return np.clip(subject.mouth_T4[index].astype(np.float64), 0, 1)
    return np.tile(np.array(box or DEFAULT_LIPS, dtype=np.float64), (frames, 1))


def _maps(
    parts: MCDMParts,
    name: str,
    subjects: Sequence[Subject],
    draws: Draws,
    mouths: dict[str, Floats],
    tell: Callable[[str], None],
) -> LipMaps:
    heats: dict[str, Tensor] = {}
    pictures: list[Pictures] = []
    for number, subject in enumerate(subjects):
        watch = HeatWatch(parts.config.picture.latent_side)
        chunks, frames = [], len(mouths[subject.name])
        for chunk in rolled(parts, subject, frames, draws, watched=watch):
            chunks.append(watch.taken()[: len(chunk)])
            if number == 0:
                pictures.append(chunk)
        heats[subject.name] = torch.cat(chunks)
        tell(f"{name}, {subject.name}: {frames} frames watched")
    tokens, maps = _of_lips(parts.config.present, heats, mouths)
    mass = {clip: masses(maps[clip], mouths[clip]) for clip in maps}
    return LipMaps(name, tokens, np.concatenate(pictures), maps[subjects[0].name], mass)


def masses(heat_TSS: Floats, box_T4: Floats) -> Floats:
    """``mass_in_box`` of each frame with its own box, (T,)."""
    return np.array([mass_in_box(heat, box) for heat, box in zip(heat_TSS, box_T4, strict=True)])


def _of_lips(
    present: PresentConfig, heats: dict[str, Tensor], mouths: dict[str, Floats]
) -> tuple[str, dict[str, Floats]]:
    """The watched tokens in words, and each subject's map (T, S, S).

    Without the prior no token is the lips': the sound token that looks most at the mouth is taken.
    """
    if present.kind == "prior":
        of_lips = slice(present.head_tokens, present.head_tokens + present.lip_tokens)
        maps = {clip: heat[:, of_lips].sum(dim=1).double().numpy() for clip, heat in heats.items()}
        return "the lip tokens", maps
    by_token = {clip: heat.double().numpy().swapaxes(0, 1) for clip, heat in heats.items()}
    means_CK = [
        [masses(heat, mouths[clip]).mean() for heat in heat_KTSS]
        for clip, heat_KTSS in by_token.items()
    ]
    best = int(np.argmax(np.mean(means_CK, axis=0)))
    maps = {clip: heat_KTSS[best] for clip, heat_KTSS in by_token.items()}
    return f"of {len(means_CK[0])} sound tokens the one most in the mouth, number {best}", maps


_COLUMNS = 6
_BARS_INCHES = 1.15
_TITLE = "Where the frame reads the lip tokens (Figure 6a)"
_HEAT = "viridis"
"""Even to colour-blind eyes, and in grey."""


def draw_lips(path: Path, result: Lips, source: str = "") -> None:
    """Write the picture; ``source`` says at its foot where the clips come from."""
    cell = (drawing.WIDTH_INCHES - 1.5) / _COLUMNS
    first = next(iter(result.mouths))
    strip = 2 * len(result.maps) * cell + 0.3
    bars = _BARS_INCHES + 0.35 * (len(result.maps) - 1)
    # Every map over its own mean: 1 is an even map, whatever the number of tokens.
    relative = [
        maps.heat_TSS / maps.heat_TSS.mean(axis=(1, 2), keepdims=True) for maps in result.maps
    ]
    spread = max(0.05, *(float(np.quantile(np.abs(heat - 1), 0.99)) for heat in relative))
    with drawing.plate(
        path, strip + bars, _TITLE, [*_notes(result), source], result.cautions
    ) as figure:
        above, below = figure.subfigures(2, 1, height_ratios=[strip, bars])
        grid = above.subplots(2 * len(result.maps), _COLUMNS, squeeze=False)
        for place, (maps, heat_TSS) in enumerate(zip(result.maps, relative, strict=True)):
            pair = grid[2 * place : 2 * place + 2]
            shown = _rows(pair, maps, heat_TSS, result.mouths[first], spread)
        bar = above.colorbar(shown, ax=grid, shrink=0.8, pad=0.01, extend="both")
        bar.set_label("attention (1: even)", fontsize=9)
        _bars(below.subplots(), result)


def _rows(pair: Any, maps: LipMaps, heat_TSS: Any, mouth_T4: Any, spread: float) -> Any:
    frames = np.linspace(0, len(heat_TSS) - 1, _COLUMNS).round().astype(int)
    side = maps.frames_THWC.shape[1]
    for column, frame in enumerate(frames):
        plain, hot = pair[0][column], pair[1][column]
        drawing.show_picture(plain, maps.frames_THWC[frame])
        drawing.show_picture(
            hot, maps.frames_THWC[frame].mean(axis=-1, keepdims=True).repeat(3, -1) / 255
        )
        shown = hot.imshow(
            heat_TSS[frame], cmap=_HEAT, alpha=0.7, vmin=max(0, 1 - spread), vmax=1 + spread,
            extent=(-0.5, side - 0.5, side - 0.5, -0.5), interpolation="bilinear",
        )  # fmt: skip
        left, top, right, bottom = side * mouth_T4[frame] - 0.5
        hot.plot(
            [left, right, right, left, left], [top, top, bottom, bottom, top], "--", color="white",
            linewidth=1.3,
        )  # fmt: skip
        plain.set_title(f"frame {frame}")
    pair[0][0].set_ylabel(drawing.formula(maps.name), fontsize=11)
    pair[1][0].set_ylabel("attention", fontsize=11)
    return shown


def _bars(axes: Any, result: Lips) -> None:
    names = [drawing.formula(maps.name) for maps in result.maps]
    shares = [100 * maps.share for maps in result.maps]
    bars = axes.barh(names, shares, color=drawing.COLOURS[: len(names)], height=0.6)
    labels = [f"{share:.1f} %" for share in shares]
    axes.bar_label(bars, labels, label_type="center", fontsize=9, color="white", fontweight="bold")
    even = 100 * result.even_share
    axes.axvline(even, color="black", linestyle=":", linewidth=1.6)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, 1.15 * max(*shares, even))
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(
        "share of the attention that lies in the mouth box, % "
        f"(dotted: an even map's, {even:.1f} %)"
    )


def _notes(result: Lips) -> list[str]:
    clips = list(result.maps[0].mass)
    over = f"{len(clips)} clips" if len(clips) > 1 else clips[0]
    notes = [f"{drawing.formula(maps.name)}: {maps.tokens}." for maps in result.maps]
    if len(result.maps) == 1:
        notes.append(drawing.formula("w/o F_pc is not shown: variants/no_present was not trained."))
    notes.append(
        "Probabilities of the present attention, averaged over heads, blocks and steps. The mouth, "
        f"dashed, is {result.mouth_from}. Shares: mean over {len(result.maps[0].heat_TSS)} frames "
        f"of {over}."
    )
    return notes
