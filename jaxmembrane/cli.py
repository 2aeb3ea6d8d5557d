"""The command line: ``jaxmembrane sweep | show | verify | zoo``.

What needs JAX is imported inside the commands, after the devices are arranged. A mistake of the
user's ends in one sentence (a study file's in one for each) and exit status 2.
"""

import os
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import product
from math import ceil, prod
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from .study.example import EXAMPLE

app = typer.Typer(
    name="jaxmembrane",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # brackets in the example are those of TOML
)

_STOPPED = 130
_MOST_ROWS = 10**12
_MOST_TIMES = 5


def main() -> None:
    """Run the command line and leave Python with its exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command: status 0, 1 for damage found, 2 for a mistake, 130 when stopped."""
    try:
        with warnings.catch_warnings():
            # Another process may be writing the entry; who cannot read it compiles for himself.
            warnings.filterwarnings("ignore", "Error reading persistent compilation cache entry")
            code = typer.main.get_command(app).main(
                list(arguments), prog_name="jaxmembrane", standalone_mode=False
            )
    except typer.TyperException as error:
        print(f"error: {error.format_message()}" if arguments else error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        code = _STOPPED
    except (ValueError, KeyError, TypeError, OSError, RuntimeError, MemoryError) as error:
        print(_reason(error), file=sys.stderr)
        return 2
    if code == _STOPPED:
        print("stopped; the same command resumes", file=sys.stderr)
    return code or 0


def _reason(error: Exception) -> str:
    """One sentence; the lines of a study file say by themselves what they are about."""
    from .study import StudyError

    if isinstance(error, StudyError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"error: not enough memory, so take fewer rows or a smaller chunk ({error})"
    if isinstance(error, OSError) and error.strerror:
        return f"error: {error.filename or 'the system'}: {error.strerror}"
    return f"error: {error}"


def _start(device: str | None = None, cpu_devices: int | None = None, cache: bool = True) -> None:
    """Set JAX up before its first use: platform, a CPU device for each core, 64 bits, cache."""
    import jax

    from .engine import configure

    if device == "cpu":
        jax.config.update("jax_platforms", "cpu")
    # In a job a process may use fewer cores than the machine has.
    ours = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        configure(cpu_devices=cpu_devices or ours, cache=cache)
    except RuntimeError:
        if cpu_devices is not None:
            raise
        configure(cache=cache)  # JAX runs already, with devices of its own
    if device is not None and jax.default_backend() != device:
        raise ValueError(
            f"--device {device}: JAX runs on {jax.default_backend()} here; a GPU needs its driver "
            "and `pip install 'jaxmembrane[cuda12]'`, or leave --device out"
        )


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"jaxmembrane {version('jaxmembrane')}, JAX {version('jax')}")
        raise typer.Exit


@app.callback()
def _common(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Population sweeps of living cells' membrane systems, on CPU and GPU."""


@app.command(epilog=EXAMPLE)
def sweep(
    study: Annotated[Path, typer.Argument(help="Study file (TOML).")],
    store: Annotated[Path, typer.Option(help="Directory of the store; an old one is resumed.")],
    rows: Annotated[int | None, typer.Option(min=1, help="Rows, in place of the study's.")] = None,
    chunk: Annotated[int | None, typer.Option(min=1, help="Rows stored at a time.")] = None,
    shard: Annotated[str | None, typer.Option(help="k/n: every n-th chunk from the k-th.")] = None,
    device: Annotated[Literal["cpu", "gpu"] | None, typer.Option(help="Where to run.")] = None,
    cpu_devices: Annotated[int | None, typer.Option(min=1, help="Default: one a core.")] = None,
    precision: Annotated[Literal["float64", "float32"] | None, typer.Option()] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Keep no compiled program.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all, write nothing.")] = False,
    allow_version_change: Annotated[
        bool, typer.Option("--allow-version-change", help="Resume a store of another JAX.")
    ] = False,
) -> None:
    """Compute the rests of all rows of a study, or courses; the same command again resumes."""
    _start(device, cpu_devices, not no_cache)
    from .study import read_study
    from .sweep import sweep as compute
    from .verify import summary

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
    before, begun = _done(store), time.perf_counter()
    ds = compute(read.cell, read.design, store, study=read.text, progress=not quiet, **options)
    if quiet:
        return
    took, done = time.perf_counter() - begun, _done(store) - before
    print(f"{store}: {ds['status'].size:,} rows")
    _print_status(summary(store).counts)
    print(f"computed {done:,} of them in {took:.1f} s, {done / took:,.0f} rows/s all in all")
    print(f"next: jaxmembrane show {store}")


def _done(store: Path) -> int:
    """Rows that a store holds already; none where there is no store."""
    from .verify import summary

    if not store.is_dir() or not any(store.iterdir()):
        return 0
    found = summary(store)
    return found.n - found.counts["pending"]


def _dry_run(
    read: Any, store: Path, chunk: Any, shard: Any, precision: str, **options: Any
) -> None:
    """Check what `sweep` would, an old store included, and say what it would do."""
    import jax
    import numpy as np

    from .engine import TILE
    from .record import fingerprint, schema
    from .schema import check_fingerprint
    from .store import Store
    from .sweep import _CHUNK_TILES, make_job, parse_shard

    design, allow = read.design, options.pop("allow_version_change")
    job = make_job(read.cell, design, **options)
    device, (k, of) = jax.local_devices()[0], parse_shard(shard)
    tile = job.tile(TILE.get(device.platform, TILE["gpu"]))
    chunk = tile * (ceil(chunk / tile) if chunk else _CHUNK_TILES)
    made = schema(job, design, precision, "")
    size = 9 + sum(
        np.dtype(v.dtype).itemsize * prod(len(made.labels[d]) for d in v.dims)
        for v in made.variables
    )
    chunks = range(0, design.n, chunk)
    mine = [min(chunk, design.n - first) for first in chunks[k::of]]
    if store.exists() and any(store.iterdir()):
        old = Store.open(store)
        given = fingerprint(job, design, precision, tile, device)
        check_fingerprint(store, old.fingerprint, given, allow)
        if design.n < old.n:
            raise ValueError(f"{store} holds {old.n} rows and this call asks for {design.n}")
        print(f"{store} goes on: {_done(store):,} of its {old.n:,} rows are done")
    print(f"{design!r}: all is well, nothing was written")
    print(f"{len(mine)} of {len(chunks)} chunks of up to {chunk:,} rows")
    print(f"{sum(ceil(rows / tile) for rows in mine)} tiles of {tile:,} rows")
    print(f"store of up to {size * design.n / 1e6:.3g} MB")


@app.command()
def show(store: Annotated[Path, typer.Argument(help="Directory of a store.")]) -> None:
    """Show what is in a store: model, space, outcomes, and the spread of every output."""
    import numpy as np

    from .store import open_store
    from .verify import summary

    found, ds = summary(store), open_store(store)
    made = found.provenance["versions"]
    print(f"{store}: {found.attrs['title']}, {found.n:,} rows")
    print(f"made {found.provenance['created']} by jaxmembrane {made['jaxmembrane']}")
    print(f"\nmodel: {found.attrs['source']}\n{found.attrs['model']}")
    design = found.fingerprint["design"]
    unit = {name: ds[name].attrs["units"] for name in found.swept}
    seed = "" if design["seed"] is None else f", seed {design['seed']}"
    print(f"\nspace: {design['kind']}{seed}")
    rows = [(name, _spread(axis), unit[name]) for axis in design["axes"] for name in axis["names"]]
    rows += [(name, f"derived, {rule}", unit[name]) for name, rule in design["derive"].items()]
    _print_table(("parameter", "values", "unit"), rows)
    for rule in design["where"]:
        print(f"where {rule}")
    print("\nstatus:")
    _print_status(found.counts)
    good = np.isin(ds["status"].values, (0, 1))
    if "time" in ds.dims:
        ds = ds.isel(time=np.unique(np.linspace(0, ds.sizes["time"] - 1, _MOST_TIMES, dtype=int)))
    rows = []
    for name in found.outputs if good.any() else ():
        dims = [dim for dim in ds[name].dims if dim not in ds["status"].dims]
        lanes = ds[name].values[good].reshape(good.sum(), -1)
        labels = product(*(map(_label, ds[dim].values.tolist()) for dim in dims))
        for label, column in zip(labels, lanes.T, strict=True):
            if (known := column[np.isfinite(column)]).size:
                numbers = (f"{x:.5g}" for x in np.percentile(known, (5, 50, 95)))
                rows.append((" ".join((name, *label)), *numbers, ds[name].attrs["units"]))
    print(f"\nrows that {'reached the end' if 'stopped' in ds else 'have a rest'}:")
    _print_table(("output", "5 %", "median", "95 %", "unit"), rows)


@app.command()
def verify(
    store: Annotated[Path, typer.Argument(help="Directory of a store.")],
    repair: Annotated[bool, typer.Option("--repair", help="Mend what is damaged.")] = False,
) -> int:
    """Read every file of a store and find what is missing, torn or flipped (exit status 1)."""
    from .verify import verify as check

    report = check(store, repair=repair)
    print(report)
    return int(len(report.damaged) > report.repaired)


@app.command()
def zoo(name: Annotated[str | None, typer.Argument(help="One of the cells.")] = None) -> None:
    """List the published cells with their sources; of one, its parameters and its rest."""
    _start()
    from .steady import steady_state
    from .zoo import CELLS, get

    if name is None:
        _print_table(("cell", "source"), [(known, get(known).source) for known in CELLS])
        return
    cell = get(name)
    print(f"{name}: {cell.source}\n")
    rows = [(n, f"{p.nominal:.10g}", p.unit, p.long_name) for n, p in cell.parameters.items()]
    _print_table(("parameter", "nominal", "unit", ""), rows)
    print(f"\n{steady_state(cell, outputs=('V', 'volume', 'c', 'E'))}")


def _label(label: str | float) -> str:
    """Say where along a dim a value stands; times are in s."""
    return label if isinstance(label, str) else f"{label:g} s"


def _spread(axis: Mapping[str, Any]) -> str:
    """Say how the values of an axis are spread."""
    said = [axis.get("distribution", "grid" if "points" in axis else "table")]
    for name, value in axis.items():
        if isinstance(value, float):
            said.append(f"{name} {value:g}")
        elif name in ("values", "points"):
            said += [f"{x:g}" for x in value[:6]] + ["..."] * (len(value) > 6)
    return " ".join(said)


def _print_status(counts: Mapping[str, int]) -> None:
    """Print how many rows had which outcome, in words."""
    rows = sum(counts.values())
    for meaning, count in counts.items():
        if count:
            print(f"  {count:>12,}  {meaning.replace('_', ' ')} ({count / rows:.1%})")


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns, with bold heads on a terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*header, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else 200
    Console(width=width, markup=False, highlight=False).print(table)
