"""The present-clip motion-prior diffusion model, section 3.3: sound and portrait -> motion tokens.

Shapes: B clips, F frames, W window of sound features, E their width, S image tokens, K motion
tokens of a frame (head, lip, expression in this order), T their width, D width inside, O frames of
overlap with the clip before.
"""

from __future__ import annotations

import torch
from diffusers import DDIMScheduler
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn import functional

from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.temporal_attention import sinusoidal_positions
from talkingface_wild.models.samplers.denoising import denoise
from talkingface_wild.models.samplers.noise import make_solver


class _Attention(nn.Module):
    """Multi-head self-attention over the next-to-last axis, with an optional mask."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_qkv = nn.Linear(width, 3 * width)
        self.to_out = nn.Linear(width, width)

    def forward(self, rows_ELD: Tensor, mask: Tensor | None = None) -> Tensor:
        split = self.to_qkv(rows_ELD).unflatten(-1, (3, self.heads, -1))
        query, key, value = split.permute(2, 0, 3, 1, 4)
        out = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.to_out(out.transpose(1, 2).flatten(-2))


def _feed_forward(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
    )


class MultimodalCausalBlock(nn.Module):
    """A DiT block (Peebles & Xie 2023, adaLN-zero on t) whose attention runs along the tokens."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm_attend = nn.LayerNorm(width, elementwise_affine=False)
        self.attend = _Attention(width, heads)
        self.norm_feed = nn.LayerNorm(width, elementwise_affine=False)
        self.feed = _feed_forward(width)
        self.modulate = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, rows_BFSD: Tensor, time_BD: Tensor, seen_BSS: Tensor) -> Tensor:
        """``seen_BSS`` is True where a token may see another of its frame."""
        batch, frames = rows_BFSD.shape[:2]
        turned = self.modulate(functional.silu(time_BD))[:, None, None]
        shift_a, scale_a, gate_a, shift_f, scale_f, gate_f = turned.chunk(6, dim=-1)
        inside = self.norm_attend(rows_BFSD) * (1 + scale_a) + shift_a
        mask = seen_BSS.repeat_interleave(frames, dim=0)[:, None]
        out = self.attend(inside.flatten(0, 1), mask).unflatten(0, (batch, frames))
        rows_BFSD = rows_BFSD + gate_a * out
        inside = self.norm_feed(rows_BFSD) * (1 + scale_f) + shift_f
        return rows_BFSD + gate_f * self.feed(inside)


class TemporalInteractionBlock(nn.Module):
    """Self-attention over time for each token's place (as AnimateDiff), and a feed-forward."""

    def __init__(self, width: int, heads: int, causal: bool = False) -> None:
        super().__init__()
        self.causal = causal
        self.norm_attend = nn.LayerNorm(width)
        self.attend = _Attention(width, heads)
        self.norm_feed = nn.LayerNorm(width)
        self.feed = _feed_forward(width)
        for layer in (self.attend.to_out, self.feed[-1]):
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)

    def forward(self, rows_BFSD: Tensor) -> Tensor:
        """(B, F, S, D), each token's place on its own."""
        batch, frames, tokens, width = rows_BFSD.shape
        places = sinusoidal_positions(frames, width).to(rows_BFSD)
        along = self.norm_attend(rows_BFSD) + places[:, None]
        along = along.transpose(1, 2).reshape(batch * tokens, frames, width)
        mask = None
        if self.causal:
            mask = torch.ones(frames, frames, dtype=torch.bool, device=along.device).tril()
        out = self.attend(along, mask).unflatten(0, (batch, tokens)).transpose(1, 2)
        rows_BFSD = rows_BFSD + out
        return rows_BFSD + self.feed(self.norm_feed(rows_BFSD))


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
        queries = tokens if readout == "query" else 0
        self.parts = {
            "correlation": audio_tokens if modulates else image_tokens + 1,
            "image": image_tokens + 1 if image_in_sequence else 0,
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
        on_B1 = landmarks_on_B.bool()[:, None]
        for part, heads_on_B1 in (("landmark", on_B1), ("noised", ~on_B1)):
            start = self._start(part)
            there_BS[:, start : start + self.config.head_tokens] = heads_on_B1
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


def sampled_tokens(
    prior: PresentClipPrior,
    schedule: DDIMScheduler,
    steps: int,
    noise_BFKT: Tensor,
    sound_BFWE: Tensor,
    image_BSE: Tensor,
    known_BOKT: Tensor | None = None,
    head_BFHT: Tensor | None = None,
) -> Tensor:
    """Motion tokens (B, F, K, T) that ``noise_BFKT`` becomes in ``steps``.

    The window goes on from ``known_BOKT``, tokens of the clip before (A.7 of docs/mcdm.md).
    ``head_BFHT`` are given head tokens.
    """

    def predict(seen: Tensor, time: Tensor, _: int) -> Tensor:
        return prior(seen, time, sound_BFWE, image_BSE, head_BFHT).float()

    solver = make_solver("ddim", schedule, steps, noise_BFKT.device)
    tokens = denoise(solver, noise_BFKT, predict, known_BO=known_BOKT)
    if head_BFHT is not None:
        tokens[:, :, : head_BFHT.shape[2]] = head_BFHT
    return tokens
