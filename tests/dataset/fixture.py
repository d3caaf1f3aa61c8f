"""A small data set made through the real journal, ruling and commit; its stages open no media.

Its numbers are chosen by hand in ``videos``, so that tests can count on paper what must come out.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import pandas as pd
import yaml

from talkingface_wild.core.clip import Source, make_clip, source_id
from talkingface_wild.core.columns import Column
from talkingface_wild.core.gate import Gate
from talkingface_wild.dataset.commit import write_commit
from talkingface_wild.dataset.decisions import apply_decisions
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.engine.item_table import build_table
from talkingface_wild.engine.journal import Journal, Record
from talkingface_wild.engine.plan import make_plan
from talkingface_wild.engine.ruling import rule
from talkingface_wild.engine.stage import Item, Stage, Whole, Workplace

FPS = 25


@dataclass(frozen=True)
class NoSettings:
    """Nothing to set."""


class Probe(Stage):
    name = "probe"
    level = "source"
    columns = (
        Column("has_audio", "bool", "whether there is a sound stream"),
        Column("source_seconds", "float", "duration", "s", 0, None, 3),
        Column(
            "usable_start_seconds", "float", "where picture and sound both run", "s", 0, None, 3
        ),
        Column("usable_end_seconds", "float", "where the first of them ends", "s", 0, None, 3),
    )
    Config = NoSettings

    def process(self, items):
        raise NotImplementedError


class Shots(Probe):
    name = "shots"
    kind = "split"
    columns = (
        Column("start_seconds", "float", "start of the clip", "s", 0, None, 3),
        Column("end_seconds", "float", "end of the clip", "s", 0, None, 3),
        Column("clip_seconds", "float", "length of the clip", "s", 0, None, 3),
    )


class Speech(Probe):
    name = "speech"
    level = "clip"
    columns = (
        Column("speech_ratio", "float", "share of the clip that is speech", "", 0, 1, 3),
        Column("loudness_dbfs", "float", "root mean square of the sound", "dBFS", -120, 0, 2),
    )


class Quality(Speech):
    name = "quality"
    columns = (
        Column("quality_crop_mean", "float", "image quality of the face crop", "", 0, 100, 2),
    )


class Sync(Speech):
    name = "sync"
    columns = (Column("sync_confidence", "float", "Sync-C", "", 0, None, 3),)


class Identities(Whole):
    name = "identities"
    columns = (Column("identity", "string", "person"),)
    Config = NoSettings

    def compute(self, table):
        return pd.DataFrame({"identity": table["root_id"].astype(object)}, index=table.index)


class Split(Identities):
    name = "split"
    columns = (Column("split", "string", "train, val or test"),)

    def compute(self, table):
        sides = [("train", "test")[int(item, 16) % 2] for item in table.index.str[-1]]
        return pd.DataFrame({"split": sides}, index=table.index)


class Encode(Speech):
    name = "encode"
    scored = False
    columns = (Column("media_path", "string", "the finished clip, relative to the output folder"),)


STAGES = (Probe, Shots, Speech, Quality, Sync, Identities, Split, Encode)
GATES = (
    Gate("sound", "has_audio", "==", True, "no_audio"),
    Gate("length", "clip_seconds", ">=", 3.0, "too_short"),
    Gate("speech", "speech_ratio", ">=", 0.6, "little_speech"),
    Gate("quality", "quality_crop_mean", ">=", 40.0, "low_quality", "reject", {"ko": 35.0}),
    Gate("sync", "sync_confidence", ">=", 3.0, "low_sync", "pass"),
)
WHY_NO_SYNC = "weight syncnet_v2 is missing"


@dataclass
class Take:
    """One clip to be: its seconds in the source, and what the stages found."""

    start: float
    end: float
    speech: float = 0.9
    quality: float | None = 60.0
    loudness: float = -20.0


@dataclass
class Video:
    """One source: its language, its clips, and whether it has sound, or fails."""

    name: str
    language: str
    takes: list[Take] = field(default_factory=list)
    has_audio: bool = True
    failed: str | None = None
    licence: str | None = "CC-BY"


def videos() -> list[Video]:
    """English: 8 clips, 5 kept, one silent source. Korean: 3 clips, 2 kept, one failed source."""
    return [
        Video(
            "en/one.mp4",
            "en",
            [Take(0, 10), Take(10, 20, speech=0.61), Take(20, 30, speech=0.59), Take(30, 32)],
        ),
        Video(
            "en/two.mp4",
            "en",
            [Take(0, 8, quality=41), Take(8, 16, quality=39), Take(16, 24), Take(24, 30)],
        ),
        Video("en/silent.mp4", "en", has_audio=False),
        Video(
            "ko/three.mp4", "ko", [Take(0, 12, quality=36), Take(12, 20, quality=34), Take(20, 29)]
        ),
        Video("ko/gone.mp4", "ko", failed="file_missing"),
    ]


@dataclass
class DataSet:
    """The finished folder, and what is needed to commit to it again."""

    out: Path
    plan: object
    sources: list[Source]
    roots: list[Item]
    documents: dict[str, str]

    @property
    def layout(self) -> Layout:
        return Layout(self.out)

    def commit(self):
        """Rule and commit as ``curate`` does, reviewers' decisions applied."""
        journal = Journal(self.out / "journal")
        table, _ = build_table(self.plan, journal, self.roots)
        ruling = rule(self.plan, table, Workplace(self.out))
        apply_decisions(self.layout, ruling)
        return write_commit(self.layout, self.plan, ruling, self.sources, self.documents)

    def clip(self, video: str, index: int) -> str:
        """The id of the index-th take of a video."""
        source = next(source for source in self.sources if source.path == video)
        record = Journal(self.out / "journal").get(source.id, self.plan.stages[1].fingerprint)
        return record.children[index]["id"]


