"""The numbers of ``tfw report``, gathered from one commit. Draws nothing, writes nothing."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from talkingface_wild.dataset.funnel import Step, by_language, funnel, speechless_note
from talkingface_wild.dataset.snapshot import Recorded, stage_ran
from talkingface_wild.engine.item_table import fact
from talkingface_wild.pages.gate_views import GateView, gate_views
from talkingface_wild.pipelines.identity_networks import count_range

PAPER_RECIPE = "talkingface_wild"
MEAN_TOLERANCE_SECONDS = 1.5
MOST_PICTURES = 60


@dataclass(frozen=True)
class PaperTable:
    """The finished data set as the paper's Table 1 gives it."""

    languages: int = 10
    identities: int = 3452
    clips: int = 31_300
    hours: float = 241.6
    mean_seconds: float = 27.8


TABLE_1 = PaperTable()


@dataclass(frozen=True)
class StageCost:
    """What one stage took over all its items, in seconds of wall and processor."""

    stage: str
    items: int
    retries: int
    seconds: float
    cpu_seconds: float
    cpu_per_source_second: float | None
    """Processor seconds per second of all the sources' video; None where no length was measured."""


@dataclass(frozen=True)
class Failure:
    """An item that failed: it might succeed another time."""

    item: str
    source: str
    language: str
    stage: str
    reason: str
    detail: str
    attempts: int


@dataclass(frozen=True)
class LanguageRow:
    """One language: by its final tag what is kept, by the listed tag what was cut and accepted."""

    language: str
    sources: int
    clips_cut: int
    clips_accepted: int
    clips_kept: int
    hours_kept: float
    mean_seconds: float | None
    identities: int | None
    sides: dict[str, int]
    """Kept clips by split."""


@dataclass(frozen=True)
class Report:
    """All that the page shows; ``funnels`` by level (source, clip), those by language of clips."""

    recorded: Recorded
    languages: tuple[LanguageRow, ...]
    funnels: dict[str, list[Step]]
    language_funnels: dict[str, list[Step]]
    gates: tuple[GateView, ...]
    costs: tuple[StageCost, ...]
    failures: tuple[Failure, ...]
    duplicates: int | None
    """Clips found to be copies of another; None where nothing was compared."""
    identities: int | None
    identity_range: tuple[int, int] | None
    """How few and how many they are at other bounds of the same network."""
    clips: int
    hours: float
    mean_seconds: float | None
    warnings: tuple[str, ...]


def gather_report(recorded: Recorded, pictures: int = MOST_PICTURES) -> Report:
    """The numbers of a commit; opens media only for stills of borderline items."""
    clips, ledger = recorded.clips, recorded.ledger
    seconds = clips["clip_seconds"].dropna() if "clip_seconds" in clips else pd.Series(dtype=float)
    mean = round(float(seconds.mean()), 3) if len(seconds) else None
    clip_rows = ledger[ledger["level"] == "clip"]
    return Report(
        recorded=recorded,
        languages=_languages(recorded),
        funnels={
            "source": funnel(ledger[ledger["level"] == "source"], recorded.unmeasured),
            "clip": funnel(clip_rows, recorded.unmeasured),
        },
        language_funnels={
            str(language): funnel(rows, recorded.unmeasured)
            for language, rows in clip_rows.groupby(clip_rows["language"].astype(str), sort=True)
        },
        gates=gate_views(recorded, pictures),
        costs=_costs(recorded),
        failures=_failures(recorded),
        duplicates=_duplicates(recorded),
        identities=_identities(clips),
        identity_range=count_range(clips),
        clips=len(clips),
        hours=round(float(seconds.sum()) / 3600, 4),
        mean_seconds=mean,
        warnings=_warnings(recorded, mean),
    )


