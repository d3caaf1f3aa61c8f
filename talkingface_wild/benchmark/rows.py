"""The rows of a run: what was asked of each clip, and what came of it. Computes no score."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from talkingface_wild.benchmark.base import clip_count
from talkingface_wild.benchmark.candidates import Candidate, stamp
from talkingface_wild.benchmark.clips import BenchClip
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.engine.ruling import Ruling
from talkingface_wild.engine.stage import Item

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
class ClipCandidate:
    """One clip with one candidate: an item of the engine."""

    clip: BenchClip
    candidate: Candidate

    def item(self) -> Item:
        """Known by all that decides its result; files by size and time, the store hashes bytes."""
        clip, candidate = self.clip, self.candidate
        stamps = [stamp(path) for path in (clip.reference, clip.sound, clip.portrait)]
        payload = {"clip": clip.to_json(), "candidate": candidate.to_json(), "stamps": stamps}
        return Item(f"b{digest(payload, 20)}", "clip", self.clip.language, payload)


def rows_of(
    asked: Sequence[ClipCandidate], items: Sequence[Item], ruling: Ruling
) -> list[dict[str, Any]]:
    """The row of each clip and seed, in the order of the list."""
    rows = []
    for entry, item in zip(asked, items, strict=True):
        found = ruling.table.loc[item.id]
        verdict = ruling.verdicts.loc[item.id]
        kept = verdict["state"] == "kept"
        clip, candidate = entry.clip, entry.candidate
        rows.append(
            {
                "clip": clip.id,
                "seed": candidate.seed,
                "language": clip.language,
                "group": clip.group or clip.id,
                "split": clip.split,
                "state": str(_plain(found["bench_state"])) if kept else "unscored",
                "reason": _plain(found["bench_reason"] if kept else verdict["reason"]),
                "detail": _plain(found["bench_detail"] if kept else verdict["detail"]),
                "frames": _plain(found["frames"]),
                "codec": _plain(found["codec"]) or "",
                "flags": _plain(found["flags"]) or "",
                "generated": candidate.path,
                "candidate": candidate.kind,
                "reference": clip.reference,
                "sound": clip.sound,
                "mux_offset_ms": _plain(found["mux_offset_ms"]),
                "keys": _plain(found["keys"]) or "{}",
                "refused": _plain(found["refused"]) or "{}",
                "replaced": _plain(found["replaced"]) or "",
                "decodes": _plain(found["decodes"]),
                "asked": json.dumps(item.payload),
            }
        )
    return rows


def _plain(value: Any) -> Any:
    """A cell of the table as plain data, None where it is null."""
    if value is None or pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def add_values(rows: list[dict[str, Any]], scores: Mapping[str, Any]) -> None:
    """One column per metric that has per-clip values."""
    for name, score in scores.items():
        if score.clips:
            for row in rows:
                value = score.clips.get(row["clip"])
                row[name] = None if row["state"] == "unscored" else value


def _first(rows: Sequence[Mapping[str, Any]]) -> str:
    """The first failed clips, each with what was wrong."""
    failed = [row for row in rows if row["state"] == "static" or row["replaced"]]
    said = [
        f"{row['clip']}: {row['detail'] or row['reason'] or row['replaced']}" for row in failed[:3]
    ]
    return "; ".join(said) + ("; …" if len(failed) > 3 else "")


def remarks(rows: Sequence[Mapping[str, Any]], failures: int) -> list[str]:
    """What a reader of the scores has to know of the rows."""
    said = []
    if failures:
        share = failures / len(rows)
        said.append(
            f"{failures} of {len(rows)} clips failed, wholly or for some networks, "
            f"and are scored there with the static frame ({_first(rows)})"
            + (
                f"; over {MOST_FAILURES:.0%}: nothing of this row in bold"
                if share > MOST_FAILURES
                else ""
            )
        )
    for flag, meaning in FLAGS.items():
        count = sum(flag in str(row["flags"]).split() for row in rows)
        if count:
            said.append(f"{flag} {clip_count(count)}: {meaning}")
    late = [r for r in rows if r["mux_offset_ms"] is not None and abs(r["mux_offset_ms"]) > 20]
    if late:
        said.append(f"{len(late)} containers hold their sound over 20 ms off the driving sound")
    unscored = [row for row in rows if row["state"] == "unscored"]
    if unscored:
        shown = "; ".join(f"{r['clip']}: {r['reason']}" for r in unscored[:3])
        said.append(f"{clip_count(len(unscored))} could not be scored ({shown})")
    return said
