"""The package's own manifest: what it promises, and how wrong names and fields are answered."""

import json
import re

import pytest

from talkingface_wild.core.errors import UsageError
from talkingface_wild.weights.manifest import entries, entry, parse


def test_every_weight_that_curation_can_use_has_an_entry_with_licence_and_use():
    expected = {"scrfd_10g", "scrfd_2.5g", "scrfd_500m", "arcface_w600k_r50", "syncnet_v2"}
    expected |= {"hyperiqa_koniq_pyiqa", "hyperiqa_koniq_original", "whisper_base", "whisper_small"}
    assert expected <= set(entries())
    assert all(weight.licence and weight.unlocks and weight.file for weight in entries().values())


def test_the_benchmarks_face_networks_have_the_layouts_of_their_published_names(goldens):
    layouts = {
        "s3fd": "s3fd_sfd_face",
        "deep3d": "deep3d_net_recon_resnet50",
        "arcface_r50": "arcface_iresnet50",
        "arcface_r100": "arcface_iresnet100",
    }
    for name, file in layouts.items():
        published = json.loads((goldens / "state_dicts" / f"{file}.json").read_text())
        for tensor, shape in entry(name).layout.tensors.items():
            assert tuple(published[tensor]) == shape, (name, tensor)
    assert {"deep3d_points", "arcface_glint360k_r100"} <= set(entries())


def test_a_hash_stands_only_with_the_source_that_publishes_it():
    for weight in entries().values():
        assert (weight.sha256 is None) == (weight.sha256_source == ""), weight.name


def test_sources_are_https_and_a_weight_without_one_says_how_a_person_gets_it():
    for weight in entries().values():
        assert all(origin.url.startswith("https://") for origin in weight.sources)
        assert weight.sources or weight.packages or "import" in weight.note, weight.name


def test_hashes_repeated_in_file_names_and_addresses_agree_with_the_entry():
    for weight in entries().values():
        for text in (weight.file, *(origin.url for origin in weight.sources)):
            for digits in re.findall(r"(?<![0-9a-f])[0-9a-f]{8}(?=\.pth)|[0-9a-f]{64}", text):
                assert weight.sha256.startswith(digits), weight.name


def test_the_two_shared_detectors_are_entered_as_their_readme_gives_them(shared):
    readme = (shared / "media" / "README.md").read_text()
    for name in ("scrfd_2.5g", "scrfd_500m"):
        weight = entry(name)
        assert f"{weight.file} sha256 {weight.sha256}" in readme
        assert (shared / "weights" / weight.file).stat().st_size == weight.size


def test_file_names_belong_to_one_weight_each():
    names = [name for weight in entries().values() for name in weight.file_names]
    assert len(names) == len(set(names))


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(UsageError, match="did you mean 'syncnet_v2'"):
        entry("synknet_v2")


def test_a_hash_that_is_no_sha256_and_an_unknown_field_are_refused():
    fields = {"file": "a", "licence": "MIT", "layout": {"format": "onnx"}}
    with pytest.raises(ValueError, match="64 hex digits"):
        parse({"a": {**fields, "sha256": "abc"}})
    with pytest.raises(TypeError, match="shasum"):
        parse({"a": {**fields, "shasum": "abc"}})
