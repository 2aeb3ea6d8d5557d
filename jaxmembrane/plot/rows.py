"""What pictures read of a sweep: its axes, one output of every row, and which rows have none."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from ..naming import UnknownName, unknown
from ..record import meanings
from ..steady import DIAGNOSTICS as RESTING
from ..trajectory import DIAGNOSTICS as COURSE

_GOOD = (0, 1)
_DIAGNOSTICS = {*RESTING, *COURSE}
_DECADE = 10.0


def check_sweep(ds: Any, what: str) -> None:
    """Refuse what is no dataset of a sweep."""
    if not isinstance(ds, xr.Dataset) or "status" not in ds or not _design(ds):
        raise TypeError(f"{what} needs the dataset of a sweep, as jm.sweep(...) gives")


def _design(ds: xr.Dataset) -> dict[str, Any]:
    """What the store says of its design."""
    return json.loads(ds.attrs.get("fingerprint", "{}")).get("design", {})


def swept(ds: xr.Dataset) -> list[str]:
    """The first parameter of every axis along which there are rows: linked ones move with it."""
    names = (axis["names"][0] for axis in _design(ds)["axes"])
    return [name for name in names if name in ds.coords and ds[name].dims]


def scale(ds: xr.Dataset, name: str) -> str:
    """Whether a parameter is spread by its logarithm: as its axis says, else as its values lie."""
    kinds = {n: axis.get("distribution") for axis in _design(ds)["axes"] for n in axis["names"]}
    match kinds.get(name):
        case "LogUniform" | "LogNormal":
            return "log"
        case "Uniform" | "Normal":
            return "linear"
    return even(ds[name].values)


def even(values: np.ndarray) -> str:
    """The scale on which values lie more evenly."""
    points = np.unique(values[np.isfinite(values)])
    if not points.size or points[0] <= 0.0:
        return "linear"
    if points.size < 3:
        return "log" if points[-1] > _DECADE * points[0] else "linear"

    def unevenness(x: np.ndarray) -> float:
        gaps = np.diff(x)
        return gaps.std() / gaps.mean()

    return "log" if unevenness(np.log(points)) < unevenness(points) else "linear"


def parameter(ds: xr.Dataset, name: str) -> np.ndarray:
    """Values of a parameter, one for each row, in the order of `outcome`."""
    dims = ds["status"].dims
    known = [str(n) for n, x in ds.coords.items() if x.attrs.get("role") == "swept"]
    if name not in ds.coords or not ds[name].dims or not set(ds[name].dims) <= set(dims):
        raise UnknownName(unknown("swept parameter", name, known))
    return ds[name].broadcast_like(ds["status"]).transpose(*dims).values.ravel()


def outputs(ds: xr.Dataset, beside: Sequence[str] = ()) -> dict[str, tuple[str, dict[str, int]]]:
    """Every output of a sweep as it is written, ``c[Na, 60 s]``: its variable, and where it stands.

    The dims `beside` are kept whole.
    """
    rows, found = ds["status"].dims, {}
    for name, x in ds.data_vars.items():
        if name in _DIAGNOSTICS or not {*rows, *beside} <= set(x.dims):
            continue
        inner = sorted((str(d) for d in x.dims if d not in (*rows, *beside)), key="time".__eq__)
        labels = [_labels(ds[d]) for d in inner]
        for place in np.ndindex(*map(len, labels)):
            where = dict(zip(inner, place, strict=True))
            words = [known[k] for known, k in zip(labels, place, strict=True)]
            found[f"{name}[{', '.join(words)}]" if words else str(name)] = str(name), where
    return found


def _labels(along: xr.DataArray) -> list[str]:
    """The labels along a dim; numbers with their unit."""
    after = along.attrs.get("units", "")
    values = along.values.tolist()
    return [x if isinstance(x, str) else f"{x:.12g} {after}".rstrip() for x in values]


def outcome(ds: xr.Dataset, output: str, beside: Sequence[str] = ()) -> xr.DataArray:
    """One output, as ``V`` or ``c[Na]``: of every row, then along the dims `beside`.

    What belongs to a row that failed is NaN, but for courses, which keep what came before.
    """
    known = outputs(ds, beside)
    if output not in known:
        if near := [name for name in known if name.startswith(f"{output}[")]:
            raise ValueError(f"{output} has several entries: name one, as {near[0]!r}")
        raise UnknownName(unknown("output", output, known))
    name, where = known[output]
    x = ds[name].isel(where).transpose(*ds["status"].dims, *beside)
    values = x.values.reshape(-1, *(ds.sizes[d] for d in beside))
    if not beside:
        values = np.where(np.isin(ds["status"].values.ravel(), _GOOD), values, np.nan)
    return xr.DataArray(values, dims=("row", *beside), attrs=x.attrs)


def told(ds: xr.Dataset, lost: np.ndarray, what: str = "rows without a value") -> str:
    """Say how many rows lack what is drawn, and why; nothing where none does."""
    if not lost.any():
        return ""
    status = ds["status"].values.ravel()
    counts = {
        word: int((lost & (status == value)).sum())
        for value, word in meanings(ds).items()
        if value not in _GOOD
    }
    counts["not finite"] = int(lost.sum()) - sum(counts.values())
    named = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    return f"{int(lost.sum()):,} of {lost.size:,} {what}: {named}"
