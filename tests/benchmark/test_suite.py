"""The suite on real short videos, without networks: floors, folders, manifests, caches."""

import collections
import json

import numpy as np
import pandas as pd
import pytest

from talkingface_wild.benchmark import clip_pair
from talkingface_wild.benchmark.protocol import load_protocol
from talkingface_wild.benchmark.runs import read_run
from talkingface_wild.benchmark.signature import Signature
from talkingface_wild.core.errors import InputUnreadable, UsageError
from tests.benchmark.films import CLIPS, COUNT, MADE, REAL, film, pairs_csv, pictures, scored, worse

PATHS = {"outputs": MADE, "reference": REAL}


def _folders(films):
    return {name: films / folder for name, folder in PATHS.items()}


def _values(outcome):
    return {name: score.value for name, score in outcome.run.scores.items()}


@pytest.fixture
def decoded(monkeypatch):
    """How often each file was decoded."""
    counts = collections.Counter()
    original = clip_pair.decode_video

    def counted(path, wanted, folder):
        counts[path.parent.name + "/" + path.name] += 1
        return original(path, wanted, folder)

    monkeypatch.setattr(clip_pair, "decode_video", counted)
    return counts


@pytest.fixture
def measured(monkeypatch):
    """The names of extractors that were run, in order."""
    from talkingface_wild.benchmark.measure_stage import Features

    names = []
    original = Features._ensure_open

    def noted(self, extractor):
        names.append(extractor.name)
        original(self, extractor)

    monkeypatch.setattr(Features, "_ensure_open", noted)
    return names


def test_the_real_video_against_itself_is_perfect(films, pixels, tmp_path, decoded):
    manifest = pairs_csv(films, tmp_path / "p.csv")
    found = scored(tmp_path / "run", model="groundtruth", pairs=manifest, protocol=pixels)
    values = _values(found)
    assert values.pop("flicker") > 0.1
    assert values == {"ssim": 1.0, "psnr": 100.0, "tje": 0.0}
    assert found.run.scores["ssim"].n == len(CLIPS)
    assert set(decoded.values()) == {1} and len(decoded) == len(CLIPS)
    assert set(found.run.clips()["decodes"]) == {1}


def test_floors_are_in_order_and_a_method_is_worse_than_the_codec(films, pixels, tmp_path):
    manifest = pairs_csv(films, tmp_path / "p.csv")
    found = {
        model: _values(scored(tmp_path / model, model=model, pairs=manifest, protocol=pixels))
        for model in ("groundtruth", "crf28", "static", "shifted")
    }
    method = _values(scored(tmp_path / "m", pairs=manifest, protocol=pixels))
    for name in ("ssim", "psnr"):
        real, codec, still = (found[m][name] for m in ("groundtruth", "crf28", "static"))
        assert still < codec < real
        assert method[name] < codec
    assert found["static"]["flicker"] == 0.0
    assert found["shifted"] == found["groundtruth"], "moved sound changes no picture"


def test_split_halves_have_no_pairs(films, pixels, tmp_path):
    manifest = pairs_csv(films, tmp_path / "p.csv")
    run = scored(tmp_path / "run", model="halves", pairs=manifest, protocol=pixels).run
    assert run.scores["ssim"].value is None
    assert "no reference" in run.scores["ssim"].note
    assert run.scores["flicker"].n == len(CLIPS) / 2


def test_two_folders_are_paired_by_name_and_each_video_is_decoded_once(
    films, pixels, tmp_path, decoded
):
    found = scored(tmp_path / "run", **_folders(films), protocol=pixels)
    assert decoded == {f"{side}/{name}.mp4": 1 for side in (REAL, MADE) for name in CLIPS}
    table = found.run.clips()
    assert list(table["clip"]) == sorted(CLIPS)
    assert set(table["decodes"]) == {2} and set(table["codec"]) == {"h264"}
    assert set(table["state"]) == {"scored"}
    assert found.run.name == MADE
    # The per-clip values are what the frames say.
    from talkingface_wild.functional.similarity import psnr

    protocol = load_protocol(pixels)
    pair = [pictures(films / s / "may.mp4", COUNT, protocol.canvas) for s in (MADE, REAL)]
    by_hand = np.mean([psnr(a, b) for a, b in zip(*pair, strict=True)][1:])
    assert float(table.set_index("clip").loc["may", "psnr"]) == pytest.approx(by_hand, rel=1e-9)


