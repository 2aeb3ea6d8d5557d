"""What the columns of recorded data are: keys, targets, errors, parameters and labels."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..cell import Cell
from ..naming import UnknownName, unknown
from ..outputs import OUTPUTS
from ..target import entries, entry_of, unit_of
from ..units import convert
from .sheet import Sheet

KEYS = {"cell": "", "condition": "", "time": "s"}
"""Columns that tell rows apart, and their units."""

LONG = {"target": "of", "value": "value", "sd": "sd", "unit": "unit"}
"""Columns of a table with a row for each value, and their kinds."""

_HEADER = re.compile(r"([^(\[]*[^(\[\s])\s*(?:[(\[](.*)[)\]])?")


class Column(NamedTuple):
    """What a column is: a key, a target, its error, a parameter or a label; and its units."""

    kind: str
    name: str
    header: str
    unit: str = ""
    package_unit: str = ""

    def of(self, target: str, unit: str) -> "Column":
        """The column ``value`` or ``sd`` where it is of one target; `unit` is that of the row."""
        kind = "target" if self.kind == "value" else self.kind
        unit, package_unit = spelled(unit) or self.unit or unit_of(target), unit_of(target)
        _check_unit(target, unit, package_unit)
        return Column(kind, target, self.header, unit, package_unit)


def layout_of(
    sheet: Sheet, cell: Cell, columns: Mapping[str, str], labels: Sequence[str]
) -> list[Column]:
    """What each column of a table is; see `read_recordings`."""
    for header in (*columns, *labels):
        if header not in sheet.headers:
            raise UnknownName(unknown("column", header, filter(None, sheet.headers)))
    ours = [columns.get(header, header) for header in sheet.headers]
    long = {"target", "value"} <= {_split(name)[0] for name in ours}
    layout = [
        Column("label", header, header)
        if header in labels or not header
        else column_of(header, name, cell, long, header in columns)
        for header, name in zip(sheet.headers, ours, strict=True)
    ]
    _check_layout([column for column in layout if column.header])
    return layout


def _check_layout(layout: Sequence[Column]) -> None:
    first: dict[tuple[str, str], Column] = {}
    for column in layout:
        other = first.setdefault(column[:2], column)
        if other is not column:
            pair = f"{other.header!r} and {column.header!r}"
            raise ValueError(f"the columns {pair} are both {column.name}: keep one")
    for kind, name in first:
        if kind == "sd" and name != "sd" and ("target", name) not in first:
            raise ValueError(f"there are errors of {name} and no values: add the column {name}")
    kinds = {kind for kind, _ in first}
    if not kinds & {"target", "value"}:
        raise ValueError(
            "no column is a target: name one as 'V (mV)' or 'c.Na (mM)', say which is one by "
            "columns={'V_rest': 'V (mV)'}, or give the columns target and value"
        )
    keyed = [c.header for c in layout if c.kind in ("parameter", "condition", "time", "value")]
    if keyed and "cell" not in kinds:
        raise ValueError(
            f"a column cell is needed beside {keyed[0]}: name the cell of each row, or say which "
            "column does by columns={'cell_id': 'cell'}"
        )


def column_of(header: str, ours: str, cell: Cell, long: bool, chosen: bool) -> Column:
    """What a column is, by its header in our words; `chosen` says that the user named it."""
    name, unit = _split(ours)
    known = entries(cell)
    of = name if name in known else re.sub(r"[ _]sd$", "", name, flags=re.IGNORECASE)

    def column(kind: str, name: str, package_unit: str) -> Column:
        if package_unit:
            _check_unit(f"column {header!r}", unit or package_unit, package_unit)
        return Column(kind, name, header, unit or package_unit, package_unit)

    if name in KEYS:
        return column(name, name, KEYS[name])
    if long and name in LONG:
        return Column(LONG[name], name, header, unit)
    if of in known and long:
        raise ValueError(
            f"column {header!r} does not fit a table with the columns target and value: give its "
            "values rows of their own"
        )
    if of in known:
        return column("target" if of == name else "sd", of, unit_of(of))
    if name in cell.parameters:
        return column("parameter", name, cell.parameters[name].unit)
    _refuse_wrong(of, cell)
    if chosen:
        there = {*known, *cell.parameters, *KEYS}
        raise UnknownName(unknown(f"meaning of column {header!r}:", name, there))
    return Column("label", header, header)


def _refuse_wrong(name: str, cell: Cell) -> None:
    """Refuse what must have been meant as a target or a parameter, and is none."""
    if name == "sd":
        raise ValueError("a column sd must say of what: write for example V sd (mV)")
    owner, dot, _ = name.partition(".")
    if owner in OUTPUTS:
        entry_of(name, cell)
    if dot and any(p.startswith(f"{owner}.") for p in cell.parameters):
        raise UnknownName(unknown("parameter", name, cell.parameters))


def _split(header: str) -> tuple[str, str]:
    """Name and unit of a header such as ``V (mV)``."""
    match = _HEADER.fullmatch(header)
    return (match[1], spelled(match[2] or "")) if match else (header, "")


def spelled(text: str) -> str:
    """A number or a unit as `units` reads it: word processors write a minus sign for a hyphen."""
    return text.replace("\N{MINUS SIGN}", "-")


def _check_unit(what: str, unit: str, package_unit: str) -> None:
    try:
        convert(1.0, unit, package_unit)
    except ValueError as error:
        raise ValueError(f"{what}: {error}; write it in {package_unit} or the like") from None
