"""Global sensitivity from derivatives: bounds of total indices, and active subspaces."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from ..design import Design
from .bootstrap import check_bootstrap, half_width, resampled
from .rows import shown, warn
from .slopes import Slopes, read_slopes


def dgsm(
    data: xr.Dataset | Mapping[str, Any],
    design: Design | None = None,
    *,
    confidence: float = 0.95,
    resamples: int = 100,
    seed: int = 0,
) -> xr.Dataset:
    """Bounds of total Sobol indices and the active subspace, from the derivatives of rows.

    With z the natural coordinate of an axis (p, or ln p of `LogUniform` and `LogNormal`)::

        nu_i = <(dy/dz_i)^2>             the derivative-based measure
        ST_i <= C_i nu_i / Var y         C = width^2/pi^2 of uniform, sd^2 of Gaussian axes
        W diag(lambda) W^T = <g g^T>     g_i = sd_i dy/dz_i, as of coordinates of unit variance

    An axis whose bound is small does not matter, alone or together with others. Where the first
    eigenvalues are much above the rest, the output moves along their eigenvectors only.

    Parameters
    ----------
    data : xarray.Dataset or mapping
        What `local` gives for a design, or its store; or of any other model name to (values,
        derivatives), of (rows,) and (rows, axes).
    design : Design, optional
        The design of the rows; a dataset of `local` knows its own.
    confidence : float
        Of the intervals.
    resamples : int
        Resamples of the bootstrap over rows.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    xarray.Dataset
        ====================================  ============================  =====================
        variable                              dims                          is
        ====================================  ============================  =====================
        ``dgsm``, ``dgsm_conf``               output, parameter             nu and half-width
        ``bound``, ``bound_conf``             output, parameter             the bound of ST, 1
        ``eigenvalue``, ``eigenvalue_low``,   output, rank                  lambda, largest first,
        ``eigenvalue_high``                                                 and its interval
        ``eigenvector``                       output, rank, parameter       columns of W, 1
        ``variance``, ``excluded``            output                        Var y, rows left out
        ====================================  ============================  =====================

        ``natural`` says along ``parameter`` which coordinate z is.

    Raises
    ------
    ValueError
        For rows that are not drawn from the space (`Space.sobol`, `random` or `latin` do), axes
        without derivatives (`Choice`, `Grid`), and fewer than two rows with a rest. Spaces with
        derived parameters are refused because `local` moves these by themselves, and spaces with
        `where` because the bound holds for independent axes only.

    Notes
    -----
    Rows that failed or are pending are left out, and a warning counts them: all is then said of the
    region with rests, for which the bound is no theorem. Intervals take rows as independent; points
    of a Sobol sequence are better than that. An output that does not vary has bounds NaN.

    Sources: Sobol & Kucherenko 2009, doi:10.1016/j.matcom.2009.01.023; Lamboni, Iooss, Popelin &
    Gamboa 2013, doi:10.1016/j.matcom.2013.02.002 (bounds); Roustant, Barthe & Iooss 2017,
    doi:10.1214/17-EJS1310 (constants); Constantine, Dow & Wang 2014, doi:10.1137/130916138 (active
    subspaces and their bootstrap).

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> space = jm.Space({"a": jm.Uniform(0.0, 1.0), "b": jm.Normal(0.0, 2.0)})
    >>> design = space.sobol(4096, seed=1)
    >>> x, _ = design.rows(0, design.n)
    >>> y, slopes = x["a"] + x["b"], np.ones((design.n, 2))
    >>> found = jm.sensitivity.dgsm({"y": (y, slopes)}, design)
    >>> print(found.bound.sel(output="y").values.round(3), found.eigenvalue.values.round(3))
    [0.025 0.98 ] [[4.083 0.   ]]
    """
    confidence, resamples, seed = check_bootstrap(confidence, resamples, seed)
    slopes = read_slopes(data, design)
    whole = np.isfinite(slopes.values) & np.isfinite(slopes.derivatives).all(axis=2)
    means = _means(slopes, whole, resamples, seed)
    variance = means[..., 1] - means[..., 0] ** 2
    _tell(slopes, whole, variance[0])
    size = len(slopes.axes)
    i, j = np.triu_indices(size)
    matrix = np.empty((*variance.shape, size, size))
    matrix[..., i, j] = matrix[..., j, i] = means[..., 2:]
    squares = np.diagonal(matrix, axis1=2, axis2=3)
    measure = squares / np.square([axis.sd for axis in slopes.axes])
    with np.errstate(divide="ignore", invalid="ignore"):
        bound = squares * [axis.constant for axis in slopes.axes] / variance[..., None]
    bound[variance == 0.0] = np.nan
    eigenvalue, eigenvector = _modes(matrix)
    tail = 0.5 - 0.5 * confidence
    low, high = np.quantile(eigenvalue[1:], [tail, 1.0 - tail], axis=0)
    one, rank, by = ("parameter",), ("rank",), "square of units over natural"
    made = {
        "dgsm": (one, measure[0], by, "mean squared derivative"),
        "dgsm_conf": (one, half_width(measure[1:], confidence), by, "half-width of its interval"),
        "bound": (one, bound[0], "1", "upper bound of the total index"),
        "bound_conf": (one, half_width(bound[1:], confidence), "1", "half-width of its interval"),
        "eigenvalue": (rank, eigenvalue[0], "square of units", "mean squared slope"),
        "eigenvalue_low": (rank, low, "square of units", "lower end of its interval"),
        "eigenvalue_high": (rank, high, "square of units", "upper end of its interval"),
        "eigenvector": ((*rank, *one), eigenvector[0], "1", "direction, in standard deviations"),
        "variance": ((), variance[0], "square of units", "variance of the output"),
        "excluded": ((), np.sum(~whole, axis=0), "1", "rows left out"),
    }
    named = {
        "parameter": np.array([axis.name for axis in slopes.axes], object),
        "natural": ("parameter", np.array([axis.words for axis in slopes.axes], object)),
        "rank": np.arange(size),
    }
    return xr.Dataset(
        {
            name: (("output", *dims), values, {"units": units, "long_name": words})
            for name, (dims, values, units, words) in made.items()
        },
        {**slopes.coords, **named},
        {
            "title": "derivative-based sensitivity",
            "method": "dgsm",
            "rows": len(whole),
            "confidence": confidence,
            "resamples": resamples,
            "seed": seed,
        },
    )


def _means(slopes: Slopes, whole: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Means of outputs, of their squares, and of products of their scaled derivatives.

    Of (1 + resamples, outputs, means): all rows, then each resample.
    """
    i, j = np.triu_indices(len(slopes.axes))
    made = np.full((1 + resamples, whole.shape[1], 2 + len(i)), np.nan)
    # A row without a rest fails in all outputs: most have the same rows, and share resamples.
    alike: dict[bytes, list[int]] = {}
    for k, column in enumerate(whole.T):
        alike.setdefault(column.tobytes(), []).append(k)
    for group in alike.values():
        rows = np.flatnonzero(whole[:, group[0]])
        if len(rows) < 2:
            continue
        y = slopes.values[rows][:, group].astype(float)
        # An output that does not vary must not do so by rounding.
        eps = np.finfo(slopes.values.dtype).eps
        still = np.ptp(y, axis=0) <= 8.0 * eps * np.abs(y).max(axis=0)
        y = np.where(still, 0.0, y - y.mean(axis=0))

        def quantities(start: int, stop: int, rows=rows, group=group, y=y) -> np.ndarray:
            g = slopes.scaled(rows[start:stop])[:, group]
            at = y[start:stop, :, None]
            found = np.concatenate([at, at * at, g[..., i] * g[..., j]], axis=2)
            return found.reshape(len(at), -1).T

        means = resampled(quantities, len(rows), resamples, seed)
        made[:, group] = means.reshape(1 + resamples, len(group), -1)
    return made


