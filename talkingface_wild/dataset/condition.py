"""Conditions on columns, such as ``yaw_p90 > 20 and language == "de"``: parsed, never executed.

Comparisons, and, or, not, in, tests for null, numbers, text and names of columns; nothing else.
"""

import ast
import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from talkingface_wild.core.errors import UsageError, nearest

_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
}
_CONSTANTS = {"null": None, "none": None, "true": True, "false": False}
"""Names that stand for values, in whatever case."""
_LONGEST = 2000


class Condition:
    """A condition over columns of these kinds: ``number``, ``text`` or ``bool``, by name.

    A comparison with null is neither true nor false, as in SQL; what is not true is left out.
    Raises UsageError, with the nearest name, for anything but a condition over ``kinds``.
    """

    def __init__(self, text: str, kinds: Mapping[str, str]) -> None:
        self._text = text
        self._kinds = kinds
        self._tree = self._parsed(text)
        self.columns: tuple[str, ...] = tuple(
            dict.fromkeys(
                node.id
                for node in ast.walk(self._tree)
                if isinstance(node, ast.Name) and node.id.lower() not in _CONSTANTS
            )
        )
        """The columns that it names, in order."""
        for name in self.columns:
            if name not in kinds:
                raise UsageError(
                    f"--where {text}: expected a column, found {name!r}{nearest(name, kinds)}; "
                    "text stands in quotes, and `tfw schema` has the columns."
                )
        with self._refusing():
            self._mask(self._tree, {name: _EMPTY[kinds[name]] for name in self.columns})

    def mask(self, columns: Mapping[str, pa.Array]) -> pa.Array:
        """For each row whether the condition is true; ``columns`` holds those that it names."""
        with self._refusing():
            return pc.fill_null(self._mask(self._tree, columns), False)

    def _parsed(self, text: str) -> ast.expr:
        if len(text) > _LONGEST:
            raise self._refusal(f"found {len(text)} characters, expected {_LONGEST} at most")
        try:
            return ast.parse(text.strip(), mode="eval").body
        except SyntaxError as error:
            hint = " (equality is written ==)" if "=" in text and "==" not in text else ""
            raise self._refusal(f"found {error.msg}{hint}") from None
        except (ValueError, RecursionError, MemoryError):
            raise self._refusal("found what cannot be read as one") from None

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Refuse what parses but is too deep, too great or no Unicode text."""
        try:
            yield
        except (RecursionError, OverflowError, UnicodeError, pa.ArrowInvalid):
            raise self._refusal("found a value or a nesting that cannot be compared") from None

    def _refusal(self, words: str) -> UsageError:
        text = self._text[:80].encode("utf-8", "backslashreplace").decode()
        return UsageError(
            f"--where {text}: expected a condition, {words}; "
            "write it such as 'yaw_p90 > 20 and language == \"de\"'."
        )

    def _mask(self, node: ast.expr, columns: Mapping[str, pa.Array]) -> pa.Array:
        """The truth of a node for each row; null where it hangs on a null."""
        if isinstance(node, ast.BoolOp):
            join = pc.and_kleene if isinstance(node.op, ast.And) else pc.or_kleene
            masks = [self._mask(value, columns) for value in node.values]
            return functools.reduce(join, masks)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return pc.invert(self._mask(node.operand, columns))
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            masks = [
                self._comparison(left, operator, right, columns)
                for left, operator, right in zip(sides, node.ops, sides[1:], strict=False)
            ]
            return functools.reduce(pc.and_kleene, masks)
        if isinstance(node, ast.Name) and self._kinds.get(node.id) == "bool":
            return columns[node.id]
        raise self._refusal(f"found {ast.unparse(node)!r}, which is neither true nor false")

    def _comparison(
        self, left: ast.expr, operator: ast.cmpop, right: ast.expr, columns: Mapping[str, pa.Array]
    ) -> pa.Array:
        if isinstance(operator, ast.In | ast.NotIn):
            mask = self._membership(left, right, columns)
            return pc.invert(mask) if isinstance(operator, ast.NotIn) else mask
        if any(_is_null(side) for side in (left, right)):
            return self._null_test(left, operator, right, columns)
        if type(operator) not in _COMPARE:
            raise self._refusal(f"found {ast.unparse(right)!r} after is; only null can follow it")
        kinds = {self._kind(side) for side in (left, right)}
        if not any(self._is_column(side) for side in (left, right)):
            raise self._refusal("found a comparison without a column")
        if len(kinds) > 1:
            raise self._refusal(
                f"found {ast.unparse(left)} ({self._kind(left)}) beside {ast.unparse(right)} "
                f"({self._kind(right)})"
            )
        if kinds == {"bool"} and not isinstance(operator, ast.Eq | ast.NotEq):
            raise self._refusal("found an order between true and false")
        values = [self._value(side, columns) for side in (left, right)]
        return pc.call_function(_COMPARE[type(operator)], values)

    def _membership(
        self, left: ast.expr, right: ast.expr, columns: Mapping[str, pa.Array]
    ) -> pa.Array:
        if isinstance(right, ast.Tuple | ast.List | ast.Set) and self._is_column(left):
            kind = self._kind(left)
            if any(self._is_column(item) or self._kind(item) != kind for item in right.elts):
                raise self._refusal(f"found {ast.unparse(right)} where {kind} was to be listed")
            column = self._value(left, columns)
            mask = pc.if_else(pc.is_null(column), pa.scalar(None, pa.bool_()), pa.scalar(False))
            # As == does it: a cast to the column's type would cut 160.5 to 160.
            equal = [pc.equal(column, self._value(item, columns)) for item in right.elts]
            return functools.reduce(pc.or_kleene, equal, mask)
        if self._kind(left) == "text" and not self._is_column(left) and self._is_column(right):
            if self._kind(right) != "text":
                raise self._refusal(f"found {ast.unparse(right)}, which holds no text to look in")
            return pc.match_substring(self._value(right, columns), self._constant(left))
        raise self._refusal("found in without a list, such as language in ('de', 'fr')")

    def _null_test(
        self, left: ast.expr, operator: ast.cmpop, right: ast.expr, columns: Mapping[str, pa.Array]
    ) -> pa.Array:
        other = left if _is_null(right) else right
        if not self._is_column(other):
            raise self._refusal("found null beside no column")
        mask = pc.is_null(self._value(other, columns))
        if isinstance(operator, ast.Is | ast.Eq):
            return mask
        if isinstance(operator, ast.IsNot | ast.NotEq):
            return pc.invert(mask)
        raise self._refusal("found an order beside null; test it by is null or is not null")

    def _is_column(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id.lower() not in _CONSTANTS

    def _kind(self, node: ast.expr) -> str:
        if self._is_column(node):
            return self._kinds[node.id]  # type: ignore[attr-defined]
        value = self._constant(node)
        if isinstance(value, bool):
            return "bool"
        return "text" if isinstance(value, str) else "number"

    def _value(self, node: ast.expr, columns: Mapping[str, pa.Array]) -> Any:
        if self._is_column(node):
            return columns[node.id]  # type: ignore[attr-defined]
        return pa.scalar(self._constant(node))

    def _constant(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant) and type(node.value) in (int, float, str, bool):
            if isinstance(node.value, int) and abs(node.value) >= 2**63:
                return float(node.value)
            return node.value
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            value = self._constant(node.operand)
            if type(value) in (int, float):
                return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.Name) and node.id.lower() in ("true", "false"):
            return _CONSTANTS[node.id.lower()]
        raise self._refusal(
            f"found {ast.unparse(node)!r}; only columns, numbers and text in quotes are compared"
        )


def _is_null(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is None
    return isinstance(node, ast.Name) and node.id.lower() in ("null", "none")


_EMPTY = {
    "number": pa.array([], pa.float64()),
    "text": pa.array([], pa.string()),
    "bool": pa.array([], pa.bool_()),
}
