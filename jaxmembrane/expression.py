"""Rules between parameters: what a derived parameter equals, and which rows are allowed.

A rule is a text (``"bath.Na + bath.K - 29.5"``, ``"bath.K < bath.Na"``) or a plain Python
function of a mapping from parameter name to value. A text is read by `ast` and walked by a
white list: it can compute, and do nothing else.
"""

import ast
import functools
import hashlib
import inspect
import operator
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .naming import UnknownName, unknown

_ARITHMETIC = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARISONS = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_FUNCTIONS = {"sqrt": np.sqrt, "exp": np.exp, "log": np.log, "abs": np.abs}
_EXTREMES = {"min": np.minimum, "max": np.maximum}
_HINTS = {
    ast.BitXor: "is not allowed; write ** for a power",
    ast.BitAnd: "is not allowed; write 'and'",
    ast.BitOr: "is not allowed; write 'or'",
    ast.Invert: "is not allowed; write 'not'",
}
_GRAMMAR = "numbers, parameter names, + - * / ** ( ), min max sqrt exp log abs"
_CONDITIONS = "a condition compares numbers with < <= > >= == !=, joined by and, or, not"
_DEPTH = 200


@dataclass(frozen=True)
class Expression:
    """Arithmetic, or a condition, over parameter names, read from a text by `read`.

    Called with a mapping from name to number or array, it gives the value for every row.
    """

    text: str
    names: tuple[str, ...]
    tree: ast.expr = field(repr=False, compare=False)

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """Evaluate for the given values, elementwise and in float64."""
        return _value(self.tree, values)

    def describe(self) -> str:
        """Give the text, which is all there is to know."""
        return self.text


@dataclass(frozen=True)
class Function:
    """A rule that is a Python function of a mapping from parameter name to array.

    It must work row by row (elementwise). It is known by its module, its name and a digest of
    its bytecode, constants and defaults: values that it closes over, or globals that it uses, are
    not seen, and another Python version may change the digest. A text has neither weakness.
    """

    call: Callable[[Mapping[str, Any]], Any]

    names = ()

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """Call the function."""
        return self.call(values)

    def describe(self) -> dict[str, str]:
        """Give module, qualified name and a digest of the code."""
        content = _code_content(self.call.__code__) + repr(self.call.__defaults__)
        return {
            "module": self.call.__module__,
            "qualname": self.call.__qualname__,
            "sha256": hashlib.sha256(content.encode()).hexdigest(),
        }


Rule = Expression | Function


@dataclass(frozen=True)
class Rules:
    """Derived parameters, in the order written, and constraints; `order` is one to compute in."""

    derived: Mapping[str, Rule] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    where: tuple[Rule, ...] = ()

    def reads(self) -> Iterator[tuple[str, str]]:
        """Yield every name that a text reads, after the rule that reads it."""
        rules = [(f"derive[{name!r}]", rule) for name, rule in self.derived.items()]
        for label, rule in rules + [(f"where[{k}]", rule) for k, rule in enumerate(self.where)]:
            yield from ((label, name) for name in rule.names)

    def apply(self, values: dict[str, Any], rows: int) -> np.ndarray:
        """Add the derived parameters to `values`; give which of the rows are allowed.

        A row is not allowed when a derived parameter is not finite or a constraint is not met.
        """
        known = Known(values)
        valid = np.ones(rows, bool)
        with np.errstate(all="ignore"):
            for name in self.order:
                column = _column(self.derived[name](known), rows, f"derive[{name!r}]", "number")
                known[name] = values[name] = column
                valid &= np.isfinite(column)
            for k, rule in enumerate(self.where):
                valid &= _column(rule(known), rows, f"where[{k}]", "True or False")
        return valid

    def describe(self) -> dict[str, Any]:
        """Give every rule as its text, or as module, name and digest of its function."""
        return {
            "derive": {name: rule.describe() for name, rule in self.derived.items()},
            "where": [rule.describe() for rule in self.where],
        }


class Known(dict[str, Any]):
    """What a rule may read: the parameters that a design sets, and the fixed ones."""

    def __missing__(self, name: str) -> Any:
        """Refuse a name that a function asks for, with the nearest known one."""
        self.require(name, "a function")

    def require(self, name: str, reader: str) -> None:
        """Raise `UnknownName` unless the name is known; `reader` is the rule that reads it."""
        if name not in self:
            what = f"parameter in {reader}, neither fixed nor swept nor derived before,"
            raise UnknownName(unknown(what, name, self))


def read(source: Any, where: str, *, condition: bool = False) -> Rule:
    """Read a rule from a text or a function; `where` names the place for error messages.

    Raises `ValueError` for a text that is not arithmetic (or, with `condition`, not a condition)
    and `TypeError` for anything that is neither a text nor a plain function.

    >>> rule = read("bath.Na + bath.K - 29.5", "derive['bath.Cl']")
    >>> rule.names
    ('bath.Na', 'bath.K')
    >>> float(rule({"bath.Na": 145.0, "bath.K": 3.5}))
    119.0
    """
    if inspect.isfunction(source):
        return Function(source)
    if not isinstance(source, str):
        raise TypeError(f"{where}: {source!r} is neither a text nor a plain function (def, lambda)")
    where = f"{where}: {source!r}"
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = getattr(error, "msg", None) or str(error) or "nested too deeply"
        advice = _CONDITIONS if condition else f"allowed are {_GRAMMAR}"
        raise ValueError(f"{where} cannot be read ({reason}); {advice}") from None
    try:
        names = tuple(dict.fromkeys(_names(tree, condition, where)))
    except RecursionError:
        raise ValueError(_too_deep(where)) from None
    return Expression(source.strip(), names, tree)


