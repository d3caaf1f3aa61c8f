"""Facial landmarks drawn as pictures, and the guider that makes head tokens of them.

Shapes: T frames, P landmarks, S side of a drawing, K head tokens, W their width.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.controlnets.controlnet import ControlNetConditioningEmbedding
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from talkingface_wild.models.mcdm.config import MCDMConfig

Points = npt.NDArray[np.float32]

CONTOUR = tuple(range(17))
"""The jaw's points among the 68 of iBUG 300-W."""
EYES_NOSE = (tuple(range(36, 42)), tuple(range(42, 48)), (30,))
"""Left eye, right eye and the tip of the nose among the 68; five points have them first."""


def chosen_points(points_TP2: Points, kind: str) -> Points:
    """The landmarks drawn (R31): ``eyes_nose`` (3), ``contour`` (jaw, eyes, nose), ``full``.

    Takes five points (eyes, nose, corners of the mouth) or the 68 of iBUG 300-W. Raises ValueError
    for another number, or for a choice that five points cannot give.
    """
    count = points_TP2.shape[1]
    if count == 5:
        if kind == "contour":
            raise ValueError("expected 68 landmarks for the contour, found 5")
        return points_TP2[:, :3] if kind == "eyes_nose" else points_TP2
    if count != 68:
        raise ValueError(f"expected 5 or 68 landmarks, found {count}")
    if kind == "full":
        return points_TP2
    middles = [points_TP2[:, list(group)].mean(axis=1) for group in EYES_NOSE]
    eyes_nose = np.stack(middles, axis=1)
    if kind == "eyes_nose":
        return eyes_nose
    return np.concatenate([points_TP2[:, list(CONTOUR)], eyes_nose], axis=1)


def drawn_landmarks(points_TP2: Points, side: int, kind: str) -> Tensor:
    """Discs in a colour for each landmark on black, (T, 3, S, S) in [0, 1].

    Points are in [0, 1] of the picture; a disc's edge is soft, so a small move changes the drawing.
    """
    points = torch.from_numpy(np.ascontiguousarray(chosen_points(points_TP2, kind))).float()
    radius = side / 64
    grid = (torch.arange(side) + 0.5) / side
    across = (grid - points[..., 0:1]) * side
    down = (grid - points[..., 1:2]) * side
    distance = (down[..., :, None].square() + across[..., None, :].square()).sqrt()
    discs_TPSS = (radius + 0.5 - distance).clamp(0, 1)
    hue = torch.arange(points.shape[1]) / points.shape[1] * 2 * torch.pi
    colours_P3 = 0.5 + 0.5 * torch.stack([hue.cos(), (hue - 2.1).cos(), (hue + 2.1).cos()], dim=1)
    return torch.einsum("tphw,pc->tchw", discs_TPSS, colours_P3).clamp(0, 1)


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

    @classmethod
    def of(cls, config: MCDMConfig) -> LandmarkGuider:
        """The guider of a configuration."""
        small = config.picture.side < 256
        return cls(
            channels=64 if small else 320,
            widths=(8, 16, 32, 32) if small else (16, 32, 96, 256),
            tokens=config.present.head_tokens,
            token_width=config.present.token_width,
            side=config.picture.side,
            landmarks=config.present.landmarks,
        )

    @torch.no_grad()
    def maps(self, points_TP2: Points) -> Tensor:
        """Pooled maps (T, channels * pool^2) of the landmarks."""
        weight = self.guider.conv_out.weight
        pool = nn.functional.adaptive_avg_pool2d
        found = []
        for start in range(0, len(points_TP2), self.BATCH):
            points = points_TP2[start : start + self.BATCH]
            drawn = drawn_landmarks(points, self.config.side, self.config.landmarks)
            found.append(pool(self.guider(drawn.to(weight)), self.config.pool).flatten(1))
        return torch.cat(found)

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
