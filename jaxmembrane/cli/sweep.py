"""``jaxmembrane sweep``."""

import time
from math import ceil, prod
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from .options import (
    CpuDevices,
    Device,
    DryRun,
    NewStore,
    NoCache,
    Quiet,
    StudyFile,
    VersionChange,
    start,
)
from .tables import done_rows, is_begun, print_done

_MOST_ROWS = 10**12


def sweep(
    study: StudyFile,
    store: NewStore,
    rows: Annotated[int | None, typer.Option(min=1, help="Rows, in place of the study's.")] = None,
    chunk: Annotated[int | None, typer.Option(min=1, help="Rows stored at a time.")] = None,
    shard: Annotated[str | None, typer.Option(help="k/n: every n-th chunk from the k-th.")] = None,
    device: Device = None,
    cpu_devices: CpuDevices = None,
    precision: Annotated[Literal["float64", "float32"] | None, typer.Option()] = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
    dry_run: DryRun = False,
    allow_version_change: VersionChange = False,
) -> None:
    """Compute the rests of all rows of a study, or courses; the same command again resumes."""
    start(device, cpu_devices, not no_cache)
    from ..study import read_study
    from ..sweep import sweep as compute

    read = read_study(study, rows)
    if (n := read.design.n) > _MOST_ROWS:
        raise ValueError(f"{study} asks for {n:.1e} rows; take {_MOST_ROWS:.0e} or fewer")
    options: dict[str, Any] = {
        "outputs": read.outputs,
        "params": read.params,
        "protocol": read.protocol,
        "times": read.times,
        "chunk": chunk or read.chunk,
        "shard": shard,
        "precision": precision or read.precision,
        "allow_version_change": allow_version_change,
    }
    if dry_run:
        _dry_run(read, store, **options)
        return
    before, begun = done_rows(store), time.perf_counter()
    compute(read.cell, read.design, store, study=read.text, progress=not quiet, **options)
    if not quiet:
        print_done(store, "rows", before, begun)


def _dry_run(
    read: Any, store: Path, chunk: Any, shard: Any, precision: str, **options: Any
) -> None:
    """Check what `sweep` would, an old store included, and say what it would do."""
    import jax
    import numpy as np

    from ..engine import TILE
    from ..record import fingerprint, schema
    from ..running import CHUNK_TILES, parse_shard
    from ..schema import check_fingerprint
    from ..store import Store
    from ..sweep import make_job

    design, allow = read.design, options.pop("allow_version_change")
    job = make_job(read.cell, design, **options)
    device, (k, of) = jax.local_devices()[0], parse_shard(shard)
    tile = job.tile(TILE.get(device.platform, TILE["gpu"]))
    chunk = tile * (ceil(chunk / tile) if chunk else CHUNK_TILES)
    made = schema(job, design, precision, "")
    size = 9 + sum(
        np.dtype(v.dtype).itemsize * prod(len(made.labels[d]) for d in v.dims)
        for v in made.variables
    )
    chunks = range(0, design.n, chunk)
    mine = [min(chunk, design.n - first) for first in chunks[k::of]]
    if is_begun(store):
        old = Store.open(store)
        given = fingerprint(job, design, precision, tile, device)
        check_fingerprint(store, old.fingerprint, given, allow)
        if design.n < old.n:
            raise ValueError(f"{store} holds {old.n} rows and this call asks for {design.n}")
        print(f"{store} goes on: {done_rows(store):,} of its {old.n:,} rows are done")
    print(f"{design!r}: all is well, nothing was written")
    print(f"{len(mine)} of {len(chunks)} chunks of up to {chunk:,} rows")
    print(f"{sum(ceil(rows / tile) for rows in mine)} tiles of {tile:,} rows")
    print(f"store of up to {size * design.n / 1e6:.3g} MB")
