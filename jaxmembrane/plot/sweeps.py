"""Pictures of a sweep: pairs of parameters, and the plane of two of them."""

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from .rows import check_sweep, outcome, parameter, scale, swept, told
from .style import GREY, label, panels, shades, spread, tell

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_POINTS = 20_000
_ROWS_OF_A_BIN = 10
_MOST_BINS = 60
_LARGE = 5


def pairs(
    ds: xr.Dataset,
    output: str,
    parameters: Sequence[str] | None = None,
    *,
    ax: Any = None,
) -> np.ndarray:
    """Scatter every pair of swept parameters, coloured by an output; below, the output by each.

    Parameters
    ----------
    ds : xarray.Dataset
        What `jm.sweep` or `jm.open_store` gave.
    output : str
        One output, as ``V``, ``c[Na]`` or ``V[60 s]``.
    parameters : sequence of str, optional
        Swept parameters, all axes of the design unless told.
    ax : array of matplotlib.axes.Axes, optional
        As many rows and columns as there are parameters.

    Returns
    -------
    ndarray of matplotlib.axes.Axes
        Column i has parameter i across, row i has parameter i + 1 upward, the last the output.
        Above the diagonal nothing is drawn.

    Raises
    ------
    KeyError
        For an output or parameter that is not there, with the nearest that is.
    TypeError
        For a dataset that is none of a sweep.

    Notes
    -----
    Rows without a rest are crosses, and are counted in the title. Of more than 20,000 rows every
    n-th is drawn.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> space = jm.Space({"bath.K": jm.Uniform(2.0, 12.0), "nka.j": jm.LogUniform(30.0, 300.0)})
    >>> ds = jm.sweep(jm.zoo.neuron(), space.sobol(64, seed=1))
    >>> axes = jm.plot.pairs(ds, "V")
    >>> print(axes.shape, axes[1, 0].get_ylabel())
    (2, 2) V
    (mV)
    """
    check_sweep(ds, "pairs")
    names = swept(ds) if parameters is None else list(parameters)
    if not names:
        raise ValueError("pairs needs one swept parameter or more, as parameters=['bath.K']")
    found = outcome(ds, output)
    columns = [parameter(ds, name) for name in names]
    lost = ~np.isfinite(found.values)
    step = ceil(lost.size / _MOST_POINTS)
    drawn = slice(None, None, step)
    good, bad = ~lost[drawn], lost[drawn]
    k = len(names)
    each = max(1.15, min(2.2, 6.6 / k))
    size = (each * k + 1.6, each * k + 0.6) if k > 1 else (5.2, 3.8)
    axes = panels(ax, k, k, size, sharex="col", sharey="row")
    shown, extend = shades(found.values)
    down = [*(columns[i] for i in range(1, k)), found.values]
    downward = [*(scale(ds, name) for name in names[1:]), shown.get("norm", "linear")]
    dots = {"s": max(2.0, min(14.0, 3000.0 / (good.size + 1))), "linewidths": 0.0}
    colours = None
    for (i, j), one in np.ndenumerate(axes):
        if j > i:
            one.set_axis_off()
            continue
        x, y = columns[j][drawn], down[i][drawn]
        # A row without an output has no place upward: it is told on the lower border.
        lower: Any = {"transform": one.get_xaxis_transform()} if i == k - 1 else {}
        beneath = np.full_like(x, 0.02) if lower else y
        one.plot(x[bad], beneath[bad], "x", color=GREY, markersize=3.0, mew=0.6, **lower)
        c = found.values[drawn][good]
        colours = one.scatter(x[good], y[good], c=c, rasterized=good.size > 2000, **dots, **shown)
    attrs = [*(ds[name].attrs for name in names), found.attrs]
    for i, (name, below) in enumerate(zip(names, [*names[1:], output], strict=True)):
        axes[-1, i].set_xlabel(label(name, attrs[i], k > 1))
        axes[i, 0].set_ylabel(label(below, attrs[i + 1], k > 1))
    _dress_pairs(axes, [scale(ds, name) for name in names], downward)
    if not good.any():
        axes[-1, 0].set_yticks([])
    elif k > 1:
        where = {"ax": list(axes.flat), "shrink": 0.7, "aspect": 30, "extend": extend}
        axes[0, 0].figure.colorbar(colours, label=label(output, found.attrs), **where)
    thinned = f"every {step}-th of {lost.size:,} rows is drawn" if step > 1 else ""
    crosses = told(ds, lost) + (" (crosses)" if lost.any() else "")
    tell(axes[0, 0], crosses, thinned, across=k)
    return axes


