"""The present-clip motion-prior diffusion model, section 3.3: sound and portrait -> motion tokens.

Shapes: B clips, F frames, W window of sound features, E their width, S image tokens, K motion
tokens of a frame (head, lip, expression in this order), T their width, D width inside.
"""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.prior_layers import (
    MultimodalCausalBlock,
    TemporalInteractionBlock,
)


class FiLM(nn.Module):
    """Feature-wise linear modulation (Perez et al. 2018): x -> (1 + gamma(c)) x + beta(c).

    It starts as the identity.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.to_gamma_beta = nn.Linear(width, 2 * width)
        nn.init.zeros_(self.to_gamma_beta.weight)
        nn.init.zeros_(self.to_gamma_beta.bias)

    def forward(self, rows: Tensor, condition: Tensor) -> Tensor:
        """Rows (..., D) turned by a condition that broadcasts to them."""
        gamma, beta = self.to_gamma_beta(condition).chunk(2, dim=-1)
        return (1 + gamma) * rows + beta


class PresentClipPrior(ModelMixin, ConfigMixin):
    """Predicts noise (or the tokens, by its scheduler) on the motion tokens of one clip, eq. 3.

    The sequence of a frame is [X | image | landmarks | t | head | lip | expression (| queries)], X
    being the correlation tokens that FiLM makes of sound and image. With landmarks the head is
    given: its noised tokens are seen by nobody, and their predictions mean nothing.
    """

    config_name = "config.json"
    _supports_gradient_checkpointing = True

    @register_to_config
    def __init__(
        self,
        audio_window: int = 2,
        audio_width: int = 768,
        audio_tokens: int = 4,
        image_width: int = 1024,
        image_tokens: int = 4,
        head_tokens: int = 4,
        lip_tokens: int = 4,
        expression_tokens: int = 4,
        token_width: int = 256,
        width: int = 768,
        layers: int = 8,
        heads: int = 12,
        film: str = "image_modulates_audio",
        image_in_sequence: bool = False,
        readout: str = "noised",
        causal_axis: str = "token",
    ) -> None:
        super().__init__()
        self.gradient_checkpointing = False
        tokens = head_tokens + lip_tokens + expression_tokens
        heard = (2 * audio_window + 1) * audio_width
        self.audio_in = nn.Linear(heard, audio_tokens * width)
        self.image_pool = nn.Linear(image_width, width)
        modulates = film == "image_modulates_audio"
        if image_in_sequence or not modulates:
            self.image_in = nn.Linear(image_width, image_tokens * width)
        self.modulated = FiLM(width)
        self.landmark_in = nn.Linear(token_width, width)
        self.noised_in = nn.Linear(token_width, width)
        self.time_proj = Timesteps(width, flip_sin_to_cos=True, downscale_freq_shift=0)
        self.time_in = TimestepEmbedding(width, width)
        correlated = audio_tokens if modulates else image_tokens + 1
        images = image_tokens + 1 if image_in_sequence else 0
        queries = tokens if readout == "query" else 0
        self.parts = {
            "correlation": correlated,
            "image": images,
            "landmark": head_tokens,
            "time": 1,
            "noised": tokens,
            "query": queries,
        }
        length = sum(self.parts.values())
        self.place_SD = nn.Parameter(torch.randn(length, width) * 0.02)
        if queries:
            self.query_KD = nn.Parameter(torch.randn(queries, width) * 0.02)
        by_time = causal_axis == "time"
        self.causal = nn.ModuleList(MultimodalCausalBlock(width, heads) for _ in range(layers))
        self.temporal = nn.ModuleList(
            TemporalInteractionBlock(width, heads, by_time) for _ in range(layers)
        )
        self.norm_out = nn.LayerNorm(width)
        self.out = nn.Linear(width, token_width)

    @classmethod
    def of(cls, config: MCDMConfig) -> PresentClipPrior | None:
        """The prior of a configuration; None for a variant without it."""
        present = config.present
        if present.kind != "prior":
            return None
        fields = cls._get_init_keys(cls) - {"self", "kwargs"}
        return cls(**{name: getattr(present, name) for name in fields})

    @property
    def token_count(self) -> int:
        """K, motion tokens of a frame."""
        return self.parts["noised"]

    def seen(self, landmarks_on_B: Tensor) -> Tensor:
        """(B, S, S) True where a token may see another: earlier ones, and none that is absent."""
        length = sum(self.parts.values())
        device = landmarks_on_B.device
        order = torch.ones(length, length, dtype=torch.bool, device=device)
        if self.config.causal_axis == "token":
            order = order.tril()
        there_BS = torch.ones(len(landmarks_on_B), length, dtype=torch.bool, device=device)
        given_B1 = landmarks_on_B.bool()[:, None]
        start = self._start("landmark")
        heads = self.config.head_tokens
        there_BS[:, start : start + heads] = given_B1
        start = self._start("noised")
        there_BS[:, start : start + heads] = ~given_B1
        # A token always sees itself, so that no row of the attention is empty.
        itself = torch.eye(length, dtype=torch.bool, device=device)
        return (order & there_BS[:, None]) | itself

    def _start(self, part: str) -> int:
        names = list(self.parts)
        return sum(self.parts[name] for name in names[: names.index(part)])

    def correlation(self, sound_BFWE: Tensor, image_BSE: Tensor) -> Tensor:
        """FiLM's tokens: X (B, F, k_a, D), or the image's tokens turned by sound (R29)."""
        width = self.config.width
        sound = self.audio_in(sound_BFWE.flatten(2)).unflatten(-1, (-1, width))
        pooled = self.image_pool(image_BSE.mean(dim=1))
        if self.config.film == "image_modulates_audio":
            return self.modulated(sound, pooled[:, None, None])
        images = self._image_rows(image_BSE)[:, None].expand(-1, sound.shape[1], -1, -1)
        return self.modulated(images, sound.mean(dim=2, keepdim=True))

    def _image_rows(self, image_BSE: Tensor) -> Tensor:
        pooled = image_BSE.mean(dim=1)
        rows = self.image_in(pooled).unflatten(-1, (-1, self.config.width))
        return torch.cat([self.image_pool(pooled)[:, None], rows], dim=1)

    def forward(
        self,
        noised_BFKT: Tensor,
        timestep: Tensor | int,
        sound_BFWE: Tensor,
        image_BSE: Tensor,
        landmarks_BFHT: Tensor | None = None,
        landmarks_on_B: Tensor | None = None,
    ) -> Tensor:
        """The prediction for every motion token, (B, F, K, T).

        ``landmarks_on_B`` tells whose landmarks are given; without it all or none are.
        """
        batch, frames = noised_BFKT.shape[:2]
        width, heads = self.config.width, self.config.head_tokens
        time_B = torch.as_tensor(timestep, device=noised_BFKT.device).expand(batch)
        time_BD = self.time_in(self.time_proj(time_B).to(noised_BFKT.dtype))
        if landmarks_on_B is None:
            landmarks_on_B = torch.full((batch,), landmarks_BFHT is not None, device=time_B.device)
        if landmarks_BFHT is None:
            landmarks_BFHT = noised_BFKT.new_zeros(batch, frames, heads, self.config.token_width)
        parts = [self.correlation(sound_BFWE, image_BSE)]
        if self.config.image_in_sequence:
            parts.append(self._image_rows(image_BSE)[:, None].expand(-1, frames, -1, -1))
        parts.append(self.landmark_in(landmarks_BFHT))
        parts.append(time_BD[:, None, None].expand(-1, frames, -1, -1))
        parts.append(self.noised_in(noised_BFKT))
        if self.config.readout == "query":
            parts.append(self.query_KD.expand(batch, frames, -1, width))
        rows_BFSD = torch.cat(parts, dim=2) + self.place_SD
        seen_BSS = self.seen(landmarks_on_B)
        for causal, temporal in zip(self.causal, self.temporal, strict=True):
            rows_BFSD = self._layer(causal, temporal, rows_BFSD, time_BD, seen_BSS)
        start = self._start("query" if self.config.readout == "query" else "noised")
        read = rows_BFSD[:, :, start : start + self.token_count]
        return self.out(self.norm_out(read))

    def _layer(
        self, causal: nn.Module, temporal: nn.Module, rows: Tensor, time: Tensor, seen: Tensor
    ) -> Tensor:
        if self.gradient_checkpointing and torch.is_grad_enabled():
            rows = self._gradient_checkpointing_func(causal, rows, time, seen)
            return self._gradient_checkpointing_func(temporal, rows)
        return temporal(causal(rows, time, seen))

    def predicted(self, landmarks_on_B: Tensor) -> Tensor:
        """(B, K) 1 for tokens that are noised and predicted, 0 for a head that is given."""
        on_BK = torch.ones(len(landmarks_on_B), self.token_count, device=landmarks_on_B.device)
        on_BK[:, : self.config.head_tokens] = (~landmarks_on_B.bool())[:, None].float()
        return on_BK