def test_the_signature_says_what_was_computed(films, pixels, tmp_path):
    run = scored(tmp_path / "run", **_folders(films), protocol=pixels, limit=3).run
    signature = Signature.parse(run.scores["ssim"].signature)
    assert signature.parts[0] == "pixels"
    assert signature.part("list").startswith("real:") and len(signature.part("list")) == 13
    assert signature.part("clips") == "3/4"
    label, _, choices = signature.part("ssim").partition(":")
    assert label == "rgb-gaussian-unpadded" and len(choices) == 6
    assert signature.part("in") == "h264"
    assert "≤40f@25" in signature.parts and "128" in signature.parts


def test_a_second_run_decodes_nothing_and_says_the_same(films, pixels, tmp_path, decoded, measured):
    first = scored(tmp_path / "run", **_folders(films), protocol=pixels)
    before = (tmp_path / "run" / "scores.json").read_bytes()
    decoded.clear(), measured.clear()
    again = scored(tmp_path / "run", **_folders(films), protocol=pixels)
    assert not decoded and not measured
    assert (tmp_path / "run" / "scores.json").read_bytes() == before
    assert _values(again) == _values(first)
    other = scored(tmp_path / "else", **_folders(films), protocol=pixels,
                   features=tmp_path / "run" / "features")  # fmt: skip
    assert not decoded and not measured, "features are shared between runs"
    assert _values(other) == _values(first)
    fresh = scored(tmp_path / "run", **_folders(films), protocol=pixels, fresh=True)
    assert sum(decoded.values()) == 8 and _values(fresh) == _values(first)


def test_another_metric_measures_that_one_alone(films, pixels, tmp_path, decoded, measured):
    asked = {**_folders(films), "protocol": pixels}
    scored(tmp_path / "run", **asked, metrics="ssim,psnr")
    assert set(measured) == {"similarity"}
    measured.clear(), decoded.clear()
    found = scored(tmp_path / "run", **asked, metrics="ssim,flicker")
    assert set(measured) == {"changes"}
    assert set(found.run.scores) == {"ssim", "psnr", "flicker"}
    assert set(decoded.values()) == {1}


def test_a_deleted_feature_is_measured_again_and_nothing_else(
    films, pixels, tmp_path, decoded, measured
):
    asked = {**_folders(films), "protocol": pixels}
    scored(tmp_path / "run", **asked)
    before = (tmp_path / "run" / "scores.json").read_bytes()
    lost = max((tmp_path / "run" / "features").rglob("*.npz"), key=lambda p: p.stat().st_size)
    lost.unlink()
    decoded.clear(), measured.clear()
    scored(tmp_path / "run", **asked)
    assert measured == ["similarity"]
    assert sum(decoded.values()) == 2
    assert lost.is_file()
    assert (tmp_path / "run" / "scores.json").read_bytes() == before


@pytest.mark.parametrize("side", [REAL, MADE])
def test_another_video_under_the_same_name_is_scored_anew(pairs_of, pixels, tmp_path, side):
    asked = {**pairs_of(), "protocol": pixels}
    before = scored(tmp_path / "run", **asked).run.clips().set_index("clip")["ssim"]
    path = tmp_path / side / "may.mp4"
    film(path, worse(pictures(path)), None)
    after = scored(tmp_path / "run", **asked).run.clips().set_index("clip")["ssim"]
    assert after["may"] != before["may"]
    assert after.drop("may").equals(before.drop("may"))


def test_a_manifest_names_identities_languages_and_sounds(films, pixels, tmp_path):
    manifest = pairs_csv(films, tmp_path / "p.csv")
    table = pd.read_csv(manifest)
    table["clip"], table["identity"] = [f"clip {i}" for i in range(4)], ["x", "x", "y", "y"]
    table["reference"] = [f"{path}" for path in table["reference"]]
    table.to_csv(manifest, index=False)
    run = scored(tmp_path / "run", pairs=manifest, protocol=pixels).run
    rows = run.clips()
    assert list(rows["clip"]) == [f"clip {i}" for i in range(4)]
    assert list(rows["group"]) == ["x", "x", "y", "y"]
    assert set(run.languages) == {"en", "ko"}
    halves = [run.languages[language]["ssim"] for language in ("en", "ko")]
    assert [score.n for score in halves] == [2, 2]
    assert np.mean([s.value for s in halves]) == pytest.approx(run.scores["ssim"].value)


