"""The sections [space] and [design]: which rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from ..blocks import grouped
from ..cell import Cell
from ..design import Design, whole_number
from ..expression import read as read_rule
from ..naming import unknown
from ..params import Param
from ..space import Space, table
from ..units import exponents, quantity
from .file import DISTRIBUTIONS, File, Keys, check_domain

_CUBE = ("kind", "seed", "rows")
_FITTING = dict.fromkeys(("sobol", "random", "latin"), _CUBE) | {
    "grid": ("kind", "points"),
    "saltelli": ("kind", "seed", "blocks", "second_order", "groups"),
    "morris": ("kind", "seed", "blocks", "levels", "groups"),
}
DESIGN = (*dict.fromkeys(key for keys in _FITTING.values() for key in keys), "table")
"""Keys of a design."""
_VARIED = {"space": "swept", "free": "free"}


def read_space(file: File, cell: Cell | None, params: Mapping[str, float]) -> Space | None:
    """The space; None where it is not whole."""
    before, derive = len(file.problems), {}
    axes = {
        names: axis
        for names, _, axis in read_axes(file, "space", cell, params, rules=("where", "derive"))
    }
    where = file.table("space").get("where", [])
    where = where if isinstance(where, list) else [where]
    rules: Any = {f"where[{k}]": (("space", "where"), text) for k, text in enumerate(where)}
    for name, keys, text in file.entries("space", "derive"):
        file.declared(keys, name, cell)
        derive[name] = text
        rules[f"derive[{name!r}]"] = (keys, text)
    for label, (keys, text) in rules.items():
        with file.at(*keys):
            for name in read_rule(text, label, condition=label.startswith("where")).names:
                file.declared(keys, name, cell)
    if file.table("space") and all(axes.values()) and len(file.problems) == before:
        with file.at("space"):
            return Space(axes, derive=derive, where=where)
    return None


def read_axes(
    file: File,
    section: str,
    cell: Cell | None,
    params: Mapping[str, float],
    kinds: Mapping[str, Any] = DISTRIBUTIONS,
    rules: Sequence[str] = (),
) -> Iterator[tuple[tuple[str, ...], Keys, Any]]:
    """Give (parameters, keys, distribution) of each axis in a section, but for keys of rules."""
    for key, keys, spec in file.entries(section):
        if keys[1] in rules:
            continue
        names = tuple(part.strip() for part in key.split(","))
        for name in set(names) & params.keys():
            file.refuse(keys, f"{name} is both fixed in [cell.parameters] and {_VARIED[section]}")
        known = {name: p for name in names if (p := file.declared(keys, name, cell))}
        axis = None
        with file.at(*keys, label=f"{key}: "):
            axis = _axis(spec, known, kinds)
        yield names, keys, axis


def read_design(
    file: File, cell: Cell | None, space: Space | None, sizes: Mapping[str, int | None]
) -> Design | None:
    """The design, of so many ``rows`` or ``blocks`` if these are given; None where not whole."""
    given = file.table("design")
    kind = "table" if "table" in given else str(given.get("kind", "nothing"))
    fitting = ("table",) if "table" in given else _FITTING.get(kind)
    if fitting is None:
        file.refuse(("design", "kind"), unknown("kind of design", kind, _FITTING))
        return None
    for key in (given.keys() & DESIGN) - set(fitting):
        what = f"{key} does not fit a {kind} design, which has {' and '.join(fitting)}"
        file.refuse(("design", key), what)
    size = next((key for key in sizes if key in fitting), "")
    for key, n in sizes.items():
        if n is not None and key != size:
            why = f"; give --{size}" if size else ", whose rows are given"
            file.refuse(("design",), f"--{key} does not fit a {kind} design{why}")
    options: dict[str, Any] = {"n": given.get("points")}
    if isinstance(options["n"], dict):
        options["n"] = {name: n for name, _, n in file.entries("design", "points")}
    if size:
        options = {"n": 1, "seed": 0}
        with file.at("design", size):
            n = sizes[size]
            options["n"] = whole_number(given.get(size) if n is None else n, size, 1)
        with file.at("design", "seed"):
            options["seed"] = whole_number(given.get("seed", 0), "seed", 0)
    if size == "blocks":
        options |= _block(file, space, kind)
    place = "levels" if kind == "morris" else size or fitting[-1]
    with file.at("design", place, label=f"{given['table']}: " if kind == "table" else ""):
        if kind == "table":
            return _table(file.path.parent / str(given["table"]), cell)
        return space and getattr(space, kind)(**options)
    return None


def _block(file: File, space: Space | None, kind: str) -> dict[str, Any]:
    """What a block consists of: keywords of `Space.saltelli` or `Space.morris`."""
    given, found = file.table("design"), {"groups": _groups(file, space)}
    if kind == "morris":
        with file.at("design", "levels"):
            return found | {"levels": whole_number(given.get("levels", 4), "levels", 2)}
        return found
    second = given.get("second_order", False)
    if not isinstance(second, bool):
        file.refuse(
            ("design", "second_order"), f"second_order must be true or false, not {second!r}"
        )
    return found | {"second_order": second}


def _groups(file: File, space: Space | None) -> dict[str, list[str]] | None:
    """Axes that move as one, by the name of their group; None where these are not whole."""
    before, keys, found = len(file.problems), ("design", "groups"), {}
    for name in file.table(*keys):
        with file.at(*keys, name):
            if (members := file.texts(*keys, name)) is not None and space:
                found[name] = members
                grouped(tuple(space.axes), {name: members})
    with file.at(*keys):
        if space and len(file.problems) == before:
            grouped(tuple(space.axes), found)
            return found
    return None


def _axis(spec: Any, declared: Mapping[str, Param], kinds: Mapping[str, Any]) -> Any:
    """Read ``{uniform = [2, 12]}``; None where text needs a unit that is not known."""
    if not isinstance(spec, dict) or len(spec) != 1:
        raise TypeError(f"write for example {{uniform = [2, 12]}}, not {spec!r}")
    ((kind, entries),) = spec.items()
    if kind not in kinds:
        raise ValueError(unknown("distribution", kind, kinds))
    wanted = [entry.name for entry in fields(kinds[kind])]
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
        check_domain(name, numbers[:1] if kind.endswith("normal") else numbers, p)
    return kinds[kind](*(numbers if len(wanted) == 2 else [numbers]))


def _table(path: Path, cell: Cell | None) -> Design:
    """Read rows from a CSV file with one column for each parameter."""
    rows = pd.read_csv(path, header=None, dtype=str, skipinitialspace=True)
    frame = rows[1:].astype(float).set_axis(rows.iloc[0], axis="columns")
    for name, column in frame.items():
        if cell and name in cell.parameters:
            check_domain(str(name), column, cell.parameters[str(name)])
    return table(frame)
