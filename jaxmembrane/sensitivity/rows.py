"""Rows of a design in blocks, as an analysis reads them: outputs, their labels, whole blocks."""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from ..blocks import BlockPoints, restored
from ..design import Design
from ..schema import PENDING, SAMPLE
from ..steady import DIAGNOSTICS as RESTING
from ..trajectory import DIAGNOSTICS as COURSE

_DIAGNOSTICS = {*RESTING, *COURSE}
_GOOD = (0, 1)
_SHOWN = 6


@dataclass(frozen=True, eq=False)
class Output:
    """One number of each row: its label, the variable it is of, and its units."""

    label: str
    variable: str
    units: str


def outputs_of(data: xr.Dataset, skip: Sequence[str] = ()) -> Iterator[tuple[Output, np.ndarray]]:
    """Every entry of every numeric variable that has the rows' dim, with its values (rows,).

    Labels are those of the other dims, time last: ``V``, ``c[Na]``, ``c[Na, 60 s]``.
    """
    for name, variable in data.data_vars.items():
        if name in skip or SAMPLE not in variable.dims or variable.dtype.kind not in "biuf":
            continue
        dims = sorted((d for d in variable.dims if d != SAMPLE), key=lambda d: d == "time")
        marks = [_marks(data, str(dim)) for dim in dims]
        values = variable.transpose(SAMPLE, *dims).values
        units = str(variable.attrs.get("units", ""))
        for place in np.ndindex(values.shape[1:]):
            inside = ", ".join(mark[k] for mark, k in zip(marks, place, strict=True))
            label = f"{name}[{inside}]" if place else str(name)
            yield Output(label, str(name), units), values[(slice(None), *place)]


def _marks(data: xr.Dataset, dim: str) -> list[str]:
    """The labels along a dim; numbers with their units."""
    if dim not in data.coords:
        return [str(k) for k in range(data.sizes[dim])]
    labels, units = data[dim].values, data[dim].attrs.get("units", "")
    if labels.dtype.kind not in "iuf":
        return [str(label) for label in labels]
    return [f"{label:.12g} {units}".rstrip() for label in labels]


@dataclass(frozen=True, eq=False)
class Blocks:
    """Rows of a design in blocks: their source, row numbers, and which blocks may be used.

    ``usable`` are blocks of which every row is there and has status 0 or 1; ``pending`` those with
    a row that is not computed yet.
    """

    data: xr.Dataset
    source: BlockPoints
    description: Mapping[str, Any]
    rows: np.ndarray
    usable: np.ndarray
    pending: np.ndarray
    skip: Sequence[str]

    def each(
        self, analysis: Callable[[np.ndarray, np.ndarray], dict[str, Any]]
    ) -> tuple[list[Output], dict[str, np.ndarray]]:
        """Results of an analysis for every output, and how many blocks it had to do without.

        ``analysis(values, whole)`` takes the values of whole blocks, (blocks, rows of a block), and
        which blocks those are. An output with fewer than two of them has results NaN.
        """
        n = len(self.usable) * self.source.width
        straight = len(self.rows) == n and np.array_equal(self.rows, np.arange(n))
        outputs, excluded, found = [], [], []
        for output, values in outputs_of(self.data, self.skip):
            if not straight:
                values, given = np.full(n, np.nan), values
                values[self.rows] = given
            values = values.reshape(len(self.usable), self.source.width)
            values = values if values.dtype.kind == "f" else values.astype(float)
            whole = self.usable & np.isfinite(values).all(axis=1)
            outputs.append(output)
            excluded.append(int(np.sum(~whole)))
            enough = np.sum(whole) > 1
            values = values if whole.all() else values[whole]
            found.append(analysis(values, whole) if enough else {})
        some: dict[str, Any] = next((one for one in found if one), {})
        made = {
            name: np.stack([one.get(name, np.full(np.shape(like), np.nan)) for one in found])
            for name, like in some.items()
        }
        return outputs, {**made, "excluded": np.array(excluded)}

    def tell(self, method: str, outputs: Sequence[Output], excluded: np.ndarray) -> None:
        """Say how many blocks were left out of which outputs; refuse where no output has two."""
        n, waiting = len(self.usable), int(self.pending.sum())
        if not outputs:
            raise ValueError(f"{method} needs numeric outputs of rows, but the data have none")
        labels = [output.label for output in outputs]
        failed = {x: int(k) - waiting for x, k in zip(labels, excluded, strict=True) if k > waiting}
        if waiting:
            rows = int((self.data["status"].values == PENDING).sum())
            warn(
                f"{rows} of {len(self.rows)} rows are pending, and {waiting} of {n} blocks are left"
                " out for that; the same sweep again computes them",
                above=2,
            )
        if failed:
            ordered = sorted(failed.items(), key=lambda entry: -entry[1])
            counts = [f"{count} of {label}" for label, count in ordered]
            warn(
                f"of {n} blocks, those with a row that is missing or failed (status not 0 or 1, or"
                f" a value that is not finite) are left out: {shown(counts)}",
                above=2,
            )
        if n - excluded.min() < 2:
            raise ValueError(
                f"{method} needs two or more whole blocks of rows, but of {n} blocks"
                f" {n - excluded.min()} can be used"
            )

    def dataset(
        self,
        outputs: Sequence[Output],
        found: Mapping[str, np.ndarray],
        told: Mapping[str, tuple[tuple[str, ...], str, str]],
        about: Mapping[str, Any],
    ) -> xr.Dataset:
        """Results, whose dims after ``output``, units and long names are `told`.

        The half-width of an interval, ``_conf``, follows what it belongs to.
        """
        made = {}
        for name, (dims, units, words) in told.items():
            made[name] = (("output", *dims), found[name], {"units": units, "long_name": words})
            if f"{name}_conf" in found:
                attrs = {"units": units, "long_name": f"half-width of the interval of the {words}"}
                made[f"{name}_conf"] = (("output", *dims), found[f"{name}_conf"], attrs)
        coords: dict[str, Any] = {
            "output": ("output", _text(o.label for o in outputs), {"long_name": "output"}),
            "variable": ("output", _text(o.variable for o in outputs), {"long_name": "variable"}),
            "units": ("output", _text(o.units for o in outputs), {"long_name": "units"}),
        }
        places = _text(group.name for group in self.source.groups)
        for dim in ("parameter", "other"):
            if any(dim in dims for dims, _, _ in told.values()):
                coords[dim] = (dim, places, {"long_name": "parameter or group"})
        design = json.dumps(self.description)
        return xr.Dataset(made, coords, {**about, "blocks": len(self.usable), "design": design})


