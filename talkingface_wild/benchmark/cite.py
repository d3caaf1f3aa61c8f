"""BibTeX for what made some runs' numbers: metrics, networks, protocol, list, intervals."""

import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from talkingface_wild.benchmark.metrics import METRICS
from talkingface_wild.benchmark.runs import BenchRun
from talkingface_wild.benchmark.signature import Signature, merged
from talkingface_wild.benchmark.tables.reported import paper_list
from talkingface_wild.benchmark.tables.text import one_line

SOFTWARE = "talkingface_wild"
NETWORKS = {
    "inception": "szegedy2016inception",
    "i3d": "carreira2017i3d",
    "syncnet": "chung2016syncnet",
    "s3fd": "zhang2017s3fd",
    "deep3d": "deng2019recon",
    "scrfd": "guo2021scrfd",
    "arcface": "deng2019arcface",
    "hyperiqa": "su2020hyperiqa",
}
"""The paper of a weight, by how the weight's name begins."""
CHOICES = {
    ("fid", "resize", "clean"): "parmar2022cleanfid",
    ("fvd", "geometry", "stylegan-v"): "skorokhodov2022styleganv",
    ("fvd", "geometry", "videogpt"): "yan2021videogpt",
    ("fvd", "geometry", "cd-fvd"): "ge2024cdfvd",
    ("fvd", "geometry", "latentsync"): "li2024latentsync",
}
"""Papers of a protocol's choices: section, field, value."""
PROTOCOLS = {
    "mcdm-paper": "mcdm",
    "sync-wav2lip-lrs": "prajwal2020wav2lip",
    "sync-latentsync": "li2024latentsync",
}
LISTS = {"hdtf": "zhang2021hdtf", "celebvhq": "zhu2022celebvhq", "talkingface-wild": "mcdm"}
"""Papers of the data sets that the protocol's lists are cut from."""
_FAMILIES = {"fid": ("fid", "kid"), "fvd": ("fvd", "kvd")}


def keys_of(run: BenchRun) -> list[str]:
    """Keys of ``citations.bib`` for one run, each once: only what its scores were made with."""
    measured = [name for name, score in run.scores.items() if score.value is not None]
    networks = {
        key for weight in run.weights for start, key in NETWORKS.items() if weight.startswith(start)
    }
    choices = _choices(run.facts.get("protocol", {}), measured)
    conditional = {*NETWORKS.values(), *CHOICES.values()}
    keys: list[str] = [SOFTWARE]
    for name in measured:
        of_metric = METRICS[name].cites if name in METRICS else ()
        keys += [k for k in of_metric if k not in conditional or k in networks | choices]
    keys += [*sorted(networks), *sorted(choices)]
    keys += [PROTOCOLS[run.protocol]] if run.protocol in PROTOCOLS else []
    test_set = paper_list(run.list_name)
    keys += [LISTS[test_set]] if test_set is not None else []
    return list(dict.fromkeys([*keys, *_statistics(run)]))


def bibtex(runs: Sequence[BenchRun]) -> str:
    """One BibTeX file for all ``runs``; a comment names each with its signature.

    Several runs are compared by Holm's procedure, so it is cited as well. No ``@`` stands in a
    comment, since BibTeX would take it for an entry.
    """
    entries = read_entries()
    keys = dict.fromkeys(key for run in runs for key in keys_of(run))
    if len(runs) > 1:
        keys["holm1979"] = None
    comments = [_comment(run) for run in runs]
    return "\n".join([*comments, "", "\n\n".join(entries[key] for key in keys), ""])


def read_entries() -> dict[str, str]:
    """The entries of ``citations.bib`` by key."""
    file = resources.files("talkingface_wild.benchmark") / "citations.bib"
    entries = [part.strip() for part in re.split(r"\n(?=@)", file.read_text("utf-8"))]
    return {entry[entry.index("{") + 1 : entry.index(",")]: entry for entry in entries}


def _choices(protocol: Mapping[str, Any], measured: Sequence[str]) -> set[str]:
    """Papers of the protocol's choices that touched a measured metric."""
    return {
        key
        for (section, field, value), key in CHOICES.items()
        if protocol.get(section, {}).get(field) == value
        and not set(measured).isdisjoint(_FAMILIES[section])
    }


def _statistics(run: BenchRun) -> list[str]:
    """Papers of the intervals: BCa bootstrap of means, grouped jackknife of set distances."""
    jackknifed = {bool(s.replicates) for s in run.scores.values() if s.low is not None}
    keys = ["efron1987bca"] if False in jackknifed else []
    return keys + (["quenouille1956jackknife", "tukey1958jackknife"] if True in jackknifed else [])


def _comment(run: BenchRun) -> str:
    signatures = (Signature.parse(s.signature) for s in run.scores.values() if s.signature)
    text = f"{run.name}: {merged(signatures)}"
    return f"% {one_line(text)}".replace("@", " at ")
