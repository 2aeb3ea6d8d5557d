"""Sweeps: rests or courses of a design's rows, computed in tiles and stored as they come."""

import operator
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from math import ceil
from typing import Any

import jax
import numpy as np
import xarray as xr

from .cell import Cell
from .course import GROWTH, MAX_STEPS, RTOL
from .design import Design
from .engine import TILE, Engine, Tile, use_cache, whole_lanes
from .naming import UnknownName, unknown
from .outputs import check_outputs
from .params import DOMAINS, check_params
from .programs import Job, course_job, resting_job
from .progress import Progress, reporter
from .protocol import Protocol
from .record import fingerprint, provenance, schema
from .simulate import check_limits, check_plan, check_times
from .steady import AVAILABLE, DIAGNOSTICS
from .store import Store
from .trajectory import Summaries

USUAL = ("V", "volume", "c", "E", "flux", *DIAGNOSTICS)
"""Outputs of a sweep unless told otherwise."""

CHUNK_TILES = 2


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
    if precision not in ("float64", "float32"):
        raise ValueError(f"precision must be 'float64' or 'float32', not {precision!r}")
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
    k, of = parse_shard(shard)
    devices = tuple(devices or jax.local_devices())
    usual = job.tile(TILE.get(devices[0].platform, TILE["gpu"]))
    tile = usual if tile is None else tile
    check_count("tile", tile)
    tile = whole_lanes(tile)
    if chunk is not None:
        check_count("chunk", chunk)
    use_cache()
    place = Store.create_or_open(
        store,
        schema(job, design, precision, study),
        n=design.n,
        chunk=tile * (ceil(chunk / tile) if chunk else CHUNK_TILES),
        fingerprint=fingerprint(job, design, precision, tile, devices[0]),
        provenance=provenance(),
        allow_version_change=allow_version_change,
    )
    pending = [c for c in place.pending() if c.index % of == k]
    rows = sum(c.stop - c.start for c in pending)
    with reporter(progress, design.n if of == 1 else rows, rows) as report:
        engine = job.engine(tile, precision, devices)
        compute(engine, place, pending, report, partial(_rows, job, design), partial(_made, job))
    return place.dataset()


def _rows(job: Job, design: Design, start: int, stop: int) -> tuple[dict, dict]:
    """What the program takes of rows of a design, and their parameters."""
    columns, valid = design.rows(start, stop, job.shared["fixed"])
    # A row that a constraint rejects is computed as invalid: it keeps its index.
    return job.lanes({name: np.where(valid, x, np.nan) for name, x in columns.items()}), columns


def _made(job: Job, found: Mapping[str, list[Any]], columns: Mapping[str, Any]) -> dict[str, Any]:
    """What the store holds of rows."""
    made = {name: [job.stacked(name, part) for part in found[name]] for name in job.variables}
    return {name: np.concatenate(parts) for name, parts in made.items()} | dict(columns)


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


def check_count(what: str, value: Any) -> None:
    """Refuse anything but a whole number above zero."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{what} must be a whole number of rows above zero, not {value!r}")


def parse_shard(shard: Any) -> tuple[int, int]:
    """Zero-based shard and their number, from (k, n) or "k/n" with k from 1 to n."""
    if shard is None:
        return 0, 1
    try:
        if isinstance(shard, str):
            k, n = (int(part) for part in shard.split("/"))
        else:
            k, n = (operator.index(part) for part in shard)
    except (TypeError, ValueError):
        k, n = 0, 0
    if not 1 <= k <= n:
        raise ValueError(f"shard must be k/n with k from 1 to n, as 2/8, not {shard!r}")
    return k - 1, n


def compute(
    engine: Engine,
    place: Store,
    pending: Sequence[Any],
    report: Progress,
    given: Callable[[int, int], tuple[Mapping[str, Any], Mapping[str, Any]]],
    made: Callable[[Mapping[str, list[Any]], Mapping[str, Any]], Mapping[str, Any]],
) -> None:
    """Compute the pending chunks of a store and write each as soon as it is whole.

    ``given(start, stop)`` is what the program takes of rows, and what else is known of them;
    ``made(results, known)`` is what the store holds of a chunk, from the results of its tiles.
    """
    tile = engine.tile
    waiting = {c.index: ceil((c.stop - c.start) / tile) for c in pending}
    parts: dict[int, dict[int, Any]] = {c.index: {} for c in pending}
    values: dict[int, Any] = {}
    begun = 0

    def tiles() -> Iterator[Tile]:
        nonlocal begun
        for c in pending:
            lanes, values[c.index] = given(c.start, c.stop)
            for at in range(0, c.stop - c.start, tile):
                part = {name: x[at : at + tile] for name, x in lanes.items()}
                begun += min(tile, c.stop - c.start - at)
                yield Tile((c, at), part)

    total = sum(c.stop - c.start for c in pending)
    said = 0
    for (c, at), result in engine.run(tiles(), lambda: total - begun):
        for note in engine.notes[said:]:
            report.say(note)
            place.note(note)
        said = len(engine.notes)
        parts[c.index][at] = result
        report.advance(len(result["status"][0]), int(np.sum(result["status"][0] > 1)))
        if len(parts[c.index]) == waiting[c.index]:
            ordered = [part for _, part in sorted(parts.pop(c.index).items())]
            found = {name: [part[name] for part in ordered] for name in ordered[0]}
            place.write(c, made(found, values.pop(c.index)))
