"""Study files: a sweep in TOML, checked whole before anything compiles; `sweep --help` shows one.

A value is a number in package units, or a text with a unit.
"""

import importlib
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd

from . import zoo
from .cell import Cell
from .design import Design, whole_number
from .distributions import Choice, Grid, LogNormal, LogUniform, Normal, Uniform
from .expression import read as read_rule
from .naming import unknown
from .outputs import check_outputs
from .params import DOMAINS, Param
from .space import Space, table
from .steady import AVAILABLE
from .sweep import check_design
from .units import exponents, quantity

_DISTRIBUTIONS: dict[str, Any] = {
    kind.__name__.lower(): kind for kind in (Uniform, LogUniform, Normal, LogNormal, Choice, Grid)
}
_CUBE = ("kind", "seed", "rows")
_FITTING = dict.fromkeys(("sobol", "random", "latin"), _CUBE) | {"grid": ("kind", "points")}
_KEYS = {
    "cell": ("zoo", "build", "parameters"),
    "design": (*_CUBE, "points", "table"),
    "outputs": ("names", "precision", "chunk"),
}

Keys = tuple[str, ...]


class StudyError(ValueError):
    """All that is wrong with a study file, a line each: ``study.toml:12: what is wrong``."""


@dataclass(frozen=True)
class Study:
    """A sweep as a study file describes it; `text` is the file."""

    cell: Cell
    design: Design
    params: Mapping[str, float]
    outputs: tuple[str, ...] | None
    precision: str
    chunk: int | None
    text: str


