"""What differs between two commits: clips, their media, the recipe, the measures behind it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import yaml

_COLUMNS = ("clip_id", "language", "clip_seconds", "media_sha256")


@dataclass(frozen=True)
class LanguageChange:
    """Clips and hours of one language before and after."""

    language: str
    clips_before: int
    clips_after: int
    won: int
    lost: int
    hours_before: float
    hours_after: float


@dataclass(frozen=True)
class CommitDiff:
    """From one commit to another. Clips are sorted ids.

    ``won`` are kept in the second alone, ``lost`` in the first alone; ``media_changed`` are kept in
    both with other video bytes. ``recipe`` gives each setting that differs, as
    ``(name, before, after)``, None where a recipe lacks it; ``measured_anew`` names the stages that
    ran otherwise: other settings, weights or version, or those of a stage they read from.
    """

    before: int
    after: int
    won: list[str]
    lost: list[str]
    media_changed: list[str]
    recipe: list[tuple[str, Any, Any]]
    measured_anew: list[str]
    languages: list[LanguageChange]


def diff_commits(before: Path, after: Path) -> CommitDiff:
    """Compare two commits' folders."""
    old, new = _clips(before), _clips(after)
    both = old.index.intersection(new.index)
    changed = both[(old.loc[both, "media_sha256"] != new.loc[both, "media_sha256"]).to_numpy(bool)]
    old_stages, new_stages = _fingerprints(before), _fingerprints(after)
    return CommitDiff(
        int(before.name),
        int(after.name),
        sorted(new.index.difference(old.index)),
        sorted(old.index.difference(new.index)),
        sorted(changed),
        _settings_that_differ(_settings(before), _settings(after)),
        [name for name, print_ in new_stages.items() if old_stages.get(name) != print_],
        language_changes(old, new),
    )


def _clips(commit: Path) -> pd.DataFrame:
    table = pq.read_table(commit / "clips")
    frame: pd.DataFrame = table.select(
        [name for name in _COLUMNS if name in table.column_names]
    ).to_pandas()
    frame = frame.reindex(columns=list(_COLUMNS))
    frame["language"] = frame["language"].astype(str)
    frame["media_sha256"] = frame["media_sha256"].astype(object).fillna("")
    return frame.set_index("clip_id")


def language_changes(before: pd.DataFrame, after: pd.DataFrame) -> list[LanguageChange]:
    """What changed in each language; frames by clip id, with columns language and clip_seconds."""
    rows = []
    for language in sorted(set(before["language"]) | set(after["language"])):
        both = [frame[frame["language"] == language] for frame in (before, after)]
        old, new = (frame.index for frame in both)
        won, lost = len(new.difference(old)), len(old.difference(new))
        hours = [round(float(frame["clip_seconds"].sum()) / 3600, 6) for frame in both]
        rows.append(LanguageChange(language, len(old), len(new), won, lost, *hours))
    return rows


def _fingerprints(commit: Path) -> dict[str, Any]:
    path = commit / "fingerprints.json"
    stored = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {name: entry.get("fingerprint") for name, entry in stored.items()}


def _settings(commit: Path) -> dict[str, Any]:
    """A commit's recipe as one flat mapping: ``gates.length.at_least`` → 5."""
    recipe = yaml.safe_load((commit / "recipe.yaml").read_text(encoding="utf-8"))
    flat: dict[str, Any] = {}
    for entry in recipe.pop("stages", None) or []:
        for name, config in entry.items():
            _flatten(name, config or {}, flat)
    _flatten("", recipe, flat)
    return flat


def _flatten(prefix: str, data: Mapping[str, Any], flat: dict[str, Any]) -> None:
    for key, value in data.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            _flatten(name, value, flat)
        else:
            flat[name] = value


def _settings_that_differ(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[tuple[str, Any, Any]]:
    names = dict.fromkeys([*before, *after])
    return [
        (name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    ]
