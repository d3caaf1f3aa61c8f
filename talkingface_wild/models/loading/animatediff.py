"""AnimateDiff's motion modules as a warm start of temporal attention: q, k, v and the norm.

Our attention has neither their projections nor their feed-forward and keeps its way out at zero,
so this is a start, not a transplant. Of 21 modules the 16 that stand beside a transformer are used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor, nn

from talkingface_wild.models.loading.locating import Layout
from talkingface_wild.models.loading.placing import Names, Placement, place

LAYOUT = Layout(
    "AnimateDiff's motion modules",
    ("diffusion_pytorch_model",),
    ("", "motion_adapter"),
    ("mm_sd_v15_v2.ckpt", "mm_sd_v15_v2.safetensors", "motion_module.pth"),
)
ADVICE = "take mm_sd_v15_v2.ckpt of guoyww/animatediff: older ones lack the middle block's module"
_TEMPORAL = re.compile(
    r"^(.*)\.attentions\.(\d+)\.transformer_blocks\.0\.(mta\.to_[qkv]|norm_mta)\."
)


def temporal_names(unet: nn.Module) -> Names:
    """Temporal q, k, v and norm, under diffusers' names and those of AnimateDiff's own files."""
    names = {}
    for name in unet.state_dict():
        found = _TEMPORAL.match(name)
        if found is None:
            continue
        module, end = f"{found[1]}.motion_modules.{found[2]}", name[found.end() :]
        norm = found[3] == "norm_mta"
        part = "norm1" if norm else found[3].replace("mta", "attn1")
        original = "norms.0" if norm else found[3].replace("mta", "attention_blocks.0")
        names[name] = (
            f"{module}.transformer_blocks.0.{part}.{end}",
            f"{module}.temporal_transformer.transformer_blocks.0.{original}.{end}",
        )
    return names


def place_temporal(unet: nn.Module, tensors: Mapping[str, Tensor], source: str) -> list[Placement]:
    """The warm start, and what of the motion modules it leaves out."""
    return [
        place(
            "temporal q,k,v",
            source,
            unet,
            temporal_names(unet),
            tensors,
            left_out=r"\.motion_modules\.",
            advice=ADVICE,
        )
    ]
