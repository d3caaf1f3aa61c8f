"""AnimateDiff's motion modules as a warm start of temporal attention: q, k, v and the norm.

An attention without their projections and feed-forward that keeps its way out at zero gets a start,
no transplant. Of 21 modules the 16 that stand beside a transformer are used.
"""

import re
from collections.abc import Mapping

from torch import Tensor, nn

from talkingface_wild.models.loading.locating import FileLayout
from talkingface_wild.models.loading.match_tensors import Names, Placement, place

LAYOUT = FileLayout(
    "AnimateDiff's motion modules",
    ("diffusion_pytorch_model",),
    ("", "motion_adapter"),
    ("mm_sd_v15_v2.ckpt", "mm_sd_v15_v2.safetensors", "motion_module.pth"),
)
ADVICE = "take mm_sd_v15_v2.ckpt of guoyww/animatediff: older ones lack the middle block's module"
_BLOCK = re.compile(r"^(.*)\.attentions\.(\d+)\.transformer_blocks\.0\.(.*)$")


def temporal_names(unet: nn.Module, layers: Mapping[str, str]) -> Names:
    """Layers of a UNet's transformer blocks, under the names of AnimateDiff's motion modules.

    ``layers`` gives the module's layer (diffusers' name, such as ``attn1.to_q`` or ``norm1``) for
    each of the network's; the names of AnimateDiff's own files are tried as well.
    """
    names = {}
    for name in unet.state_dict():
        match = _BLOCK.match(name)
        layer, _, end = match[3].rpartition(".") if match else ("", "", "")
        if match is None or layer not in layers:
            continue
        module, theirs = f"{match[1]}.motion_modules.{match[2]}", layers[layer]
        original = theirs.replace("norm1", "norms.0").replace("attn1", "attention_blocks.0")
        names[name] = (
            f"{module}.transformer_blocks.0.{theirs}.{end}",
            f"{module}.temporal_transformer.transformer_blocks.0.{original}.{end}",
        )
    return names


def place_temporal(
    unet: nn.Module, layers: Mapping[str, str], tensors: Mapping[str, Tensor], source: str
) -> Placement:
    """The warm start of these layers, and what of the motion modules it leaves out."""
    return place(
        "temporal q,k,v",
        source,
        unet,
        temporal_names(unet, layers),
        tensors,
        left_out=r"\.motion_modules\.",
        advice=ADVICE,
    )