def read_blocks(data: Any, design: Design | None, kind: str, method: str) -> Blocks:
    """Read what an analysis is given: a dataset of a sweep, or a mapping of arrays with a design.

    Rows are told by the coordinate ``sample``, so that a selection of them is understood.
    """
    if design is not None and not isinstance(design, Design):
        raise TypeError(f"design must be what Space.{kind}() makes, not {type(design).__name__}")
    description = description_of(data, design, method)
    if description.get("kind") != kind:
        raise ValueError(
            f"{method} needs the rows of a design that Space.{kind}() makes, but these are of a"
            f" {description.get('kind')} design"
        )
    source = restored(description)
    skip: Sequence[str] = ()
    if isinstance(data, xr.Dataset):
        skip = tuple(_DIAGNOSTICS)
    else:
        data = _columns(data, design)
    if not data.sizes.get(SAMPLE):
        raise ValueError(f"{method} needs data with rows of the design, along the dim {SAMPLE!r}")
    rows = data[SAMPLE].values if SAMPLE in data.coords else np.arange(data.sizes[SAMPLE])
    if rows.dtype.kind not in "iu" or rows.min() < 0 or np.bincount(rows).max() > 1:
        raise ValueError(f"the coordinate {SAMPLE!r} must number the rows of the design, each once")
    most = rows.max() + 1 if design is None else max(design.n, rows.max() + 1)
    n = -(-most // source.width)
    good, waiting = np.zeros((2, n * source.width), bool)
    if "status" in skip and "status" in data:
        status = data["status"].values
        good[rows], waiting[rows] = np.isin(status, _GOOD), status == PENDING
    else:
        good[rows] = True
    usable = np.logical_and.reduce(good.reshape(n, source.width), axis=1)
    pending = np.logical_or.reduce(waiting.reshape(n, source.width), axis=1)
    return Blocks(data, source, description, rows, usable, pending, skip)


def description_of(data: Any, design: Design | None, method: str) -> dict[str, Any]:
    """What determines the rows, as the design or the dataset tells it."""
    given = None if design is None else json.loads(json.dumps(design.describe()))
    if not isinstance(data, xr.Dataset):
        if not isinstance(data, Mapping):
            raise TypeError(
                f"{method} needs a dataset of a sweep, or a mapping of arrays with their design,"
                f" not {type(data).__name__}"
            )
        if given is None:
            raise ValueError(f"arrays need their design, as {method}({{'y': y}}, design=design)")
        return given
    stored = json.loads(data.attrs.get("fingerprint", "{}")).get("design")
    if given is not None and stored is not None and given != stored:
        raise ValueError("the design given is not the one that the dataset's rows are of")
    if stored is not None:
        return stored
    if given is None:
        raise ValueError(
            f"the dataset does not say which design its rows are of; give it, as {method}(data,"
            " design=design)"
        )
    return given


def _columns(data: Mapping[str, Any], design: Any) -> xr.Dataset:
    """A dataset of arrays, rows first."""
    made = {}
    for name, given in data.items():
        array = np.asarray(given)
        if array.dtype.kind not in "biuf" or array.shape[:1] != (design.n,):
            raise ValueError(
                f"{name!r} must hold a number for each of the {design.n} rows of the design, but"
                f" is an array of {array.dtype} with shape {array.shape}"
            )
        made[name] = ((SAMPLE, *(f"{name} {k}" for k in range(1, array.ndim))), array)
    return xr.Dataset(made)


def _text(words: Any) -> np.ndarray:
    return np.array(list(words), dtype=object)


def shown(words: Sequence[str]) -> str:
    """The first of some words, and how many more there are."""
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more


def warn(text: str, above: int = 1) -> None:
    """Warn as of the line that called the analysis, which is so many calls above this one."""
    warnings.warn(text, UserWarning, stacklevel=2 + above)
