"""Encoders of lips, expression and (where there are no landmarks) head, trained first, then frozen.

The paper's are "custom-trained" and unpublished; these are ours (docs/mcdm.md, A.4).
Shapes: B items, L frames of a window, C H W a crop, K tokens, T their width.
"""

import itertools

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn import functional


class _Residual(nn.Module):
    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inside, outside, 3, stride, 1)
        self.second = nn.Conv2d(outside, outside, 3, 1, 1)
        self.norm_first = nn.GroupNorm(8, outside)
        self.norm_second = nn.GroupNorm(8, outside)
        self.short = nn.Conv2d(inside, outside, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = functional.silu(self.norm_first(self.first(x)))
        return functional.silu(self.norm_second(self.second(out)) + self.short(x))


class CropEncoder(ModelMixin, ConfigMixin):
    """A window of crops (B, L, 3, S, S) in [-1, 1] -> motion tokens (B, K, T), about N(0, 1).

    ``window`` 1 looks at one frame. ``mean`` and ``std`` are taken over the training set once the
    encoder is trained, since the prior's diffusion assumes tokens of unit scale.
    """

    config_name = "config.json"
    mean_KT: Tensor
    std_KT: Tensor

    @register_to_config
    def __init__(
        self,
        side: int = 96,
        window: int = 5,
        widths: tuple[int, ...] = (32, 64, 128, 256),
        tokens: int = 4,
        token_width: int = 256,
    ) -> None:
        super().__init__()
        self.stem = nn.Conv3d(3, widths[0], (window, 5, 5), stride=(1, 2, 2), padding=(0, 2, 2))
        pairs = itertools.pairwise(widths)
        self.stages = nn.ModuleList(_Residual(inside, outside, 2) for inside, outside in pairs)
        left = side
        for _ in widths:
            left = (left + 1) // 2
        self.pool = nn.AdaptiveAvgPool2d(min(left, 3))
        self.out = nn.Linear(widths[-1] * min(left, 3) ** 2, tokens * token_width)
        self.register_buffer("mean_KT", torch.zeros(tokens, token_width))
        self.register_buffer("std_KT", torch.ones(tokens, token_width))

    def raw(self, crops_BLCHW: Tensor) -> Tensor:
        """Tokens before they are set to unit scale, (B, K, T)."""
        x = self.stem(crops_BLCHW.transpose(1, 2)).squeeze(2)
        x = functional.silu(x)
        for stage in self.stages:
            x = stage(x)
        out = self.out(self.pool(x).flatten(1))
        return out.unflatten(-1, (self.config.tokens, self.config.token_width))

    def forward(self, crops_BLCHW: Tensor) -> Tensor:
        """Motion tokens (B, K, T)."""
        return (self.raw(crops_BLCHW) - self.mean_KT) / self.std_KT

    def set_scale(self, raw_NKT: Tensor) -> None:
        """Take mean and spread of the training set's raw tokens.

        A dimension that hardly moves there counts a tenth of the average at least: by its own
        spread another person's tokens would be far out.
        """
        std_KT = raw_NKT.std(dim=0, correction=0)
        self.mean_KT.copy_(raw_NKT.mean(dim=0))
        self.std_KT.copy_(std_KT.clamp(min=max(1e-4, 0.1 * float(std_KT.mean()))))


class LipEncoder(CropEncoder):
    """96 x 96 mouth crops of five frames -> lip tokens."""


class ExpressionEncoder(CropEncoder):
    """112 x 112 faces whose mouth is masked -> expression tokens."""


class HeadEncoder(CropEncoder):
    """A down-scaled face crop -> head tokens: what ``tiny`` has in place of landmarks."""


class CropDecoder(nn.Module):
    """Tokens (B, K, T) -> a crop (B, 3, S, S): what encoders are trained against, then dropped."""

    def __init__(self, tokens: int, token_width: int, side: int, width: int = 64) -> None:
        super().__init__()
        self.start = max(1, side // 8)
        self.side, self.width = side, width
        self.open = nn.Linear(tokens * token_width, width * self.start**2)
        self.steps = nn.ModuleList(
            nn.Conv2d(width >> step, width >> (step + 1), 3, 1, 1) for step in range(3)
        )
        self.last = nn.Conv2d(width >> 3, 3, 3, 1, 1)

    def forward(self, tokens_BKT: Tensor) -> Tensor:
        """A crop with values about in [-1, 1]."""
        x = self.open(tokens_BKT.flatten(1)).unflatten(-1, (self.width, self.start, self.start))
        for step in self.steps:
            x = functional.silu(step(functional.interpolate(x, scale_factor=2)))
        return self.last(functional.interpolate(x, size=(self.side, self.side)))
