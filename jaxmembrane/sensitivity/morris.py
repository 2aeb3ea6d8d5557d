"""Elementary effects of Morris: which parameters matter at all, and which act in concert."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from ..blocks import MorrisPoints
from ..design import Design
from .bootstrap import check_bootstrap, half_width, resampled
from .rows import read_blocks


def morris(
    data: xr.Dataset | Mapping[str, Any],
    design: Design | None = None,
    *,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> xr.Dataset:
    """Elementary effects on every output, from the rows of a design that `Space.morris` makes.

    Where parameter i moves by ``d`` in its quantile while the others stand still::

        EE_i = (y(.., q_i + d, ..) - y(.., q_i, ..)) / d
        mu = <EE>,  mu_star = <|EE|>,  sigma = standard deviation of EE

    over trajectories: ``mu_star`` ranks parameters; a ``sigma`` as large says that the effect
    depends on where one is, or on the other parameters.

    Parameters
    ----------
    data : xarray.Dataset or mapping
        What `sweep` or `open_store` gives; or arrays with rows first, of any other model.
    design : Design, optional
        The design of the rows; a dataset of a sweep knows its own.
    confidence : float
        Of the interval of ``mu_star``, whose half-width is ``mu_star_conf``.
    resamples : int
        Resamples of the bootstrap over trajectories.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    xarray.Dataset
        ``mu``, ``mu_star``, ``sigma``, ``mu_star_conf`` (``output``, ``parameter``) in the units of
        the output, for the whole range of a parameter (quantile 0 to 1); ``excluded``, the
        trajectories left out. A group of several axes has ``mu_star`` alone, for its axes may move
        against each other.

    Raises
    ------
    ValueError
        For rows of another design, arrays of other lengths, or fewer than two whole trajectories.

    Notes
    -----
    A trajectory with a failed row, or one that is pending, is left out whole, and a warning says
    how many.

    Sources: Morris 1991, doi:10.1080/00401706.1991.10484804; Campolongo, Cariboni & Saltelli 2007,
    doi:10.1016/j.envsoft.2006.10.004 (mu_star, groups).

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> space = jm.Space({name: jm.Uniform(0.0, 1.0) for name in ("a", "b", "c")})
    >>> design = space.morris(20, seed=1)
    >>> x, _ = design.rows(0, design.n)
    >>> found = jm.sensitivity.morris({"y": 2.0 * x["a"] - 3.0 * x["b"]}, design)
    >>> print(found.mu.sel(output="y").values.round(6))
    [ 2. -3.  0.]
    >>> print(found.mu_star.sel(output="y").values.round(6))
    [2. 3. 0.]
    """
    confidence, resamples, seed = check_bootstrap(confidence, resamples, seed)
    blocks = read_blocks(data, design, "morris", "morris")
    source: Any = blocks.source
    level, order = source.moves(0, len(blocks.usable))
    moves = {"order": order, "sign": _signs(source, level), "steps": source.steps}
    bootstrap = {"confidence": confidence, "resamples": resamples, "seed": seed}
    outputs, found = blocks.each(partial(_effects, **moves, **bootstrap))
    blocks.tell("morris", outputs, found["excluded"])
    one = ("parameter",)
    told = {
        "mu": (one, "see units", "mean elementary effect"),
        "mu_star": (one, "see units", "mean absolute elementary effect"),
        "sigma": (one, "see units", "standard deviation of the elementary effect"),
        "excluded": ((), "1", "trajectories left out"),
    }
    about = {"title": "elementary effects", "method": "morris", **bootstrap}
    return blocks.dataset(outputs, found, told, about)


def _signs(source: MorrisPoints, level: np.ndarray) -> np.ndarray:
    """Whether each group of some trajectories moves up (1) or down (-1); NaN of several axes."""
    up = np.where(level < source.levels // 2, 1.0, -1.0)
    alone = [up[:, g.axes[0]] if len(g.axes) == 1 else np.nan * up[:, 0] for g in source.groups]
    return np.stack(alone, axis=1)


def _effects(
    y: np.ndarray,
    whole: np.ndarray,
    *,
    order: np.ndarray,
    sign: np.ndarray,
    steps: np.ndarray,
    confidence: float,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Moments of the elementary effects on one output."""
    change = np.empty((len(y), len(steps)))
    np.put_along_axis(change, order[whole], np.diff(y.astype(float), axis=1), axis=1)
    effect = change / steps * sign[whole]
    size = np.abs(change / steps)
    means = resampled(lambda start, stop: size[start:stop].T, len(y), resamples, seed)
    return {
        "mu": effect.mean(axis=0),
        "mu_star": means[0],
        "sigma": effect.std(axis=0, ddof=1),
        "mu_star_conf": half_width(means[1:], confidence),
    }
