"""A table of recorded data as text, from a file or from memory, with the place of each row."""

import csv
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from ..outputs import OUTPUTS

_SEPARATORS = {".csv": ",", ".tsv": "\t"}


class RecordingsError(ValueError):
    """Recorded data that cannot be read; the message says where, and what would be right."""


@contextmanager
def errors_at(place: str) -> Iterator[None]:
    """Give the place of whatever is wrong."""
    try:
        yield
    except (KeyError, ValueError) as error:
        raise RecordingsError(f"{place}: {error}") from None


@dataclass(frozen=True)
class Sheet:
    """A table as text: its headers, and of each row the place, for messages, and the fields.

    `head` is the place of the headers: ``cells.csv:1``.
    """

    name: str
    head: str
    headers: list[str]
    rows: list[tuple[str, list[str]]]


def read_sheet(source: Any) -> Sheet:
    """Read a file, a Dataset, a DataFrame or a mapping of columns as text."""
    if isinstance(source, (str, os.PathLike)):
        sheet = _of_file(Path(source))
    elif isinstance(source, xr.Dataset):
        sheet = _of_frame(*_frame_of(source), "Dataset")
    elif isinstance(source, pd.DataFrame):
        sheet = _of_frame(source, {}, "DataFrame")
    elif isinstance(source, Mapping):
        sheet = _of_frame(_frame_of_columns(source), {}, "table")
    else:
        raise TypeError(
            "recordings are read from a path, an xarray.Dataset, a pandas.DataFrame or a mapping "
            f"of columns, not from {type(source).__name__}"
        )
    if not any(sheet.headers):
        raise RecordingsError(f"{sheet.head}: there are no columns: name them, as cell, V (mV)")
    if not sheet.rows:
        raise RecordingsError(f"{sheet.name}: there are columns and no rows: give one at least")
    return sheet


def _of_file(path: Path) -> Sheet:
    kind = path.suffix.lower()
    if kind not in (*_SEPARATORS, ".parquet"):
        raise RecordingsError(
            f"{path}: recordings are read from files that end in .csv, .tsv or .parquet: save it "
            "as one of them, or open it and pass the xarray.Dataset or DataFrame"
        )
    try:
        if kind == ".parquet":
            return _of_frame(_parquet(path), {}, str(path))
        return _of_text(path, path.read_bytes().decode("utf-8-sig"), _SEPARATORS[kind])
    except OSError as error:
        raise RecordingsError(f"{path}: it cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise RecordingsError(f"{path}:{line}: this is no UTF-8 text: save it as UTF-8") from None


def _parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except ImportError:
        raise RecordingsError(
            f"{path}: Parquet needs pyarrow: pip install 'jaxmembrane[parquet]', or save it as .csv"
        ) from None
    except ValueError as error:
        raise RecordingsError(f"{path}: this is no Parquet: {error}") from None


def _of_text(path: Path, text: str, separator: str) -> Sheet:
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True
    )
    lines, begin = [], 1
    try:
        for fields in reader:
            fields = [field.strip() for field in fields]
            if any(fields):
                lines.append((f"{path}:{begin}", fields))
            begin = reader.line_num + 1
    except csv.Error as error:
        raise RecordingsError(f"{path}:{begin}: this is no table: {error}") from None
    if not lines:
        raise RecordingsError(f"{path}: it is empty: begin with the names of columns: cell,V (mV)")
    head, headers = lines[0]
    other = next((mark for mark in ";\t," if len(headers) == 1 and mark in headers[0]), None)
    if other:
        raise RecordingsError(
            f"{head}: columns are separated by {other!r}: put {separator!r} between columns and a "
            "point in numbers"
        )
    rows = [(place, _trimmed(fields, len(headers))) for place, fields in lines[1:]]
    return Sheet(str(path), head, headers, rows)


def _trimmed(fields: list[str], width: int) -> list[str]:
    # Spreadsheets end lines in empty fields.
    return fields if any(fields[width:]) else fields[:width]


def _of_frame(frame: pd.DataFrame, units: Mapping[Any, str], name: str) -> Sheet:
    index = frame.index
    labels = [label if isinstance(label, tuple) else (label,) for label in index]
    titles = [title or "row" for title in index.names]
    places = [", ".join(f"{t} {x}" for t, x in zip(titles, label, strict=True)) for label in labels]
    if any(title is not None for title in index.names):
        frame = frame.reset_index(allow_duplicates=True)
    headers = [f"{c} ({units[c]})" if c in units else str(c).strip() for c in frame.columns]
    texts = []
    for k in range(len(headers)):
        column = frame.iloc[:, k].astype(object)
        gone = column.isna()
        texts.append(["" if no else str(x).strip() for x, no in zip(column, gone, strict=True)])
    fields = map(list, zip(*texts, strict=True))
    rows = [(f"{name}, {place}", row) for place, row in zip(places, fields, strict=False)]
    return Sheet(name, name, headers, rows)


def _frame_of_columns(columns: Mapping[Any, Any]) -> pd.DataFrame:
    try:
        return pd.DataFrame(dict(columns))
    except ValueError:
        lengths = ", ".join(f"{name}: {_length(column)}" for name, column in columns.items())
        raise RecordingsError(
            f"table: columns must be lists of one length, but have {lengths}"
        ) from None


def _length(column: Any) -> str:
    return str(len(column)) if hasattr(column, "__len__") else "one number"


def _frame_of(dataset: xr.Dataset) -> tuple[pd.DataFrame, dict[Any, str]]:
    """Rows of a Dataset and units of its columns; ``c`` along ``species`` becomes ``c.Na`` …."""
    entries = {dim for output in OUTPUTS.values() for dim in output.dims}
    parts, units = {}, {}
    for name, array in dataset.variables.items():
        along = [dim for dim in array.dims if dim in entries]
        if name not in entries:
            unit = array.attrs.get("units")
            for labels in product(*(dataset[dim].values for dim in along)):
                column = ".".join(map(str, (name, *labels)))
                chosen = dict(zip(along, labels, strict=True))
                parts[column] = dataset[name].sel(chosen).reset_coords(drop=True)
                units |= {column: unit} if unit and unit != "1" else {}
    indexed = {name: part for name, part in parts.items() if name not in dataset.dims}
    if not dataset.dims or not indexed:
        raise RecordingsError("Dataset: it has no variables along a dim: give it the dim cell")
    return xr.Dataset(indexed).to_dataframe(), units