def _modes(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, largest first, and their vectors, whose largest entries are positive."""
    there: Any = np.isfinite(matrix).all(axis=(-2, -1))
    value, vector = np.linalg.eigh(np.where(there[..., None, None], matrix, 0.0))
    rows = np.swapaxes(vector, -1, -2)[..., ::-1, :]
    most = np.take_along_axis(rows, np.abs(rows).argmax(-1)[..., None], -1)
    value = np.where(there[..., None], np.maximum(value[..., ::-1], 0.0), np.nan)
    return value, np.where(there[..., None, None], rows * np.sign(most), np.nan)


def _tell(slopes: Slopes, whole: np.ndarray, variance: np.ndarray) -> None:
    """Say what is left out of which outputs, and which do not vary; refuse where none is left."""
    rows, outputs = whole.shape
    most = whole.sum(axis=0).max() if outputs else 0
    if most < 2:
        raise ValueError(
            f"dgsm needs two whole rows or more, but of {rows} rows {most} can be used"
        )
    if slopes.pending:
        warn(
            f"{slopes.pending} of {rows} rows are pending and left out; the same call of local "
            "again computes them",
            above=2,
        )
    labels = [str(label) for label in np.asarray(slopes.coords["output"])]
    failed = np.sum(~whole, axis=0) - slopes.pending
    if failed.any():
        counts = [
            f"{failed[k]} of {labels[k]}" for k in np.argsort(-failed, kind="stable") if failed[k]
        ]
        warn(
            f"of {rows} rows, those without a rest, or with a value or derivative that is not "
            f"finite, are left out: {shown(counts)}",
            above=2,
        )
    if still := [label for label, v in zip(labels, variance, strict=True) if v == 0.0]:
        warn(f"outputs that do not vary have no bounds (NaN): {shown(still)}", above=2)
