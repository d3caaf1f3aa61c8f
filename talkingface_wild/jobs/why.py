"""One clip's whole path, and its lines for a person."""

from talkingface_wild.core.terminal import printable
from talkingface_wild.dataset.arrow_schema import NOT_MEASURED
from talkingface_wild.dataset.naming import find_item
from talkingface_wild.dataset.snapshot import read_recorded
from talkingface_wild.dataset.why import Judgement, Passage, Story, story_of
from talkingface_wild.jobs.request import WhyRequest

_LONGEST_VALUE = 100


def why(request: WhyRequest) -> Story:
    """The path of the clip. Raises UsageError for one that the data set does not have."""
    recorded = read_recorded(request.out)
    return story_of(recorded, find_item(recorded, request.clip))


def text(story: Story) -> str:
    """The story as lines; text from outside is shown without control characters."""
    span = _span(story.start_seconds, story.end_seconds)
    lines = [
        f"{story.level} {story.item}, {story.language}{span}",
        f"source {story.source} ({story.source_id})",
        "",
    ]
    for passage in story.passages:
        lines += _passage(passage, story.item)
    lines += ["", _verdict(story)]
    if story.media_path:
        lines.append(f"media: {story.media_path}")
    if story.review is not None:
        answer = "accepted" if story.review.accepted else f"rejected as {story.review.reason}"
        by = f" by {story.review.reviewer}" if story.review.reviewer else ""
        words = f": {story.review.words}" if story.review.words else ""
        lines.append(f"review: {answer}{by}{words}")
    if story.parts:
        lines.append("clips:")
        lines += [
            f"  {part.clip}{_span(part.start_seconds, part.end_seconds)}: {part.verdict}"
            for part in story.parts
        ]
    return "\n".join(printable(line) for line in lines)


def _passage(passage: Passage, item: str) -> list[str]:
    where = "" if passage.item == item else f" (on {passage.item})"
    words = {"unmeasured": NOT_MEASURED, "split": "cut into clips"}
    facts = [words.get(passage.state, passage.state)]
    if passage.reason:
        facts[0] += f", {passage.reason}"
    if passage.detail:
        facts.append(passage.detail)
    if passage.attempts is not None and passage.attempts > 1:
        facts.append(f"{passage.attempts} attempts")
    if passage.seconds is not None:
        facts.append(f"{passage.seconds:.3f} s, {passage.cpu_seconds or 0:.3f} CPU s")
    lines = [f"{passage.stage}{where}: {'; '.join(facts)}"]
    lines += [f"    {name} = {_short(value)}" for name, value in passage.measures.items()]
    lines += [f"    {_gate(gate)}" for gate in passage.gates]
    return lines


def _gate(gate: Judgement) -> str:
    value = "no value" if gate.value is None else _short(gate.value)
    sign = {"passed": "✓", "not judged": "·", NOT_MEASURED: "–"}.get(gate.outcome, "✗")
    outcome = gate.outcome
    if gate.outcome == NOT_MEASURED:
        outcome += ", let through"
    if gate.outcome == "not judged" and gate.would_pass is not None:
        outcome += f", would {'pass' if gate.would_pass else 'fail'}"
    if gate.outcome.startswith("failed"):
        outcome += f": {gate.reason}" if gate.outcome == "failed" else ": unmeasured"
    return f"{sign} gate {gate.gate}: {value} {gate.comparison} {gate.bound}, {outcome}"


def _verdict(story: Story) -> str:
    words = [f"verdict: {'cut into clips' if story.state == 'split' else story.state}"]
    if story.reason:
        words.append(f"as {story.reason}")
    if story.gate:
        words.append(
            f"at gate {story.gate} of stage {story.stage} ({story.value} against {story.bound})"
        )
    elif story.stage and story.state not in ("kept", "split"):
        words.append(f"at stage {story.stage}")
    if story.detail:
        words.append(f"({story.detail})")
    return " ".join(words)


def _span(start: float | None, end: float | None) -> str:
    return "" if start is None or end is None else f", {start:.3f}–{end:.3f} s"


def _short(value: object) -> str:
    words = str(value)
    if len(words) <= _LONGEST_VALUE:
        return words
    return f"{words[:_LONGEST_VALUE]}… ({len(words)} characters)"
