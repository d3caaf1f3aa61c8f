"""``generate``: a request in, a marked video with its sidecar out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.litter import no_empty_folders
from talkingface_wild.core.provenance import sidecar_path
from talkingface_wild.core.reporter import Reporter
from talkingface_wild.jobs.generate.prepare import prepare
from talkingface_wild.jobs.generate.request import GenerateRequest, is_complete
from talkingface_wild.jobs.generate.resume import UnfinishedVideo
from talkingface_wild.models import generator_class


@dataclass(frozen=True)
class GenerateResult:
    """The video, the file that says how it came about, and figures of the run."""

    out: Path
    sidecar: Path
    figures: Mapping[str, Any]


def generate(
    request: GenerateRequest, reporter: Reporter, go_on: str = "resume=True"
) -> GenerateResult:
    """Write a video and its sidecar. Whatever ends it before, drawn chunks are kept.

    ``go_on`` is what the caller types to go on with a video that was not finished. Raises TfwError.
    """
    request.check()
    out = Path(str(request.out))
    generator_class(request.model)
    from talkingface_wild.models.out_of_memory import peak_memory_bytes

    unfinished = UnfinishedVideo(out)
    if unfinished.there and not (request.resume or request.fresh):
        raise UsageError(
            f"Expected no half-made video at {out}, found one; go on with it by --resume, "
            "or start anew by --fresh."
        )
    with no_empty_folders(out.parent), unfinished.alone():
        going_on = request.resume and unfinished.there
        generation = prepare(request, reporter, unfinished, going_on)
        if request.fresh:
            unfinished.state_path.unlink(missing_ok=True)
        complete = request.resume and is_complete(out, generation.provenance.request)
        if complete and not going_on:
            reporter.say(f"{out} is complete already; nothing is left to do.")
            figures: dict[str, Any] = {"complete": True}
        else:
            figures = generation.run(reporter, go_on)
        generator = generation.generator
        figures["side"] = generator.facts.side
        figures["peak_memory_bytes"] = peak_memory_bytes(generator.device)
    return GenerateResult(out, sidecar_path(out), figures)
