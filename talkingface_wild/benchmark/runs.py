"""A finished or running benchmark on disk: the request, a row per clip, the scores.

``RUN/run.json`` (what made it), ``RUN/clips.parquet`` (a row per clip and seed), and
``RUN/scores.json`` appear under their names only when complete. Computes no score.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from talkingface_wild.benchmark.base import Score
from talkingface_wild.core.counting import counted
from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.paths import atomic_path, write_text

if TYPE_CHECKING:
    import pandas as pd

    from talkingface_wild.benchmark.candidates import ClipCandidate
    from talkingface_wild.engine.ruling import Ruling
    from talkingface_wild.engine.stage import Item

FORMAT = 1
MOST_FAILURES = 0.01
"""Share of failed clips above which nothing of a row is set in bold."""
FLAGS = {
    "codec!": "delivered in a codec other than H.264, FFV1 or PNG",
    "size!": "resized to the canvas",
    "crop!": "of another shape than its reference: padded, barred from SSIM, PSNR, TJE, drift",
    "fps!": "not at the protocol's rate: frames were repeated or left out",
    "short!": "ends before its reference: the common frames are compared",
    "brief!": "the real video is shorter than the list says",
    "long!": "goes on after its reference: the rest is left out",
}
"""How a delivered video may differ from what the protocol asks for."""


@dataclass(frozen=True)
class BenchRun:
    """One method scored on one list under one protocol.

    ``clips`` columns: clip, seed, language, group (identity), split, state (scored | static |
    unscored), reason, detail, frames, codec, flags (text such as ``codec! short!``), generated and
    reference (paths, may be empty), mux_offset_ms, then one column per metric with per-clip values
    and ``refused`` (JSON: why an extractor had no answer). State ``static`` is a failed clip that
    the protocol scores with the static frame.
    """

    folder: Path
    name: str
    """The method, as the table prints it."""
    model: str
    protocol: str
    list_name: str
    list_sha8: str
    listed: int
    """Clips of the list, scored or not."""
    scores: Mapping[str, Score]
    languages: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    weights: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By name: sha256 and whether it is the published file (``official``)."""
    failures: int = 0
    """Clips of the method that failed and are scored with the static frame."""
    seeds: int = 1
    features: str = "features"
    """Folder of stored features, relative to the run's."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Further plain data: the request, versions, machine, warnings, metrics left out and why."""

    @property
    def path(self) -> Path:
        """Where the features lie."""
        return (self.folder / self.features).resolve()

    def clips(self) -> pd.DataFrame:
        """The row per clip and seed."""
        import pandas as pd

        return pd.read_parquet(self.folder / "clips.parquet")


def rows_of(
    candidates: Sequence[ClipCandidate], items: Sequence[Item], ruling: Ruling
) -> list[dict[str, Any]]:
    """The row of each clip and seed, in the order of the list."""
    rows = []
    for entry, item in zip(candidates, items, strict=True):
        values = {name: _plain(value) for name, value in ruling.table.loc[item.id].items()}
        verdict = ruling.verdicts.loc[item.id]
        outcome = {"state": "unscored", "reason": verdict["reason"], "detail": verdict["detail"]}
        if verdict["state"] == "kept":
            outcome = {name: values[f"bench_{name}"] for name in outcome}
        clip, candidate = entry.clip, entry.candidate
        rows.append(
            {
                "clip": clip.id,
                "seed": candidate.seed,
                "language": clip.language,
                "group": clip.group or clip.id,
                "split": clip.split,
                **{name: _plain(value) for name, value in outcome.items()},
                "frames": values["frames"],
                "codec": values["codec"] or "",
                "flags": values["flags"] or "",
                "generated": candidate.path,
                "candidate": candidate.kind,
                "reference": clip.reference,
                "sound": clip.sound,
                "mux_offset_ms": values["mux_offset_ms"],
                "keys": values["keys"] or "{}",
                "refused": values["refused"] or "{}",
                "replaced": values["replaced"] or "",
                "decodes": values["decodes"],
                "asked": json.dumps(item.payload),
            }
        )
    return rows


def _plain(value: Any) -> Any:
    """A cell of the table as plain data, None where it is null."""
    import pandas as pd

    if value is None or pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def add_values(rows: list[dict[str, Any]], scores: Mapping[str, Score]) -> None:
    """One column per metric that has per-clip values."""
    for name, score in scores.items():
        for row in rows if score.clips else ():
            row[name] = None if row["state"] == "unscored" else score.clips.get(row["clip"])


def remarks(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a reader of the scores has to know of the rows."""
    lines = []
    if failed := failed_rows(rows):
        reasons = [f"{r['clip']}: {r['detail'] or r['reason'] or r['replaced']}" for r in failed]
        first = "; ".join(reasons[:3]) + ("; …" if len(failed) > 3 else "")
        often = len(failed) / len(rows) > MOST_FAILURES
        lines.append(
            f"{len(failed)} of {len(rows)} clips failed, wholly or for some networks, and are "
            f"scored there with the static frame ({first})"
            + (f"; over {MOST_FAILURES:.0%}: nothing of this row in bold" if often else "")
        )
    for flag, meaning in FLAGS.items():
        if count := sum(flag in str(row["flags"]).split() for row in rows):
            lines.append(f"{flag} {counted(count, 'clip')}: {meaning}")
    late = [r for r in rows if r["mux_offset_ms"] is not None and abs(r["mux_offset_ms"]) > 20]
    if late:
        lines.append(f"{len(late)} containers hold their sound over 20 ms off the driving sound")
    if unscored := [row for row in rows if row["state"] == "unscored"]:
        first = "; ".join(f"{row['clip']}: {row['reason']}" for row in unscored[:3])
        lines.append(f"{counted(len(unscored), 'clip')} could not be scored ({first})")
    return lines


def failed_rows(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those whose video failed, wholly or for some networks."""
    return [row for row in rows if row["state"] == "static" or row["replaced"]]


def write_run(run: BenchRun, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the three files of a run, ``run.json`` last."""
    import pandas as pd

    run.folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(run.folder / "clips.parquet") as temporary:
        pd.DataFrame(list(rows)).to_parquet(temporary, index=False)
    scores = {
        "format": FORMAT,
        "scores": {name: score.to_json() for name, score in run.scores.items()},
        "languages": {
            language: {name: score.to_json() for name, score in scores.items()}
            for language, scores in run.languages.items()
        },
    }
    write_text(run.folder / "scores.json", _text(scores))
    names = ("name", "model", "protocol", "list_name", "list_sha8", "listed", "weights")
    head = {name: getattr(run, name) for name in (*names, "failures", "seeds", "features", "facts")}
    write_text(run.folder / "run.json", _text({"format": FORMAT, **head}))


def read_run(folder: Path) -> BenchRun:
    """The run in ``folder``. Raises InputUnreadable when it holds none that is finished."""
    try:
        head = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        body = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
        if head.pop("format") != FORMAT or body.pop("format") != FORMAT:
            raise ValueError(f"expected format {FORMAT}")
        scores = {name: Score.from_json(data) for name, data in body["scores"].items()}
        languages = {
            language: {name: Score.from_json(data) for name, data in scores.items()}
            for language, scores in body["languages"].items()
        }
        return BenchRun(folder, scores=scores, languages=languages, **head)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputUnreadable(
            f"Expected a finished benchmark run in {folder}, found none ({error}); "
            "make one with `tfw bench --model NAME --dataset DIR --out RUN`."
        ) from error


def _text(data: Any) -> str:
    """JSON without NaN or infinity; those would be a programming error here."""
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False, sort_keys=False) + "\n"
