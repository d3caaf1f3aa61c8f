"""BibTeX of a run: what was used and nothing else, as text that BibTeX can read."""

import re
from dataclasses import replace

import pytest

from talkingface_wild.benchmark import cite
from talkingface_wild.benchmark.metrics import METRICS
from talkingface_wild.benchmark.protocol import load_protocol, names
from tests.benchmark.made_runs import make_run


@pytest.fixture
def run(tmp_path):
    made = make_run(tmp_path / "a", "alpha")
    return replace(made, facts={"protocol": load_protocol("tfw-v1").to_json()})


def only(run, *metrics, weights=()):
    return replace(
        run,
        scores={name: run.scores[name] for name in metrics},
        weights={name: {"official": True} for name in weights},
    )


def test_every_entry_is_whole_and_every_key_that_is_used_exists():
    entries = cite.read_entries()
    for key, text in entries.items():
        assert re.match(rf"@\w+\{{{key},\n", text)
        assert text.count("{") == text.count("}")
        assert text.endswith("\n}")
        assert "title = {" in text
        assert "author = {" in text
        lines = text.splitlines()[1:-1]
        assert all(re.fullmatch(r"  \w+ = \{.+\},?", line) for line in lines)
        assert all(line.endswith(",") for line in lines[:-1])
    used = {key for metric in METRICS.values() for key in metric.cites}
    used |= {*cite.NETWORKS.values(), *cite.CHOICES.values(), *cite.PROTOCOLS.values()}
    used |= {*cite.LISTS.values(), cite.SOFTWARE, "holm1979", "efron1987bca"}
    assert used <= set(entries)


def test_only_what_was_measured_is_cited(run):
    keys = cite.keys_of(only(run, "ssim", "psnr"))
    assert keys == ["talkingface_wild", "wang2004ssim", "efron1987bca"]
    keys = cite.keys_of(only(run, "fid", weights=["inception_fid"]))
    assert set(keys) == {
        "talkingface_wild",
        "heusel2017ttur",
        "szegedy2016inception",
        "parmar2022cleanfid",
        "quenouille1956jackknife",
        "tukey1958jackknife",
    }


def test_a_metric_without_a_value_is_not_cited(run):
    nothing = replace(run.scores["fid"], value=None, low=None, high=None)
    keys = cite.keys_of(replace(run, scores={"fid": nothing}, weights={}))
    assert keys == ["talkingface_wild"]


def test_the_protocols_choices_decide(run):
    fvd = only(run, "fvd", weights=["i3d_kinetics400"])
    assert not set(cite.CHOICES.values()) & set(cite.keys_of(fvd))
    for protocol, key in (
        ("fvd-stylegan-v", "skorokhodov2022styleganv"),
        ("fvd-videogpt", "yan2021videogpt"),
        ("fvd-cd-geometry", "ge2024cdfvd"),
        ("fvd-latentsync", "li2024latentsync"),
    ):
        facts = {"protocol": load_protocol(protocol).to_json()}
        assert key in cite.keys_of(replace(fvd, protocol=protocol, facts=facts)), protocol
    facts = {"protocol": load_protocol("fid-pytorch-fid").to_json()}
    plain = replace(only(run, "fid", weights=["inception_fid"]), facts=facts)
    assert "parmar2022cleanfid" not in cite.keys_of(plain)
    assert set(cite.PROTOCOLS) <= set(names())


def test_detectors_are_cited_only_where_they_ran(run):
    whole = only(run, "sync_c", weights=["syncnet_v2"])
    assert "zhang2017s3fd" not in cite.keys_of(whole)
    tracked = only(run, "sync_c", weights=["syncnet_v2", "s3fd"])
    assert "zhang2017s3fd" in cite.keys_of(tracked)


def test_the_lists_data_set_is_cited(run):
    assert "zhang2021hdtf" in cite.keys_of(replace(run, list_name="hdtf-100"))
    assert "zhu2022celebvhq" in cite.keys_of(replace(run, list_name="celebv-200"))
    assert "zhang2021hdtf" not in cite.keys_of(run)


def test_several_runs_share_entries_and_bring_holm(run):
    text = cite.bibtex([run, replace(run, name="beta")])
    keys = re.findall(r"^@\w+\{([^,]+),", text, re.MULTILINE)
    assert len(keys) == len(set(keys))
    assert "holm1979" in keys
    assert "holm1979" not in cite.bibtex([run])


def test_a_name_cannot_become_an_entry(run):
    text = cite.bibtex([replace(run, name="x\n@article{evil, title={no}}")])
    comments = text.split("\n\n")[0]
    assert "@" not in comments
    assert "375f at 25" in comments
    assert all(line.startswith("%") for line in comments.splitlines())
    assert "@article{evil" not in text
