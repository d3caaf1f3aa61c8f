"""Data sets made by a real run of the engine's test stages, committed as ``curate`` does."""

from pathlib import Path

from talkingface_wild.core.clip import Source
from talkingface_wild.dataset.commit import Commit, write_commit
from talkingface_wild.dataset.decisions import apply_decisions
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.engine.ruling import Ruling
from tests.engine.stages import go, plan_of, roots_of


def sources_of(roots, **more) -> list[Source]:
    """A source for each root; ``r1={...}`` adds fields to one."""
    return [
        Source(
            id=root.id,
            media_key=f"sha256:{root.id}",
            language=root.group,
            **{"path": f"{root.group}/{root.id}.mp4", **more.get(root.id, {})},
        )
        for root in roots
    ]


def made(out: Path, count: int = 8, gates=None, sources=None, **payloads) -> tuple[Commit, Ruling]:
    """Run, apply decisions, commit."""
    plan = plan_of() if gates is None else plan_of(gates)
    roots = roots_of(count, **payloads)
    ruling = go(out, plan, roots)
    apply_decisions(Layout(out), ruling)
    documents = {"recipe.yaml": "name: test\n"}
    commit = write_commit(Layout(out), plan, ruling, sources or sources_of(roots), documents)
    return commit, ruling
