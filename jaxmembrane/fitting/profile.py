"""Profiles of the likelihood: how well the data can be met with one parameter held."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from scipy.stats import chi2

from ..cell import Cell
from ..naming import UnknownName, unknown
from ..protocol import Protocol
from .fit import fit
from .restored import axes_of, cells_of, conditions_of, fixed_of, space_of, targets_of

_REACH = 4.0
"""A profile runs so many standard errors to either side, within the bounds of its axis."""


def profile(
    cell: Cell,
    fitted: xr.Dataset,
    parameter: str,
    *,
    cells: Sequence[Any] | None = None,
    points: int = 21,
    protocol: Protocol | None = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """Profile likelihood of a parameter: the least loss with it held at each of many values.

    The interval of a level holds all values whose ``2 (loss - least loss)`` is below the quantile
    of chi-square with one degree of freedom; unlike a standard error it needs no symmetry, and
    where the data do not determine the parameter it is open.

    Parameters
    ----------
    cell : Cell
        The cell that was fitted.
    fitted : xarray.Dataset
        What `fit` gave.
    parameter : str
        An axis of the fit.
    cells : sequence, optional
        Names of the cells to profile; all of them unless told.
    points : int
        Values at which it is held.
    protocol : Protocol, optional
        That of the fit, for courses.
    progress : bool, optional
        As for `sweep`.

    Returns
    -------
    xarray.Dataset
        Dims ``cell`` and ``point``: ``value``, ``loss``, ``chi_square_rise`` (above the best fit's
        loss, twice), ``status``; by cell ``low`` and ``high`` of the interval, NaN where it is open
        towards that side.

    Raises
    ------
    KeyError
        For a parameter that was not fitted, or a cell that is not there.
    ValueError
        For a fit of one parameter only, of shared ones, or one whose errors were estimated.

    Notes
    -----
    Raue et al. 2009, doi:10.1093/bioinformatics/btp358.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> cell = jm.zoo.neuron()
    >>> space = jm.Space({"leak_Cl.g": jm.LogUniform(0.02, 20.0), "nka.j": jm.LogUniform(10, 1000)})
    >>> found = jm.fit(cell, [jm.Target("V", [-72.0], 0.5), jm.Target("c.Na", [14.0], 0.3)], space)
    >>> line = jm.profile(cell, found, "nka.j", points=9)
    >>> dict(line.loss.sizes)
    {'cell': 1, 'point': 9}
    """
    axes = axes_of(fitted)
    names = [axis["names"][0] for axis in axes]
    if parameter not in names:
        raise UnknownName(unknown("axis of the fit", parameter, names))
    if len(names) == 1:
        raise ValueError(f"{parameter} is all that was fitted: its profile is the loss itself")
    fitted, i = cells_of(fitted, cells, "profile"), names.index(parameter)
    value = _values(fitted, axes[i], i, points)
    best = fitted.loss.values

    def rows(x: np.ndarray) -> np.ndarray:
        return np.repeat(x, points, axis=0)

    size = fitted.sizes["condition"]
    conditions = {name: rows(x) for name, x in conditions_of(fitted).items()}
    conditions[parameter] = np.repeat(value.reshape(-1, 1), size, axis=1)
    fixed = fixed_of(cell, fitted)
    others = [(j, name) for j, name in enumerate(names) if j != i]
    held = fit(
        cell,
        targets_of(fitted, rows),
        space_of(fitted, without=parameter),
        conditions=conditions,
        params={name: x for name, x in fixed.items() if name not in conditions},
        protocol=protocol,
        times=fitted.time.values if "time" in fitted.recorded.dims else None,
        begin={name: rows(fitted.estimate.values[:, j]) for j, name in others},
        progress=progress,
    ).load()
    loss = held.loss.values.reshape(value.shape)
    if not axes[i]["bounded"]:
        middle, spread = axes[i]["numbers"]
        natural = np.log(value) if axes[i]["log"] else value
        loss = loss + 0.5 * ((natural - middle) / spread) ** 2
    rise = 2.0 * (loss - best[:, None])
    limit = float(chi2.ppf(fitted.attrs["level"], 1))
    unit = cell.parameters[parameter].unit
    about = {"units": unit, "long_name": cell.parameters[parameter].long_name}
    ends = np.array([_ends(v, r, limit) for v, r in zip(value, rise, strict=True)])
    status = held.status.values.reshape(value.shape)
    return xr.Dataset(
        {
            "value": (("cell", "point"), value, about),
            "loss": (("cell", "point"), loss, {"units": "1"}),
            "chi_square_rise": (("cell", "point"), rise, {"units": "1"}),
            "status": (("cell", "point"), status, held.status.attrs),
            "low": ("cell", ends[:, 0], about),
            "high": ("cell", ends[:, 1], about),
            "estimate": ("cell", fitted.estimate.values[:, i], about),
        },
        {"cell": fitted.cell.values},
        {"parameter": parameter, "level": fitted.attrs["level"], "limit": limit},
    )


def _values(fitted: xr.Dataset, axis: Mapping[str, Any], i: int, points: int) -> np.ndarray:
    """Values to hold a parameter at, evenly to each side of its estimate: (cells, points)."""
    low, width = axis["numbers"]
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = fitted.estimate.values[:, i]
        error = fitted.standard_error.values[:, i]
        if axis["log"]:
            middle, error = np.log(middle), error / middle
    reach = _REACH * np.where(np.isfinite(error), error, np.inf)
    if axis["bounded"]:
        first, last = np.maximum(middle - reach, low), np.minimum(middle + reach, low + width)
    else:
        reach = np.minimum(reach, 8.0 * width)
        first, last = middle - reach, middle + reach
    # The best fit itself is one of them, so that no crossing hides beside it.
    left = points // 2
    below, above = (np.linspace(0.0, 1.0, n + 1) for n in (left, points - 1 - left))
    middle, first, last = middle[:, None], first[:, None], last[:, None]
    natural = np.concatenate(
        [first + (middle - first) * below[:-1], middle + (last - middle) * above], axis=1
    )
    return np.exp(natural) if axis["log"] else natural


def _ends(value: np.ndarray, rise: np.ndarray, limit: float) -> tuple[float, float]:
    """Where a profile crosses a limit to either side of its least point; NaN where it does not."""
    if not np.isfinite(rise).any():
        return np.nan, np.nan
    lowest = int(np.nanargmin(rise))

    def crossing(order: Sequence[int]) -> float:
        for inner, outer in pairwise(order):
            if rise[inner] <= limit < rise[outer]:
                share = (limit - rise[inner]) / (rise[outer] - rise[inner])
                return float(value[inner] + share * (value[outer] - value[inner]))
        return np.nan

    return crossing(range(lowest, -1, -1)), crossing(range(lowest, len(value)))
