"""The stage ``language`` with faster-whisper's network: chosen, asked for by name, and heard."""

import importlib.util
import shutil

import pytest

from talkingface_wild import weights
from talkingface_wild.core.errors import ExtraMissing, WeightMissing
from talkingface_wild.media.sound import read_sound
from talkingface_wild.pipelines.planning import (
    check_commercial,
    check_weights,
    plan_of,
    why_unmeasured,
)
from talkingface_wild.pipelines.recipe import load_recipe
from talkingface_wild.pipelines.stage_costs import cost_table
from talkingface_wild.pipelines.stages.language import LanguageConfig, SpokenLanguage

FASTER = "faster_whisper_base"
HUB_CACHE = "huggingface_hub.constants.HF_HUB_CACHE"
here = importlib.util.find_spec("faster_whisper") is not None
needs_extra = pytest.mark.skipif(not here, reason="the extra language is not installed")


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """A hub's cache that is empty."""
    monkeypatch.setenv("TFW_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr(HUB_CACHE, str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture
def filled(cache, whisper_cache, monkeypatch):
    """One that holds the network."""
    monkeypatch.setattr(HUB_CACHE, str(whisper_cache))


def _language(network):
    recipe = load_recipe("embedded", [f"language.network={network}"])
    return recipe, next(choice for choice in recipe.stages if choice.name == "language")


def test_the_default_is_as_it_was(filled):
    assert LanguageConfig().network == LanguageConfig().here().network == "whisper_small"
    assert SpokenLanguage.requires(LanguageConfig()) == ()


def test_auto_is_small_before_the_hubs_network_is_there(cache):
    assert LanguageConfig("auto").here().network == "whisper_small"
    assert SpokenLanguage.weights(LanguageConfig("auto")) == ("whisper_small",)


@needs_extra
def test_auto_takes_the_hubs_network_where_small_is_absent(filled, monkeypatch, tmp_path):
    recipe, _ = _language("auto")
    plan = plan_of(recipe)
    (config,) = [stage.config for stage in plan.stages if stage.name == "language"]
    assert config.network == FASTER
    assert "network: auto" in recipe.dump()
    # A file that a person vouches for counts as small's, and goes before.
    other = tmp_path / "small.pt"
    other.write_bytes(b"another small one")
    weights.default_store().place("whisper_small", other, "trusted by the user")
    assert LanguageConfig("auto").here().network == "whisper_small"


def test_auto_needs_the_package_too(filled, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert LanguageConfig("auto").here().network == "whisper_small"


def test_what_is_missing_is_named_with_its_command(cache, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    _, choice = _language(FASTER)
    reason = why_unmeasured(choice)
    assert f"weight {FASTER} is missing" in reason
    assert "pip install 'talkingface-wild[language]'" in reason
    required = load_recipe("embedded", [f"language.network={FASTER}", "language.weights=required"])
    with pytest.raises(ExtraMissing, match=r"pip install 'talkingface-wild\[language\]'"):
        check_weights(required)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    with pytest.raises(WeightMissing, match=f"hub's cache.*tfw weights fetch {FASTER}` "):
        check_weights(required)
    with pytest.raises(WeightMissing, match=f"hub's cache.*tfw weights fetch {FASTER}"):
        weights.path(FASTER)


def test_it_is_known_by_its_hash_and_free_to_use(filled):
    assert weights.sha256(FASTER) == weights.entry(FASTER).sha256
    assert weights.find(FASTER) == weights.path(FASTER)
    recipe, _ = _language(FASTER)
    check_commercial(recipe)
    assert FASTER in cost_table()["stages"]["language"]


def test_another_file_of_its_name_is_not_taken(cache, whisper_cache):
    shutil.copytree(whisper_cache, cache, symlinks=True, ignore=lambda *_: ["mirror"])
    snapshot = next(cache.glob("models--*/snapshots/*"))
    other = snapshot / "model.bin"
    other.unlink()
    other.write_bytes(b"another")
    assert weights.find(FASTER) is None and weights.sha256(FASTER) is None
    with pytest.raises(WeightMissing, match="found another file"):
        weights.path(FASTER)
    (snapshot / "config.json").unlink()
    with pytest.raises(WeightMissing, match="found none"):
        weights.path(FASTER)


@needs_extra
def test_a_clips_language_is_heard(filled, shared, clip_item, monkeypatch):
    japanese = read_sound(shared / "media" / "speech" / "ja.flac")
    monkeypatch.setattr(
        "talkingface_wild.pipelines.stages.language.span_samples", lambda *_: japanese
    )
    values = clip_item.measure("language", network=FASTER)
    assert values["spoken_language"] == "ja" and values["spoken_probability"] > 0.9
    assert values["claimed_probability"] < 0.05
