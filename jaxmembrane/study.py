"""Study files: a sweep written down in TOML, and checked whole before anything compiles.

::

    [cell]
    zoo = "neuron"                    # or build = "module:function", which returns a jm.Cell
    [cell.parameters]                 # where they differ from the nominal ones
    bath.Na = 140.0                   # a number in package units,
    "membrane.C_m" = "1 uF/cm2"       # or a text with a unit; quotes around a name do not matter

    [space]
    nka.j = {loguniform = [30, 300]}  # uniform, loguniform, normal, lognormal, choice, grid
    "leak_Na.g, leak_Cl.g" = {uniform = ["0.1 mS/cm2", "0.3 mS/cm2"]}  # one number for both
    where = ["nka.j < 100 * leak_Na.g"]
    derive = {bath.Cl = "bath.Na + bath.K - 29.5"}

    [design]                          # or table = "rows.csv", and no [space]
    kind = "sobol"                    # random, latin; or grid, with points = 5 for rows and seed
    rows = 100_000
    seed = 1

    [outputs]                         # all of it may be left out
    names = ["V", "volume"]
    precision = "float64"
    chunk = 16384
"""

import csv
import importlib
import os
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import zoo
from .cell import Cell
from .design import Design, whole_number
from .distributions import Choice, Distribution, Grid, LogNormal, LogUniform, Normal, Uniform
from .expression import read as read_rule
from .naming import unknown
from .params import DOMAINS, Param
from .space import Space, table
from .steady import AVAILABLE
from .sweep import check_design
from .units import parse, quantity

_KEYS = {
    "cell": ("zoo", "build", "parameters"),
    "design": ("kind", "rows", "seed", "points", "table"),
    "outputs": ("names", "precision", "chunk"),
}
_PAIRS = {
    "uniform": (Uniform, "[lower, upper]"),
    "loguniform": (LogUniform, "[lower, upper]"),
    "normal": (Normal, "[mean, sd]"),
    "lognormal": (LogNormal, "[median, sigma]"),
}
_LISTS = {"choice": Choice, "grid": Grid}
_CUBES = ("sobol", "random", "latin")

Keys = tuple[str, ...]
Entries = dict[str, tuple[Keys, Any]]


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

    Raises
    ------
    StudyError
        (a `ValueError`) for whatever does not fit, all of it at once, each with file, line, what
        was found and what would be right.

    Examples
    --------
    >>> read_study("study.toml").design  # doctest: +SKIP
    <sobol design of 100000 rows, seed 1: leak_K.g, nka.j, bath.K>
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: it is not text in UTF-8 (byte {error.start + 1})") from None
    except OSError as error:
        raise StudyError(f"{path}: it cannot be read ({error.strerror})") from None
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        reason, _, where = str(error).partition(" (at line ")
        line = where.partition(",")[0] or len(text.splitlines()) or 1
        raise StudyError(f"{path}:{line}: this is not TOML: {reason}") from None
    return _Reader(path, tables, key_lines(text)).study(text, rows)


def key_lines(text: str) -> dict[Keys, int]:
    """Line of every key of a TOML text: each statement is read by itself, below its header.

    >>> key_lines('[space]\\nbath.K = {uniform = [2, 12]}')[("space", "bath", "K", "uniform")]
    2
    """
    found: dict[Keys, int] = {}

    def note(tree: Any, keys: Keys, line: int) -> None:
        for key, value in tree.items() if isinstance(tree, dict) else ():
            found.setdefault((*keys, key), line)
            note(value, (*keys, key), line)

    header = statement = ""
    first = 1
    for number, line in enumerate(text.split("\n"), 1):
        statement += line + "\n"
        try:
            note(tomllib.loads(header + statement), (), first)
        except tomllib.TOMLDecodeError:
            continue  # it goes on in the next line
        header = statement if statement.lstrip().startswith("[") else header
        statement, first = "", number + 1
    return found


@dataclass
class _Reader:
    """A file being read: its tables, the lines of its keys, and what is wrong so far."""

    path: str | os.PathLike
    tables: dict[str, Any]
    lines: Mapping[Keys, int]
    problems: list[tuple[int, str]] = field(default_factory=list)

    def refuse(self, keys: Keys, what: str) -> None:
        """Note a problem, at the line of the key or of what holds it."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        self.problems.append((self.lines.get(keys, 1), what))

    @contextmanager
    def at(self, *keys: str, label: str = "") -> Iterator[None]:
        """Note what is refused inside as a problem of these keys."""
        try:
            yield
        except (ValueError, TypeError, KeyError, ArithmeticError) as error:
            self.refuse(keys, label + str(error))

    def table(self, *keys: str) -> dict[str, Any]:
        """A table of the file; empty where there is none."""
        found: Any = self.tables
        for key in keys:
            found = found.get(key, {}) if isinstance(found, dict) else {}
        if isinstance(found, dict):
            return found
        self.refuse(keys, f"[{'.'.join(keys)}] must be a table of keys, not {found!r}")
        return {}

    def entries(self, *keys: str, nested: Callable[[str, dict[str, Any]], bool]) -> Entries:
        """Give the entries of a table by parameter: ``bath.K`` may be one quoted key or two."""
        found: Entries = {}
        for key, value in self.table(*keys).items():
            at = (*keys, key)
            if isinstance(value, dict) and nested(key, value):
                new = {f"{key}.{name}": ((*at, name), inner) for name, inner in value.items()}
            else:
                new = {key: (at, value)}
            for name in new.keys() & found.keys():
                self.refuse(new[name][0], f"{name} is set twice; keep one of them")
            found |= new
        return found
