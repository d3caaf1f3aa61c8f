"""Which weights a benchmark needs, which are there, and whether they are the published files."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from talkingface_wild import weights
from talkingface_wild.benchmark.metrics import METRICS
from talkingface_wild.benchmark.protocol import Protocol
from talkingface_wild.core.counting import counted
from talkingface_wild.core.errors import WeightMissing

R100: tuple[Literal["arcface_glint360k_r100", "arcface_r100"], ...] = (
    "arcface_glint360k_r100",
    "arcface_r100",
)
"""ArcFace iResNet-100 as it is published, the one with a known hash first."""

I3D_SCRIPT = "i3d_torchscript"
"""The same I3D in StyleGAN-V's container: taken where the plain file is not here."""

INSTEAD = {"i3d_kinetics400": I3D_SCRIPT, R100[0]: R100[1]}
"""What does as well."""


def resolved(protocol: Protocol) -> Protocol:
    """The protocol with every choice between equal weights settled by what is on this machine."""
    if weights.find(protocol.fvd.network) is None and weights.find(I3D_SCRIPT) is not None:
        fvd = dataclasses.replace(protocol.fvd, network=I3D_SCRIPT)
        protocol = dataclasses.replace(protocol, fvd=fvd)
    if protocol.identity.network != "r100":
        return protocol
    network = next((name for name in R100 if weights.find(name) is not None), R100[0])
    identity = dataclasses.replace(protocol.identity, network=network)
    return dataclasses.replace(protocol, identity=identity)


def missing(protocol: Protocol, metrics: Sequence[str]) -> dict[str, list[str]]:
    """By metric, the weights it lacks on this machine; metrics that lack none are left out."""
    lacking = {
        metric: [n for n in METRICS[metric].weights(protocol) if weights.find(n) is None]
        for metric in metrics
    }
    return {metric: names for metric, names in lacking.items() if names}


def refuse_missing(lacking: Mapping[str, Sequence[str]]) -> None:
    """Raise WeightMissing that names each file and how to get it, if any metric lacks one."""
    names = list(dict.fromkeys(name for needs in lacking.values() for name in needs))
    if not names:
        return
    store = weights.default_store()
    lines = []
    for name in names:
        entry = store.entry(name)
        users = ", ".join(metric for metric, needs in lacking.items() if name in needs)
        way = f"tfw weights fetch {name}" if entry.sources else f"by hand: {entry.note}"
        instead = f" (or {INSTEAD[name]})" if name in INSTEAD else ""
        lines.append(f"  {name}{instead}, file {entry.file}, for {users}: {way}")
    raise WeightMissing(
        f"Expected {counted(len(names), 'weight')} in {store.folder}, found missing:\n"
        + "\n".join(lines)
        + "\nGet them, or import files that you have with `tfw weights import DIR`, or measure "
        "without them by --skip-missing."
    )


def states(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """By weight: sha256, and whether it is the official file: the published hash, or fetched from
    the published address where no hash is published.
    """
    store = weights.default_store()
    recorded = store.recorded()
    by_name: dict[str, dict[str, Any]] = {}
    for name in names:
        file, entry = store.look(name), store.entry(name)
        if entry.sha256 is not None:
            official = file.sha256 == entry.sha256
        else:
            how = str(recorded.get(name, {}).get("how", ""))
            official = file.state == "present" and how.startswith(("fetched", "first fetch"))
        by_name[name] = {"sha256": file.sha256, "official": official, "file": entry.file}
    return by_name
