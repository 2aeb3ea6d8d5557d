"""Pictures of derivatives: elasticities, bounds on total indices, the active subspace."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from .indices import about, analysed, height, largest, names, of_output
from .rows import told
from .style import BLUE, INK, bars, legend, matrix, panels, tell

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LARGE = 3.0
_DIRECTIONS = 2
_LEAST = 1e-8


def elasticities(res: xr.Dataset, *, ax: Any = None) -> "Axes":
    """Draw d ln y / d ln p of every output by every parameter; of many cells the median.

    Parameters
    ----------
    res : xarray.Dataset
        What `jm.sensitivity.local` gave, of one cell or of rows.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        A row for each output, a column for each parameter. Colours reach from -1 to 1 at least
        and from -3 to 3 at most; the numbers are those of the data.

    Raises
    ------
    TypeError
        For a dataset of another kind.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> ax = jm.plot.elasticities(jm.sensitivity.local(jm.zoo.neuron()))  # doctest: +SKIP
    """
    found = analysed(res, "elasticities", "elasticity", "local(...)")["elasticity"]
    values = found.transpose(..., "output", "parameter").values
    values = values.reshape(-1, *values.shape[-2:])
    lost = np.logical_not(np.isfinite(values).any(axis=(1, 2)))
    many = len(values) > 1
    whole = np.isfinite(values)
    middle = np.full(values.shape[1:], np.nan)
    there = whole.any(axis=0)
    middle[there] = np.nanmedian(values[:, there], axis=0)
    rows, columns = [str(name) for name in found["output"].values], names(res)
    size = (3.4 + 0.42 * len(columns), 2.2 + 0.32 * len(rows))
    ax = panels(ax, size=size)[0, 0]
    meaning = "median elasticity" if many else "elasticity"
    matrix(ax, middle, rows, columns, min(_LARGE, max(1.0, largest(middle))), meaning)
    tell(ax, told(res, lost) if many else "")
    if lost.all():
        tell(ax, "no elasticity is defined: there is no rest")
    return ax


def dgsm(res: xr.Dataset, output: str | None = None, *, ax: Any = None) -> "Axes":
    """Draw the bounds that mean squared derivatives set on the total indices, with intervals.

    Parameters
    ----------
    res : xarray.Dataset
        What `jm.sensitivity.dgsm` gave.
    output : str, optional
        One output, as ``V`` or ``c[Na]``; needed where there are several.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        Parameters from the largest bound downward.

    Raises
    ------
    KeyError
        For an output that is not there, with the nearest that is.
    TypeError
        For a dataset of another kind.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> ax = jm.plot.dgsm(jm.sensitivity.dgsm(rows), "V")  # doctest: +SKIP
    """
    one = of_output(analysed(res, "dgsm", "bound", "dgsm(...)"), output, "dgsm")
    ax = panels(ax, size=(5.2, height(one.sizes["parameter"])))[0, 0]
    bars(ax, names(one), {"bound": (one["bound"].values, one["bound_conf"].values)})
    ax.set_xlabel(f"upper bound on the total index ST of {one['output'].item()}")
    tell(ax, *about(one, "bound"))
    return ax


def subspace(res: xr.Dataset, output: str | None = None, *, ax: Any = None) -> np.ndarray:
    """Draw the active subspace: eigenvalues with intervals, and the two leading directions.

    Parameters
    ----------
    res : xarray.Dataset
        What `jm.sensitivity.dgsm` gave.
    output : str, optional
        One output, as ``V`` or ``c[Na]``; needed where there are several.
    ax : array of two matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    ndarray of matplotlib.axes.Axes
        Eigenvalues, and the entries of the leading directions by parameter. After a gap between
        eigenvalues the output hardly changes along further directions.

    Raises
    ------
    KeyError
        For an output that is not there, with the nearest that is.
    TypeError
        For a dataset of another kind.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> axes = jm.plot.subspace(jm.sensitivity.dgsm(rows), "V")  # doctest: +SKIP
    """
    one = of_output(analysed(res, "subspace", "eigenvector", "dgsm(...)"), output, "subspace")
    size = (10.0, max(3.4, height(one.sizes["parameter"])))
    left, right = panels(ax, 1, 2, size)[0]
    low, value, high = (
        one[name].values for name in ("eigenvalue_low", "eigenvalue", "eigenvalue_high")
    )
    rank = np.arange(1, len(value) + 1)
    left.fill_between(rank, low, high, color=BLUE, alpha=0.25, linewidth=0.0)
    left.plot(rank, value, "o-", color=BLUE, markeredgecolor=INK, markeredgewidth=0.5)
    left.set(xlabel="rank", ylabel=f"eigenvalue, of {one['output'].item()}", xticks=rank)
    if (value > 0.0).any():
        left.set_yscale("log", nonpositive="mask")
        # Directions along which nothing changes at all have eigenvalues of roundings.
        left.set_ylim(bottom=max(left.get_ylim()[0], _LEAST * np.nanmax(value)))
    vectors = one["eigenvector"].transpose("rank", "parameter").values[:_DIRECTIONS]
    series = {f"direction {i + 1}": (vector, None) for i, vector in enumerate(vectors)}
    bars(right, names(one), series)
    right.set_xlabel("entry of the direction")
    if len(series) > 1:
        legend(right)
    tell(left, *about(one, "eigenvalue"))
    return np.array([left, right])
