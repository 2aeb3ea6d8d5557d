"""A study file as it is read: its tables, the lines of its keys, and what is wrong with them."""

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from ..cell import Cell
from ..distributions import Choice, Grid, LogNormal, LogUniform, Normal, Uniform
from ..naming import unknown
from ..params import DOMAINS, Param

DISTRIBUTIONS: dict[str, Any] = {
    kind.__name__.lower(): kind for kind in (Uniform, LogUniform, Normal, LogNormal, Choice, Grid)
}

Keys = tuple[str, ...]


class StudyError(ValueError):
    """All that is wrong with a study file, a line each: ``study.toml:12: what is wrong``."""


def key_lines(text: str) -> dict[Keys, int]:
    r"""Line of every key of a TOML text: each statement is read by itself, below its header.

    >>> key_lines("[space]\nbath.K = {uniform = [2, 12]}")["space", "bath", "K", "uniform"]
    2
    """
    found: dict[Keys, int] = {}
    opened: dict[Keys, int] = {}  # arrays of tables, and which of its tables a header has opened

    def note(tree: Any, keys: Keys, line: int) -> None:
        if keys in opened:
            keys = (*keys, str(opened[keys]))
            found.setdefault(keys, line)
            tree = tree[0] if isinstance(tree, list) else tree
        pairs = enumerate(tree) if isinstance(tree, list) else ()
        for key, value in tree.items() if isinstance(tree, dict) else pairs:
            found.setdefault((*keys, str(key)), line)
            note(value, (*keys, str(key)), line)

    header = statement = ""
    for number, line in enumerate(text.split("\n"), 1):
        first = number - statement.count("\n")
        statement += line + "\n"
        try:
            tree = tomllib.loads(header + statement)
            if statement.lstrip().startswith("["):
                tree = tomllib.loads(statement)
                _open(tree, opened)
                header = statement
            note(tree, (), first)
        except tomllib.TOMLDecodeError:
            continue  # it goes on in the next line
        statement = ""
    return found


def _open(header: Any, opened: dict[Keys, int]) -> None:
    """Count the table that ``[[a.b]]`` opens."""
    keys: Keys = ()
    while isinstance(header, dict) and header:
        ((key, header),) = header.items()
        keys = (*keys, key)
        if isinstance(header, dict) and keys in opened:
            keys = (*keys, str(opened[keys]))
    if isinstance(header, list):
        opened[keys] = opened.get(keys, -1) + 1


@dataclass
class File:
    """A file being read; `problems` are those found so far, by line."""

    path: Path
    text: str
    tables: dict[str, Any]
    lines: Mapping[Keys, int]
    problems: set[tuple[int, str]] = field(default_factory=set)

    @classmethod
    def read(cls, path: str | os.PathLike) -> "File":
        """Read a file as TOML, or say why it is none."""
        try:
            text = Path(path).read_bytes().decode("utf-8-sig")
            tables = tomllib.loads(text)
        except OSError as error:
            raise StudyError(f"{path}: it cannot be read ({error.strerror})") from None
        except (ValueError, RecursionError) as error:
            reason, at, line = str(error).partition(" (at line ")
            place = f"{path}:{line.partition(',')[0]}" if at else path
            raise StudyError(f"{place}: this is not TOML: {reason}") from None
        return cls(Path(path), text, tables, key_lines(text))

    def sections(self, known: Mapping[str, Iterable[str]], needed: Iterable[str]) -> None:
        """Refuse sections and keys that mean nothing, and miss those that are needed.

        A section without known keys has names of its own.
        """
        for name in self.tables.keys() - known.keys():
            self.refuse((name,), unknown("section", name, known))
        for name, keys in known.items():
            if keys:
                self.expect((name,), keys, f"key in [{name}]:")
        for name in needed:
            if not self.table(name):
                self.refuse((name,), f"the section [{name}] is missing or empty")

    def expect(self, keys: Keys, known: Iterable[str], what: str) -> None:
        """Refuse the keys of a table that mean nothing there."""
        for key in self.table(*keys).keys() - set(known):
            self.refuse((*keys, key), unknown(what, key, known))

    def failure(self) -> StudyError:
        """All problems as one error, in the order of their lines."""
        lines = [f"{self.path}:{line}: {what}" for line, what in sorted(self.problems)]
        return StudyError("\n".join(lines))

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
            if isinstance(found, list):
                found = {str(k): entry for k, entry in enumerate(found)}
            found = found.get(key, {}) if isinstance(found, dict) else {}
        if not isinstance(found, dict):
            self.refuse(keys, f"{'.'.join(keys)} must be a table of keys, not {found!r}")
        return found if isinstance(found, dict) else {}

    def texts(self, *keys: str) -> list[str] | None:
        """A list of texts; None where there is none."""
        given = self.table(*keys[:-1]).get(keys[-1])
        if given is None or (isinstance(given, list) and all(isinstance(x, str) for x in given)):
            return given
        self.refuse(keys, f"{keys[-1]} must be a list of texts, not {given!r}")
        return None

    def array(self, *keys: str) -> list[Keys]:
        """Where the tables of an array are, as ``("protocol", "steps", "0")``."""
        found, name = self.table(*keys[:-1]).get(keys[-1], []), ".".join(keys)
        if isinstance(found, list) and all(isinstance(table, dict) for table in found):
            return [(*keys, str(k)) for k in range(len(found))]
        self.refuse(keys, f"{name} must be tables, each headed [[{name}]], not {found!r}")
        return []

    def entries(self, *keys: str) -> Iterator[tuple[str, Keys, Any]]:
        """Give (parameter, keys, entry): ``bath.K`` may be one quoted key or two keys."""
        seen = set()
        for key, value in self.table(*keys).items():
            plain = not isinstance(value, dict) or "." in key or value.keys() & {*DISTRIBUTIONS}
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


def check_domain(name: str, values: Any, declared: Param) -> None:
    """Refuse a number, or the first of many, outside a parameter's domain."""
    for value in pd.Series(values)[lambda x: ~declared.allows(x)][:1]:
        unit = "" if declared.unit == "1" else f" {declared.unit}"
        raise ValueError(f"{name} must be {DOMAINS[declared.domain]}, not {value:g}{unit}")
