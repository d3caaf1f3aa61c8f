"""The registry of stages: short names and their classes. A new stage is one file, one line here;
one of another package is an entry point of the group ``talkingface_wild.stages``.
"""

from typing import Any

from talkingface_wild.core.errors import RecipeError, nearest
from talkingface_wild.core.plug_ins import load, plug_ins

_OWN = {
    "download": "download:Download",
    "probe": "probe:ProbeStage",
    "shots": "shots:Shots",
    "speech": "speech:Speech",
    "language": "language:SpokenLanguage",
    "sound_quality": "sound_quality:ClipSoundQuality",
    "voices": "voices:Voices",
    "face_cuts": "face_cuts:FaceCuts",
    "faces": "faces:Faces",
    "sharpness": "sharpness:Sharpness",
    "liveness": "liveness:Liveness",
    "mesh": "mesh:Mesh",
    "speaks": "speaks:Speaks",
    "burnt_text": "burnt_text:BurntText",
    "quality": "quality:Quality",
    "sync": "sync:Sync",
    "identity": "identity:Identity",
    "prints": "prints:Prints",
    "languages": "languages:Languages",
    "identities": "identities:Identities",
    "lips": "lips_sync:LipsSync",
    "duplicates": "duplicates:Duplicates",
    "balance": "balance:Balance",
    "split": "split:Split",
    "encode": "encode:Encode",
}
REGISTRY: dict[str, str] = {
    **plug_ins("talkingface_wild.stages", _OWN),
    **{name: f"{__name__}.{where}" for name, where in _OWN.items()},
}


def stage_class(name: str) -> Any:
    """The class registered under ``name``. Raises RecipeError with the nearest name."""
    if name not in REGISTRY:
        raise RecipeError(
            f"{name!r} is no known stage{nearest(name, REGISTRY)}; `tfw schema` lists them."
        )
    return load(f"stage {name}", REGISTRY[name])
