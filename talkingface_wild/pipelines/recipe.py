"""Recipes: YAML that names stages, their settings, gates, targets and sources. Checked first."""

import dataclasses
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml

from talkingface_wild.core.columns import Column
from talkingface_wild.core.config import Document, build, coerce, read_yaml, read_yaml_file, scalar
from talkingface_wild.core.errors import RecipeError, nearest
from talkingface_wild.core.gate import Gate
from talkingface_wild.core.language_names import DEFAULT
from talkingface_wild.pipelines.former_recipes import FORMER, FormerFaces, with_face_cuts
from talkingface_wild.pipelines.recipe_gates import WORDS, gate_data, gate_of, set_gate
from talkingface_wild.pipelines.sources.search import SearchOptions
from talkingface_wild.pipelines.stage_order import check_order, line_of, merged
from talkingface_wild.pipelines.stages import REGISTRY, stage_class

_PLAIN = ("name", "summary", "languages", "corpus", "targets", "search")
_KEYS = (*_PLAIN, "extends", "stages", "gates")


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
    corpus: Literal["demo", "search"] | None = None
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
            "stages": self._stages_data(),
            "gates": self._gates_data(),
            "targets": dataclasses.asdict(self.targets),
            "search": dataclasses.asdict(self.search),
        }
        return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)

    def _stages_data(self) -> list[dict[str, Any]]:
        """All stages in order, each with its settings but for those that another's hold for."""
        by_name = {choice.name: _settings(choice.config) for choice in self.stages}
        data = []
        for choice in self.stages:
            shared = by_name.get(stage_class(choice.name).settings_from, {})
            own = {
                name: value
                for name, value in by_name[choice.name].items()
                if name not in shared or shared[name] != value
            }
            data.append({choice.name: {**own, "weights": choice.weights}})
        return data

    def _gates_data(self) -> dict[str, Any]:
        """All gates in order, those switched off marked."""
        data = [(gate.name, gate_data(gate)) for gate in self.gates]
        for place, gate in sorted(self.gates_off.items()):
            data.insert(place, (gate.name, {**gate_data(gate), "off": True}))
        return dict(data)


def _settings(config: Any) -> dict[str, Any]:
    """The settings of a stage as YAML has them."""
    return {
        name: list(value)
        if isinstance(value, tuple)
        else dict(value)
        if isinstance(value, Mapping)
        else value
        for name, value in ((f.name, getattr(config, f.name)) for f in dataclasses.fields(config))
    }


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
        return {**data, "stages": merged({}, stages, document), "gates": dict(gates)}, document
    if depth > 5:
        raise RecipeError(
            f"{document.where(('extends',))}: recipes extend one another in a circle."
        )
    base, _ = _merged(_document(str(data["extends"])), depth + 1)
    both = {"stages": merged(base["stages"], stages, document), "gates": {**base["gates"], **gates}}
    return {**base, **data, **both}, document


def _stage_map(stages: Any, document: Document) -> dict[str, dict[str, Any]]:
    if not isinstance(stages, list):
        raise RecipeError(
            f"{document.where(('stages',))}: stages expects a list, one stage per line."
        )
    settings: dict[str, dict[str, Any]] = {}
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
        if name in settings:
            raise RecipeError(f"{where}: expected {name} once, found it again; remove one of them.")
        if not isinstance(config, Mapping | None):
            raise RecipeError(f"{where}: {name} expects a mapping of settings, found {config!r}.")
        settings[name] = dict(config or {})
    return settings


def _apply_setting(data: dict[str, Any], setting: str) -> None:
    """Apply one ``--set a.b=value`` to merged recipe data."""
    key, equals, text = setting.partition("=")
    parts = key.strip().split(".")
    if not equals or len(parts) < 2:
        raise RecipeError(
            f"--set {setting}: expected stage.field=value or gates.name=bound, found {setting!r}."
        )
    value = scalar(text)
    if parts[0] == "crop":
        # The crop window belongs to the stage that finds the face: crop.pad is faces.crop_pad.
        parts = ["faces", f"crop_{parts[1]}", *parts[2:]]
    head = parts[0]
    most = 2 if head != "gates" else 4 if parts[2:3] and parts[2] in WORDS else 3
    if len(parts) > most:
        raise RecipeError(
            f"--set {setting}: expected stage.field=value, gates.name=bound, "
            "gates.name.language=bound or gates.name.at_most.language=bound, "
            f"found {len(parts)} parts; take the last ones away."
        )
    if head == "gates":
        set_gate(data["gates"], _columns(data["stages"]), parts[1:], value, setting)
    elif head in ("targets", "search"):
        data[head] = {**(data.get(head) or {}), parts[1]: value}
    elif head in data["stages"]:
        is_former = head == "faces" and parts[1] in FORMER
        config = FormerFaces if is_former else stage_class(head).Config
        _check_field(config, head, parts[1], value, setting)
        data["stages"][head][parts[1]] = value
    else:
        names = [*data["stages"], "gates", "targets", "search"]
        raise RecipeError(
            f"--set {setting}: {head!r} is no stage of this recipe{nearest(head, names)}."
        )


def _check_field(config: type, stage: str, name: str, value: Any, setting: str) -> None:
    """Raise RecipeError, naming the setting, when a stage has no such field or not such values."""
    if name == "weights":
        return
    hints = typing.get_type_hints(config)
    if name not in hints:
        raise RecipeError(
            f"--set {setting}: stage {stage} has no setting {name!r}{nearest(name, hints)}."
        )
    try:
        coerce(value, hints[name])
    except ValueError as error:
        raise RecipeError(f"--set {setting}: {stage}.{name} {error}.") from None


def _columns(stages: Iterable[str]) -> dict[str, Column]:
    """Every column that these stages give, by name."""
    return {column.name: column for stage in stages for column in stage_class(stage).columns}


def _resolve(data: dict[str, Any], document: Document) -> Recipe:
    stages = with_face_cuts(data["stages"], document)
    check_order(list(stages), document)
    choices = []
    for name, config in stages.items():
        index = line_of(document, name)
        cls = stage_class(name)
        shared = stages.get(cls.settings_from, {})
        fields = {field.name for field in dataclasses.fields(cls.Config)}
        settings = {key: value for key, value in shared.items() if key in fields} | config
        policy = settings.pop("weights", "required")
        if policy not in ("required", "optional"):
            raise RecipeError(
                f"{document.where(index)}: {name}.weights expects required or optional, "
                f"found {policy!r}."
            )
        built = build(cls.Config, settings, document, index)
        choices.append(StageChoice(name, built, policy))
    entries = {name: entry for name, entry in data["gates"].items() if entry is not None}
    columns = _columns(stages)
    own = {
        reason.name: reason.meaning
        for name in stages
        for reason in getattr(stage_class(name), "reasons", ())
    }
    gates = [gate_of(name, entry, document, columns, own) for name, entry in entries.items()]
    off = {place for place, entry in enumerate(entries.values()) if entry.get("off")}
    plain = {name: data[name] for name in _PLAIN if data.get(name) is not None}
    return dataclasses.replace(
        build(Recipe, {"name": document.name, **plain}, document),
        stages=tuple(choices),
        gates=tuple(gate for place, gate in enumerate(gates) if place not in off),
        gates_off={place: gates[place] for place in sorted(off)},
    )
