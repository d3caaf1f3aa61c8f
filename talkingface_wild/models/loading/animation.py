"""Motion modules as a warm start of temporal attention, and Moore-AnimateAnyone's files.

An attention without their projections and feed-forward that keeps its way out at zero gets a start,
no transplant. Of 21 modules the 16 that stand beside a transformer are used.
Moore's own loader reads its four files with ``strict=False``, which hides motion modules that were
not loaded.
"""

import re
from collections.abc import Mapping

from torch import nn

from talkingface_wild.models.loading.match_tensors import Names, Placement, WeightFile, place

MOTION_ADVICE = (
    "take mm_sd_v15_v2.ckpt of guoyww/animatediff: older ones lack the middle block's module"
)
GUIDER_ADVICE = "take pose_guider.pth of patrolli/AnimateAnyone, or leave it out and train one"
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


def place_temporal(unet: nn.Module, layers: Mapping[str, str], file: WeightFile) -> Placement:
    """The warm start of these layers, and what of the motion modules it leaves out."""
    return place(
        "temporal q,k,v",
        file.source,
        unet,
        temporal_names(unet, layers),
        file.tensors,
        left_out=r"\.motion_modules\.",
        advice=MOTION_ADVICE,
    )


def place_guider(guider: nn.Module, file: WeightFile) -> Placement:
    """The pose guider into a landmark guider's convolutions."""
    prefix = "guider."
    names = {
        name: (name.removeprefix(prefix), name)
        for name in guider.state_dict()
        if name.startswith(prefix)
    }
    return place("pose guider", file.source, guider, names, file.tensors, advice=GUIDER_ADVICE)
