"""A picture of courses: how a population spreads by time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from ..naming import UnknownName, unknown
from ..simulate import Course
from .rows import check_sweep, even, outcome, told
from .style import BLUE, RED, label, legend, panels, spread, tell

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def bands(
    ds: xr.Dataset,
    output: str,
    quantiles: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95),
    *,
    reference: Course | None = None,
    ax: Any = None,
) -> "Axes":
    """Draw how the courses of a population spread: bands between quantiles, by time.

    Parameters
    ----------
    ds : xarray.Dataset
        What `jm.sweep` with ``times`` gave.
    output : str
        One output, as ``V`` or ``c[Na]``.
    quantiles : sequence of float
        From 0 to 1. The outermost two border a band, then the next; one that is left is a line.
    reference : Course, optional
        One course of `jm.simulate`, drawn on top.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    KeyError
        For an output that is not there, with the nearest that is.
    TypeError
        For a dataset that is none of courses.
    ValueError
        For quantiles outside 0 to 1.

    Notes
    -----
    Quantiles are at each time those of the courses that have got there: one that ended early
    counts until its end. How many did is told in the title.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> space = jm.Space({"nka.j": jm.LogUniform(30.0, 300.0)})
    >>> block = {"protocol": jm.Protocol([jm.Step(10.0, {"nka.j": 0.0})]), "times": [0.0, 60.0]}
    >>> ds = jm.sweep(jm.zoo.neuron(), space.sobol(20), outputs=["V"], **block)
    >>> print(jm.plot.bands(ds, "V").get_ylabel())
    membrane potential
    V (mV)
    """
    check_sweep(ds, "bands")
    above = None if reference is None else _course(reference, output)
    if "time" not in ds.dims:
        raise TypeError("bands needs the dataset of courses, as jm.sweep(..., times=[...]) gives")
    shares = sorted(map(float, quantiles))
    if not shares or not 0.0 <= shares[0] <= shares[-1] <= 1.0:
        raise ValueError(f"quantiles must be numbers from 0 to 1, not {quantiles!r}")
    found = outcome(ds, output, ("time",))
    time, values = ds["time"].values, found.values
    there = np.isfinite(values).any(axis=0)
    ended = np.logical_not(np.isfinite(values).all(axis=1))
    lines = np.full((len(shares), len(time)), np.nan)
    if there.any():
        lines[:, there] = np.nanquantile(values[:, there], shares, axis=0)
    one = panels(ax, size=(6.4, 3.8))[0, 0]
    pairs_of = len(shares) // 2
    for i in range(pairs_of):
        meaning = f"{100 * shares[i]:g} to {100 * shares[-1 - i]:g} %"
        alpha = 0.2 + 0.25 * i / max(1, pairs_of - 1)
        one.fill_between(
            time, lines[i], lines[-1 - i], color=BLUE, alpha=alpha, linewidth=0.0, label=meaning
        )
    if len(shares) % 2:
        share = shares[pairs_of]
        meaning = "median" if share == 0.5 else f"{100 * share:g} %"
        one.plot(time, lines[pairs_of], color=BLUE, label=meaning)
    if above is not None:
        one.plot(*above, color=RED, label="reference")
    spread(one, "x", even(time))
    one.set(xlabel=label("time", ds["time"].attrs), ylabel=label(output, found.attrs))
    legend(one)
    tell(one, told(ds, ended, "courses ended early"))
    return one


def _course(reference: Any, output: str) -> tuple[np.ndarray, np.ndarray]:
    """Times of a course, and one of its outputs."""
    if not isinstance(reference, Course):
        raise TypeError(f"reference must be what jm.simulate gave, not {type(reference).__name__}")
    name, _, keys = output.removesuffix("]").partition("[")
    if name not in reference.values:
        raise UnknownName(unknown("output of the reference", name, reference.values))
    x = getattr(reference, name)
    values = np.asarray(x[tuple(keys.split(", "))] if keys else x)
    if values.ndim != 1:
        raise ValueError(f"reference must be one course, not {values.shape[0]} of them")
    return np.asarray(reference.time), values
