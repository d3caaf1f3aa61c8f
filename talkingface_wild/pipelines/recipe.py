"""Recipes: YAML that names stages, their settings, gates, targets and sources. Checked first."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml

from talkingface_wild.core.config import Document, build, coerce, read_yaml, read_yaml_file, scalar
from talkingface_wild.core.errors import RecipeError, UsageError, nearest
from talkingface_wild.core.gate import Gate
from talkingface_wild.core.languages import DEFAULT, check_tag
from talkingface_wild.pipelines.sources.search import SearchOptions
from talkingface_wild.pipelines.stages import REGISTRY, stage_class

_KEYS = (
    "name",
    "summary",
    "extends",
    "languages",
    "corpus",
    "stages",
    "gates",
    "targets",
    "search",
)
_CORPORA = (None, "demo", "search")
_GATE_WORDS = {"at_least": ">=", "at_most": "<=", "above": ">", "below": "<", "equals": "=="}


@dataclass(frozen=True)
class Targets:
    """How much is wanted; a language stops when it has it."""

    hours_per_language: float | None = None
    """Hours of kept clips per language, before review; null: take all."""
    margin: float = 1.15
    """Factor on the hours, so that review may still reject some."""
    wave: int = 20
    """Sources of a language taken at a time; after each wave the kept hours are counted."""


@dataclass(frozen=True)
class StageChoice:
    """One stage of a recipe: its short name, its settings, and whether it may lack weights."""

    name: str
    config: Any
    weights: Literal["required", "optional"] = "required"


@dataclass(frozen=True)
class Recipe:
    """A resolved recipe: every setting has its value, nothing is left to defaults elsewhere."""

    name: str
    summary: str = ""
    languages: tuple[str, ...] = DEFAULT
    corpus: str | None = None
    """Sources when none are given: ``demo`` (made by the package), ``search``, or null."""
    stages: tuple[StageChoice, ...] = ()
    gates: tuple[Gate, ...] = ()
    gates_off: Mapping[int, Gate] = field(default_factory=dict)
    """Gates that are switched off, by their place among all."""
    targets: Targets = field(default_factory=Targets)
    search: SearchOptions = field(default_factory=SearchOptions)

    def dump(self) -> str:
        """The recipe as YAML that ``load_recipe`` reads back to an equal recipe."""
        data: dict[str, Any] = {
            "name": self.name,
            "summary": self.summary,
            "languages": list(self.languages),
            "corpus": self.corpus,
            "stages": [_stage_data(choice) for choice in self.stages],
            "gates": self._gates_data(),
            "targets": dataclasses.asdict(self.targets),
            "search": dataclasses.asdict(self.search),
        }
        return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)

    def _gates_data(self) -> dict[str, Any]:
        """All gates in order, those switched off marked."""
        data = [(gate.name, _gate_data(gate)) for gate in self.gates]
        for place, gate in sorted(self.gates_off.items()):
            data.insert(place, (gate.name, {**_gate_data(gate), "off": True}))
        return dict(data)


def _stage_data(choice: StageChoice) -> dict[str, Any]:
    config = {
        name: list(value)
        if isinstance(value, tuple)
        else dict(value)
        if isinstance(value, Mapping)
        else value
        for name, value in (
            (f.name, getattr(choice.config, f.name)) for f in dataclasses.fields(choice.config)
        )
    }
    return {choice.name: {**config, "weights": choice.weights}}


def _gate_data(gate: Gate) -> dict[str, Any]:
    word = next(word for word, sign in _GATE_WORDS.items() if sign == gate.comparison)
    data: dict[str, Any] = {
        "column": gate.column,
        word: gate.bound,
        "reason": gate.reason,
        "missing": gate.missing,
    }
    if gate.per_group:
        data["per_language"] = dict(gate.per_group)
    return data


def recipe_names() -> list[str]:
    """The recipes that come with the package."""
    folder = resources.files("talkingface_wild.pipelines") / "recipes"
    return sorted(path.name[:-5] for path in folder.iterdir() if path.name.endswith(".yaml"))


def load_recipe(name: str, settings: Sequence[str] = ()) -> Recipe:
    """A recipe by name or file, with ``--set`` settings applied and every key checked.

    Raises RecipeError: unknown names get the nearest one, and the line where they stand.
    """
    data, document = _merged(_document(name), depth=0)
    for setting in settings:
        _apply_setting(data, setting)
    return _resolve(data, document)


def _document(name: str) -> Document:
    if name in recipe_names():
        path = resources.files("talkingface_wild.pipelines") / "recipes" / f"{name}.yaml"
        return read_yaml(path.read_text(encoding="utf-8"), f"{name}.yaml")
    if Path(name).suffix in (".yaml", ".yml") or Path(name).is_file():
        return read_yaml_file(Path(name))
    names = recipe_names()
    raise RecipeError(
        f"Expected a recipe's name or YAML file, found {name!r}{nearest(name, names)}; "
        f"known: {', '.join(names)}."
    )


def _merged(document: Document, depth: int) -> tuple[dict[str, Any], Document]:
    """The document over what it extends: stages and gates merge by name, the rest is replaced."""
    data = document.data
    for key in data:
        if key not in _KEYS:
            raise RecipeError(
                f"{document.where((str(key),))}: {key!r} is no known setting"
                f"{nearest(str(key), _KEYS)}."
            )
    stages = _stage_map(data.get("stages") or [], document)
    gates = data.get("gates") or {}
    if not isinstance(gates, dict):
        raise RecipeError(
            f"{document.where(('gates',))}: gates expects a mapping from names to gates."
        )
    if not data.get("extends"):
        return {**data, "stages": stages, "gates": dict(gates)}, document
    if depth > 5:
        raise RecipeError(
            f"{document.where(('extends',))}: recipes extend one another in a circle."
        )
    base, _ = _merged(_document(str(data["extends"])), depth + 1)
    merged_stages = {**base["stages"]}
    for name, config in stages.items():
        merged_stages[name] = {**merged_stages.get(name, {}), **config}
    merged = {**base, **data, "stages": merged_stages, "gates": {**base["gates"], **gates}}
    return merged, document


def _stage_map(stages: Any, document: Document) -> dict[str, dict[str, Any]]:
    if not isinstance(stages, list):
        raise RecipeError(
            f"{document.where(('stages',))}: stages expects a list, one stage per line."
        )
    found: dict[str, dict[str, Any]] = {}
    for index, entry in enumerate(stages):
        where = document.where(("stages", str(index)))
        single = {entry: None} if isinstance(entry, str) else entry
        if not isinstance(single, Mapping) or len(single) != 1:
            raise RecipeError(
                f"{where}: expected one stage, its settings indented below its name, "
                f"found {entry!r}."
            )
        name, config = next(iter(single.items()))
        if name not in REGISTRY:
            raise RecipeError(f"{where}: {name!r} is no known stage{nearest(str(name), REGISTRY)}.")
        if name in found:
            raise RecipeError(f"{where}: expected {name} once, found it again; remove one of them.")
        if not isinstance(config, Mapping | None):
            raise RecipeError(f"{where}: {name} expects a mapping of settings, found {config!r}.")
        found[name] = dict(config or {})
    return found


def _apply_setting(data: dict[str, Any], setting: str) -> None:
    """Apply one ``--set a.b=value`` to merged recipe data."""
    key, equals, text = setting.partition("=")
    parts = key.strip().split(".")
    if not equals or len(parts) < 2:
        raise RecipeError(
            f"--set {setting}: expected stage.field=value or gates.name=bound, found {setting!r}."
        )
    value = scalar(text)
    head = parts[0]
    if len(parts) > (3 if head == "gates" else 2):
        raise RecipeError(
            f"--set {setting}: expected stage.field=value, gates.name=bound or "
            f"gates.name.language=bound, found {len(parts)} parts; take the last ones away."
        )
    if head == "gates":
        _set_gate(data["gates"], parts[1:], value, setting)
    elif head in ("targets", "search"):
        data[head] = {**(data.get(head) or {}), parts[1]: value}
    elif head in data["stages"]:
        _check_field(head, parts[1], value, setting)
        data["stages"][head][parts[1]] = value
    else:
        known = [*data["stages"], "gates", "targets", "search"]
        raise RecipeError(
            f"--set {setting}: {head!r} is no stage of this recipe{nearest(head, known)}."
        )


def _check_field(stage: str, name: str, value: Any, setting: str) -> None:
    """Raise RecipeError, naming the setting, when a stage has no such field or not such values."""
    if name == "weights":
        return
    hints = typing.get_type_hints(stage_class(stage).Config)
    if name not in hints:
        raise RecipeError(
            f"--set {setting}: stage {stage} has no setting {name!r}{nearest(name, hints)}."
        )
    try:
        coerce(value, hints[name])
    except ValueError as error:
        raise RecipeError(f"--set {setting}: {stage}.{name} {error}.") from None


def _set_gate(gates: dict[str, Any], parts: list[str], value: Any, setting: str) -> None:
    if parts[0] not in gates:
        raise RecipeError(
            f"--set {setting}: {parts[0]!r} is no gate of this recipe{nearest(parts[0], gates)}; "
            f"known: {', '.join(gates) or 'none'}."
        )
    gate = dict(gates[parts[0]])
    if (value is False and len(parts) == 1) or value == "off":
        gates[parts[0]] = {**gate, "off": True}
        return
    gate.pop("off", None)
    word = next((word for word in _GATE_WORDS if word in gate), "at_least")
    if len(parts) == 1:
        gate[word] = value
    elif parts[1] in ("missing", "reason"):
        gate[parts[1]] = value
    else:
        gate["per_language"] = {**(gate.get("per_language") or {}), parts[1]: value}
    gates[parts[0]] = gate


def _resolve(data: dict[str, Any], document: Document) -> Recipe:
    choices = []
    for name, config in data["stages"].items():
        index = _stage_line(document, name)
        settings = dict(config)
        policy = settings.pop("weights", "required")
        if policy not in ("required", "optional"):
            raise RecipeError(
                f"{document.where(index)}: {name}.weights expects required or optional, "
                f"found {policy!r}."
            )
        built = build(stage_class(name).Config, settings, document, index)
        choices.append(StageChoice(name, built, policy))
    entries = {name: entry for name, entry in data["gates"].items() if entry is not None}
    gates = [_gate(name, entry, document, choices) for name, entry in entries.items()]
    off = {place for place, entry in enumerate(entries.values()) if entry.get("off")}
    if data.get("corpus") not in _CORPORA:
        raise RecipeError(
            f"{document.where(('corpus',))}: corpus expects demo, search or null, "
            f"found {data['corpus']!r}{nearest(str(data['corpus']), ('demo', 'search'))}."
        )
    try:
        languages = coerce(data.get("languages", list(DEFAULT)), tuple[str, ...])
    except ValueError as error:
        raise RecipeError(f"{document.where(('languages',))}: languages {error}.") from None
    return Recipe(
        name=str(data.get("name", document.name)),
        summary=str(data.get("summary", "")),
        languages=languages,
        corpus=data.get("corpus"),
        stages=tuple(choices),
        gates=tuple(gate for place, gate in enumerate(gates) if place not in off),
        gates_off={place: gates[place] for place in sorted(off)},
        targets=build(Targets, data.get("targets") or {}, document, ("targets",)),
        search=build(SearchOptions, data.get("search") or {}, document, ("search",)),
    )


def _language(tag: str) -> str:
    try:
        return check_tag(tag)
    except UsageError as error:
        raise ValueError(
            f"per_language: {error} (words that YAML reads as yes or no want quotes)"
        ) from None


def _stage_line(document: Document, name: str) -> tuple[str, ...]:
    for path in document.lines:
        if len(path) == 3 and path[0] == "stages" and path[2] == name:
            return path
    return ("stages",)


def _gate(name: str, entry: Any, document: Document, choices: Sequence[StageChoice]) -> Gate:
    from talkingface_wild.engine.plan import columns_of

    path = ("gates", name)
    known = {
        column.name: column for choice in choices for column in columns_of(stage_class(choice.name))
    }
    allowed = ("column", "reason", "missing", "per_language", "off", *_GATE_WORDS)
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
    words = [word for word in _GATE_WORDS if word in entry]
    if len(words) != 1:
        raise RecipeError(
            f"{document.where(path)}: gate {name!r} expects exactly one of "
            f"{', '.join(_GATE_WORDS)}."
        )
    column = known.get(entry.get("column", ""))
    if column is None:
        wrong = str(entry.get("column"))
        raise RecipeError(
            f"{document.where((*path, 'column'))}: no stage of the recipe gives {wrong!r}"
            f"{nearest(wrong, known)}."
        )
    hint = {"float": float, "int": float, "bool": bool, "string": str}.get(column.type, str)
    try:
        bound = coerce(entry[words[0]], hint)
        per_language = {
            _language(key): coerce(value, hint)
            for key, value in coerce(entry.get("per_language") or {}, Mapping[str, Any]).items()
        }
        return Gate(
            name,
            column.name,
            _GATE_WORDS[words[0]],
            bound,
            str(entry.get("reason")),
            entry.get("missing", "reject"),
            per_language,
        )
    except ValueError as error:
        raise RecipeError(f"{document.where(path)}: gate {name} {error}.") from None
