"""What is written as safetensors and read again is the same network to the bit."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.models.conditions.codec import PatchCodec
from talkingface_wild.models.mcdm import MCDMParts, preset
from tests.models.mcdm.made import awakened, made_parts, motion_batch, picture_batch

ALL = (
    "temporal.streams=residual",
    "temporal.carry=full",
    "present.audio_to_unet=true",
    "present.readout=query",
)


@pytest.fixture(scope="module")
def parts():
    made = awakened(made_parts(*ALL)).eval()
    made.patch_codec.fit(torch.randint(256, (3, 64, 64, 3), dtype=torch.uint8))
    for encoder in (made.lip_encoder, made.expression_encoder, made.head_encoder):
        encoder.set_scale(torch.randn(9, *encoder.mean_KT.shape))
    return made


def _same(one, other):
    assert type(one) is type(other) and list(one.state_dict()) == list(other.state_dict())
    for name, rows in one.state_dict().items():
        assert torch.equal(rows, other.state_dict()[name]), name


@pytest.mark.parametrize(
    "name",
    [
        "unet",
        "archived_prior",
        "motion_prior",
        "lip_encoder",
        "expression_encoder",
        "head_encoder",
        "patch_codec",
    ],
)
def test_each_network_by_itself(parts, name, tmp_path):
    network = getattr(parts, name)
    network.save_pretrained(tmp_path)
    assert list(tmp_path.glob("*.safetensors"))
    _same(network, type(network).from_pretrained(tmp_path))


@pytest.mark.parametrize(
    "settings",
    [
        ["archived.kind=reference_unet"],
        ["archived.kind=qformer", "temporal.kind=standard"],
        ["archived.kind=none", "present.head=landmarks"],
        ["present.kind=audio_attention", "temporal.attention=softmax"],
    ],
)
def test_the_networks_of_variants(settings, tmp_path):
    made = awakened(made_parts(*settings))
    made.save(tmp_path / "model")
    read = MCDMParts.load(tmp_path / "model")
    assert read.config == made.config and list(read.modules()) == list(made.modules())
    for name, network in made.modules().items():
        _same(network, read.modules()[name])


def test_a_read_model_computes_the_same_to_the_bit(parts, tmp_path):
    """Tensors that lie in the mapped file begin at any address, which changed last bits."""
    parts.save(tmp_path / "model")
    read = MCDMParts.load(tmp_path / "model").eval()
    pictures, motions = picture_batch(parts.config), motion_batch(parts.config)
    crops = torch.randn(2, 5, 3, 24, 24)

    @torch.no_grad()
    def computed(model):
        context = model.clip_context(
            pictures.reference_BCHW,
            pictures.archive_BACHW,
            pictures.image_BSE,
            pictures.tokens_BFKT,
            pictures.sound_BFWE,
            frames=8,
        )
        tokens = model.motion_prior(motions.tokens_BFKT, 500, motions.sound_BFWE, motions.image_BSE)
        frames = model.codec.decode(pictures.reference_BCHW)
        picture = model.unet(pictures.present_BFCHW, 500, context).sample
        return picture, tokens, model.lip_encoder(crops), frames

    for one, other in zip(computed(parts), computed(read), strict=True):
        assert torch.equal(one, other)
    for network in read.modules().values():
        for tensor in (*network.parameters(), *network.buffers()):
            assert tensor.data_ptr() % 64 == 0


def test_a_codec_keeps_its_fit(tmp_path):
    codec = PatchCodec(4, 6)
    frames = torch.randint(256, (2, 16, 16, 3), dtype=torch.uint8)
    codec.fit(frames)
    codec.save_pretrained(tmp_path)
    read = PatchCodec.from_pretrained(tmp_path)
    assert torch.equal(codec.encode(frames), read.encode(frames))


@pytest.mark.parametrize("change", ["lacks", "has another"])
def test_a_network_file_with_other_tensors_is_refused(change, tmp_path):
    """diffusers only warns: a checkpoint of another version loaded half, and drew noise."""
    MCDMParts.build(preset("tiny")).save(tmp_path / "model")
    path = tmp_path / "model" / "archived_prior" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    if change == "lacks":
        tensors.pop("frame_AD")
    else:
        tensors["frame_AE"] = tensors["frame_AD"].clone()
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(InputUnreadable, match="frame_A"):
        MCDMParts.load(tmp_path / "model")
