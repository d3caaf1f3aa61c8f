"""Ways to run the full-size network, and what they are held against: the device's matrix rate."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from talkingface_wild.models.mcdm import MCDMParts
from talkingface_wild.models.mcdm.temporal_attention import favor_attention
from tests.speed.mcdm_findings import DEVICE, SMALL, Finding, seconds

BACKEND = "eager" if SMALL else "inductor"
"""What torch.compile hands its graphs to: the small network's are traced alone."""


@dataclass(frozen=True)
class Variant:
    """A way to run the network."""

    attention: str = "favor"
    tf32: bool = False
    """FAVOR+'s float32 products in TF32, which tensor cores take."""
    channels_last: bool = False
    compiled: bool = False

    @property
    def name(self) -> str:
        """As the tables say it."""
        words = [self.attention, "compiled" if self.compiled else "eager"]
        words += ["TF32"] * self.tf32 + ["channels-last"] * self.channels_last
        return ", ".join(words)


VARIANTS = (
    Variant(),
    Variant(tf32=True),
    Variant(tf32=True, channels_last=True),
    Variant(tf32=True, compiled=True),
    Variant(tf32=True, compiled=True, channels_last=True),
    Variant("softmax"),
    Variant("softmax", channels_last=True),
    Variant("softmax", compiled=True, channels_last=True),
)


def matrix_rate() -> float:
    """Operations a second of a large bf16 matrix product on this device."""
    side = 512 if SMALL else 8192
    draws = torch.Generator(DEVICE).manual_seed(0)
    first, second = (
        torch.randn(side, side, generator=draws, device=DEVICE, dtype=torch.bfloat16)
        for _ in range(2)
    )
    times = 20
    spent = seconds(lambda: [first @ second for _ in range(times)], times=5, warm=2)
    return 2 * side**3 * times / spent


def rate() -> Iterator[Finding]:
    """The matrix rate that the others are held against."""
    found = matrix_rate()
    name = f"bf16 matrix product, {512 if SMALL else 8192:,} a side"
    yield Finding(name, f"{found / 1e12:.2f} TFLOP/s", "–", {"flops_a_second": found})


@torch.no_grad()
def tf32() -> Iterator[Finding]:
    """What TF32 costs FAVOR+ in precision, at the widest block's shape."""
    rows, width = 64 if SMALL else 4096, 40
    draws = torch.Generator(DEVICE).manual_seed(0)
    query, key, value = (
        functional.normalize(
            torch.randn(rows, 8, count, width, generator=draws, device=DEVICE), dim=-1
        )
        for count in (16, 32, 32)
    )
    features = torch.randn(147, width, generator=draws, device=DEVICE)
    exact = favor_attention(query, key, value, features)
    torch.set_float32_matmul_precision("high")
    try:
        found = favor_attention(query, key, value, features)
    finally:
        torch.set_float32_matmul_precision("highest")
    error = float((found - exact).norm() / exact.norm())
    half = float((exact.bfloat16().float() - exact).norm() / exact.norm())
    figure = f"{error:.1e} relative; rounding to bf16 is {half:.1e}"
    yield Finding("FAVOR+ in TF32 against float32", figure, "–", {"error": error, "bf16": half})


@contextmanager
def run_as(parts: MCDMParts, variant: Variant) -> Iterator[None]:
    """The model run as a variant says."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if variant.tf32 else "highest")
    layout = torch.channels_last if variant.channels_last else torch.contiguous_format
    unet: Any = parts.unet
    unet.to(memory_format=layout)
    if variant.compiled:
        unet.compile(backend=BACKEND)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
        torch.compiler.reset()
