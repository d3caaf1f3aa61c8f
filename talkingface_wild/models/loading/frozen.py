"""The frozen encoders: CLIP's vision transformer and wav2vec 2.0, from transformers folders."""

from collections.abc import Callable
from typing import Any

from torch import nn

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.models.loading.match_tensors import Placement, WeightFile, place
from talkingface_wild.models.loading.tensor_files import read_json

_WEIGHT_NORM = {"parametrizations.weight.original0": "weight_g",
                "parametrizations.weight.original1": "weight_v"}  # fmt: skip


def place_clip(file: WeightFile, width: int, attach: Callable[[nn.Module], None]) -> Placement:
    """A new CLIPVisionModel whose features are ``width`` wide; the text encoder is left out."""
    from transformers import CLIPVisionConfig, CLIPVisionModel

    config = _configuration(CLIPVisionConfig, file, ("clip", "clip_vision_model"), width)
    model = CLIPVisionModel(config)
    inner = "vision_model."
    names = {
        name: (name, f"{inner}{name}", name.removeprefix(inner)) for name in model.state_dict()
    }
    return place(
        "clip",
        file.source,
        model,
        names,
        file.tensors,
        left_out=r"^(text_model|text_projection|visual_projection|logit_scale)|position_ids$",
        advice="take the whole of openai/clip-vit-large-patch14",
        attach=attach,
    )


def place_wav2vec2(file: WeightFile, width: int, attach: Callable[[nn.Module], None]) -> Placement:
    """A new Wav2Vec2Model whose features are ``width`` wide; its head for text is left out.

    The published file has no ``masked_spec_embed``, which only training reads.
    """
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    config = _configuration(Wav2Vec2Config, file, ("wav2vec2",), width)
    model = Wav2Vec2Model(config)
    names = {}
    for name in model.state_dict():
        before = name
        for new, old in _WEIGHT_NORM.items():
            before = before.replace(new, old)
        names[name] = (f"wav2vec2.{name}", f"wav2vec2.{before}", name, before)
    return place(
        "wav2vec2",
        file.source,
        model,
        names,
        file.tensors,
        left_out=r"^(lm_head|quantizer|project_q|project_hid|dropout_features)\.",
        idle=r"masked_spec_embed$",
        advice="take the whole of facebook/wav2vec2-base-960h",
        attach=attach,
    )


def _configuration(kind: Any, file: WeightFile, model_types: tuple[str, ...], width: int) -> Any:
    """The configuration beside the weights. Raises InputUnreadable for another network's."""
    from huggingface_hub.errors import StrictDataclassError

    path = file.path.with_name("config.json")
    model_type = read_json(path).get("model_type")
    if model_type not in model_types:
        raise InputUnreadable(
            f"Expected a configuration of {' or '.join(model_types)} in {path}, found "
            f"{model_type!r}; take the folder that this network was published in."
        )
    try:
        config = kind.from_pretrained(path.parent, local_files_only=True)
    except (OSError, ValueError, TypeError, KeyError, StrictDataclassError) as error:
        raise InputUnreadable(
            f"Expected a configuration of {model_types[0]} in {path}, found one that transformers "
            f"refuses ({str(error).splitlines()[0][:160]}); get it again from its source."
        ) from error
    if config.hidden_size != width:
        raise InputUnreadable(
            f"Expected features {width} wide, as the preset has them, found {config.hidden_size} "
            f"in {file.source}; take another checkpoint or set present.image_width or "
            "present.audio_width."
        )
    return config
