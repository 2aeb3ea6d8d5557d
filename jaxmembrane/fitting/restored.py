"""The problem of a fit, as its dataset tells it: axes, data, conditions, fixed parameters."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from ..cell import Cell
from ..distributions import Distribution, LogNormal, LogUniform, Normal, Uniform
from ..naming import UnknownName
from ..space import Space
from ..target import Target


def axes_of(fitted: xr.Dataset) -> list[dict[str, Any]]:
    """Axes of the fit: names, kind, and numbers."""
    return json.loads(fitted.attrs["free"])


def space_of(fitted: xr.Dataset, without: str = "") -> Space:
    """What was searched, but for one axis."""
    axes = axes_of(fitted)
    return Space({tuple(a["names"]): _spread(a) for a in axes if a["names"][0] != without})


def _spread(axis: Mapping[str, Any]) -> Distribution:
    first, second = axis["numbers"]
    match axis["bounded"], axis["log"]:
        case True, True:
            return LogUniform(float(np.exp(first)), float(np.exp(first + second)))
        case True, False:
            return Uniform(first, first + second)
        case False, True:
            return LogNormal(float(np.exp(first)), second)
    return Normal(first, second)


def conditions_of(fitted: xr.Dataset) -> dict[str, np.ndarray]:
    """Parameters that each recording has for itself: (cells, conditions)."""
    return {
        str(name): x.values
        for name, x in fitted.coords.items()
        if "condition" in x.dims and name != "condition"
    }


def fixed_of(cell: Cell, fitted: xr.Dataset) -> dict[str, float]:
    """Parameters that were one number for all."""
    return {
        name: float(fitted[name])
        for name in cell.parameters
        if name in fitted.coords and not fitted[name].dims
    }


def targets_of(
    fitted: xr.Dataset, rows: Callable[[np.ndarray], np.ndarray] = lambda x: x
) -> list[Target]:
    """What was recorded, with its errors."""
    made = []
    for i, of in enumerate(fitted.target.values):
        values, sd = (rows(fitted[name].values[:, i]) for name in ("recorded", "sd"))
        made.append(Target(str(of), values, np.where(np.isfinite(sd), sd, 1.0)))
    return made


def cells_of(fitted: xr.Dataset, cells: Sequence[Any] | None, what: str) -> xr.Dataset:
    """A fit of independent cells with known errors, or some of its cells."""
    if "information_eigenvalue" not in fitted:
        raise TypeError(f"{what} needs the dataset of a fit, as jm.fit(...) gives")
    if json.loads(fitted.attrs["shared"]):
        raise ValueError(f"{what} is of single cells, but this fit has shared parameters")
    if fitted.attrs["errors"] != "given":
        raise ValueError(f"{what} needs known errors: give every target its sd")
    _check_cells(fitted, () if cells is None else cells)
    return (fitted if cells is None else fitted.sel(cell=list(cells))).load()


def _check_cells(fitted: xr.Dataset, cells: Iterable[Any]) -> None:
    known = fitted.cell.values
    for name in cells:
        if name not in known:
            shown = ", ".join(repr(x) for x in known[:3].tolist())
            more = f" and {len(known) - 3} more" if len(known) > 3 else ""
            raise UnknownName(f"no cell {name!r} in this fit: it has {shown}{more}")


def one_cell(fitted: xr.Dataset, cell: Any) -> xr.Dataset:
    """One cell of a fit."""
    _check_cells(fitted, [cell])
    return fitted.sel(cell=cell).load()
