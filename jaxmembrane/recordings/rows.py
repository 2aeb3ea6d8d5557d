"""Rows of recorded data: what each was measured in, under which conditions, and what is wrong."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..cell import Cell
from ..naming import UnknownName, unknown
from ..params import DOMAINS
from ..target import entry_of, limits, unit_of
from ..units import convert, quantity
from .columns import Column, spelled
from .sheet import errors_at

MISSING = {"", "nan", "na", "n/a", "null"}


@dataclass
class Row:
    """A row as it is read: what it belongs to, its numbers, and what is wrong with it."""

    place: str
    fields: list[str]
    cell: str = ""
    condition: dict[str, float | str] = field(default_factory=dict)
    time: float = 0.0
    measured: dict[str, tuple[float, float]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def number(
        self, column: Column, text: str, allows: Callable[[float], Any], right: str
    ) -> float:
        """A field in package units; NaN where it is missing or wrong."""
        if text.lower() in MISSING:
            return math.nan
        try:
            given = quantity(spelled(text), column.unit, column.header)
        except ValueError as error:
            self.problems.append(str(error))
            return math.nan
        value = convert(given, column.unit, column.package_unit)
        if allows(value):
            return value
        self.problems.append(f"{column.header} is {text!r}: it must be {right}")
        return math.nan

    def present(
        self, column: Column, text: str, allows: Callable[[float], Any], right: str
    ) -> float:
        """A field that must not be missing, in package units."""
        if text.lower() in MISSING:
            self.problems.append(f"{column.header} is missing: it must be {right}")
        return self.number(column, text, allows, right)


def read_row(place: str, fields: list[str], layout: Sequence[Column], cell: Cell) -> Row:
    """Read a row; what its fields are wrong in is noted, wrong names and units are refused."""
    row = Row(place, fields)
    if len(fields) != len(layout):
        row.problems.append(
            f"the number of fields is {len(fields)} and that of columns {len(layout)}: write them "
            "all, and quote one that holds the separator"
        )
        return row
    if any(column.kind == "of" and not text for column, text in zip(layout, fields, strict=True)):
        row.problems.append("target is missing: name an output, as V or c.Na")
        return row
    with errors_at(place):
        layout = _of_one_target(fields, layout, cell)
    values: dict[str, float] = {}
    errors: dict[str, float] = {}
    for column, text in zip(layout, fields, strict=True):
        if column.kind == "cell":
            row.cell = text
            row.problems += [] if text else [f"{column.header} is missing: name the cell"]
        elif column.kind == "condition":
            row.condition[column.name] = text
        elif column.kind == "time":
            row.time = row.present(column, text, lambda t: t >= 0, "zero or more, in s")
        elif column.kind == "parameter":
            p = cell.parameters[column.name]
            value = row.present(column, text, p.allows, DOMAINS[p.domain])
            row.condition[column.name] = value
        elif column.kind == "target":
            lower, upper, right = limits(column.name)
            values[column.name] = row.number(column, text, _within(lower, upper), right)
        elif column.kind == "sd":
            errors[column.name] = row.number(column, text, lambda x: x > 0, "above zero")
    there = {of: value for of, value in values.items() if not math.isnan(value)}
    row.measured = {of: (value, errors.get(of, math.nan)) for of, value in there.items()}
    return row


def _of_one_target(fields: list[str], layout: Sequence[Column], cell: Cell) -> Sequence[Column]:
    """The columns of a row for one value, where the table has such."""
    given = {column.kind: text for column, text in zip(layout, fields, strict=True)}
    if "value" not in given:
        return layout
    of, unit = given["of"], given.get("unit", "")
    entry_of(of, cell)
    return [c.of(of, unit) if c.kind in ("value", "sd") else c for c in layout]


def fill_errors(
    rows: Sequence[Row], found: Sequence[str], given: Mapping[str, float | str]
) -> None:
    """Put in the errors that the table lacks; a target has them all or none."""
    for of in given:
        if of not in found:
            raise UnknownName(unknown("target in sd:", of, found))
    for of in found:
        having = [row for row in rows if of in row.measured and not row.problems]
        some = any(not math.isnan(row.measured[of][1]) for row in having)
        fixed, share = error_of(of, given[of]) if of in given else (0.0, 0.0)
        for row in having:
            value, error = row.measured[of]
            if math.isnan(error) and of in given:
                row.measured[of] = value, fixed + share * abs(value)
                if not row.measured[of][1]:
                    row.problems.append(f"{of} is 0, and {given[of]} of it is no error: write one")
            elif math.isnan(error) and some:
                row.problems.append(
                    f"{of} lacks the error that others have: write one, or give sd={{{of!r}: ...}}"
                )


def error_of(of: str, given: float | str) -> tuple[float, float]:
    """A fixed error in package units, and a share of the value."""
    where, relative = f"sd of {of}", isinstance(given, str) and "%" in given
    text = spelled(given).replace("%", "").strip() if isinstance(given, str) else given
    size = quantity(text, "1" if relative else unit_of(of), where)
    if size <= 0:
        raise ValueError(f"{where} is {given!r}: it must be above zero, as 1.0 or '10 %'")
    return (0.0, size / 100) if relative else (size, 0.0)


def find_repeats(rows: Sequence[Row]) -> None:
    """Note which rows hold a value that an earlier one has given."""
    first: dict[tuple, str] = {}
    for row in (row for row in rows if not row.problems):
        keys = {of: (row.cell, *row.condition.values(), row.time, of) for of in row.measured}
        repeated = next((of for of, key in keys.items() if key in first), None)
        if repeated:
            row.problems.append(
                f"{repeated} of cell {row.cell} under these conditions stands in "
                f"{first[keys[repeated]]} already: keep one, or tell them apart by a column "
                "condition or time"
            )
        else:
            first |= dict.fromkeys(keys.values(), row.place)


def _within(lower: float, upper: float) -> Callable[[float], bool]:
    return lambda value: lower < value < upper
