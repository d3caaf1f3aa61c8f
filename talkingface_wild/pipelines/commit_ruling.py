"""A ruling made into a commit: reviewers' decisions, tables, recipe, links in media/."""

import json
from collections.abc import Sequence
from pathlib import Path

from talkingface_wild.core.clip import Source
from talkingface_wild.core.paths import write_text
from talkingface_wild.dataset.commit import Commit, write_commit
from talkingface_wild.dataset.compact import is_compact
from talkingface_wild.dataset.decisions import apply_decisions
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.media_links import link_media
from talkingface_wild.engine.plan import Plan
from talkingface_wild.engine.ruling import Ruling
from talkingface_wild.pipelines.recipe import Recipe


def commit_ruling(
    layout: Layout,
    recipe: Recipe,
    plan: Plan,
    ruling: Ruling,
    sources: Sequence[Source],
    measured_in: Path | None = None,
    made_by: str = "curate",
    compact: bool | None = None,
) -> Commit:
    """Apply reviewers' decisions, write the commit and its recipe, bring media/ in step with it.

    ``compact`` None does as the latest commit did.
    """
    apply_decisions(layout, ruling)
    stages = {
        s.name: {"fingerprint": s.fingerprint, "unmeasured": s.unmeasured} for s in plan.stages
    }
    for name, why in plan.unmeasured.items():
        stages[name]["measured_nothing"] = why
    documents = {"recipe.yaml": recipe.dump(), "fingerprints.json": json.dumps(stages, indent=1)}
    compact = is_compact(layout) if compact is None else compact
    commit = write_commit(layout, plan, ruling, sources, documents, measured_in, made_by, compact)
    write_text(layout.out / "recipe.yaml", recipe.dump())
    link_media(layout)
    return commit