def _dress_pairs(axes: np.ndarray, across: list[str], downward: list[str]) -> None:
    """Set scales, ticks and the places of labels: where panels are small, labels are turned."""
    small = len(axes) > _LARGE
    for (i, j), one in np.ndenumerate(axes):
        if j > i:
            continue
        spread(one, "x", across[j])
        spread(one, "y", downward[i])
        one.tick_params(labelsize=7 if small else 8)
        if small:
            one.tick_params("x", rotation=90)
            one.xaxis.label.set(rotation=90)
            one.yaxis.label.set(rotation=0, ha="right", va="center")


def plane(
    ds: xr.Dataset,
    output: str,
    x: str | None = None,
    y: str | None = None,
    *,
    bins: int | None = None,
    ax: Any = None,
) -> "Axes":
    """Draw an output over the plane of two swept parameters; where there is no rest it is hatched.

    Two axes of a grid are drawn point by point. The rows of other designs are put into bins, of
    which the median is drawn; a bin is hatched where half of its rows or more have no rest.

    Parameters
    ----------
    ds : xarray.Dataset
        What `jm.sweep` or `jm.open_store` gave. Of a grid with more than two axes take one value
        of the others first: ``ds.sel({"T": 310.0}, method="nearest")``.
    output : str
        One output, as ``V``, ``c[Na]`` or ``V[60 s]``.
    x, y : str, optional
        Swept parameters, across and upward; the first two axes of the design unless told.
    bins : int, optional
        Bins in each direction; such that each has ten rows unless told.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    KeyError
        For an output or parameter that is not there, with the nearest that is.
    ValueError
        For a grid with more axes than two.
    TypeError
        For a dataset that is none of a sweep.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> space = jm.Space({"bath.K": jm.Uniform(2.0, 12.0), "nka.j": jm.LogUniform(30.0, 300.0)})
    >>> ax = jm.plot.plane(jm.sweep(jm.zoo.neuron(), space.grid(8)), "volume")
    >>> print(ax.get_ylabel())
    Na/K pump turnover at equal Na
    nka.j (amol/µm²/s)
    """
    check_sweep(ds, "plane")
    across, up = _two(ds, x, y)
    found = outcome(ds, output)
    columns, kinds = (
        [parameter(ds, name) for name in (across, up)],
        [scale(ds, across), scale(ds, up)],
    )
    lost = ~np.isfinite(found.values)
    if ds["status"].dims == ("sample",):
        edges, index = _bins(columns, kinds, bins, lost.size)
    else:
        edges, index = _points(ds, across, up, columns, kinds)
    shape = tuple(len(e) - 1 for e in edges)
    colours, hatched = _pool(found.values, lost, index, shape)
    shown, extend = shades(colours)
    one = panels(ax)[0, 0]
    if np.isfinite(colours).any():
        image = one.pcolormesh(*edges, np.ma.masked_invalid(colours).T, **shown)
        meaning = label(output, found.attrs)
        one.figure.colorbar(image, ax=one, label=meaning, extend=extend)
    if hatched.any():
        _hatch(one, edges, hatched)
    one.set(xlim=edges[0][[0, -1]], ylim=edges[1][[0, -1]])
    for which, kind in zip("xy", kinds, strict=True):
        spread(one, which, kind)
    one.set(xlabel=label(across, ds[across].attrs), ylabel=label(up, ds[up].attrs))
    tell(one, told(ds, lost), pad=20.0 if hatched.any() else None)
    return one


def _hatch(ax: "Axes", edges: Sequence[np.ndarray], hatched: np.ndarray) -> None:
    """Hatch cells of the plane, and say above it why."""
    from matplotlib.collections import PolyCollection

    # One patch for each run of cells: a fine grid has a hundred thousand cells.
    turns = np.diff(np.pad(hatched.astype(int), ((0, 0), (1, 1))), axis=1)
    (column, begin), (_, end) = np.nonzero(turns == 1), np.nonzero(turns == -1)
    left, right = edges[0][column], edges[0][column + 1]
    low, high = edges[1][begin], edges[1][end]
    corners = np.stack([(left, low), (right, low), (right, high), (left, high)]).transpose(2, 0, 1)
    style = {"hatch": "////", "facecolor": "none", "edgecolor": GREY, "linewidth": 0.0}
    ax.add_collection(PolyCollection(list(corners), label="no value", **style), autolim=False)
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False, fontsize=8)


