"""From a request to a ``Generation``: inputs judged, the generator opened."""

from pathlib import Path

from talkingface_wild.core.errors import InputUnreadable, UsageError
from talkingface_wild.core.generator import Drive, Generator, frame_count
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.core.reporter import Reporter
from talkingface_wild.jobs.generate.driving_video import follow_face
from talkingface_wild.jobs.generate.generation import Generation
from talkingface_wild.jobs.generate.portrait import check_side, find_portrait
from talkingface_wild.jobs.generate.request import GenerateRequest, describe, input_hashes
from talkingface_wild.jobs.generate.resume import UnfinishedVideo
from talkingface_wild.media.mapped_sound import StoredSound, store_sound
from talkingface_wild.models import generator_class

SILENT_DBFS = -60.0
"""Sound below it drives nothing; speech lies near -25."""


def prepare(
    request: GenerateRequest, reporter: Reporter, unfinished: UnfinishedVideo, going_on: bool
) -> Generation:
    """Read the inputs, open the generator, and put together what is to be drawn.

    The cheap looks come first; a state to go on from spares looking for the face. Raises the
    TfwError of whatever cannot be used.
    """
    image, audio = Path(str(request.image)), Path(str(request.audio))
    hashes = input_hashes(request, unfinished.out)
    portrait = None
    if not going_on:
        portrait = find_portrait(image, request.detector, request.whole)
    sound = _sound(request, audio, unfinished, reporter)
    generator = _opened(request)
    side, fps = generator.facts.side, generator.facts.fps
    unfinished.fps = fps
    if portrait is not None:
        check_side(portrait, side, image, reporter.warn)
    if request.seconds is not None and sound.seconds < request.seconds - 1 / fps:
        reporter.warn(f"{audio} lasts {sound.seconds:.2f} s, so the video does.")
    frames = frame_count(len(sound.samples), fps)
    settings, provenance = describe(request, generator, frames, hashes)
    drive = Drive(frames, sound.samples)
    if request.landmarks is not None:
        poses = follow_face(request.landmarks, frames, fps, request.detector, reporter.warn)
        drive = Drive(frames, sound.samples, poses)
    drive = generator.encode(drive)
    for caution in generator.facts.cautions:
        reporter.warn(caution)
    return Generation(
        generator=generator,
        unfinished=unfinished,
        portrait=None if portrait is None else portrait.crop(side),
        sound=sound,
        sound_file=audio,
        drive=drive,
        options=request.sampling,
        settings=settings,
        provenance=provenance,
    )


def _opened(request: GenerateRequest) -> Generator:
    from talkingface_wild.engine.executors import device_for

    device = request.device if request.device == "auto" else device_for(request.device)
    kind = generator_class(request.model)
    if request.landmarks is not None and "poses" not in kind.drives:
        raise UsageError(
            f"Expected a model that follows a driving video, found {request.model}; leave "
            "--landmarks out."
        )
    unknown = [name for name in request.sampling if name not in kind.options]
    if unknown:
        raise UsageError(
            f"Expected options that the model {request.model} has, found "
            f"{', '.join(unknown)}; leave it out."
        )
    return kind.open(request.checkpoint, device, request.precision, request.compiled)


def _sound(
    request: GenerateRequest, audio: Path, unfinished: UnfinishedVideo, reporter: Reporter
) -> StoredSound:
    """The sound on the disk. Raises InputUnreadable; warns of silence and of damage."""
    try:
        sound = store_sound(audio, unfinished.sound_path, request.seconds)
    except (ItemRejected, ItemFailed) as error:
        lacking = error.outcome.reason == "no_audio"
        raise InputUnreadable(
            f"Expected {'a sound stream' if lacking else 'sound that can be read'} in "
            f"{audio}, found {'none' if lacking else error.outcome.detail}; give a file "
            "with speech by --audio."
        ) from error
    if sound.dbfs < SILENT_DBFS:
        reporter.warn(f"{audio} is silent ({sound.dbfs:.0f} dBFS): nothing drives the mouth.")
    if sound.broke_off:
        reporter.warn(f"{audio} breaks off after {sound.seconds:.1f} s: that much is used.")
    return sound
