"""One try at a batch: outcomes by item, whatever the stage does. Errors stay with their item."""

import time
from dataclasses import replace

from talkingface_wild.core.columns import clean_values, plain_text
from talkingface_wild.core.errors import TfwError
from talkingface_wild.core.log import LOGGER
from talkingface_wild.core.outcome import Done, Failed, ItemFailed, ItemRejected, Outcome, Rejected
from talkingface_wild.core.paths import NO_ROOM, disk_full
from talkingface_wild.core.reasons import REJECTED
from talkingface_wild.engine.plan import Planned
from talkingface_wild.engine.stage import Item, Stage

ATTEMPTS = 3
"""How often a transient failure is tried in one run."""


def attempt(stage: Stage, items: list[Item]) -> tuple[list[Outcome], list[int]]:
    """Outcomes and numbers of tries. An error in a batch is pinned to its item by going one by one;
    transient failures in a batch are tried again one by one.
    """
    first: list[Outcome | None] = [None] * len(items)
    if len(items) > 1:
        try:
            first = [*_answers(stage, items)]
        except TfwError:
            raise
        except Exception as error:
            LOGGER.debug("%s: batch of %d goes one by one: %s", stage.name, len(items), error)
    outcomes: list[Outcome] = []
    tries: list[int] = []
    for item, answer in zip(items, first, strict=True):
        if answer is None:
            outcome, tried = _one(stage, item)
        elif isinstance(answer, Failed) and answer.transient:
            time.sleep(_pause(1))
            outcome, tried = _one(stage, item, tried=1)
        else:
            outcome, tried = answer, 1
        outcomes.append(outcome)
        tries.append(tried)
    return outcomes, tries


def _pause(tries: int) -> float:
    """Seconds to wait after so many tries."""
    return 0.1 * 2.0**tries


def _answers(stage: Stage, items: list[Item]) -> list[Outcome]:
    outcomes = stage.process(items)
    if len(outcomes) != len(items):
        raise RuntimeError(
            f"stage {stage.name} answered {len(outcomes)} times for {len(items)} items"
        )
    return outcomes


def _one(stage: Stage, item: Item, tried: int = 0) -> tuple[Outcome, int]:
    outcome: Outcome = Failed("crash", "not tried")
    for tries in range(tried + 1, ATTEMPTS + 1):
        try:
            outcome = _answers(stage, [item])[0]
        except (ItemRejected, ItemFailed) as error:
            outcome = error.outcome
        except TfwError:
            raise
        except OSError as error:
            if error.errno in NO_ROOM:
                raise disk_full(stage.place.scratch) from error
            outcome = _crashed(error)
        except Exception as error:
            outcome = _crashed(error)
        if not (isinstance(outcome, Failed) and outcome.transient):
            return outcome, tries
        if tries < ATTEMPTS:
            time.sleep(_pause(tries))
    return outcome, ATTEMPTS


def _crashed(error: Exception) -> Failed:
    return Failed("crash", f"{type(error).__name__}: {error}"[:500])


def checked(planned: Planned, item: Item, outcome: Outcome) -> Outcome:
    """The outcome with its values as declared; a broken contract fails its own item alone."""
    try:
        return _cleaned(planned, item, outcome)
    except Exception as error:
        return _crashed(error)


def _check_reason(planned: Planned, reason: str) -> None:
    own = getattr(planned.stage, "reasons", ())
    if reason not in REJECTED and reason not in {each.name for each in own}:
        raise KeyError(
            f"stage {planned.name} rejects for {reason!r}, which is neither in core/reasons.py nor "
            "among the stage's own reasons"
        )


def _cleaned(planned: Planned, item: Item, outcome: Outcome) -> Outcome:
    columns = planned.stage.columns
    if not isinstance(outcome, Done | Rejected | Failed):
        raise TypeError(f"stage {planned.name} answered {type(outcome).__name__}, not an outcome")
    if isinstance(outcome, Failed):
        return replace(outcome, detail=plain_text(outcome.detail))
    if isinstance(outcome, Rejected):
        _check_reason(planned, outcome.reason)
    values = clean_values(columns, outcome.values)
    if isinstance(outcome, Rejected):
        return replace(outcome, values=values, detail=plain_text(outcome.detail))
    if outcome.children is None:
        return replace(outcome, values=values)
    ids = [child.id for child in outcome.children]
    if len({item.id, *ids}) != len(ids) + 1:
        raise ValueError(f"stage {planned.name} gave the id of another item to a child: {ids}")
    children = tuple(
        replace(child, values=clean_values(columns, child.values)) for child in outcome.children
    )
    return Done(values, children)
