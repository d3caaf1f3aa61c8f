"""The lists of protocol tfw-v1: what each holds and needs. Reads no files."""

from dataclasses import dataclass
from typing import Literal

from talkingface_wild.benchmark.lists.clip_list import FPS
from talkingface_wild.core.errors import UsageError, nearest

SEED = 1
"""The seed of tfw-v1's lists; with another one a list has another hash."""
LANGUAGES, PER_LANGUAGE = 10, 40
"""Of tfw-400."""
Kind = Literal["hdtf", "celebvhq", "dataset", "open"]


@dataclass(frozen=True)
class ListPlan:
    """One list of the protocol."""

    name: str
    title: str
    kind: Kind
    clips: int | None
    """How many rows it has; None where that depends on the stems."""
    frames: int
    needs: str

    @property
    def seconds(self) -> float:
        """The length of each clip."""
        return self.frames / FPS


_HDTF = "HDTF's published lists (folder HDTF_dataset)"
_OPEN = "20 portraits (--portraits DIR) and 20 sounds of 8 s or more (--sounds DIR)"
PLANS: dict[str, ListPlan] = {
    plan.name: plan
    for plan in (
        ListPlan("hdtf-100", "HDTF, 100 speakers, 15 s each", "hdtf", 100, 375, _HDTF),
        ListPlan(
            "hdtf-91", "HDTF, a tenth of the speakers, held out; 15 s", "hdtf", None, 375, _HDTF
        ),
        ListPlan(
            "celebv-200",
            "CelebV-HQ, 200 identities, 5 s each",
            "celebvhq",
            200,
            125,
            "CelebV-HQ's published list (celebvhq_info.json)",
        ),
        ListPlan(
            "tfw-400",
            "A curated data set, 10 languages × 40 identities, 10 s",
            "dataset",
            LANGUAGES * PER_LANGUAGE,
            250,
            "a data set made by `tfw curate` (its folder)",
        ),
        ListPlan("open-400", "Open set, 20 portraits × 20 sounds, 8 s", "open", 400, 200, _OPEN),
        ListPlan("open-20", "Open set, the diagonal of open-400, 8 s", "open", 20, 200, _OPEN),
        ListPlan("long-48", "HDTF, the segments of 288 s or more", "hdtf", 48, 7200, _HDTF),
    )
}


def plan_of(name: str) -> ListPlan:
    """The plan called ``name``; UsageError names the nearest."""
    if name not in PLANS:
        raise UsageError(
            f"Expected a list of tfw-v1 ({', '.join(PLANS)}), found {name!r}{nearest(name, PLANS)}."
        )
    return PLANS[name]
