"""From what ``tfw generate`` is asked to a ``Generation``: inputs judged, the model opened."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING

from talkingface_wild.cli.generation import Generation
from talkingface_wild.cli.portrait import check_side, find_portrait
from talkingface_wild.cli.requested import Request, described, input_hashes
from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.media.stored_sound import StoredSound, store_sound

if TYPE_CHECKING:
    import torch

    from talkingface_wild.cli.half_made import HalfMade
    from talkingface_wild.cli.output import Output
    from talkingface_wild.models.mcdm import MCDMPipeline
    from talkingface_wild.models.mcdm.options import GenerateOptions

SILENT_DBFS = -60.0
"""Sound below it drives nothing; speech lies near -25."""

SMALL_SIDE = 64
"""Up to it one thread is faster than several, which wait for one another."""


def prepare(output: Output, request: Request, half_made: HalfMade, going_on: bool) -> Generation:
    """Read the inputs, open the model, and put together what is to be made.

    The cheap looks come first; a state to go on from spares looking for the face. Raises the
    TfwError of whatever cannot be used.
    """
    hashes = input_hashes(request)
    portrait = None
    if not going_on:
        portrait = find_portrait(request.image, request.detector, request.whole)
    sound = _sound(output, request, half_made)
    pipeline, folder, precision = open_model(request)
    picture = pipeline.parts.config.picture
    half_made.fps = picture.fps
    if portrait is not None:
        check_side(portrait, picture.side, request.image, output.warn)
    how: GenerateOptions = {**request.sampling, "seed": request.seed}  # type: ignore[typeddict-item]
    how["frames"] = _frames(output, request, sound, picture.fps)
    asked, provenance = described(request, pipeline, folder, precision, how, hashes)
    if request.landmarks is not None:
        from talkingface_wild.cli.driving import driving_head

        how["head"] = driving_head(
            pipeline, request.landmarks, how["frames"], request.detector, output.warn
        )
    for caution in _cautions(pipeline):
        output.warn(caution)
    return Generation(
        output=output,
        pipeline=pipeline,
        half_made=half_made,
        portrait=None if portrait is None else portrait.crop(picture.side),
        sound=sound,
        sound_file=request.audio,
        how=how,
        asked=asked,
        machine=_machine(pipeline),
        provenance=provenance,
        advice=_advice(pipeline, how, precision),
    )


def open_model(request: Request) -> tuple[MCDMPipeline, Path, str]:
    """The pipeline on its device, its folder, and the precision that it runs in.

    Raises UsageError, InputUnreadable, RecipeError, OutOfMemory.
    """
    import diffusers
    import torch
    import transformers

    from talkingface_wild.engine.executors import device_for
    from talkingface_wild.models.mcdm import MCDMPipeline
    from talkingface_wild.models.mcdm.pipeline import model_folder
    from talkingface_wild.models.out_of_memory import memory_told

    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    if request.device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    else:
        device = device_for(request.device)
    on_gpu = device == "cuda"
    precision = request.precision
    if precision == "auto":
        precision = "bf16" if on_gpu else "fp32"
    kinds: dict[str, torch.dtype] = {"bf16": torch.bfloat16, "fp16": torch.float16}
    # A video that goes on must get the bits that one in one go would have got.
    torch.backends.cudnn.deterministic = True
    folder = model_folder(request.checkpoint)
    with memory_told(device, "give --precision bf16, or close what else uses it"):
        pipeline = MCDMPipeline.from_pretrained(
            folder,
            torch_dtype=kinds.get(precision),
            device=device,
            compile=request.compiled,
            channels_last=on_gpu,
        )
    if not on_gpu and pipeline.parts.config.picture.side <= SMALL_SIDE:
        torch.set_num_threads(1)
    return pipeline, folder, precision


def _sound(output: Output, request: Request, half_made: HalfMade) -> StoredSound:
    """The sound on the disk. Raises InputUnreadable; warns of silence and of damage."""
    try:
        sound = store_sound(request.audio, half_made.sound_path, request.seconds)
    except (ItemRejected, ItemFailed) as error:
        lacking = error.outcome.reason == "no_audio"
        raise InputUnreadable(
            f"Expected {'a sound stream' if lacking else 'sound that can be read'} in "
            f"{request.audio}, found {'none' if lacking else error.outcome.detail}; give a file "
            "with speech by --audio."
        ) from error
    if sound.dbfs < SILENT_DBFS:
        output.warn(f"{request.audio} is silent ({sound.dbfs:.0f} dBFS): nothing drives the mouth.")
    if sound.broke_off:
        output.warn(f"{request.audio} breaks off after {sound.seconds:.1f} s: that much is used.")
    return sound


def _frames(output: Output, request: Request, sound: StoredSound, fps: int) -> int:
    from talkingface_wild.models.conditions.sound_features import frame_count

    if request.seconds is not None and sound.seconds < request.seconds - 1 / fps:
        output.warn(f"{request.audio} lasts {sound.seconds:.2f} s, so the video does.")
    return frame_count(len(sound.samples), fps)


def _cautions(pipeline: MCDMPipeline) -> list[str]:
    """What must be said of the model before it draws."""
    from talkingface_wild.models.mcdm.analyses.checkpoint import SMALL, cautions

    return cautions(SMALL, {"The model": pipeline.parts.facts})


def _machine(pipeline: MCDMPipeline) -> str:
    """Device and libraries, as far as they may move last bits."""
    import torch

    device = pipeline.parts.device
    threads = f"{platform.machine()}, {torch.get_num_threads()} threads"
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else threads
    return f"{device.type} ({name}), torch {torch.__version__}"


def _advice(pipeline: MCDMPipeline, how: GenerateOptions, precision: str) -> str:
    """The options that take less memory and are not given yet."""
    ways = []
    if pipeline.sampling(how).guidance != 1:
        ways.append("--cfg 1")
    if precision == "fp32":
        ways.append("--precision bf16")
    ways.append("fewer --steps (the motion memory is kept for each)")
    return f"lower it by {' or '.join(ways)}, with --fresh"
