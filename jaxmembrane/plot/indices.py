"""Pictures of global sensitivities: indices of Sobol and Morris."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from ..naming import UnknownName, unknown
from .style import CYCLE, GREY, INK, bars, label, legend, matrix, panels, tell

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKERS = "os^Dv"
_RATIOS = (0.1, 1.0)
_LEAST = 0.1


def analysed(res: Any, what: str, variable: str, maker: str) -> xr.Dataset:
    """Refuse what is not the result of an analysis."""
    if not isinstance(res, xr.Dataset) or variable not in res or "output" not in res.dims:
        raise TypeError(f"{what} needs what jm.sensitivity.{maker} gives")
    return res


def of_output(res: xr.Dataset, output: str | None, what: str) -> xr.Dataset:
    """One output of an analysis; it need not be named where there is only one."""
    known = [str(name) for name in res["output"].values]
    if output is None and len(known) == 1:
        output = known[0]
    if output is None:
        shown = ", ".join(known[:6]) + (", ..." if len(known) > 6 else "")
        raise ValueError(f"{what} draws one output: name one of {shown}")
    if output not in known:
        raise UnknownName(unknown("output", output, known))
    return res.isel(output=known.index(output))


def names(res: xr.Dataset) -> list[str]:
    """Parameters or groups of an analysis."""
    return [str(name) for name in res["parameter"].values]


def about(one: xr.Dataset, variable: str) -> tuple[str, ...]:
    """What is told of an analysis: level of its intervals, blocks left out, nothing to show."""
    level = one.attrs.get("confidence")
    excluded = int(one["excluded"]) if "excluded" in one else 0
    blocks = "1 block" if excluded == 1 else f"{excluded:,} blocks"
    undefined = not np.isfinite(one[variable].values).any()
    return (
        f"{level:.0%} intervals" if level and not undefined else "",
        f"{blocks} with a failed row left out" if excluded else "",
        "no index is defined: the output does not vary" if undefined else "",
    )


def height(count: int) -> float:
    """Inches for so many bars."""
    return 1.3 + 0.32 * count


def sobol(res: xr.Dataset, output: str | None = None, *, ax: Any = None) -> "Axes":
    """Draw first-order and total indices side by side, with their intervals.

    Parameters
    ----------
    res : xarray.Dataset
        What `jm.sensitivity.sobol` gave.
    output : str, optional
        One output, as ``V`` or ``c[Na]``; needed where there are several.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        Parameters from the largest total index downward.

    Raises
    ------
    KeyError
        For an output that is not there, with the nearest that is.
    TypeError
        For a dataset of another kind.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> ax = jm.plot.sobol(jm.sensitivity.sobol(rows), "V")  # doctest: +SKIP
    """
    one = of_output(analysed(res, "sobol", "ST", "sobol(...)"), output, "sobol")
    ax = panels(ax, size=(6.4, height(one.sizes["parameter"])))[0, 0]
    series = {
        meaning: (one[name].values, one[f"{name}_conf"].values)
        for meaning, name in (("first order, S1", "S1"), ("total, ST", "ST"))
    }
    bars(ax, names(one), series)
    ax.set_xlabel(f"share of the variance of {one['output'].item()}")
    legend(ax)
    tell(ax, *about(one, "ST"))
    return ax


def interactions(res: xr.Dataset, output: str | None = None, *, ax: Any = None) -> "Axes":
    """Draw second-order indices as a matrix.

    Parameters
    ----------
    res : xarray.Dataset
        What `jm.sensitivity.sobol` gave of a design with ``second_order=True``.
    output : str, optional
        One output, as ``V`` or ``c[Na]``; needed where there are several.
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
        For a dataset of another kind.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> ax = jm.plot.interactions(jm.sensitivity.sobol(rows), "V")  # doctest: +SKIP
    """
    maker = "sobol(...) of space.saltelli(n, second_order=True)"
    one = of_output(analysed(res, "interactions", "S2", maker), output, "interactions")
    values, labels = one["S2"].transpose("parameter", "other").values, names(one)
    side = 2.2 + 0.45 * len(labels)
    ax = panels(ax, size=(side + 1.4, side))[0, 0]
    meaning = f"second order, S2, of {one['output'].item()}"
    matrix(ax, values, labels, labels, max(_LEAST, largest(values)), meaning)
    tell(ax, *about(one, "S2")[1:])
    return ax


def largest(values: np.ndarray) -> float:
    """The largest size among values; 0 where there is none."""
    return float(np.abs(values[np.isfinite(values)]).max(initial=0.0))


def morris(res: xr.Dataset, output: str | None = None, *, ax: Any = None) -> "Axes":
    """Draw elementary effects: their mean size mu* across, their spread sigma upward.

    Parameters
    ----------
    res : xarray.Dataset
        What `jm.sensitivity.morris` gave.
    output : str, optional
        One output, as ``V`` or ``c[Na]``; needed where there are several.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        Points with intervals of mu*; bars of mu* where groups have no sigma. A parameter far below
        the line sigma = 0.1 mu* acts linearly; above sigma = mu* it interacts, or has no one sign.

    Raises
    ------
    KeyError
        For an output that is not there, with the nearest that is.
    TypeError
        For a dataset of another kind.

    Notes
    -----
    Garcia Sanchez et al. 2014, doi:10.1016/j.enbuild.2012.08.048.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> ax = jm.plot.morris(jm.sensitivity.morris(rows), "V")  # doctest: +SKIP
    """
    one = of_output(analysed(res, "morris", "mu_star", "morris(...)"), output, "morris")
    labels = names(one)
    mu, sigma, half = (one[name].values for name in ("mu_star", "sigma", "mu_star_conf"))
    measured = {"units": str(one["units"].item()) if "units" in one.coords else "1"}
    output = str(one["output"].item())
    if not np.isfinite(sigma).any() and np.isfinite(mu).any():
        ax = panels(ax, size=(5.2, height(len(labels))))[0, 0]
        bars(ax, labels, {"µ*": (mu, half)})
        ax.set_xlabel(label(f"µ* of {output}", measured))
    else:
        ax = panels(ax, size=(6.4, max(3.8, 0.9 + 0.21 * len(labels))))[0, 0]
        _points(ax, labels, mu, sigma, half)
        ax.set_xlabel(label(f"µ* of {output}", measured))
        ax.set_ylabel(label(f"σ of {output}", measured))
    tell(ax, *about(one, "mu_star"))
    return ax


def _points(
    ax: "Axes", labels: list[str], mu: np.ndarray, sigma: np.ndarray, half: np.ndarray
) -> None:
    """Draw the plane of mu* and sigma, the most important parameter first in its legend."""
    for rank, i in enumerate(np.argsort(-np.nan_to_num(mu), kind="stable")):
        ax.errorbar(
            mu[i],
            sigma[i],
            xerr=half[i],
            fmt=_MARKERS[rank // len(CYCLE) % len(_MARKERS)],
            color=CYCLE[rank % len(CYCLE)],
            markeredgecolor=INK,
            markeredgewidth=0.5,
            elinewidth=1.0,
            label=labels[i],
        )
    right, top = ax.get_xlim()[1], ax.get_ylim()[1]
    for ratio in _RATIOS:
        end = min(right, top / ratio)
        ax.plot([0.0, end], [0.0, ratio * end], color=GREY, linewidth=0.8, zorder=0)
        said = "σ = µ*" if ratio == 1.0 else f"σ = {ratio:g} µ*"
        at = 0.93 * end, 0.93 * ratio * end
        ax.annotate(
            said, at, (-3, 3), textcoords="offset points", ha="right", fontsize=7, color=GREY
        )
    ax.set(xlim=(0.0, right), ylim=(0.0, top))
    legend(ax)
