"""A model declares its slots; loading knows nothing else of it."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from talkingface_wild.core.errors import UsageError
from talkingface_wild.models.loading import Slot, load_weights
from talkingface_wild.models.loading.match_tensors import place


class Newcomer:
    """A generator of one layer that may start from the file of a UNet."""

    def __init__(self):
        self.layer = nn.Linear(2, 2)

    def slots(self):
        names = {name: (name,) for name in self.layer.state_dict()}
        return {
            "unet": Slot(lambda f: [place("layer", f.source, self.layer, names, f.tensors)]),
            "vae": Slot(lambda f: [], "it paints pixels"),
        }


def test_a_model_that_nobody_knows_is_filled(tmp_path):
    other = nn.Linear(2, 2)
    save_file(other.state_dict(), tmp_path / "layer.safetensors")
    model = Newcomer()
    (coverage,) = load_weights(model, {"unet": str(tmp_path)})
    assert coverage.share == 1 and coverage.group == "layer"
    assert torch.equal(model.layer.weight, other.weight)


@pytest.mark.parametrize(
    ("name", "reason"), [("vae", "it paints pixels"), ("clip", "it has no clip")]
)
def test_what_it_has_no_place_for_is_refused(name, reason):
    with pytest.raises(UsageError, match=reason):
        load_weights(Newcomer(), {name: "x"})