def make_data_set(
    out: Path,
    given: list[Video] | None = None,
    gates: tuple[Gate, ...] = GATES,
    recipe: str = "fixture",
    stages: tuple[type[Stage] | type[Whole], ...] = STAGES,
) -> DataSet:
    """A committed data set of ``given`` videos (default ``videos()``) in ``out``."""
    given = videos() if given is None else given
    unmeasured = {"sync": WHY_NO_SYNC}
    configured = [(stage, NoSettings(), unmeasured.get(stage.name)) for stage in stages]
    plan = make_plan(configured, gates, lambda name: None)
    root = out / "videos"
    sources = [_source(video, root) for video in given]
    out.mkdir(parents=True, exist_ok=True)
    (out / "sources.json").write_text(json.dumps([source.to_json() for source in sources]))
    records = [
        record
        for video, source in zip(given, sources, strict=True)
        for record in _records(plan, video, source)
    ]
    Journal(out / "journal").put(records)
    facts = {
        s.name: {"fingerprint": s.fingerprint, "unmeasured": s.unmeasured} for s in plan.stages
    }
    for name, why in plan.unmeasured.items():
        facts[name].update(measured_nothing=why)
    documents = {
        "recipe.yaml": _recipe(recipe, gates, stages),
        "fingerprints.json": json.dumps(facts),
    }
    roots = [Item(s.id, "source", s.language, {"source": s.to_json()}) for s in sources]
    made = DataSet(out, plan, sources, roots, documents)
    made.commit()
    return made


def _source(video: Video, root: Path) -> Source:
    key = f"sha256:{video.name}"
    return Source(
        source_id(key, None, None, None),
        key,
        video.language,
        path=video.name,
        root=str(root),
        licence=video.licence,
    )


def _records(plan, video: Video, source: Source):
    prints = {planned.name: planned.fingerprint for planned in plan.stages}

    def record(item, stage, values=None, **more):
        given = {"state": "done", "seconds": 0.5, "cpu_seconds": 0.25, **more}
        return Record(item, stage, prints[stage], values=values, **given)

    if video.failed:
        yield record(
            source.id,
            "probe",
            state="failed",
            reason=video.failed,
            detail="it is not there",
            attempts=3,
        )
        return
    end = max((take.end for take in video.takes), default=5.0)
    span = {"usable_start_seconds": 0.0, "usable_end_seconds": end}
    yield record(source.id, "probe", {"has_audio": video.has_audio, "source_seconds": end, **span})
    if not video.has_audio:
        return
    clips = [make_clip(source.id, take.start, take.end) for take in video.takes]
    children = [
        {
            "id": clip.id,
            "payload": {"clip": clip.to_json()},
            "values": {
                "start_seconds": clip.start_seconds,
                "end_seconds": clip.end_seconds,
                "clip_seconds": clip.seconds,
            },
        }
        for clip in clips
    ]
    yield record(source.id, "shots", {}, children=children)
    for clip, take in zip(clips, video.takes, strict=True):
        if clip.seconds < 3:
            continue
        yield record(
            clip.id, "speech", {"speech_ratio": take.speech, "loudness_dbfs": take.loudness}
        )
        if take.speech < 0.6:
            continue
        yield record(clip.id, "quality", {"quality_crop_mean": take.quality})
        if take.quality is None or take.quality < (35 if video.language == "ko" else 40):
            continue
        yield record(clip.id, "encode", {"media_path": finished_path(clip.id)})


def finished_path(clip: str) -> str:
    """Where the finished clip would lie, below the output folder; none is written."""
    return f"store/{clip[:2]}/{clip}-{0:016x}.mp4"


def _recipe(name: str, gates: tuple[Gate, ...], stages=STAGES) -> str:
    words = {">=": "at_least", "<=": "at_most", ">": "above", "<": "below", "==": "equals"}
    entries = {
        gate.name: {
            "column": gate.column,
            words[gate.comparison]: gate.bound,
            "reason": gate.reason,
            "missing": gate.missing,
        }
        | ({"per_language": dict(gate.per_group)} if gate.per_group else {})
        | ({"meaning": gate.meaning} if gate.meaning else {})
        for gate in gates
    }
    data = {
        "name": name,
        "summary": "A data set for tests.",
        "stages": [{stage.name: {"weights": "optional"}} for stage in stages],
        "gates": entries,
    }
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def grey_at(seconds: float) -> int:
    """The grey level that ``write_ramp`` shows at an instant."""
    return 20 + round(seconds * 6)


def write_ramp(path: Path, seconds: float, side: int = 64) -> None:
    """A silent video whose grey level tells the time: see ``grey_at``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "10", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = 2 * side, side, "yuv420p"
        for index in range(round(seconds * FPS)):
            picture = np.full((side, 2 * side, 3), grey_at(index / FPS), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
