"""Folders, files and hub names; the hub is replaced by a function that notes what it is asked."""

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError, RepositoryNotFoundError

from talkingface_wild.core.errors import InputUnreadable, NetworkUnavailable, WeightMissing
from talkingface_wild.models.loading import load_weights
from talkingface_wild.weights.hub import locate
from talkingface_wild.weights.manifest import HubWeight
from tests.models.loading.published import small_parts

UNET = HubWeight(
    name="unet",
    what="the UNet",
    hub="someone/sd15",
    stems=("diffusion_pytorch_model",),
    folders=("unet", ""),
    files=("v1-5-pruned.safetensors",),
)


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_the_plain_file_goes_before_others(tmp_path):
    """As Stable Diffusion's repository has them side by side."""
    touch(
        tmp_path,
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.non_ema.safetensors",
        "unet/diffusion_pytorch_model.bin",
        "v1-5-pruned.safetensors",
    )
    assert locate(str(tmp_path), UNET).path == tmp_path / "unet/diffusion_pytorch_model.bin"
    touch(tmp_path, "unet/diffusion_pytorch_model.safetensors")
    found = locate(str(tmp_path), UNET)
    assert found.path == tmp_path / "unet/diffusion_pytorch_model.safetensors"
    assert locate(str(tmp_path / "unet"), UNET).path == found.path


def test_a_folder_with_one_file_of_any_name_and_with_several(tmp_path):
    touch(tmp_path, "mine.ckpt", "notes.txt")
    assert locate(str(tmp_path), UNET).path == tmp_path / "mine.ckpt"
    touch(tmp_path, "other.pth")
    with pytest.raises(InputUnreadable, match=r"found 2, such as mine\.ckpt and other\.pth"):
        locate(str(tmp_path), UNET)
    touch(tmp_path, "empty/notes.txt")
    with pytest.raises(WeightMissing, match=r"unet/diffusion_pytorch_model\.safetensors or v1-5"):
        locate(str(tmp_path / "empty"), UNET)


def test_nothing_there(tmp_path):
    with pytest.raises(InputUnreadable, match="the UNet at /no/such/folder"):
        locate("/no/such/folder", UNET)


class Hub:
    """Notes each request and answers with a folder's files that match, or raises."""

    def __init__(self, folder, answers):
        self.folder, self.answers, self.asked = folder, answers, []

    def __call__(self, repository, *, revision, allow_patterns, local_files_only, dry_run=False):
        if dry_run:
            return []
        self.asked.append((repository, revision, allow_patterns, local_files_only))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        touch(self.folder, *answer)
        return str(self.folder)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    def replace(*answers):
        replaced = Hub(tmp_path / "snapshot", list(answers))
        monkeypatch.setattr(huggingface_hub, "snapshot_download", replaced)
        return replaced

    return replace


def test_hub_fetches_only_the_files_of_one_kind(hub, monkeypatch):
    monkeypatch.setenv("TFW_OFFLINE", "0")
    replaced = hub(["unet/diffusion_pytorch_model.safetensors"])
    found = locate("someone/sd15@abc123", UNET)
    assert found.path.name == "diffusion_pytorch_model.safetensors"
    assert found.shown == "someone/sd15@abc123: unet/diffusion_pytorch_model.safetensors"
    ((repository, revision, patterns, local),) = replaced.asked
    assert (repository, revision, local) == ("someone/sd15", "abc123", False)
    assert "unet/config.json" in patterns
    assert "unet/diffusion_pytorch_model-*-of-*.safetensors" in patterns
    assert not any("fp16" in p or p.endswith(".bin") or "v1-5" in p for p in patterns)


def test_hub_with_pickles_alone_and_with_neither(hub, monkeypatch):
    monkeypatch.delenv("TFW_OFFLINE")
    replaced = hub([], ["unet/diffusion_pytorch_model.bin"])
    assert locate("someone/sd15", UNET).path.name == "diffusion_pytorch_model.bin"
    assert len(replaced.asked) == 2
    with pytest.raises(WeightMissing, match="in the repository someone/other"):
        locate("someone/other", HubWeight("x", "x", "x/y", files=("motion_module.pth",)))


WHISPER = HubWeight(
    "whisper", "Whisper", "someone/whisper", files=("model.bin",), companions=("config.json",)
)


def test_a_file_counts_with_its_companions_alone(tmp_path, hub, monkeypatch):
    touch(tmp_path, "model.bin")
    with pytest.raises(WeightMissing, match=r"found no model\.bin with config\.json"):
        locate(str(tmp_path), WHISPER)
    touch(tmp_path, "config.json")
    assert locate(str(tmp_path), WHISPER).path == tmp_path / "model.bin"
    monkeypatch.setenv("TFW_OFFLINE", "0")
    replaced = hub(["model.bin"], ["model.bin", "config.json"])
    with pytest.raises(WeightMissing, match=r"no model\.bin with config\.json"):
        locate("someone/whisper", WHISPER)
    assert locate("someone/whisper", WHISPER).path.name == "model.bin"
    assert all(
        {"model.bin", "config.json"} <= set(patterns) for _, _, patterns, _ in replaced.asked
    )


def test_offline_only_what_was_fetched_before_is_used(hub):
    missing = LocalEntryNotFoundError("not cached")
    replaced = hub(missing)
    with pytest.raises(NetworkUnavailable, match="TFW_OFFLINE=1.*give a folder"):
        load_weights(small_parts(), {"sd15": "stable-diffusion-v1-5/stable-diffusion-v1-5"})
    assert all(local for *_, local in replaced.asked)
    replaced = hub(missing, ["unet/diffusion_pytorch_model.bin"])
    assert locate("someone/sd15", UNET).path.suffix == ".bin"


def test_offline_the_real_hub_is_not_asked(monkeypatch, tmp_path):
    """A name that is no folder: the sentence says both that could be meant."""
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(NetworkUnavailable, match="no folder of this name.*TFW_OFFLINE=1"):
        locate("weights/sd15-mistyped", UNET)


def test_no_such_repository_and_a_broken_connection(hub, monkeypatch):
    monkeypatch.delenv("TFW_OFFLINE")
    response = type("R", (), {"headers": {}, "request": None, "status_code": 404})()
    hub(RepositoryNotFoundError("404", response=response))
    with pytest.raises(InputUnreadable, match="neither a folder nor a repository"):
        locate("someone/nothing", UNET)
    hub(RuntimeError("connection reset"))
    with pytest.raises(NetworkUnavailable, match="RuntimeError.*run it again with a network"):
        locate("someone/sd15", UNET)