def _names(node: ast.expr, condition: bool, where: str, depth: int = 0) -> Iterator[str]:
    """Yield the parameters that a number or a condition reads; refuse what is neither."""
    if depth > _DEPTH:
        raise ValueError(_too_deep(where))
    if not condition and (name := _dotted(node)):
        yield name
        return
    for part in _conditions(node, where) if condition else _operands(node, where):
        yield from _names(part, condition and not isinstance(node, ast.Compare), where, depth + 1)


def _conditions(node: ast.expr, where: str) -> list[ast.expr]:
    match node:
        case ast.BoolOp():
            return node.values
        case ast.UnaryOp(op=ast.Not()):
            return [node.operand]
        case ast.Compare() if all(type(op) in _COMPARISONS for op in node.ops):
            return [node.left, *node.comparators]
    raise _refusal(node, where, f"is not a condition; {_CONDITIONS}")


def _operands(node: ast.expr, where: str) -> list[ast.expr]:
    match node:
        case ast.Constant() if type(node.value) in (int, float):
            _finite(node, where)
            return []
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            return [node.left, node.right]
        case ast.UnaryOp(op=ast.UAdd() | ast.USub()):
            return [node.operand]
        case ast.Call():
            return _arguments(node, where)
        case ast.BoolOp() | ast.Compare() | ast.UnaryOp(op=ast.Not()):
            raise _refusal(node, where, "is a condition, but a number is needed here")
    raise _refusal(node, where, f"is not allowed; allowed are {_GRAMMAR}")


def _arguments(node: ast.Call, where: str) -> list[ast.expr]:
    name = _dotted(node.func)
    if name not in _FUNCTIONS and name not in _EXTREMES:
        given = ast.unparse(node.func)
        raise ValueError(f"{where}: {unknown('function', given, [*_FUNCTIONS, *_EXTREMES])}")
    least, most = (1, 1) if name in _FUNCTIONS else (2, 99)
    if node.keywords or not least <= len(node.args) <= most:
        wanted = "one argument" if name in _FUNCTIONS else "two or more arguments"
        raise ValueError(f"{where}: {name} takes {wanted}, not {ast.unparse(node)!r}")
    return node.args


def _refusal(node: ast.expr, where: str, reason: str) -> ValueError:
    reason = _HINTS.get(type(getattr(node, "op", None)), reason)
    return ValueError(f"{where}: {ast.unparse(node)!r} {reason}")


def _too_deep(where: str) -> str:
    return f"{where} is nested more than {_DEPTH} deep; split it into several"


def _finite(node: ast.Constant, where: str) -> None:
    if not -sys.float_info.max <= node.value <= sys.float_info.max:  # type: ignore[operator]
        raise ValueError(f"{where} has a number in it that is too large for a float64")


def _dotted(node: ast.AST) -> str | None:
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value)
        return None if owner is None else f"{owner}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else None


def _value(node: ast.AST, values: Mapping[str, Any]) -> Any:
    """Evaluate a tree that `read` has approved."""
    match node:
        case ast.Constant():
            # Python numbers would raise where float64 gives inf, and could grow without end.
            return np.float64(node.value)  # pyright: ignore[reportArgumentType]
        case ast.BinOp():
            return _ARITHMETIC[type(node.op)](_value(node.left, values), _value(node.right, values))
        case ast.UnaryOp():
            operand = _value(node.operand, values)
            negate = np.logical_not if isinstance(node.op, ast.Not) else operator.neg
            return operand if isinstance(node.op, ast.UAdd) else negate(operand)
        case ast.Compare():
            sides = [_value(side, values) for side in (node.left, *node.comparators)]
            pairs = zip(node.ops, sides, sides[1:], strict=False)
            return functools.reduce(
                np.logical_and, (_COMPARISONS[type(op)](left, right) for op, left, right in pairs)
            )
        case ast.BoolOp():
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            return functools.reduce(join, (_value(part, values) for part in node.values))
        case ast.Call():
            arguments = [_value(argument, values) for argument in node.args]
            name = str(_dotted(node.func))
            if name in _EXTREMES:
                return functools.reduce(_EXTREMES[name], arguments)
            return _FUNCTIONS[name](arguments[0])
    value = values[str(_dotted(node))]
    return value if isinstance(value, np.ndarray) else np.float64(value)


def _column(result: Any, rows: int, label: str, wanted: str) -> np.ndarray:
    array = np.asarray(result)
    kinds, dtype = ("iuf", np.float64) if wanted == "number" else ("b", np.bool_)
    if array.dtype.kind not in kinds or array.shape not in ((), (rows,)):
        raise ValueError(
            f"{label} must give one {wanted} for each of {rows} rows, but gave an array of"
            f" {array.dtype} with shape {array.shape}"
        )
    column = np.array(np.broadcast_to(array, (rows,)), dtype)
    column.flags.writeable = False
    return column


def _code_content(code: Any) -> str:
    """Give what a code object does as a text that is the same in every process."""
    constants = []
    for constant in code.co_consts:
        if inspect.iscode(constant):
            constants.append(_code_content(constant))
        elif isinstance(constant, frozenset):
            # The order in which a set prints changes from process to process.
            constants.append(repr(sorted(map(repr, constant))))
        else:
            constants.append(repr(constant))
    return repr((code.co_code.hex(), constants, code.co_names))
