"""The gates of a recipe: how YAML writes them, how ``--set`` changes them, how they are checked."""

import math
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from talkingface_wild.core.columns import Column
from talkingface_wild.core.config import Document, coerce, read_yaml
from talkingface_wild.core.errors import RecipeError, UsageError, nearest
from talkingface_wild.core.gate import Gate
from talkingface_wild.core.language_names import check_tag

WORDS = {"at_least": ">=", "at_most": "<=", "above": ">", "below": "<", "equals": "=="}
"""What a recipe writes for each comparison."""
SIDES = {"at_least": "low", "above": "low", "at_most": "high", "below": "high", "equals": "equal"}
"""The side on which each word bounds a column."""
BEYOND = "beyond_bound"
"""The reason of a gate set by hand where no shipped recipe has a reason for its column and side."""
_KINDS: dict[str, type] = {"float": float, "int": float, "bool": bool, "string": str}


def is_measure(column: Column) -> bool:
    """Whether a column holds a number, or yes or no: what a gate may be set on by hand."""
    return column.type in ("float", "int", "bool")


def word_of(gate: Gate) -> str:
    """The word that a recipe writes for a gate's comparison."""
    return next(word for word, sign in WORDS.items() if sign == gate.comparison)


def gate_data(gate: Gate) -> dict[str, Any]:
    """A gate as a recipe writes it."""
    data: dict[str, Any] = {
        "column": gate.column,
        word_of(gate): gate.bound,
        "reason": gate.reason,
        "missing": gate.missing,
    }
    if gate.meaning:
        data["meaning"] = gate.meaning
    if gate.per_group:
        data["per_language"] = dict(gate.per_group)
    return data


def gate_of(
    name: str,
    entry: Any,
    document: Document,
    columns: Mapping[str, Column],
    meanings: Mapping[str, str],
) -> Gate:
    """The gate that a recipe's entry means; ``meanings`` are those of the stages' own reasons.

    RecipeError says what is wrong with it, and where.
    """
    path = ("gates", name)
    allowed = ("column", "reason", "meaning", "missing", "per_language", "off", *WORDS)
    if not isinstance(entry, Mapping):
        raise RecipeError(
            f"{document.where(path)}: gate {name!r} expects column, a bound and a reason."
        )
    for key in entry:
        if key not in allowed:
            raise RecipeError(
                f"{document.where((*path, str(key)))}: {key!r} is no known setting"
                f"{nearest(str(key), allowed)}."
            )
    words = [word for word in WORDS if word in entry]
    if len(words) != 1:
        raise RecipeError(
            f"{document.where(path)}: gate {name!r} expects exactly one of {', '.join(WORDS)}."
        )
    column = columns.get(entry.get("column", ""))
    if column is None:
        wrong = str(entry.get("column"))
        raise RecipeError(
            f"{document.where((*path, 'column'))}: no stage of the recipe gives {wrong!r}"
            f"{nearest(wrong, columns)}."
        )
    kind = _KINDS.get(column.type, str)
    reason = str(entry.get("reason"))
    try:
        per_language = {
            _language(key): _bound(value, kind)
            for key, value in coerce(entry.get("per_language") or {}, Mapping[str, Any]).items()
        }
        return Gate(
            name,
            column.name,
            WORDS[words[0]],
            _bound(entry[words[0]], kind),
            reason,
            entry.get("missing", "reject"),
            per_language,
            str(entry.get("meaning") or meanings.get(reason, "")),
        )
    except ValueError as error:
        raise RecipeError(f"{document.where(path)}: gate {name}: {error}.") from None


def _bound(value: Any, kind: type) -> Any:
    bound = coerce(value, kind)
    if isinstance(bound, float) and not math.isfinite(bound):
        raise ValueError(f"expects a finite number, found {value!r}; off switches a gate off")
    return bound


def _language(tag: str) -> str:
    try:
        return check_tag(tag)
    except UsageError as error:
        raise ValueError(
            f"per_language: {error} (words that YAML reads as yes or no want quotes)"
        ) from None


def _check_language(tag: str, setting: str) -> None:
    try:
        check_tag(tag)
    except UsageError:
        names = (*WORDS, "missing", "reason", "meaning")
        raise RecipeError(
            f"--set {setting}: expected a language or one of {', '.join(names)} after the gate, "
            f"found {tag!r}{nearest(tag, names)}."
        ) from None


def set_gate(
    gates: dict[str, Any], columns: Mapping[str, Column], parts: list[str], value: Any, setting: str
) -> None:
    """Apply ``gates.NAME…=value`` to a recipe's gates; ``parts`` is what follows ``gates``.

    NAME is a gate, or a measured column: then the one gate that bounds the column on that side is
    meant, else a new gate of the column's name. ``NAME=BOUND``, ``NAME.LANGUAGE=BOUND``,
    ``NAME.WORD=BOUND``, ``NAME.WORD.LANGUAGE=BOUND``, ``NAME.missing``, ``NAME.reason``,
    ``NAME.meaning``,
    ``NAME=off``. Another word than the gate's own takes its bounds for single languages away.
    """
    name, *rest = parts
    word = rest[0] if rest and rest[0] in WORDS else None
    own = gate_named(gates, columns, name, word, setting, value)
    if own is None:
        own, gate = name, _new_gate(columns[name], word, rest, value, setting)
    else:
        gate = dict(gates[own])
    if value is False and not rest:
        _switch_off(gates, own)
        return
    gate.pop("off", None)
    kept_word = next((own_word for own_word in WORDS if own_word in gate), "at_least")
    if not rest:
        gate[kept_word] = value
    elif rest[0] in ("missing", "reason", "meaning"):
        gate[rest[0]] = value
    elif word is None or len(rest) == 2:
        if word not in (None, kept_word):
            raise RecipeError(
                f"--set {setting}: expected {kept_word}, as gate {own} has it for all languages, "
                f"found {word} for {rest[1]}; give all languages that word first, with "
                f"--set gates.{own}.{word}={value}."
            )
        _check_language(rest[-1], setting)
        gate["per_language"] = {**(gate.get("per_language") or {}), rest[-1]: value}
    else:
        if word != kept_word:
            gate.pop(kept_word, None)
            gate.pop("per_language", None)
        gate[word] = value
    gates[own] = gate


