"""Networks that only infer: batch norms folded away, weights in the order that suits a CPU."""

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_norms(network: nn.Module, convolution: str, norm: str) -> None:
    """Fold in place wherever a part of ``network`` holds a ``convolution`` and a ``norm`` after it.

    Both are names of attributes. The norm becomes an identity, and the folded weights lie with
    their channels last. Outputs change by rounding alone. The network has to be in eval mode.
    """
    for part in list(network.modules()):
        convolved, normed = getattr(part, convolution, None), getattr(part, norm, None)
        if not isinstance(convolved, nn.Conv2d | nn.Conv3d) or normed is None:
            continue
        flat = isinstance(convolved, nn.Conv2d)
        folded = fuse_conv_bn_eval(convolved, normed)
        order = torch.channels_last if flat else torch.channels_last_3d
        folded.weight = nn.Parameter(folded.weight.detach().contiguous(memory_format=order))
        setattr(part, convolution, folded)
        setattr(part, norm, nn.Identity())
