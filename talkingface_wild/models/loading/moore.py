"""Moore-AnimateAnyone's four files: trunk, reference UNet, pose guider, motion modules.

Its own loader reads them with ``strict=False``, which hides motion modules that were not loaded.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from talkingface_wild.models.loading.locating import FileLayout
from talkingface_wild.models.loading.match_tensors import Placement, place

TRUNK_LAYOUT = FileLayout("Moore's trunk", files=("denoising_unet.pth",), guess=False)
REFERENCE_LAYOUT = FileLayout("Moore's reference UNet", files=("reference_unet.pth",), guess=False)
TEMPORAL_LAYOUT = FileLayout("Moore's motion modules", files=("motion_module.pth",), guess=False)
GUIDER_LAYOUT = FileLayout("Moore's pose guider", files=("pose_guider.pth",), guess=False)
ONE_GUIDER_LAYOUT = FileLayout("a pose guider", files=("pose_guider.pth", "pose_guider1.pth"))
ADVICE = "take pose_guider.pth of patrolli/AnimateAnyone, or leave it out and train one"


def place_guider(guider: nn.Module, tensors: Mapping[str, Tensor], source: str) -> Placement:
    """The pose guider into a landmark guider's convolutions."""
    prefix = "guider."
    names = {
        name: (name.removeprefix(prefix), name)
        for name in guider.state_dict()
        if name.startswith(prefix)
    }
    return place("pose guider", source, guider, names, tensors, advice=ADVICE)
