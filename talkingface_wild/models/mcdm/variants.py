"""The variants of the paper's Tables 4 and 5 and of Figure 7, each as settings."""

from talkingface_wild.core.errors import RecipeError, nearest
from talkingface_wild.models.mcdm.config import MCDMConfig

VARIANTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "ours": ("MCDM", ()),
    "no_archive": ("w/o F_a", ("archived.kind=none",)),
    "no_present": ("w/o F_pc", ("present.kind=audio_attention",)),
    "no_mta": ("w/o MTA", ("temporal.kind=standard",)),
    "qformer": ("B1 (Q-Former)", ("archived.kind=qformer",)),
    "reference_unet": ("B2 (Reference UNet)", ("archived.kind=reference_unet",)),
    **{
        f"alpha_{int(10 * alpha)}": (f"alpha {alpha}", (f"temporal.alpha={alpha}",))
        for alpha in (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)
    },
}
"""Each variant's name in the paper and its settings."""

ABLATIONS = ("no_archive", "no_present", "no_mta", "qformer", "reference_unet")
"""Rows of Tables 4 and 5 beside the model itself."""
ALPHAS = tuple(name for name in VARIANTS if name.startswith("alpha_"))
"""Points of Figure 7."""
FOLDER = "variants"
"""Where a training folder keeps its variants, each a training folder of its own."""


def varied(config: MCDMConfig, variant: str) -> MCDMConfig:
    """The configuration of a variant. RecipeError names the nearest for an unknown one."""
    if variant not in VARIANTS:
        raise RecipeError(
            f"Expected a variant of {', '.join(VARIANTS)}, found {variant!r}"
            f"{nearest(variant, VARIANTS)}."
        )
    return config.changed(VARIANTS[variant][1])
