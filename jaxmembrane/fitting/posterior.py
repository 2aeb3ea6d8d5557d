"""Samples of the posterior of a fit: the no-U-turn sampler on its own loss."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from ..balance import as_is
from ..cell import Cell
from ..engine import bits
from ..params import is_number
from ..structure import structure
from ..target import Target
from .coordinate import Coordinates, coordinates
from .loss import Group, Record, measured
from .observe import Scene
from .restored import cells_of, conditions_of, fixed_of, space_of


def posterior(
    cell: Cell,
    fitted: xr.Dataset,
    *,
    cells: Sequence[Any] | None = None,
    draws: int = 500,
    warmup: int = 500,
    chains: int = 4,
    seed: int = 0,
) -> xr.Dataset:
    """Sample what the data and the space say of the parameters of resting cells.

    The density is ``exp(-loss)`` times that of the axes: even in p of a `Uniform` axis, in ln p of
    a `LogUniform` one, Gaussian in the others. Each chain of each cell runs the no-U-turn sampler
    from around the best fit. Where an axis is not determined the samples spread over its bounds.

    Parameters
    ----------
    cell : Cell
        The cell that was fitted.
    fitted : xarray.Dataset
        What `fit` gave for resting data.
    cells : sequence, optional
        Names of the cells to sample; all of them unless told.
    draws, warmup, chains : int
        Samples kept of each chain, those before that tune it, and chains of each cell.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    xarray.Dataset
        ``sample`` (``cell``, ``chain``, ``draw``, ``parameter``), in the parameters' units; by cell
        and parameter ``r_hat`` (above 1.01 the chains disagree: take more draws) and
        ``effective_size``; ``divergences`` by cell.

    Raises
    ------
    ImportError
        Without blackjax, which the extra ``bayes`` brings.
    ValueError
        For a fit of courses, of shared parameters, or of estimated errors.

    Notes
    -----
    Hoffman & Gelman 2014, J Mach Learn Res 15:1593, by blackjax.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> found = jm.posterior(cell, fitted, cells=["a"])  # doctest: +SKIP
    >>> found.sample.quantile([0.025, 0.975], ["chain", "draw"])  # doctest: +SKIP
    """
    try:
        import blackjax
        from blackjax.diagnostics import effective_sample_size, potential_scale_reduction
    except ImportError:
        raise ImportError("posterior needs blackjax: pip install 'jaxmembrane[bayes]'") from None
    for what, value in (("draws", draws), ("warmup", warmup), ("chains", chains)):
        if not is_number(value) or value != int(value) or value < 1:
            raise ValueError(f"{what} must be a whole number above zero, not {value!r}")
    fitted = cells_of(fitted, cells, "posterior")
    if "time" in fitted.recorded.dims:
        raise ValueError("posterior samples fits of rests; this one is of courses")
    lost = ~np.isfinite(fitted.loss.values)
    if lost.any():
        raise ValueError(f"cell {fitted.cell.values[lost][0]!r} has no fit to begin at")
    where = coordinates(space_of(fitted))
    begin = where.at(list(fitted.estimate.values.T)).T
    with bits("float64"), jax.numpy_dtype_promotion("standard"):
        lanes, density = _problem(cell, fitted, where, begin)
        n, size = begin.shape

        def run(key: Any, x: Any, lane: Any) -> tuple[Any, Any]:
            def log_density(x: Any) -> Any:
                return density(x, lane)

            tuning, sampling, jitter = jax.random.split(key, 3)
            x = x + 0.1 * jax.random.normal(jitter, x.shape)
            adapt = blackjax.window_adaptation(blackjax.nuts, log_density)
            (state, tuned), _ = adapt.run(tuning, x, warmup)  # pyright: ignore
            kernel = blackjax.nuts(log_density, **tuned).step

            def draw(state: Any, key: Any) -> tuple[Any, Any]:
                state, info = kernel(key, state)
                return state, (state.position, info.is_divergent)  # pyright: ignore

            return jax.lax.scan(draw, state, jax.random.split(sampling, draws))[1]

        keys = jax.random.split(jax.random.key(seed), (n, chains))
        each = jax.vmap(jax.vmap(run, (0, None, None)))
        x, divergent = jax.jit(each)(keys, jnp.asarray(begin), lanes)
        r_hat = jax.vmap(lambda s: potential_scale_reduction(s, 0, 1))(x)
        effective = jax.vmap(lambda s: effective_sample_size(s, 0, 1))(x)
        sample = [
            axis.value(x[..., i], numbers)
            for i, (axis, numbers) in enumerate(zip(where.axes, where.numbers, strict=True))
        ]
    return xr.Dataset(
        {
            "sample": (("cell", "chain", "draw", "parameter"), np.stack(sample, axis=-1)),
            "r_hat": (("cell", "parameter"), np.asarray(r_hat).reshape(n, size)),
            "effective_size": (("cell", "parameter"), np.asarray(effective).reshape(n, size)),
            "divergences": ("cell", np.asarray(divergent).sum(axis=(1, 2))),
        },
        {"cell": fitted.cell.values, "parameter": fitted.parameter.values},
        {"parameter_units": fitted.parameter.attrs["parameter_units"], "seed": seed},
    )


def _problem(
    cell: Cell, fitted: xr.Dataset, where: Coordinates, begin: np.ndarray
) -> tuple[dict[str, Any], Callable]:
    """What differs between cells, and the logarithm of the density at coordinates of one of them.

    It is told with its gradient: derivatives of rests come from the implicit function theorem.
    """
    entries = tuple(Target(str(of), [1.0]).entry(cell) for of in fitted.target.values)
    scene, group = Scene(structure(cell), where.axes, entries), Group((False,) * len(where.axes), 1)
    own = {name: jnp.asarray(x) for name, x in conditions_of(fitted).items()}
    fixed = {name: jnp.asarray(x) for name, x in fixed_of(cell, fitted).items()}
    harmless = {name: jnp.asarray(x) for name, x in cell.nominal().items()}
    bounded = jnp.asarray([axis.bounded for axis in where.axes])
    like = jnp.zeros((fitted.sizes["condition"], len(begin)))

    @jax.jit
    def rests(x: Any) -> Any:
        given = fixed | {name: value.T for name, value in own.items()}
        return scene.search(scene.params(list(x), where.numbers, given), harmless, like).u

    recorded, sd = fitted.recorded.values, fitted.sd.values
    there = np.isfinite(recorded)
    lanes = own | {
        "recorded": jnp.asarray(np.where(there, recorded, 0.0)),
        "inverse_sd": jnp.asarray(np.where(there, 1.0 / np.where(there, sd, 1.0), 0.0)),
        "u": jnp.moveaxis(jnp.stack(rests(jnp.asarray(begin.T))), -1, 0),
    }

    def told(x: Any, lane: Any) -> tuple[Any, Any]:
        # One lane: conditions are the axis before it.
        given = fixed | {name: lane[name][:, None] for name in own}
        here = list(x[:, None]), where.numbers, given
        seen = scene.rests(*here, scene.near(*here, list(lane["u"][..., None])), as_is)
        recorded, inverse_sd = (list(lane[k][..., None]) for k in ("recorded", "inverse_sd"))
        record = Record(recorded, inverse_sd, jnp.asarray([True]))
        trial = measured(list(x[:, None]), where.axes, seen, record, group)
        # Even in the share s of a bounded axis, whose density by x is s (1 - s).
        even = jnp.where(bounded, jax.nn.log_sigmoid(x) + jax.nn.log_sigmoid(-x), 0.0)
        slope = jnp.where(bounded, 1.0 - 2.0 * jax.nn.sigmoid(x), 0.0)
        slope, loss = slope - jnp.stack(trial.gradient)[:, 0], trial.loss[0]
        return jnp.sum(even) - loss, jnp.where(jnp.isfinite(loss), slope, 0.0)

    @jax.custom_jvp
    def density(x: Any, lane: Any) -> Any:
        return told(x, lane)[0]

    @density.defjvp
    def _(primals: Any, tangents: Any) -> tuple[Any, Any]:
        value, slope = told(*primals)
        return value, jnp.sum(slope * tangents[0])

    return lanes, density