def _two(ds: xr.Dataset, x: str | None, y: str | None) -> tuple[str, str]:
    names = swept(ds)
    if x is None or y is None:
        left = [name for name in names if name not in (x, y)]
        if len(left) < (x is None) + (y is None):
            raise ValueError(f"plane needs two swept parameters, and this sweep has {len(names)}")
        x = left.pop(0) if x is None else x
        y = left.pop(0) if y is None else y
    if x == y:
        raise ValueError(f"plane needs two different parameters, not {x} twice")
    return x, y


def _points(
    ds: xr.Dataset, x: str, y: str, columns: Sequence[np.ndarray], kinds: Sequence[str]
) -> tuple[list[np.ndarray], np.ndarray]:
    """Edges around the points of two axes of a grid, and where each row stands."""
    dims = [ds[name].dims for name in (x, y)]
    if {len(d) for d in dims} != {1} or dims[0] == dims[1]:
        raise ValueError(f"{x} and {y} must belong to two axes of the grid, {_axes(ds)}")
    if others := [str(d) for d in ds["status"].dims if d not in (dims[0][0], dims[1][0])]:
        raise ValueError(
            f"the grid has the axis {others[0]} as well: take one value of it first, as "
            f"ds.isel({{{others[0]!r}: 0}})"
        )
    edges, places = [], []
    for column, kind in zip(columns, kinds, strict=True):
        points, place = np.unique(column, return_inverse=True)
        edges.append(_edges(points, kind))
        places.append(place)
    return edges, places[0] * (len(edges[1]) - 1) + places[1]


def _axes(ds: xr.Dataset) -> str:
    return " and ".join(map(str, ds["status"].dims))


def _edges(points: np.ndarray, kind: str) -> np.ndarray:
    """Borders half-way between points."""
    at = np.log(points) if kind == "log" else points
    if len(at) == 1:
        half = 0.5 if kind == "log" or not at[0] else 0.5 * abs(at[0])
        edges = np.array([at[0] - half, at[0] + half])
    else:
        middle = 0.5 * (at[1:] + at[:-1])
        edges = np.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])
    return np.exp(edges) if kind == "log" else edges


def _bins(
    columns: Sequence[np.ndarray], kinds: Sequence[str], bins: int | None, rows: int
) -> tuple[list[np.ndarray], np.ndarray]:
    """Edges of even bins over two parameters, and in which bin each row is; -1 where in none."""
    n = bins or max(1, min(_MOST_BINS, int((rows / _ROWS_OF_A_BIN) ** 0.5)))
    edges, places, there = [], [], np.ones(rows, bool)
    for column, kind in zip(columns, kinds, strict=True):
        at = np.log(column) if kind == "log" else column
        known = at[np.isfinite(at)]
        low, high = (known.min(), known.max()) if known.size else (0.0, 1.0)
        low, high = (low, high) if high > low else (low - 0.5, low + 0.5)
        line = np.linspace(low, high, n + 1)
        there &= np.isfinite(at)
        places.append(np.clip(np.searchsorted(line, at, "right") - 1, 0, n - 1))
        edges.append(np.exp(line) if kind == "log" else line)
    return edges, np.where(there, places[0] * n + places[1], -1)


def _pool(
    values: np.ndarray, lost: np.ndarray, index: np.ndarray, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """The median of every cell of the plane, and whether half of its rows have no rest."""
    size = shape[0] * shape[1]
    there = index >= 0
    rows, none = (np.bincount(index[at], minlength=size) for at in (there, there & lost))
    colours = np.full(size, np.nan)
    kept = there & ~lost
    order = np.argsort(index[kept], kind="stable")
    cells, begins = np.unique(index[kept][order], return_index=True)
    for cell, part in zip(cells, np.split(values[kept][order], begins[1:]), strict=False):
        colours[cell] = np.median(part)
    hatched = (rows > 0) & (2 * none >= rows)
    return np.where(hatched, np.nan, colours).reshape(shape), hatched.reshape(shape)
