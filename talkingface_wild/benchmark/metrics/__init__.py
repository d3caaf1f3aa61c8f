"""The registry of metrics: a metric is a file here, a test, and a line of ``METRICS``; one of
another package is an entry point of the group ``talkingface_wild.metrics``.
"""

import functools
from collections.abc import Iterator, Mapping

from talkingface_wild.benchmark.base import Metric
from talkingface_wild.benchmark.metrics.csim import Csim, CsimFrames
from talkingface_wild.benchmark.metrics.drift import Drift
from talkingface_wild.benchmark.metrics.efid import Efid, EfidInception
from talkingface_wild.benchmark.metrics.fid import Fid, Kid
from talkingface_wild.benchmark.metrics.flicker import ClipFlicker
from talkingface_wild.benchmark.metrics.fvd import Fvd, Kvd
from talkingface_wild.benchmark.metrics.likeness import Psnr, Ssim, Tje
from talkingface_wild.benchmark.metrics.lip_sync import NSync, SyncC, SyncC0, SyncD, SyncOffset
from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.core.plug_ins import load, plug_ins

_OWN = (
    Fid, Fvd, SyncC, SyncD, Ssim, Efid,
    Kid, Kvd, SyncC0, NSync, Psnr, Csim, CsimFrames,
    SyncOffset, Drift, Tje, ClipFlicker, EfidInception,
)  # fmt: skip


class Registry(Mapping[str, type[Metric]]):
    """Metrics by name. Plug-ins, which import this room, are loaded at the first look-up."""

    @functools.cached_property
    def classes(self) -> dict[str, type[Metric]]:
        """All of them, in the order of tables."""
        own: dict[str, type[Metric]] = {metric.name: metric for metric in _OWN}
        others = plug_ins("talkingface_wild.metrics", own)
        return own | {name: load(f"metric {name}", where) for name, where in others.items()}

    def __getitem__(self, name: str) -> type[Metric]:
        return self.classes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.classes)

    def __len__(self) -> int:
        return len(self.classes)


METRICS = Registry()
"""In the order of tables: the paper's six, their companions, what is never ranked, plug-ins."""


def metrics_of(spelling: str | None, default: tuple[str, ...]) -> list[type[Metric]]:
    """The metrics of ``--metrics``: a comma list, ``all``, or the protocol's own for None.

    Raises UsageError for an unknown name.
    """
    if spelling == "all":
        return [metric for metric in METRICS.values() if metric.default]
    names = list(default) if spelling is None else [_plain(part) for part in spelling.split(",")]
    for name in names:
        if name not in METRICS:
            raise UsageError(
                f"Expected metrics of {', '.join(METRICS)}, found {name!r}{nearest(name, METRICS)}."
            )
    return [metric for name, metric in METRICS.items() if name in names]


def _plain(name: str) -> str:
    """A metric's name, however a table spells it: ``E-FID`` and ``Sync-C`` are efid and sync_c."""
    plain = name.strip().lower().replace("-", "_")
    return plain if plain in METRICS else plain.replace("_", "")
