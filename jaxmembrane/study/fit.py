"""A fit: what its file says of free parameters, of the columns of data, and of the method."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..cell import Cell
from ..design import whole_number
from ..distributions import LogNormal, LogUniform, Normal, Uniform
from ..fitting.coordinate import coordinates
from ..fitting.problem import check_free
from ..naming import unknown
from ..params import is_number
from ..protocol import Protocol
from ..recordings import Recordings, RecordingsError, read_recordings
from ..recordings.columns import LONG, Column, column_of
from ..recordings.rows import error_of
from ..space import Space
from ..units import convert, quantity
from .cell import CELL, read_cell, read_params
from .file import DISTRIBUTIONS, File, Keys
from .protocol import read_protocol
from .rows import read_axes

METHODS = ("lm", "adam")
"""Methods of a fit by name."""

_KEYS = {
    "cell": CELL,
    "free": (),
    "targets": (),
    "data": ("columns", "labels"),
    "protocol": ("steps", "interventions"),
    "fit": ("starts", "seed", "turns", "level", "method", "shared"),
}
_NUMBER = re.compile(r"\s*[+-]?\.?\d")
_INTERVALS = (Uniform, LogUniform, Normal, LogNormal)


@dataclass(frozen=True)
class FitStudy:
    """A fit as a study file describes it; `text` is the file.

    ``columns``, ``sd`` and ``labels`` are for `read_recordings`, ``options`` for `fit`.
    """

    cell: Cell
    free: Space
    params: Mapping[str, float]
    protocol: Protocol | None
    columns: Mapping[str, str]
    sd: Mapping[str, float | str]
    labels: list[str] | None
    options: Mapping[str, Any]
    text: str

    def recordings(self, data: str | os.PathLike) -> Recordings:
        """Read the recorded cells, of which this study says what the columns are.

        Data that cannot be used, or do not fit the study, are a `RecordingsError`.
        """
        found = read_recordings(
            data, self.cell, columns=self.columns, sd=self.sd, labels=self.labels
        )
        free = {name for names in self.free.axes for name in names}
        for name in found.conditions:
            if name in free or name in self.params:
                way = "free" if name in free else "fixed in [cell.parameters]"
                raise RecordingsError(f"{data}: {name} is both in the data and {way}: keep one")
        if self.protocol is not None and found.times is None:
            raise RecordingsError(
                f"{data}: the study has a protocol, so the data need a column time (s)"
            )
        return found


def read_fit(path: str | os.PathLike) -> FitStudy:
    """Read the study file of a fit.

    Whatever does not fit is a `StudyError`: all at once, each with line and what would be right.

    >>> read_fit("study.toml").columns  # doctest: +SKIP
    {'cell_id': 'cell', 'V_rest': 'V (mV)'}
    """
    file = File.read(path)
    file.sections(_KEYS, ("cell", "free"))
    params = read_params(file, cell := read_cell(file))
    free = _free(file, cell, params)
    protocol = read_protocol(file, cell, params)
    columns, labels = _columns(file, cell), file.texts("data", "labels")
    sd = _targets(file, cell, columns)
    options = _options(file, free)
    if cell and free and not file.problems:
        return FitStudy(cell, free, params, protocol, columns, sd, labels, options, file.text)
    raise file.failure()


def _free(file: File, cell: Cell | None, params: Mapping[str, float]) -> Space | None:
    """The space that the fit searches; None where it is not whole."""
    kinds = {name: kind for name, kind in DISTRIBUTIONS.items() if kind in _INTERVALS}
    before, axes = len(file.problems), {}
    for names, keys, axis in read_axes(file, "free", cell, params, kinds):
        with file.at(*keys):
            if axis and cell and cell.parameters.keys() >= set(names):
                axes[names] = axis
                check_free(cell, coordinates(Space({names: axis})))
    if axes and len(file.problems) == before:
        with file.at("free"):
            return Space(axes)
    return None


def _columns(file: File, cell: Cell | None) -> dict[str, str]:
    """What columns are that the data do not say themselves."""
    given = file.table("data", "columns")
    long = any(str(meaning).partition(" ")[0] in LONG for meaning in given.values())
    for header, meaning in given.items():
        keys = ("data", "columns", header)
        with file.at(*keys):
            if not isinstance(meaning, str):
                what = "write a text such as 'cell', 'bath.K (mM)' or 'time (s)'"
                raise TypeError(f"column {header!r}: {what}, not {meaning!r}")
            if cell:
                column_of(header, meaning, cell, long, True)
    return dict(given)


def _targets(file: File, cell: Cell | None, columns: dict[str, str]) -> dict[str, float | str]:
    """Errors of targets; columns that hold targets or errors join the others."""
    sd: dict[str, float | str] = {}
    seen: set[str] = set()

    def note(header: str, meaning: str) -> None:
        if header in columns:
            raise ValueError(f"column {header!r} has two meanings; keep one of them")
        columns[header] = meaning

    for header, keys in _tables(file, "targets"):
        before = len(file.problems)
        given = file.table(*keys)
        file.expect(keys, ("target", "unit", "sd"), "key of a target:")
        of, unit = (_text(file, (*keys, key), given.get(key)) for key in ("target", "unit"))
        if cell is None or len(file.problems) > before:
            continue
        with file.at(*keys):
            of = header if of is None else of
            column = column_of(header, f"{of} ({unit})" if unit else of, cell, False, True)
            if column.kind != "target":
                raise ValueError(f"{of} is no target: write an output, as V or c.Na")
            if column.name in seen:
                raise ValueError(f"{column.name} has two entries; keep one of them")
            seen.add(column.name)
            if "target" in given:
                note(header, f"{column.name} ({column.unit})")
            error = given.get("sd")
            if isinstance(error, str) and not _NUMBER.match(error):
                note(error, f"{column.name} sd ({column.unit})")
            elif error is not None:
                sd[column.name] = _error_of(column, error)
    return sd


def _tables(file: File, *keys: str) -> Iterator[tuple[str, Keys]]:
    """Give (name, keys) of each table: ``c.Na`` may be one quoted key or two keys."""
    for key, value in file.table(*keys).items():
        if isinstance(value, dict) and value and all(isinstance(x, dict) for x in value.values()):
            for name, at in _tables(file, *keys, key):
                yield f"{key}.{name}", at
        else:
            yield key, (*keys, key)


def _error_of(column: Column, given: Any) -> float | str:
    """The error of a target in package units, or as a share; a number is in the target's unit."""
    if not isinstance(given, str) or "%" not in given:
        number = quantity(given, column.unit, f"sd of {column.name}")
        given = convert(number, column.unit, column.package_unit)
    error_of(column.name, given)
    return given


def _options(file: File, free: Space | None) -> dict[str, Any]:
    """How the fit goes: keywords of `fit`, where the file has them."""
    given = file.table("fit")
    for name, least in (("starts", 1), ("seed", 0), ("turns", 1)):
        with file.at("fit", name):
            whole_number(given.get(name, least), name, least)
    level, method = given.get("level", 0.95), given.get("method", "lm")
    if not is_number(level) or not 0 < level < 1:
        file.refuse(
            ("fit", "level"), f"level must be a number between 0 and 1, as 0.95, not {level!r}"
        )
    if method not in METHODS:
        file.refuse(("fit", "method"), unknown("method", method, METHODS))
    names = [name for axis in free.axes for name in axis] if free else None
    for name in file.texts("fit", "shared") or ():
        if names is not None and name not in names:
            file.refuse(("fit", "shared"), unknown("free parameter", name, names))
    return given


def _text(file: File, keys: Keys, given: Any) -> str | None:
    if given is None or isinstance(given, str):
        return given
    file.refuse(keys, f"{keys[-1]} must be a text, not {given!r}")
    return None