def gate_named(
    gates: Mapping[str, Any],
    columns: Mapping[str, Column],
    name: str,
    word: str | None,
    setting: str,
    value: Any = None,
) -> str | None:
    """The gate that ``name`` means: of that name, else the one on the column of that name and on
    the side of ``word`` (any side where it is None). None where the column has no such gate.

    Raises RecipeError where it is neither a gate nor a measure, or where two gates could be meant.
    """
    if gates.get(name) is not None:
        return name
    if name not in columns:
        raise RecipeError(_no_such_gate(gates, columns, name, word, setting, value))
    on_column = [
        gate
        for gate, entry in gates.items()
        if entry is not None
        and entry.get("column") == name
        and (word is None or any(SIDES[word] == SIDES[key] for key in entry if key in SIDES))
    ]
    if len(on_column) > 1:
        raise RecipeError(
            f"--set {setting}: expected one gate on {name}, found {' and '.join(on_column)}; "
            f"name one of them, such as gates.{on_column[-1]}."
        )
    if not on_column and not is_measure(columns[name]):
        raise RecipeError(
            f"--set {setting}: expected a column that holds a number or yes and no, found that "
            f"{name} holds {'lists' if columns[name].type.startswith('list') else 'text'}; "
            "`tfw schema` has the columns with their types."
        )
    return on_column[0] if on_column else None


def _no_such_gate(
    gates: Mapping[str, Any],
    columns: Mapping[str, Column],
    name: str,
    word: str | None,
    setting: str,
    value: Any,
) -> str:
    """What to say of a name that is neither a gate nor a column."""
    problem = f"--set {setting}: {name!r} is no gate of this recipe"
    meant = [c.name for c in columns.values() if is_measure(c) and name in c.name.split("_")]
    if meant:
        shipped = [gate for gate in shipped_gates() if gate.name == name and gate.column in meant]
        meant = [*dict.fromkeys([*(gate.column for gate in shipped), *meant])][:4]
        word = word or usual_word(columns[meant[0]])
        bound = "BOUND" if value is None or isinstance(value, bool) else value
        return (
            f"{problem}, and no column; columns of that kind are {', '.join(meant)}: "
            f"`--set gates.{meant[0]}.{word}={bound}`."
        )
    measures = [column.name for column in columns.values() if is_measure(column)]
    names = ", ".join(gate for gate, entry in gates.items() if entry is not None)
    return f"{problem} (known: {names or 'none'}){nearest(name, [*gates, *measures])}."


def usual_word(column: Column) -> str:
    """The word with which shipped recipes bound a column, else at_most (equals for yes and no)."""
    words = [word_of(gate) for gate in shipped_gates() if gate.column == column.name]
    return words[0] if words else "equals" if column.type == "bool" else "at_most"


def _new_gate(
    column: Column, word: str | None, rest: list[str], value: Any, setting: str
) -> dict[str, Any]:
    """A gate on a column that none bounds on that side. RecipeError without a bound for all."""
    if word is None or len(rest) == 2:
        bound = "BOUND" if (word is None and rest) or isinstance(value, bool) else value
        raise RecipeError(
            f"--set {setting}: expected a gate on {column.name}, found none; "
            f"begin with its bound for all languages: --set gates.{column.name}."
            f"{word or usual_word(column)}={bound}."
        )
    if column.type == "bool" and word != "equals":
        raise RecipeError(
            f"--set {setting}: {column.name} is true or false, which {word} cannot bound; "
            f"use --set gates.{column.name}.equals=true."
        )
    return {"column": column.name, word: value, "reason": reason_for(column.name, word, value)}


def _switch_off(gates: dict[str, Any], name: str) -> None:
    """Take a gate away that was set by hand; one that a recipe brought stays, marked as off."""
    by_hand = name == gates[name].get("column")
    if by_hand and name not in {gate.name for gate in shipped_gates()}:
        del gates[name]
    else:
        gates[name] = {**gates[name], "off": True}


def reason_for(column: str, word: str, bound: Any) -> str:
    """The reason with which the shipped recipes bound a column on that side (the last of several,
    the strictest), else ``beyond_bound``.
    """
    reasons = [
        gate.reason
        for gate in shipped_gates()
        if gate.column == column
        and SIDES[word_of(gate)] == SIDES[word]
        and (word != "equals" or gate.bound == bound)
    ]
    return reasons[-1] if reasons else BEYOND


@cache
def shipped_gates() -> tuple[Gate, ...]:
    """The gates of the recipes that come with the package, as they are written there."""
    folder = resources.files("talkingface_wild.pipelines") / "recipes"
    gates: list[Gate] = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.endswith(".yaml"):
            entries = read_yaml(path.read_text(encoding="utf-8"), path.name).data.get("gates") or {}
            gates += _plain_gates(entries.items())
    return tuple(gates)


def _plain_gates(entries: Iterable[tuple[str, Any]]) -> list[Gate]:
    """Entries that are gates, unchecked against any stage's columns."""
    return [
        Gate(name, entry["column"], WORDS[word], entry[word], entry["reason"])
        for name, entry in entries
        if entry is not None
        for word in WORDS
        if word in entry
    ]