def read_study(path: str | os.PathLike, rows: int | None = None) -> Study:
    """Read a study file; `rows` replaces the rows of its design.

    Whatever does not fit is a `StudyError`: all at once, each with line and what would be right.

    >>> read_study("study.toml").design  # doctest: +SKIP
    <sobol design of 100000 rows, seed 1: nka.j, leak_Na.g, leak_Cl.g, bath.Cl>
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
        tables = tomllib.loads(text)
    except OSError as error:
        raise StudyError(f"{path}: it cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        reason, at, line = str(error).partition(" (at line ")
        place = f"{path}:{line.partition(',')[0]}" if at else path
        raise StudyError(f"{place}: this is not TOML: {reason}") from None
    return _Reader(Path(path), tables, key_lines(text)).study(text, rows)


def key_lines(text: str) -> dict[Keys, int]:
    r"""Line of every key of a TOML text: each statement is read by itself, below its header.

    >>> key_lines("[space]\nbath.K = {uniform = [2, 12]}")["space", "bath", "K", "uniform"]
    2
    """
    found: dict[Keys, int] = {}

    def note(tree: Any, keys: Keys, line: int) -> None:
        for key, value in tree.items() if isinstance(tree, dict) else ():
            found.setdefault((*keys, key), line)
            note(value, (*keys, key), line)

    header = statement = ""
    for number, line in enumerate(text.split("\n"), 1):
        first = number - statement.count("\n")
        statement += line + "\n"
        try:
            note(tomllib.loads(header + statement), (), first)
        except tomllib.TOMLDecodeError:
            continue  # it goes on in the next line
        header = statement if statement.lstrip().startswith("[") else header
        statement = ""
    return found


@dataclass
class _Reader:
    """A file being read: its tables, the lines of its keys, and what is wrong so far."""

    path: Path
    tables: dict[str, Any]
    lines: Mapping[Keys, int]
    problems: set[tuple[int, str]] = field(default_factory=set)

    def study(self, text: str, rows: int | None) -> Study:
        """Read all sections, and tell all problems at once."""
        for name in self.tables.keys() - {*_KEYS, "space"}:
            self.refuse((name,), unknown("section", name, [*_KEYS, "space"]))
        for name, known in _KEYS.items():
            for key in self.table(name).keys() - set(known):
                self.refuse((name, key), unknown(f"key in [{name}]:", key, known))
        tabled = "table" in self.table("design")
        if tabled and self.table("space"):
            self.refuse(("space",), "[space] does not fit a design with table, which sets all rows")
        for name in ("cell", "design", *([] if tabled else ["space"])):
            if not self.table(name):
                self.refuse((name,), f"the section [{name}] is missing or empty")
        params = self.params(cell := self.cell())
        design = self.design(cell, None if tabled else self.space(cell, params), rows)
        outputs = self.outputs(cell)
        if cell and design and not self.problems:
            with self.at("design" if tabled else "space"):
                check_design(cell, design, params)
                return Study(cell, design, params, *outputs, text)
        lines = [f"{self.path}:{line}: {what}" for line, what in sorted(self.problems)]
        raise StudyError("\n".join(lines))

    def refuse(self, keys: Keys, what: str) -> None:
        """Note a problem, at the line of the key or of what holds it."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        self.problems.add((self.lines.get(keys, 1), what))

    @contextmanager
    def at(self, *keys: str, label: str = "") -> Iterator[None]:
        """Note what is refused inside as a problem of these keys."""
        try:
            yield
        except (ValueError, TypeError, KeyError, OverflowError, OSError) as error:
            self.refuse(keys, f"{label}{error}".strip())

    def table(self, *keys: str) -> dict[str, Any]:
        """A table of the file; empty where there is none."""
        found: Any = self.tables
        for key in keys:
            found = found.get(key, {}) if isinstance(found, dict) else {}
        if not isinstance(found, dict):
            self.refuse(keys, f"{'.'.join(keys)} must be a table of keys, not {found!r}")
        return found if isinstance(found, dict) else {}

    def entries(self, *keys: str) -> Iterator[tuple[str, Keys, Any]]:
        """Give (parameter, keys, entry): ``bath.K`` may be one quoted key or two keys."""
        seen = set()
        for key, value in self.table(*keys).items():
            plain = not isinstance(value, dict) or "." in key or value.keys() & {*_DISTRIBUTIONS}
            for last, entry in [("", value)] if plain else value.items():
                at, name = ((*keys, key, last), f"{key}.{last}") if last else ((*keys, key), key)
                if name in seen:
                    self.refuse(at, f"{name} is set twice; keep one of them")
                seen.add(name)
                yield name, at, entry

    def declared(self, keys: Keys, name: str, cell: Cell | None) -> Param | None:
        """A parameter of the cell; None where it is not known, which is refused."""
        if cell and name not in cell.parameters:
            self.refuse(keys, unknown("parameter", name, cell.parameters))
        return cell.parameters.get(name) if cell else None

    def cell(self) -> Cell | None:
        given = self.table("cell")
        if len(given.keys() & {"zoo", "build"}) != 1:
            self.refuse(("cell",), '[cell] needs one of zoo = "neuron", build = "module:function"')
            return None
        way = "zoo" if "zoo" in given else "build"
        with self.at("cell", way, label=f"{way} = {given[way]!r}: "):
            return zoo.get(str(given[way])) if way == "zoo" else _build(given[way], self.path)
        return None

    def params(self, cell: Cell | None) -> dict[str, float]:
        found = {}
        for name, keys, entry in self.entries("cell", "parameters"):
            with self.at(*keys):
                if declared := self.declared(keys, name, cell):
                    found[name] = quantity(entry, declared.unit, name)
                    _check_domain(name, found[name], declared)
        return found

    def space(self, cell: Cell | None, params: Mapping[str, float]) -> Space | None:
        before, axes, derive = len(self.problems), {}, {}
        for key, keys, spec in self.entries("space"):
            names = tuple(part.strip() for part in key.split(","))
            if keys[1] not in ("where", "derive"):
                for name in set(names) & params.keys():
                    self.refuse(keys, f"{name} is both fixed in [cell.parameters] and swept")
                known = {name: p for name in names if (p := self.declared(keys, name, cell))}
                with self.at(*keys, label=f"{key}: "):
                    axes[names] = _axis(spec, known)
        where = self.table("space").get("where", [])
        where = where if isinstance(where, list) else [where]
        rules: Any = {f"where[{k}]": (("space", "where"), text) for k, text in enumerate(where)}
        for name, keys, text in self.entries("space", "derive"):
            self.declared(keys, name, cell)
            derive[name] = text
            rules[f"derive[{name!r}]"] = (keys, text)
        for label, (keys, text) in rules.items():
            with self.at(*keys):
                for name in read_rule(text, label, condition=label.startswith("where")).names:
                    self.declared(keys, name, cell)
        if self.table("space") and all(axes.values()) and len(self.problems) == before:
            with self.at("space"):
                return Space(axes, derive=derive, where=where)
        return None

    def design(self, cell: Cell | None, space: Space | None, rows: int | None) -> Design | None:
        given = self.table("design")
        kind = "table" if "table" in given else str(given.get("kind", "nothing"))
        fitting = ("table",) if "table" in given else _FITTING.get(kind)
        if fitting is None:
            self.refuse(("design", "kind"), unknown("kind of design", kind, _FITTING))
            return None
        for key in (given.keys() & _KEYS["design"]) - set(fitting):
            what = f"{key} does not fit a {kind} design, which has {' and '.join(fitting)}"
            self.refuse(("design", key), what)
        if rows is not None and fitting != _CUBE:
            self.refuse(("design",), f"--rows does not fit a {kind} design, whose rows are given")
        points, size = given.get("points"), {"n": 1, "seed": 0}
        if isinstance(points, dict):
            points = {name: n for name, _, n in self.entries("design", "points")}
        if fitting == _CUBE:
            with self.at("design", "rows"):
                size["n"] = whole_number(given.get("rows") if rows is None else rows, "rows", 1)
            with self.at("design", "seed"):
                size["seed"] = whole_number(given.get("seed", 0), "seed", 0)
        with self.at("design", fitting[-1], label=f"{given['table']}: " if kind == "table" else ""):
            if kind == "table":
                return _table(self.path.parent / str(given["table"]), cell)
            return space and getattr(space, kind)(**({"n": points} if kind == "grid" else size))
        return None

    def outputs(self, cell: Cell | None) -> tuple[tuple[str, ...] | None, str, int | None]:
        given = self.table("outputs")
        names, precision = given.get("names"), given.get("precision", "float64")
        names = None if names is None else tuple(names if isinstance(names, list) else [names])
        for name in names or ():
            with self.at("outputs", "names"):
                check_outputs([str(name)], AVAILABLE, cell)
        if precision not in ("float64", "float32"):
            what = f'precision must be "float64" or "float32", not {precision!r}'
            self.refuse(("outputs", "precision"), what)
        with self.at("outputs", "chunk"):
            whole_number(given.get("chunk", 1), "chunk", 1)
        return names, precision, given.get("chunk")


