"""Recorded data of cells, read from tables as the targets and conditions of a fit."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..cell import Cell
from ..target import Target, unit_of
from .columns import Column, layout_of
from .rows import MISSING, Row, fill_errors, find_repeats, read_row
from .sheet import RecordingsError, errors_at, read_sheet


@dataclass(frozen=True, eq=False)
class Recordings:
    """Recorded cells: targets of a fit, and the conditions under which each was recorded.

    Attributes
    ----------
    targets : tuple of Target
        What was recorded, in package units; values of shape (cells,), (cells, conditions) or
        (cells, conditions, times), NaN where a cell has none.
    cells : tuple of str
        Names of the cells.
    conditions : mapping of str to array of shape (cells, conditions)
        Parameters that were set, as ``bath.K``. A cell with fewer conditions than others repeats
        its first one, where its targets are missing.
    labels : mapping of str to array of shape (cells,)
        What else is known of each cell, for grouping: numbers where all are, else text.
    times : tuple of float, or None
        Times of courses, s.
    problems : tuple of str
        A sentence for each row that was left out: place, column, what was found, what would be
        right; and for each cell and target without any value.
    """

    targets: tuple[Target, ...]
    cells: tuple[str, ...]
    conditions: Mapping[str, np.ndarray] = field(default_factory=dict)
    labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    times: tuple[float, ...] | None = None
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"recordings of {_count(len(self.cells), 'cell')}"]
        for target in self.targets:
            there = np.count_nonzero(~np.isnan(target.values))
            errors = "without errors" if target.sd is None else "with errors"
            text = f"{_count(int(there), 'value')} in {unit_of(target.of)}, {errors}"
            lines.append(f"  {target.of}: {text}")
        for name, given in self.conditions.items():
            lines.append(f"  at {name} {given.min():g} to {given.max():g}")
        if self.times:
            lines.append(f"  at {_count(len(self.times), 'time')}, to {self.times[-1]:g} s")
        if self.labels:
            lines.append(f"  labels {', '.join(self.labels)}")
        if self.problems:
            lines.append(f"  {_count(len(self.problems), 'problem')}, first {self.problems[0]}")
        return "\n".join(lines)


def read_recordings(
    source: Any,
    cell: Cell,
    *,
    columns: Mapping[str, str] | None = None,
    sd: Mapping[str, float | str] | None = None,
    labels: Sequence[str] | None = None,
) -> Recordings:
    """Read recorded data as the targets and conditions of a fit.

    A table has a row for each cell and condition, and for each time of a course. Its columns are
    ``cell``, targets with their units as ``V (mV)``, ``c.Na (mM)``, ``input_resistance (MOhm)``,
    their errors as ``V sd (mV)``, the parameters of the cell that were set, as ``bath.K (mM)``,
    ``time (s)``, and ``condition``, any text that tells repeats apart. Every other column that is
    constant in each cell is a label. Or it has a row for each value: ``cell``, ``target``,
    ``value``, and if need be ``sd``, ``unit`` and the columns above. Without a unit numbers are in
    that of the package. A field that is empty, NaN or NA is a missing value.

    Parameters
    ----------
    source : path, xarray.Dataset, pandas.DataFrame or mapping of columns
        The table: a .csv, .tsv or .parquet file, or what is in memory. In a Dataset dims and
        variables are columns, their units the attribute ``units``.
    cell : Cell
        The model, whose outputs and parameters the columns name.
    columns : mapping, optional
        Headers of the table to what they are here: ``{"R_in_MOhm": "input_resistance (MOhm)"}``.
    sd : mapping, optional
        Errors of targets where the table has none: a number in package units, or text with a unit,
        or a share of each value, as in ``{"V": 1.0, "input_resistance": "10 %"}``.
    labels : sequence of str, optional
        The columns to keep as labels, whatever their names mean here; all that can be, by default.

    Returns
    -------
    Recordings
        What was read. Rows with text for a number, an impossible value, a negative error, no cell
        or a value that is there already are left out and listed in its ``problems``.

    Raises
    ------
    RecordingsError
        (a `ValueError`) for a table that cannot be read or has nothing to use, and for names and
        units that cannot be, with the place and what would be right.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.recordings import read_recordings
    >>> table = {"cell": ["a", "a", "b"], "bath.K (mM)": [3, 8, 3], "V (mV)": [-71, -58, -66]}
    >>> recorded = read_recordings(table, jm.zoo.neuron(), sd={"V": 1.5})
    >>> print(recorded)
    recordings of 2 cells
      V: 3 values in mV, with errors
      at bath.K 3 to 8
    >>> recorded.targets[0].values.tolist()
    [[-71.0, -58.0], [-66.0, nan]]
    """
    if not isinstance(cell, Cell):
        raise TypeError(f"read_recordings needs a jm.Cell, not {type(cell).__name__}")
    for what, given in (("columns", columns), ("sd", sd)):
        if given is not None and not isinstance(given, Mapping):
            raise TypeError(f"{what} must be a mapping by name, not {given!r}")
    if isinstance(labels, str):
        raise TypeError(f"labels must be a sequence of columns, as ['family'], not {labels!r}")
    sheet = read_sheet(source)
    with errors_at(sheet.head):
        layout = layout_of(sheet, cell, columns or {}, labels or ())
    rows = [read_row(place, fields, layout, cell) for place, fields in sheet.rows]
    if not any(column.kind == "cell" for column in layout):
        for number, row in enumerate(rows, 1):
            row.cell = str(number)
    named = [column.name for column in layout if column.kind == "target"]
    found = tuple(dict.fromkeys([*named, *(of for row in rows for of in row.measured)]))
    with errors_at(sheet.head):
        fill_errors(rows, found, sd or {})
    find_repeats(rows)
    used = [row for row in rows if row.measured and not row.problems]
    problems = [f"{row.place}: {'; '.join(row.problems)}" for row in rows if row.problems]
    if not used:
        nothing = f"no row has a usable value of {' or '.join(found) or 'a target'}"
        raise RecordingsError("\n".join([f"{sheet.name}: {nothing}", *problems[:5]]))
    cells = tuple(dict.fromkeys(row.cell for row in used))
    empty = dict.fromkeys(row.cell for row in rows if not row.problems).keys() - set(cells)
    problems += [f"{sheet.name}: cell {name} has no value" for name in sorted(empty)]
    filled = [of for of in found if any(of in row.measured for row in used)]
    problems += [f"{sheet.name}: {of} has no usable value" for of in found if of not in filled]
    return Recordings(
        cells=cells,
        labels=_labels(used, cells, layout, labels),
        problems=tuple(problems),
        **_arrays(used, cells, layout, filled),
    )


def _arrays(
    used: Sequence[Row], cells: Sequence[str], layout: Sequence[Column], filled: Sequence[str]
) -> dict[str, Any]:
    """Targets, conditions and times of rows."""
    of_cell: dict[str, list[dict]] = {name: [] for name in cells}
    number = {name: i for i, name in enumerate(cells)}
    times = {t: k for k, t in enumerate(sorted({row.time for row in used}))}
    places = []
    for row in used:
        there = of_cell[row.cell]
        if row.condition not in there:
            there.append(row.condition)
        places.append((number[row.cell], there.index(row.condition), times[row.time]))
    width = max(len(there) for there in of_cell.values())
    padded = [there + there[:1] * (width - len(there)) for there in of_cell.values()]
    parameters = [column.name for column in layout if column.kind == "parameter"]
    timed = any(column.kind == "time" for column in layout)
    axes = 3 if timed else 2 if parameters or width > 1 else 1
    targets = []
    for of in filled:
        both = np.full((2, *(len(cells), width, len(times))[:axes]), np.nan)
        for row, place in zip(used, places, strict=True):
            if of in row.measured:
                both[:, *place[:axes]] = row.measured[of]
        targets.append(Target(of, both[0], None if np.isnan(both[1]).all() else both[1]))
    return {
        "targets": tuple(targets),
        "conditions": {
            name: np.array([[given[name] for given in there] for there in padded])
            for name in parameters
        },
        "times": tuple(times) if timed else None,
    }


def _labels(
    used: Sequence[Row], cells: Sequence[str], layout: Sequence[Column], asked: Sequence[str] | None
) -> dict[str, np.ndarray]:
    """Columns that are constant in each cell; one that was asked for must be."""
    found = {}
    for k, (kind, _, header, *_) in enumerate(layout):
        if kind != "label" or not header or (asked is not None and header not in asked):
            continue
        first: dict[str, Row] = {}
        having = [row for row in used if row.fields[k]]
        other = [r for r in having if first.setdefault(r.cell, r).fields[k] != r.fields[k]]
        if other and asked is not None:
            row, there = other[0], first[other[0].cell]
            raise RecordingsError(
                f"{row.place}: label {header} is {row.fields[k]!r} here and {there.fields[k]!r} in "
                f"{there.place}: it must be constant in cell {row.cell}"
            )
        if having and not other:
            texts = [first[name].fields[k] if name in first else "" for name in cells]
            found[header] = _numbers_or_text(texts)
    return found


def _numbers_or_text(texts: Sequence[str]) -> np.ndarray:
    try:
        return np.array([math.nan if x.lower() in MISSING else float(x) for x in texts])
    except ValueError:
        return np.array(texts)


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
