"""A finished or running benchmark on disk: what was asked, a row per clip, the scores.

``RUN/run.json`` (what made it), ``RUN/clips.parquet`` (a row per clip and seed), and
``RUN/scores.json`` appear under their names only when complete. Reads and writes; computes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from talkingface_wild.benchmark.base import Score
from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.paths import atomic_path, write_text

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1


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
            language: {name: Score.from_json(data) for name, data in found.items()}
            for language, found in body["languages"].items()
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