def _languages(recorded: Recorded) -> tuple[LanguageRow, ...]:
    clips, items = recorded.clips, recorded.items
    final = clips["language"].astype(str)
    accepted = items[(items["level"] == "clip") & (items["verdict_state"] == "kept")]
    rows = []
    for entry in by_language(items, clips):
        language = str(entry["language"])
        own = clips[final == language]
        split: dict[Any, Any] = dict(own["split"].value_counts()) if "split" in own else {}
        rows.append(
            LanguageRow(
                clips_accepted=int((accepted["group"] == language).sum()),
                identities=_identities(own),
                sides={str(side): int(count) for side, count in split.items()},
                **entry,  # type: ignore[arg-type]
            )
        )
    return tuple(rows)


def _identities(clips: pd.DataFrame) -> int | None:
    if "identity" not in clips or not clips["identity"].notna().any():
        return None
    return int(clips["identity"].nunique())


def _duplicates(recorded: Recorded) -> int | None:
    items = recorded.items
    if "duplicate_of" not in items:
        return None
    originals = items.loc[items["level"] == "clip", "duplicate_of"].fillna("")
    return int((originals != "").sum())


def _costs(recorded: Recorded) -> tuple[StageCost, ...]:
    items = recorded.items
    lengths = items.loc[items["level"] == "source"].get("source_seconds")
    total = float(lengths.sum()) if lengths is not None else 0.0
    costs = []
    for stage in recorded.stages:
        if not stage_ran(recorded, stage):
            continue
        ran = items[items[fact(stage, "state")].notna()]
        processor = float(ran[fact(stage, "cpu_seconds")].sum())
        tries = ran[fact(stage, "attempts")].fillna(1)
        costs.append(
            StageCost(
                stage,
                len(ran),
                int((tries - 1).clip(lower=0).sum()),
                float(ran[fact(stage, "seconds")].sum()),
                processor,
                processor / total if total else None,
            )
        )
    return tuple(costs)


def _failures(recorded: Recorded) -> tuple[Failure, ...]:
    items = recorded.items
    sources = recorded.sources.set_index("source_id")
    failures = []
    for item, row in items[items["verdict_state"] == "failed"].iterrows():
        stage = str(row["verdict_stage"])
        tries = row.get(fact(stage, "attempts"))
        path, url = sources.loc[row["root_id"], ["source_path", "source_url"]]
        failures.append(
            Failure(
                str(item),
                str(path if pd.notna(path) else url),
                str(row["group"]),
                stage,
                str(row["verdict_reason"]),
                str(row["verdict_detail"]) if pd.notna(row["verdict_detail"]) else "",
                int(tries) if pd.notna(tries) else 1,
            )
        )
    return tuple(failures)


def _warnings(recorded: Recorded, mean: float | None) -> tuple[str, ...]:
    states = recorded.items["verdict_state"].value_counts()
    out = recorded.layout.out
    warnings = []
    if recorded.recipe == PAPER_RECIPE and mean is not None:
        paper = TABLE_1.mean_seconds
        if abs(mean - paper) > MEAN_TOLERANCE_SECONDS:
            warnings.append(
                f"Clips last {mean:.1f} s on average; the paper's last {paper} s, and "
                f"{paper} ± {MEAN_TOLERANCE_SECONDS} s was expected: look at stride and tail."
            )
    if failed := int(states.get("failed", 0)):
        items = "1 item" if failed == 1 else f"{failed} items"
        warnings.append(f"{items} failed; try again with `tfw curate --out {out} --retry-failed`.")
    if pending := int(states.get("pending", 0)):
        items = "1 item is" if pending == 1 else f"{pending} items are"
        warnings.append(f"{items} pending; finish with `tfw curate --out {out}`.")
    listed = set(
        recorded.items.loc[recorded.items["level"] == "source", "group"].dropna().astype(str)
    )
    if empty := sorted(listed - set(recorded.clips["language"].astype(str))):
        warnings.append(f"No clip was kept in {', '.join(empty)}.")
    if note := speechless_note(recorded.clips, out):
        warnings.append(note)
    return tuple(warnings)
