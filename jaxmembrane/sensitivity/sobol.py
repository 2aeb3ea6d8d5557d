"""Indices of Sobol: how the variance of an output is shared among parameters."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from ..design import Design
from .bootstrap import check_bootstrap, half_width, resampled
from .rows import read_blocks, shown, warn


def sobol(
    data: xr.Dataset | Mapping[str, Any],
    design: Design | None = None,
    *,
    confidence: float = 0.95,
    resamples: int = 100,
    seed: int = 0,
) -> xr.Dataset:
    """Sobol indices of every output, from the rows of a design that `Space.saltelli` makes.

    With A and B the two points of a block, A_i the first with parameter i of the second, and B_i
    the second with parameter i of the first::

        S1_i  = <y(B) (y(A_i) - y(A))> / Var y                    by itself
        ST_i  = <(y(A) - y(A_i))^2> / (2 Var y)                   with all its interactions
        S2_ij = <y(B_i) y(A_j) - y(A) y(B)> / Var y - S1_i - S1_j the two together

    where y is counted from its mean over all rows and Var y is that over A and B.

    Parameters
    ----------
    data : xarray.Dataset or mapping
        What `sweep` or `open_store` gives; or arrays with rows first, of any other model.
    design : Design, optional
        The design of the rows; a dataset of a sweep knows its own.
    confidence : float
        Of the intervals, whose half-widths are ``S1_conf`` and so on.
    resamples : int
        Resamples of the bootstrap over blocks.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    xarray.Dataset
        ``S1``, ``ST`` (``output``, ``parameter``) and, of designs with `second_order`, ``S2``
        (``output``, ``parameter``, ``other``; symmetric), each with its ``_conf``; ``mean`` and
        ``variance`` of the output; ``excluded``, the blocks that were left out. ``output`` names
        every entry of every variable (``V``, ``c[Na]``, ``c[Na, 60 s]``), with ``variable`` and
        ``units`` beside it; ``parameter`` an axis or a group. All indices are of unit 1.

    Raises
    ------
    ValueError
        For rows of another design, arrays of other lengths, or fewer than two whole blocks.

    Notes
    -----
    A block with a failed row, or one that is pending, is left out whole, and a warning says how
    many. Space is then what is left of it: where many rows fail, indices are those of the region
    with results. A row that `where` rejects is one of them: in arrays it must hold NaN. An output
    that does not vary has indices NaN.

    Intervals take blocks as independent, and hold as often as they say where they are. Points of a
    Sobol sequence do better as a rule, so that their intervals are wide rather than narrow.

    Sources: Saltelli et al. 2010, doi:10.1016/j.cpc.2009.09.018 (S1); Jansen 1999,
    doi:10.1016/S0010-4655(98)00154-4 (ST); Saltelli 2002, doi:10.1016/S0010-4655(02)00280-1 (S2).

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> space = jm.Space({name: jm.Uniform(-np.pi, np.pi) for name in ("a", "b", "c")})
    >>> design = space.saltelli(8192)
    >>> x, _ = design.rows(0, design.n)
    >>> y = np.sin(x["a"]) * (1.0 + 0.1 * x["c"] ** 4) + 7.0 * np.sin(x["b"]) ** 2
    >>> found = jm.sensitivity.sobol({"y": y}, design)
    >>> print(found.S1.sel(output="y").values.round(2), found.ST.sel(output="y").values.round(2))
    [0.31 0.44 0.  ] [0.56 0.44 0.24]
    """
    confidence, resamples, seed = check_bootstrap(confidence, resamples, seed)
    blocks = read_blocks(data, design, "saltelli", "sobol")
    second = bool(blocks.description["second_order"])
    bootstrap = {"confidence": confidence, "resamples": resamples, "seed": seed}
    outputs, found = blocks.each(partial(_indices, second=second, **bootstrap))
    blocks.tell("sobol", outputs, found["excluded"])
    if still := [o.label for o, v in zip(outputs, found["variance"], strict=True) if v == 0.0]:
        warn(f"outputs that do not vary have no indices (NaN): {shown(still)}")
    one, two = ("parameter",), ("parameter", "other")
    told = {
        "S1": (one, "1", "first-order index"),
        "ST": (one, "1", "total index"),
        **({"S2": (two, "1", "second-order index")} if second else {}),
        "mean": ((), "see units", "mean of the output"),
        "variance": ((), "square of units", "variance of the output"),
        "excluded": ((), "1", "blocks left out"),
    }
    about = {"title": "Sobol indices", "method": "sobol", **bootstrap}
    return blocks.dataset(outputs, found, told, about)


def _indices(
    y: np.ndarray,
    whole: np.ndarray,
    *,
    second: bool,
    confidence: float,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Indices of one output with their half-widths, its mean and its variance."""
    groups = (y.shape[1] - 2) // (2 if second else 1)
    i, j = np.triu_indices(groups, 1)
    still = np.ptp(y) <= 8.0 * np.finfo(y.dtype).eps * np.abs(y).max()
    centre = y.mean(dtype=float)

    def quantities(start: int, stop: int) -> np.ndarray:
        rows = (y[start:stop].T - centre) * (0.0 if still else 1.0)
        a, b, a_b, b_a = rows[0], rows[-1], rows[1 : 1 + groups], rows[1 + groups : -1]
        parts = [[0.5 * (a + b), 0.5 * (a * a + b * b)], b * (a_b - a), 0.5 * (a - a_b) ** 2]
        return np.concatenate([*parts, b_a[i] * a_b[j] - a * b] if second else parts)

    means = resampled(quantities, len(y), resamples, seed)
    variance = means[:, 1] - means[:, 0] ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = means[:, 2:] / variance[:, None]
    first, total, both = np.split(shares, [groups, 2 * groups], axis=1)
    made = {"S1": first, "ST": total}
    if second:
        made["S2"] = np.full((1 + resamples, groups, groups), np.nan)
        made["S2"][:, i, j] = made["S2"][:, j, i] = both - first[:, i] - first[:, j]
    wide = {f"{name}_conf": half_width(x[1:], confidence) for name, x in made.items()}
    moments = {"mean": centre + means[0, 0], "variance": variance[0]}
    return {name: x[0] for name, x in made.items()} | wide | moments
