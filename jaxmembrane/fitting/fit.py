"""The fit of a recorded population: what is checked, computed, stored and returned."""

import os
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import jax
import xarray as xr

from ..cell import Cell
from ..course import RTOL
from ..engine import Engine, use_cache, whole_lanes
from ..progress import reporter
from ..protocol import Protocol
from ..record import provenance
from ..running import CHUNK_TILES, check_count, compute
from ..space import Space
from ..store import Store
from .problem import make_job

_LANES = 8192
_LEAST_TILE = 256


def fit(
    cell: Cell,
    targets: Any,
    free: Space,
    *,
    conditions: Mapping[str, Any] | None = None,
    cells: Sequence[Any] | None = None,
    params: Mapping[str, float] | None = None,
    shared: Sequence[str] = (),
    protocol: Protocol | None = None,
    times: Sequence[float] | None = None,
    starts: int = 16,
    begin: Mapping[str, Any] | None = None,
    seed: int = 0,
    method: Any = None,
    gradient: float = 1e-8,
    turns: int | None = None,
    level: float = 0.95,
    rtol: float = RTOL,
    store: str | os.PathLike | None = None,
    chunk: int | None = None,
    devices: Sequence[Any] | None = None,
    progress: bool | None = None,
    study: str = "",
    allow_version_change: bool = False,
) -> xr.Dataset:
    """Fit parameters of recorded cells, each from many starts, and say what the data determine.

    Each cell minimizes ``1/2 sum ((predicted - recorded)/sd)^2`` over all its targets, conditions
    and times, plus ``1/2 z^2`` for every axis with a Gaussian prior; the other axes are bounds.

    Parameters
    ----------
    cell : Cell
        The structure.
    targets : sequence of Target, or Recordings
        What was recorded; values of (cells,), (cells, conditions), or for courses (cells,
        conditions, times). Recordings bring conditions, cells and times with them.
    free : Space
        What is fitted: bounds (`Uniform`, `LogUniform`) or priors (`Normal`, `LogNormal`).
    conditions : mapping, optional
        Parameters that differ between recordings of one cell, as ``{"bath.K": [2.5, 5.0, 10.0]}``;
        of (conditions,) or (cells, conditions).
    cells : sequence, optional
        Names of the cells.
    params : mapping, optional
        Fixed parameters that differ from the nominal ones.
    shared : sequence of str
        Axes of `free` that all cells have in common, as the affinity of a drug.
    protocol, times, rtol
        As for `simulate`: the targets are then courses from rest, recorded at `times`.
    starts : int
        Starts of each cell: the middle of the space, then Sobol points.
    begin : mapping, optional
        Where to begin instead, for every axis: values of (cells,) or (cells, starts).
    seed : int
        Seed of the Sobol points.
    method : {"lm", "adam"} or optax.GradientTransformation, optional
        Levenberg and Marquardt's method, which is also the choice where none is made: it takes ten
        turns where a gradient takes a thousand. ``"adam"`` is ``optax.adam(0.05)``; any optimizer
        of optax will do. The dataset's attribute ``method`` says which it was.
    gradient : float
        A fit has converged where no entry of its loss's gradient, by the coordinates of `free`, is
        larger.
    turns : int, optional
        Most turns; 200, or 5,000 of an optimizer of optax.
    level : float
        Of the intervals ``low`` to ``high``.
    store, chunk, devices, progress, study, allow_version_change
        As for `sweep`; the same call again goes on where an earlier one stopped.

    Returns
    -------
    xarray.Dataset
        Dim ``cell``. Of each cell's best start: ``estimate``, ``standard_error``, ``low``, ``high``
        and ``determined`` (dim ``parameter``), ``correlation``, ``information_eigenvalue`` and
        ``direction`` (see `explain`), ``predicted`` beside ``recorded`` and ``sd`` (``target``,
        ``condition``), ``loss``, ``chi_square``, ``p_value``; of every start ``trial``,
        ``trial_loss``, ``trial_status``; ``agreement`` is the share of starts that end at the best
        loss. ``status``: 0 converged, 1 at an unstable rest, 3 not converged, 7 the best fit misses
        the data by more than their errors allow (p < 1e-6); 2, 4, 5, 6 as for `sweep`: no start has
        a rest, or a course to its end.

    Raises
    ------
    KeyError
        For a parameter, target or condition that does not exist, with the nearest that does.
    ValueError
        For shapes that do not fit, bounds outside a parameter's domain, errors given for some
        targets only, or a store of another fit.

    Notes
    -----
    Resting data fix only ratios of permeabilities and pump: all of them times a factor give the
    same rest. ``determined`` says which parameters the data hold to less than half of what `free`
    allows.

    Errors and intervals are those of the linearized model, in p or, for the logarithmic axes, in
    ln p. Where wide priors leave curved directions open they come out too narrow: `profile` and
    `posterior` assume less.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> cell = jm.zoo.neuron()
    >>> space = jm.Space({"leak_Cl.g": jm.LogUniform(0.02, 20.0), "nka.j": jm.LogUniform(10, 1000)})
    >>> data = [jm.Target("V", [-72.0, -71.4], 0.5), jm.Target("c.Na", [14.0, 15.0], 0.3)]
    >>> found = jm.fit(cell, data, space)
    >>> print(found.estimate.sel(parameter="nka.j").round(1).values, found.status.values)
    [103.2  82.4] [0 0]
    """
    if not isinstance(cell, Cell):
        raise TypeError(f"fit needs a jm.Cell, not {type(cell).__name__}")
    job = make_job(
        cell,
        targets,
        free,
        conditions=conditions,
        cells=cells,
        params=params,
        shared=shared,
        protocol=protocol,
        times=times,
        starts=starts,
        begin=begin,
        seed=seed,
        method=method,
        gradient=gradient,
        turns=turns,
        level=level,
        rtol=rtol,
    )
    n = len(job.recorded.cells)
    devices = tuple(devices or jax.local_devices())
    each = job.begin.shape[1] * job.recorded.values.shape[2]
    tile = max(_LANES // each, 1)
    tile = _LEAST_TILE * ceil(tile / _LEAST_TILE)
    tile = whole_lanes(n) if any(job.shared) else tile
    if chunk is not None:
        check_count("chunk", chunk)
    use_cache()
    place = Store.create_or_open(
        store,
        job.schema(study),
        n=n,
        chunk=tile * (1 if any(job.shared) else ceil(chunk / tile) if chunk else CHUNK_TILES),
        fingerprint=job.fingerprint(tile, devices[0]),
        provenance=provenance(),
        allow_version_change=allow_version_change,
    )
    pending = place.pending()
    rows = sum(c.stop - c.start for c in pending)
    engine = Engine(job.program, job.common, tile, devices=devices)
    with reporter(progress, n, rows) as report:
        compute(engine, place, pending, report, job.given, job.made)
    return place.dataset()
