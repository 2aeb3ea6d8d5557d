"""Pictures of a fit: data and prediction, profiles of the likelihood, correlations of estimates."""

from itertools import cycle
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from ..fitting.restored import one_cell
from ..record import meanings
from .rows import even
from .style import BLUE, CYCLE, GREY, INK, RED, label, legend, matrix, panels, spread, tell, unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ACROSS = 4
_NAMED = 8
_HOLLOW: Any = {"markerfacecolor": "none", "linewidth": 0.6}


def _check_fit(ds: Any, what: str) -> None:
    if not isinstance(ds, xr.Dataset) or "information_eigenvalue" not in ds:
        raise TypeError(f"{what} needs the dataset of a fit, as jm.fit(...) gives")


def fit(ds: xr.Dataset, cell: Any = None, *, ax: Any = None) -> np.ndarray:
    """Draw what was recorded against what the fit predicts, and below it what is left over.

    Of one cell, data with their errors and the prediction stand over the condition or the time; of
    all cells, data over predictions. Residuals are in units of the errors.

    Parameters
    ----------
    ds : xarray.Dataset
        What `jm.fit` gave.
    cell : optional
        The name of one cell; all of them together unless told.
    ax : array of matplotlib.axes.Axes, optional
        Two rows, and a column for each target.

    Returns
    -------
    ndarray of matplotlib.axes.Axes
        A column for each target: recorded and predicted above, residuals below.

    Raises
    ------
    KeyError
        For a cell that is not there.
    TypeError
        For a dataset that is none of a fit.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> space = jm.Space({"leak_Cl.g": jm.LogUniform(0.02, 20.0), "nka.j": jm.LogUniform(10, 1000)})
    >>> data = [jm.Target("V", [-72.0], 0.5), jm.Target("c.Na", [14.0], 0.3)]
    >>> axes = jm.plot.fit(jm.fit(jm.zoo.neuron(), data, space))
    >>> print(axes[0, 1].get_ylabel())
    recorded
    c.Na (mM)
    """
    _check_fit(ds, "fit")
    one = ds if cell is None else one_cell(ds, cell)
    axes = _grid(ax, one.sizes["target"])
    units = one["target"].attrs["target_units"].split(" | ")
    for i, (target, measured) in enumerate(zip(one["target"].values, units, strict=True)):
        upper, lower = axes[:, i]
        data = one[["recorded", "predicted", "sd"]].isel(target=i)
        named = label(str(target), {"units": measured})
        if cell is None:
            x, across = _over_prediction(upper, data), f"predicted\n{named}"
        else:
            x, across = _over_conditions(upper, data)
        residual = (data["recorded"].values - data["predicted"].values) / data["sd"].values
        lower.axhline(0.0, color=GREY, linewidth=0.8, zorder=0)
        lower.plot(x.ravel(), residual.ravel(), "o", color=INK, markersize=3.0, alpha=_ink(x))
        reach = 1.15 * max(2.0, np.abs(residual[np.isfinite(residual)]).max(initial=0.0))
        lower.set(ylim=(-reach, reach), xlabel=across, ylabel="residual\n(sd)")
        upper.set_ylabel(f"recorded\n{named}")
        lower.sharex(upper)
        upper.tick_params(labelbottom=False)
    rightmost = axes[0, min(axes.shape[1], _ACROSS) - 1]
    if rightmost.get_legend_handles_labels()[0]:
        legend(rightmost)
    tell(axes[0, 0], _outcomes(one, cell), _missing(one))
    return axes


def _grid(ax: Any, targets: int) -> np.ndarray:
    """Two axes for each target, four targets in a line: of shape (2, targets)."""
    if ax is not None:
        return panels(ax, 2, targets)
    across, down = min(targets, _ACROSS), ceil(targets / _ACROSS)
    size = (max(4.2, 3.3 * across), 4.4 * down)
    made = panels(None, 2 * down, across, size, height_ratios=[3, 1] * down)
    pairs = np.stack([made[0::2].ravel(), made[1::2].ravel()])
    for spare in pairs[:, targets:].flat:
        spare.remove()
    return pairs[:, :targets]


def _ink(x: np.ndarray) -> float:
    """Many points are drawn through each other."""
    return float(np.clip(30.0 / max(1.0, x.size) ** 0.5, 0.15, 1.0))


def _outcomes(one: xr.Dataset, cell: Any) -> str:
    """Say what came of the fit where it has not converged; of one cell always."""
    words, status = meanings(one), one["status"].values
    if cell is not None:
        return f"cell {cell}: {words[int(status)]}"
    counts = {word: int((status == value).sum()) for value, word in words.items() if value != 0}
    named = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    return f"of {status.size:,} cells {named}" if named else ""


def _missing(one: xr.Dataset) -> str:
    recorded = one["recorded"].values
    missing = int((~np.isfinite(recorded)).sum())
    return f"{missing:,} of {recorded.size:,} values not recorded" if missing else ""


def _over_prediction(ax: "Axes", data: xr.Dataset) -> np.ndarray:
    """All data of one target over their predictions."""
    x, y = data["predicted"].values, data["recorded"].values
    there = np.isfinite(x) & np.isfinite(y)
    style = {"color": BLUE, "markersize": 3.0, "elinewidth": 0.6, "alpha": _ink(x)}
    if there.any():
        ax.axline((y[there][0], y[there][0]), slope=1.0, color=RED, linewidth=1.0, label="equal")
        sd = np.nan_to_num(data["sd"].values[there])
        ax.errorbar(x[there], y[there], yerr=sd, fmt="o", label="recorded", **style)
    return x


