"""``jaxmembrane sensitivity``."""

import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from .indices import print_indices
from .options import (
    Blocks,
    Chunk,
    CpuDevices,
    Device,
    DryRun,
    NewStore,
    NoCache,
    Precision,
    Quiet,
    Rows,
    Shard,
    StudyFile,
    VersionChange,
    start,
)
from .rows import Task, read_rows, sweep_of

_ANALYSIS = {"saltelli": "sobol", "morris": "morris"} | dict.fromkeys(
    ("sobol", "random", "latin"), "dgsm"
)


def sensitivity(
    study: StudyFile,
    store: NewStore,
    rows: Rows = None,
    blocks: Blocks = None,
    output: Annotated[
        str | None, typer.Option(help="Print that of one output, as V, c[Na] or V[60 s].")
    ] = None,
    chunk: Chunk = None,
    shard: Shard = None,
    device: Device = None,
    cpu_devices: CpuDevices = None,
    precision: Precision = None,
    no_cache: NoCache = False,
    quiet: Quiet = False,
    dry_run: DryRun = False,
    allow_version_change: VersionChange = False,
) -> None:
    """Say which parameters of a study matter; the same command again resumes its rows.

    The design says how: saltelli gives Sobol indices, morris elementary effects, and sobol, random
    or latin exact derivatives with the bounds and the directions that follow from them.
    """
    start(device, cpu_devices, not no_cache)
    read = read_rows(study, rows, blocks)
    kind = read.design.kind
    if kind not in _ANALYSIS:
        raise ValueError(
            f"{study}: a {kind} design has no sensitivities; take saltelli (Sobol indices), morris "
            "(elementary effects), or sobol, random or latin (derivatives)"
        )
    method = _ANALYSIS[kind]
    task = sweep_of(read) if method != "dgsm" else _derivatives(read, study)
    task.run(
        store,
        quiet=quiet,
        dry_run=dry_run,
        chunk=chunk,
        shard=shard,
        precision=precision,
        allow_version_change=allow_version_change,
    )
    if not dry_run:
        _analyse(read, method, store, output, quiet)


def _derivatives(read: Any, study: Path) -> Task:
    """The derivatives of rows, having checked that they can be analysed."""
    from ..sensitivity import local
    from ..sensitivity.local import make_job
    from ..sensitivity.slopes import naturals

    if read.protocol is not None:
        raise ValueError(
            f"{study}: derivatives are of rests, but [protocol] makes courses: leave it out, or "
            "take a saltelli or morris design"
        )
    # Before the rows are computed they are refused as they would be afterwards.
    naturals(read.design.describe(), read.sensitivity.get("parameters"))
    what = {"outputs": read.outputs, "params": read.params}
    what |= {"parameters": read.sensitivity.get("parameters")}
    return Task(read, local, lambda: make_job(read.cell, read.design, **what), what)


def _analyse(read: Any, method: str, store: Path, output: str | None, quiet: bool) -> None:
    """Analyse the rows of a store, and print what is found."""
    from .. import sensitivity
    from ..schema import PENDING
    from ..store import open_store

    ds = open_store(store)
    if pending := int((ds["status"].values == PENDING).sum()):
        if not quiet:
            print(f"{pending:,} rows are pending: the analysis follows the last of the shards")
        return
    options = {name: x for name, x in read.sensitivity.items() if name != "parameters"}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = getattr(sensitivity, method)(ds, **options)
    if quiet:
        return
    for warning in caught:
        print(f"warning: {warning.message}", file=sys.stderr)
    print_indices(found, ds, output)
    print(f"\nnext: jaxmembrane plot {store} -o picture.png")
