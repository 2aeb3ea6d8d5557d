"""What `sweep` and `sensitivity` share: rows of a study, computed into a store or only checked."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, prod
from pathlib import Path
from typing import Any

from .tables import done_rows, print_begun, print_done

_MOST_ROWS = 10**12


@dataclass(frozen=True)
class Task:
    """Rows of a study, and what is computed of them.

    ``compute`` is `sweep` or the like, ``what`` its keywords that say what; ``make_job`` says the
    same to who only checks.
    """

    study: Any
    compute: Callable[..., Any]
    make_job: Callable[[], Any]
    what: Mapping[str, Any]

    def run(
        self,
        store: Path,
        *,
        quiet: bool,
        dry_run: bool,
        chunk: int | None,
        precision: str | None,
        **how: Any,
    ) -> None:
        """Compute what the store lacks, or check all that this would and say what it would do."""
        read = self.study
        how |= {"chunk": chunk or read.chunk, "precision": precision or read.precision}
        if dry_run:
            self._check(store, **how)
            return
        before, begun = done_rows(store), time.perf_counter()
        given = {"store": store, "study": read.text, "progress": not quiet}
        self.compute(read.cell, read.design, **given, **self.what, **how)
        if not quiet:
            print_done(store, "rows", before, begun)

    def _check(
        self, store: Path, chunk: Any, shard: Any, precision: str, allow_version_change: bool
    ) -> None:
        import jax
        import numpy as np

        from ..engine import TILE
        from ..record import fingerprint, schema
        from ..running import CHUNK_TILES, parse_shard

        job, design = self.make_job(), self.study.design
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
        given = fingerprint(job, design, precision, tile, device)
        print_begun(store, "rows", design.n, lambda _: given, allow_version_change)
        print(f"{design!r}: all is well, nothing was written")
        print(f"{len(mine)} of {len(chunks)} chunks of up to {chunk:,} rows")
        print(f"{sum(ceil(rows / tile) for rows in mine)} tiles of {tile:,} rows")
        print(f"store of up to {size * design.n / 1e6:.3g} MB")


def read_rows(study: Path, rows: int | None, blocks: int | None) -> Any:
    """Read a study, of so many rows or blocks if these are given."""
    from ..study import read_study

    read = read_study(study, rows, blocks)
    if (n := read.design.n) > _MOST_ROWS:
        raise ValueError(f"{study} asks for {n:.1e} rows; take {_MOST_ROWS:.0e} or fewer")
    return read


def sweep_of(read: Any) -> Task:
    """The sweep that a study describes."""
    from ..sweep import make_job, sweep

    names = ("outputs", "params", "protocol", "times")
    what = {name: getattr(read, name) for name in names}
    return Task(read, sweep, lambda: make_job(read.cell, read.design, **what), what)
