"""Sweeps: rests or courses of a design's rows."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from .cell import Cell
from .course import GROWTH, MAX_STEPS, RTOL
from .design import Design
from .naming import UnknownName, unknown
from .outputs import check_outputs
from .params import DOMAINS, check_params
from .programs import Job, course_job, resting_job
from .protocol import Protocol
from .running import run
from .simulate import check_limits, check_plan, check_times
from .steady import AVAILABLE, DIAGNOSTICS
from .trajectory import Summaries

USUAL = ("V", "volume", "c", "E", "flux", *DIAGNOSTICS)
"""Outputs of a sweep unless told otherwise."""


def sweep(
    cell: Cell,
    design: Design,
    store: str | os.PathLike | None = None,
    *,
    outputs: Sequence[str] | None = None,
    params: Mapping[str, float] | None = None,
    protocol: Protocol | None = None,
    times: Sequence[float] | None = None,
    summaries: Summaries | None = None,
    rtol: float = RTOL,
    max_steps: int = MAX_STEPS,
    growth: float = GROWTH,
    chunk: int | None = None,
    tile: int | None = None,
    shard: tuple[int, int] | str | None = None,
    precision: str = "float64",
    devices: Sequence[Any] | None = None,
    progress: bool | None = None,
    executor: Any = None,
    study: str = "",
    allow_version_change: bool = False,
) -> xr.Dataset:
    """Rests or courses of a design's rows, as a dataset; with `store`, on disk and resumable.

    The same call again goes on where an earlier one stopped, and a design with more rows adds them.
    A row's bits depend on its parameters alone: not on chunks, devices, shards or interruptions.

    Parameters
    ----------
    cell : Cell
        The structure.
    design : Design
        Rows of parameters, from ``Space(...).sobol(n)`` and its like or `table`.
    store : path, optional
        Directory of the zarr store; without one the result is kept in memory.
    outputs : sequence of str, optional
        As for `steady_state`; ``V``, ``volume``, ``c``, ``E``, ``flux`` unless told otherwise.
        ``status``, ``steps`` and ``residual`` are always there.
    params : mapping, optional
        Fixed parameters that differ from the nominal ones.
    times : sequence of float, optional
        For courses from rest instead of rests: times to save at, s. Where there are summaries and
        no outputs, only the last counts.
    protocol, summaries, rtol, max_steps, growth
        As for `simulate`; with `times` only. The protocol's values hold for all rows, or are told
        from the row's own by `Initial`.
    chunk : int, optional
        Rows of a storage chunk, the unit of work; rounded up to whole tiles.
    tile : int, optional
        Rows of a tile, the width of the compiled program, rounded up to whole 64s; part of what
        decides the bits.
    shard : (k, n) or "k/n", optional
        Do only every n-th chunk, from the k-th on (1 to n): for job arrays that share a store.
    precision : {"float64", "float32"}
        As for `steady_state`.
    devices : sequence of jax.Device, optional
        Local devices to use, all by default.
    progress : bool, optional
        Whether to report progress: a bar on a terminal, lines elsewhere; by default lines only of
        what takes longer than ten seconds.
    executor : optional
        Reserved for executors beyond this process; must be None.
    study : str
        Text to keep with the store.
    allow_version_change : bool
        Whether to go on with a store that another version of JAX began.

    Returns
    -------
    xarray.Dataset
        Dim ``sample`` (one dim for each axis of a grid); swept parameters are coordinates, fixed
        ones 0-d coordinates; ``status`` says which rows have a rest (0) and why others have not.
        Courses have the dim ``time`` (s), and ``stopped``, the time at which each ended.

    Raises
    ------
    KeyError
        For a parameter or output that does not exist, with the nearest that does.
    ValueError
        For a store of another run (it names what differs), fewer rows than the store holds, or
        bounds outside a parameter's domain.
    OSError
        For a store that cannot be written or is damaged.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> space = jm.Space({"bath.K": jm.Uniform(2.0, 12.0)})
    >>> ds = jm.sweep(jm.zoo.neuron(), space.sobol(100, seed=1))
    >>> dict(ds.V.sizes), ds.V.units
    ({'sample': 100}, 'mV')
    """
    if not isinstance(cell, Cell):
        raise TypeError(f"sweep needs a jm.Cell, not {type(cell).__name__}")
    if not isinstance(design, Design):
        raise TypeError(
            f"sweep needs a design, as jm.Space(...).sobol(1000) gives, not {type(design).__name__}"
        )
    if executor is not None:
        raise ValueError("executor must be None: this version runs on the local devices only")
    job = make_job(
        cell,
        design,
        outputs=outputs,
        params=params,
        protocol=protocol,
        times=times,
        summaries=summaries,
        rtol=rtol,
        max_steps=max_steps,
        growth=growth,
    )
    return run(
        job,
        design,
        store,
        chunk=chunk,
        tile=tile,
        shard=shard,
        precision=precision,
        devices=devices,
        progress=progress,
        study=study,
        allow_version_change=allow_version_change,
    )


def make_job(
    cell: Cell,
    design: Design,
    *,
    outputs: Sequence[str] | None = None,
    params: Mapping[str, float] | None = None,
    protocol: Protocol | None = None,
    times: Sequence[float] | None = None,
    summaries: Summaries | None = None,
    **limits: Any,
) -> Job:
    """What a sweep computes, having checked all of it: rests, or courses where there are times."""
    fixed = check_design(cell, design, params or {})
    if times is not None:
        moments = check_times(times)
        plan = check_plan(cell, moments, outputs, summaries)
        return course_job(cell, fixed, plan, protocol, moments, check_limits(**limits))
    for what, given in (("protocol", protocol), ("summaries", summaries)):
        if given is not None:
            raise ValueError(
                f"a sweep with {what} needs times, as times=[0.0, 60.0, 3600.0]: without them it "
                "computes rests"
            )
    names = check_outputs(USUAL if outputs is None else outputs, AVAILABLE, cell)
    return resting_job(cell, fixed, tuple(dict.fromkeys((*names, *DIAGNOSTICS))))


def check_design(cell: Cell, design: Design, params: Mapping[str, float]) -> dict[str, float]:
    """The fixed parameters of a sweep, having checked those of the design against the cell."""
    for name in design.names:
        if name not in cell.parameters:
            raise UnknownName(unknown("parameter", name, cell.parameters))
    check_params(cell.parameters, params)
    for name, value in params.items():
        if name in design.names:
            raise ValueError(f"parameter {name} is both in the design and fixed by params")
        if np.ndim(value):
            raise ValueError(f"fixed parameter {name} must be one number; put many into the design")
    _check_bounds(cell, design)
    nominal = cell.nominal(params)
    fixed = {name: float(nominal[name]) for name in nominal if name not in design.names}
    for name in design.needs:
        if name not in fixed:
            raise UnknownName(unknown("parameter in a rule of the space:", name, fixed))
    return fixed


def _check_bounds(cell: Cell, design: Design) -> None:
    """Refuse an axis that runs outside its parameter's domain."""
    for axis in design.describe()["axes"]:
        low = axis.get("lower")
        for name in axis["names"]:
            declared = cell.parameters[name]
            if low is not None and not all(declared.allows(axis[b]) for b in ("lower", "upper")):
                raise ValueError(
                    f"{name} must be {DOMAINS[declared.domain]}, but its axis runs from {low:g} to "
                    f"{axis['upper']:g} {declared.unit}"
                )
