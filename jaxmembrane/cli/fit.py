"""``jaxmembrane fit``."""

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from .tables import done_rows, print_begun, print_done

_MOST_WARNINGS = 20


def fit(
    study: StudyFile,
    data: Annotated[Path, typer.Option(help="Recorded cells: .csv, .tsv or .parquet.")],
    store: NewStore,
    starts: Annotated[int | None, typer.Option(min=1, help="Starts of each cell.")] = None,
    method: Annotated[
        Literal["lm", "adam"] | None, typer.Option(help="Levenberg-Marquardt, or optax's Adam.")
    ] = None,
    chunk: Annotated[int | None, typer.Option(min=1, help="Cells stored at a time.")] = None,
    device: Device = None,
    cpu_devices: CpuDevices = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
    dry_run: DryRun = False,
    allow_version_change: VersionChange = False,
) -> None:
    """Fit recorded cells by a study, each from many starts; the same command again resumes."""
    start(device, cpu_devices, not no_cache)
    from ..fitting import fit as compute
    from ..study import read_fit

    read = read_fit(study)
    recorded = read.recordings(data)
    own = {"starts": starts, "method": method}
    options: dict[str, Any] = {
        **read.options,
        **{name: value for name, value in own.items() if value is not None},
        "params": read.params,
        "protocol": read.protocol,
    }
    if not quiet:
        _warn(recorded.problems)
        print(replace(recorded, problems=()))
    if dry_run:
        _dry_run(read, recorded, store, allow_version_change, options)
        return
    before, begun = done_rows(store), time.perf_counter()
    compute(
        read.cell,
        recorded,
        read.free,
        store=store,
        chunk=chunk,
        study=read.text,
        progress=not quiet,
        allow_version_change=allow_version_change,
        **options,
    )
    if not quiet:
        print_done(store, "cells", before, begun)
        print(f"next: jaxmembrane show {store}")


def _warn(problems: Sequence[str]) -> None:
    """Say what of the data is left out."""
    for problem in problems[:_MOST_WARNINGS]:
        print(f"warning: left out: {problem}", file=sys.stderr)
    if more := len(problems[_MOST_WARNINGS:]):
        print(f"warning: and {more:,} more", file=sys.stderr)


def _dry_run(
    read: Any, recorded: Any, store: Path, allow_version_change: bool, options: dict[str, Any]
) -> None:
    """Check what `fit` would, an old store included, and say what it would do."""
    import jax

    from ..fitting.problem import make_job

    job = make_job(read.cell, recorded, read.free, **options)
    cells, starts, axes = job.begin.shape
    device = jax.local_devices()[0]

    def given(old: Mapping[str, Any]) -> Mapping[str, Any]:
        # The tile follows from what else is compared.
        return job.fingerprint(old.get("tile", 0), device)

    print_begun(store, "cells", cells, given, allow_version_change)
    print(f"{axes} free parameters of {cells:,} cells, from {starts} starts each: {job.method}")
    print("all is well, nothing was written")
