"""Variant B2 of the paper's Table 5: AnimateAnyone's reference UNet in place of the archive.

Shapes: B clips, C H W a latent, N places, S context tokens, D width.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention import BasicTransformerBlock
from torch import Tensor, nn

from talkingface_wild.models.mcdm.config import MCDMConfig


class ReferenceUNet(UNet2DConditionModel):
    """SD 1.5's UNet run once on the reference; its blocks' normed rows join self-attention."""

    @classmethod
    def of(cls, config: MCDMConfig) -> ReferenceUNet:
        """The reference network beside a configuration's trunk."""
        trunk, picture = config.trunk, config.picture
        kinds = trunk.attention
        return cls(
            sample_size=picture.latent_side,
            in_channels=picture.latent_channels,
            out_channels=picture.latent_channels,
            down_block_types=tuple(
                "CrossAttnDownBlock2D" if has else "DownBlock2D" for has in kinds
            ),
            up_block_types=tuple(
                "CrossAttnUpBlock2D" if has else "UpBlock2D" for has in reversed(kinds)
            ),
            block_out_channels=trunk.channels,
            layers_per_block=trunk.layers,
            attention_head_dim=trunk.heads,
            norm_num_groups=trunk.groups,
            cross_attention_dim=trunk.context_width,
        )

    def bank(self, reference_BCHW: Tensor, context_BSD: Tensor) -> dict[int, Tensor]:
        """Rows (B, N, C) after the first norm of each block, by the block's number in the trunk."""
        rows: dict[int, Tensor] = {}
        hooks = []
        for number, block in enumerate(self._blocks()):

            def note(_m: Any, _i: Any, out: Tensor, number: int = number) -> None:
                rows[number] = out

            hooks.append(block.norm1.register_forward_hook(note))
        try:
            time_B = torch.zeros(len(reference_BCHW), device=reference_BCHW.device)
            latent_BCHW, context_BSD = reference_BCHW.to(self.dtype), context_BSD.to(self.dtype)
            super().forward(latent_BCHW, time_B, context_BSD, return_dict=False)
        finally:
            for hook in hooks:
                hook.remove()
        return rows

    def used_parameters(self) -> dict[str, nn.Parameter]:
        """The parameters that the bank depends on, by name.

        What the network computes after the last block's first norm reaches no loss.
        """
        sides = self._sides()
        last = max(place for place, side in enumerate(sides) if _blocks_of(side))
        side, block = sides[last], _blocks_of(sides[last])[-1]
        after = [*sides[last + 1 :], self.conv_norm_out, self.conv_out]
        after += [part for name, part in block.named_children() if name != "norm1"]
        after.append(side.attentions[-1].proj_out)
        if side is self.mid_block:
            after.append(side.resnets[-1])
        else:
            after.append(side.upsamplers)
        unused = {id(p) for part in after if part is not None for p in part.parameters()}
        return {name: p for name, p in self.named_parameters() if id(p) not in unused}

    def _sides(self) -> list[Any]:
        return [*self.down_blocks, self.mid_block, *self.up_blocks]

    def _blocks(self) -> list[Any]:
        """The transformer blocks in order of use."""
        return [block for side in self._sides() for block in _blocks_of(side)]


def _blocks_of(side: nn.Module) -> list[Any]:
    return [module for module in side.modules() if isinstance(module, BasicTransformerBlock)]
