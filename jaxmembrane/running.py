"""Running a job: rows of a design, computed in tiles and stored as they come."""

import operator
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from math import ceil
from typing import Any

import jax
import numpy as np
import xarray as xr

from .design import Design
from .engine import TILE, Engine, Tile, use_cache, whole_lanes
from .programs import Job
from .progress import Progress, reporter
from .record import fingerprint, provenance, schema
from .store import Store

CHUNK_TILES = 2


def run(
    job: Job,
    design: Design,
    store: str | os.PathLike | None,
    *,
    chunk: int | None = None,
    tile: int | None = None,
    shard: tuple[int, int] | str | None = None,
    precision: str = "float64",
    devices: Sequence[Any] | None = None,
    progress: bool | None = None,
    study: str = "",
    allow_version_change: bool = False,
) -> xr.Dataset:
    """Compute what a job says of the rows of a design, as far as its store does not hold them.

    `sweep` says what the options are.
    """
    if precision not in ("float64", "float32"):
        raise ValueError(f"precision must be 'float64' or 'float32', not {precision!r}")
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
