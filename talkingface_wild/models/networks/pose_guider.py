"""The pose guider on drawn landmarks: its full map, and head tokens that are fitted to it.

Shapes: T frames, P landmarks, C h w a map, K head tokens, W their width.
"""

from collections.abc import Iterator

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.controlnets.controlnet import ControlNetConditioningEmbedding
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from talkingface_wild.models.conditions.landmarks import Points, drawn_landmarks


class LandmarkGuider(ModelMixin, ConfigMixin):
    """Moore-AnimateAnyone's pose guider on drawn landmarks, pooled to head tokens; frozen.

    Its trunk has the names of ``pose_guider.pth``. The way from its pooled map to the tokens is a
    principal-component projection that is fitted once over the training set, since trained with
    the prior it could collapse.
    """

    BATCH = 8
    """Frames drawn at once: a drawing at full size takes megabytes for each landmark."""
    config_name = "config.json"
    mean_M: Tensor
    basis_NM: Tensor
    std_N: Tensor

    @register_to_config
    def __init__(
        self,
        channels: int = 320,
        widths: tuple[int, ...] = (16, 32, 96, 256),
        pool: int = 4,
        tokens: int = 4,
        token_width: int = 256,
        side: int = 512,
        landmarks: str = "eyes_nose",
    ) -> None:
        super().__init__()
        self.guider = ControlNetConditioningEmbedding(channels, block_out_channels=widths)
        # Zero as published until weights are loaded; fresh, it must tell places apart.
        nn.init.kaiming_normal_(self.guider.conv_out.weight)
        mapped = channels * pool * pool
        self.register_buffer("mean_M", torch.zeros(mapped))
        self.register_buffer("basis_NM", torch.zeros(tokens * token_width, mapped))
        self.register_buffer("std_N", torch.ones(tokens * token_width))

    @torch.no_grad()
    def full_maps(self, points_TP2: Points) -> Iterator[Tensor]:
        """The guider's maps (at most ``BATCH``, C, h, w) of the landmarks, a batch at a time."""
        weight = self.guider.conv_out.weight
        for start in range(0, len(points_TP2), self.BATCH):
            points = points_TP2[start : start + self.BATCH]
            drawing = drawn_landmarks(points, self.config.side, self.config.landmarks)
            yield self.guider(drawing.to(weight))

    @torch.no_grad()
    def maps(self, points_TP2: Points) -> Tensor:
        """Pooled maps (T, channels * pool^2) of the landmarks."""
        pool = nn.functional.adaptive_avg_pool2d
        return torch.cat([pool(m, self.config.pool).flatten(1) for m in self.full_maps(points_TP2)])

    def fit(self, maps_TM: Tensor) -> None:
        """Take the projection from the training set's maps: as many components as they have."""
        maps = maps_TM.double()
        self.mean_M.copy_(maps.mean(dim=0))
        centred = maps - maps.mean(dim=0)
        _, spread, components_RM = torch.linalg.svd(centred, full_matrices=False)
        rank = min(len(self.basis_NM), int((spread > spread.max() * 1e-5).sum()))
        self.basis_NM.zero_()
        self.std_N.fill_(1.0)
        self.basis_NM[:rank].copy_(components_RM[:rank])
        self.std_N[:rank].copy_(spread[:rank] / max(1, len(maps) - 1) ** 0.5)

    @torch.no_grad()
    def forward(self, points_TP2: Points) -> Tensor:
        """Head tokens (T, K, W) of landmarks (T, P, 2) in [0, 1]."""
        tokens_TN = (self.maps(points_TP2) - self.mean_M) @ self.basis_NM.T / self.std_N
        return tokens_TN.unflatten(-1, (self.config.tokens, self.config.token_width))