def _over_conditions(ax: "Axes", data: xr.Dataset) -> tuple[np.ndarray, str]:
    """Data and prediction of one cell over the time, or over what differs between conditions."""
    y, fitted = data["recorded"].values, data["predicted"].values
    sd = np.nan_to_num(data["sd"].values)
    own = [x for name, x in data.coords.items() if x.dims == ("condition",) and name != "condition"]
    dots = {"fmt": "o", "markersize": 3.5, "elinewidth": 0.8}
    if "time" in data.dims:
        x = np.broadcast_to(data["time"].values, y.shape)
        for i, colour in zip(range(len(y)), cycle(CYCLE), strict=False):
            said = [f"{c.name} {c.values[i]:g} {unit(c.attrs['units'])}" for c in own]
            ax.errorbar(x[i], y[i], sd[i], color=colour, **dots)
            ax.plot(x[i], fitted[i], color=colour, label=", ".join(said) or "predicted")
        return x, label("time", data["time"].attrs)
    # Of parameters that change together the first tells the conditions apart.
    told_by = next((x for x in own if np.unique(x.values).size == x.size), None)
    if told_by is not None:
        x, about = told_by.values, label(str(told_by.name), told_by.attrs)
    else:
        x, about = np.arange(len(y), dtype=float), "condition"
    order = np.argsort(x)
    ax.plot(x[order], fitted[order], "o-", color=RED, markersize=7.0, **_HOLLOW, label="predicted")
    ax.errorbar(x, y, sd, color=INK, label="recorded", **dots)
    if told_by is not None:
        spread(ax, "x", even(x))
    else:
        ax.set_xticks(x, [str(name) for name in data["condition"].values])
    return x, about


def profile(ds: xr.Dataset, cell: Any = None, *, ax: Any = None) -> "Axes":
    """Draw the profile likelihood of a parameter, its interval, and the level that borders it.

    Parameters
    ----------
    ds : xarray.Dataset
        What `jm.profile` gave.
    cell : optional
        The name of one cell; all of them unless told.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        A line for each cell, with a mark at its estimate; of one cell the interval is shaded, up to
        the end of the profile where it is open.

    Raises
    ------
    KeyError
        For a cell that is not there.
    TypeError
        For a dataset of another kind.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> ax = jm.plot.profile(jm.profile(cell, fitted, "nka.j"))  # doctest: +SKIP
    """
    if not isinstance(ds, xr.Dataset) or "chi_square_rise" not in ds:
        raise TypeError("profile needs what jm.profile(cell, fitted, parameter) gives")
    if cell is not None:
        ds = one_cell(ds, cell).expand_dims("cell")
    value, rise = ds["value"].values, ds["chi_square_rise"].values
    limit, level, names = ds.attrs["limit"], ds.attrs["level"], ds["cell"].values.tolist()
    one = panels(ax, size=(6.4, 3.8))[0, 0]
    one.axhline(limit, color=GREY, linewidth=1.0, linestyle="--", label=f"{level:.0%} level")
    if len(names) == 1 and np.isfinite(rise).any():
        low, high = float(ds["low"].values[0]), float(ds["high"].values[0])
        ends = [
            np.nanmin(value) if np.isnan(low) else low,
            np.nanmax(value) if np.isnan(high) else high,
        ]
        one.axvspan(*ends, color=BLUE, alpha=0.12, linewidth=0.0, label=f"{level:.0%} interval")
    few = len(names) <= _NAMED
    for i, (name, colour) in enumerate(zip(names, cycle(CYCLE))):
        style = {"color": colour if few else BLUE, "alpha": 1.0 if few else 0.3}
        one.plot(value[i], rise[i], "-", label=f"cell {name}" if few else "_nolegend_", **style)
        one.plot(ds["estimate"].values[i], 0.0, "o", markersize=5.0, clip_on=False, **style)
    known = rise[np.isfinite(rise)]
    top = max(3.0 * limit, min(known.max(initial=0.0), 6.0 * limit))
    one.set(ylim=(min(0.0, known.min(initial=0.0)), top))
    spread(one, "x", even(value[np.isfinite(rise)]))
    one.set(xlabel=label(ds.attrs["parameter"], ds["value"].attrs), ylabel="rise of chi-square")
    legend(one)
    lost = int((~np.isfinite(rise)).sum())
    tell(one, f"{lost:,} of {rise.size:,} points without a value" if lost else "")
    return one


def correlation(ds: xr.Dataset, cell: Any = None, *, ax: Any = None) -> "Axes":
    """Draw how the estimates of one cell's parameters hang together.

    Parameters
    ----------
    ds : xarray.Dataset
        What `jm.fit` gave.
    cell : optional
        The name of one cell; needed where there are several.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    KeyError
        For a cell that is not there.
    TypeError
        For a dataset that is none of a fit.
    ValueError
        For a fit of several cells, and none named.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> ax = jm.plot.correlation(fitted, "a")  # doctest: +SKIP
    """
    _check_fit(ds, "correlation")
    cells = ds["cell"].values.tolist()
    if cell is None and len(cells) > 1:
        raise ValueError(
            f"correlation draws one of the {len(cells)} cells: name it, as {cells[0]!r}"
        )
    cell = cells[0] if cell is None else cell
    one = one_cell(ds, cell)
    names = [str(name) for name in one["parameter"].values]
    side = 2.2 + 0.45 * len(names)
    ax = panels(ax, size=(side + 1.4, side))[0, 0]
    values = one["correlation"].transpose("parameter", "other").values
    matrix(ax, values, names, names, 1.0, "correlation of estimates")
    open_ = [n for n, held in zip(names, one["determined"].values, strict=True) if held != 1]
    tell(ax, _outcomes(one, cell), f"not determined: {', '.join(open_)}" if open_ else "")
    return ax