def test_a_run_is_read_back_as_it_was_written(films, pixels, tmp_path):
    run = scored(tmp_path / "run", **_folders(films), protocol=pixels).run
    again = read_run(tmp_path / "run")
    assert {n: s.to_json() for n, s in again.scores.items()} == {
        n: s.to_json() for n, s in run.scores.items()
    }
    text = (tmp_path / "run" / "scores.json").read_text() + (
        tmp_path / "run" / "run.json"
    ).read_text()
    assert "NaN" not in text and "Infinity" not in text
    with pytest.raises(InputUnreadable, match="tfw bench --model"):
        read_run(tmp_path)


def test_a_protocol_that_re_encodes_does_so_to_both_sides_but_not_to_the_floors(
    films, pixels, tmp_path
):
    from pathlib import Path

    import yaml

    data = yaml.safe_load(Path(pixels).read_text()) | {"name": "coded", "recode": "x264-28"}
    coded = tmp_path / "coded.yaml"
    coded.write_text(yaml.safe_dump(data))
    manifest = pairs_csv(films, tmp_path / "p.csv", ("may", "hill"))
    same = pairs_csv(films, tmp_path / "same.csv", ("may", "hill"), made=REAL)
    twice = scored(tmp_path / "same", pairs=same, protocol=str(coded)).run
    assert twice.scores["ssim"].value == 1.0, "both sides were encoded alike"
    assert "128+x264-28" in twice.scores["ssim"].signature
    real = scored(tmp_path / "gt", model="groundtruth", pairs=manifest, protocol=str(coded)).run
    assert real.scores["psnr"].value == 100.0
    plain = scored(tmp_path / "plain", pairs=manifest, protocol=pixels).run
    both = scored(tmp_path / "both", pairs=manifest, protocol=str(coded)).run
    assert both.scores["ssim"].value != plain.scores["ssim"].value


def test_what_to_score_has_to_be_said(films, tmp_path):
    for asked, words in (
        ({}, "found nothing"),
        ({"outputs": films / MADE}, "only one of --outputs and --reference"),
        ({"dataset": str(films), "pairs": tmp_path / "p.csv"}, "not two"),
        ({"dataset": str(films)}, "--model NAME"),
    ):
        with pytest.raises(UsageError, match=words):
            scored(tmp_path / "run", **asked)


def test_scores_hold_plain_numbers(films, pixels, tmp_path):
    run = scored(tmp_path / "run", **_folders(films), protocol=pixels).run
    for score in run.scores.values():
        json.dumps(score.to_json(), allow_nan=False)
        assert score.low <= score.value <= score.high


def test_a_folder_holds_one_run_and_no_data_set(films, pixels, tmp_path):
    asked = {**_folders(films), "protocol": pixels, "metrics": "ssim"}
    scored(tmp_path / "run", **asked)
    before = (tmp_path / "run" / "scores.json").read_bytes()
    swapped = asked | {"outputs": asked["reference"], "reference": asked["reference"]}
    with pytest.raises(UsageError, match="choose another --out"):
        scored(tmp_path / "run", **swapped)
    assert (tmp_path / "run" / "scores.json").read_bytes() == before
    (tmp_path / "set" / "dataset").mkdir(parents=True)
    (tmp_path / "set" / "dataset" / "manifest.json").write_text("{}")
    with pytest.raises(UsageError, match="data set"):
        scored(tmp_path / "set", **asked)


def test_outputs_that_are_all_elsewhere_are_an_error_and_leave_no_folder(films, tmp_path, pixels):
    rows = "generated,reference\n" + "".join(
        f"gone/{path.name},{path}\n" for path in sorted(_folders(films)["reference"].iterdir())
    )
    (tmp_path / "p.csv").write_text(rows)
    with pytest.raises(InputUnreadable, match="found none of"):
        scored(tmp_path / "run", pairs=tmp_path / "p.csv", protocol=pixels, metrics="ssim")
