"""Names say what they hold: no participles, one class a name, one module a name."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "talkingface_wild"
PARTICIPLES = {"found", "asked", "made", "given", "known", "chosen", "wanted", "said", "told"}
"""What a value was done to says nothing of what it is. Fields are free: files hold their names."""
ROLES = {"request", "run", "plan", "progress", "config", "generator"}
"""What each job, or each generator, has one of."""


def _modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE), ast.parse(path.read_text(encoding="utf-8"))


def _values(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Names of values and functions, and their lines."""
    fields = {
        id(line.target)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for line in node.body
        if isinstance(line, ast.AnnAssign)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Store)
            and id(node) not in fields
        ):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.FunctionDef):
            yield node.name, node.lineno


def test_no_value_is_named_by_a_participle():
    named = [
        f"{path}:{line} {name}"
        for path, tree in _modules()
        for name, line in _values(tree)
        if name in PARTICIPLES
    ]
    assert named == []


def test_a_public_class_has_a_name_of_its_own():
    places = defaultdict(list)
    for path, tree in _modules():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path))
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


def test_a_module_has_a_name_of_its_own():
    """But for what every job has, and for verbs: a verb's line, job and page share its name."""
    places = defaultdict(list)
    for path, _ in _modules():
        places[path.stem].append(str(path))
    verbs = {path.stem for path in (PACKAGE / "cli").glob("*.py")}
    shared = {"__init__", *ROLES, *verbs}
    twice = {name: paths for name, paths in places.items() if len(paths) > 1}
    assert {name: paths for name, paths in twice.items() if name not in shared} == {}