def _build(name: Any, study: Path) -> Cell:
    """Call ``module:function``, looking for the module beside the study file first."""
    folder = str(study.absolute().parent)
    sys.path.insert(0, folder)
    try:
        module, _, function = str(name).partition(":")
        cell = getattr(importlib.import_module(module), function)()
    except (Exception, SystemExit) as error:  # whatever the user's code may raise
        raise ValueError(
            f"as module:function it fails with {type(error).__name__}: {error}"
        ) from None
    finally:
        sys.path.remove(folder)
    if not isinstance(cell, Cell):
        raise TypeError(f"it must return a jm.Cell, not {type(cell).__name__}")
    return cell


def _axis(spec: Any, declared: Mapping[str, Param]) -> Any:
    """Read ``{uniform = [2, 12]}``; None where text needs a unit that is not known."""
    if not isinstance(spec, dict) or len(spec) != 1:
        raise TypeError(f"write for example {{uniform = [2, 12]}}, not {spec!r}")
    ((kind, entries),) = spec.items()
    if kind not in _DISTRIBUTIONS:
        raise ValueError(unknown("distribution", kind, _DISTRIBUTIONS))
    wanted = [entry.name for entry in fields(_DISTRIBUTIONS[kind])]
    if not isinstance(entries, list) or (len(wanted) == 2 and len(entries) != 2):
        raise ValueError(f"{kind} takes [{', '.join(wanted)}], not {entries!r}")
    units = [p.unit for p in declared.values()] or ["1"]
    if len({exponents(unit) for unit in units}) > 1:
        raise ValueError(f"linked parameters must have one unit, not {' and '.join(units)}")
    if not declared and any(isinstance(entry, str) for entry in entries):
        return None
    units = [units[0], "1"] if kind == "lognormal" else units[:1] * len(entries)
    numbers = [quantity(entry, unit, kind) for entry, unit in zip(entries, units, strict=True)]
    for name, p in declared.items():
        _check_domain(name, numbers[:1] if kind.endswith("normal") else numbers, p)
    return _DISTRIBUTIONS[kind](*(numbers if len(wanted) == 2 else [numbers]))


def _table(file: Path, cell: Cell | None) -> Design:
    """Read rows from a CSV file with one column for each parameter."""
    rows = pd.read_csv(file, header=None, dtype=str, skipinitialspace=True)
    frame = rows[1:].astype(float).set_axis(rows.iloc[0], axis="columns")
    for name, column in frame.items():
        if cell and name in cell.parameters:
            _check_domain(str(name), column, cell.parameters[str(name)])
    return table(frame)


def _check_domain(name: str, values: Any, declared: Param) -> None:
    for value in pd.Series(values)[lambda x: ~declared.allows(x)][:1]:
        unit = "" if declared.unit == "1" else f" {declared.unit}"
        raise ValueError(f"{name} must be {DOMAINS[declared.domain]}, not {value:g}{unit}")
