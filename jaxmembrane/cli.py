"""The command line: ``jaxmembrane sweep | show | verify | zoo``.

What needs JAX is imported inside the commands, after the devices are arranged. A mistake of the
user's ends in one sentence (a study file's in one for each) and exit status 2.
"""

import os
import sys
import time
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from math import ceil, prod
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

app = typer.Typer(
    name="jaxmembrane",
    help="Population sweeps of living cells' membrane systems, on CPU and GPU.",
    no_args_is_help=True,
    add_completion=False,
)

_STOPPED = 130


def main() -> None:
    """Run the command line and leave Python with its exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit status is 0, 1 for damage found, 2 for a mistake, 130 when stopped.

    Examples
    --------
    >>> run(["zoo", "nueron"])  # doctest: +SKIP
    error: unknown cell in the zoo 'nueron'; did you mean 'neuron'?
    2
    """
    try:
        with warnings.catch_warnings():
            # Another process may be writing the entry; who cannot read it compiles for himself.
            warnings.filterwarnings("ignore", "Error reading persistent compilation cache entry")
            code = typer.main.get_command(app).main(
                list(arguments), prog_name="jaxmembrane", standalone_mode=False
            )
    except typer.TyperException as error:
        print(_sentence(error.format_message()), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        code = _STOPPED
    except (ValueError, KeyError, TypeError, OSError, RuntimeError, MemoryError) as error:
        print(_sentence(_reason(error)), file=sys.stderr)
        return 2
    if code == _STOPPED:
        print("stopped; the same command resumes", file=sys.stderr)
    return code or 0


def _sentence(text: str) -> str:
    """Say that this is an error, unless the lines of a study file do."""
    return text if "\n" in text or ".toml:" in text.partition(" ")[0] else f"error: {text}"


def _reason(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return f"there is not enough memory: {error or 'take fewer rows'}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'the system'}: {error.strerror}"
    return str(error) or type(error).__name__


def _start(device: str | None = None, cpu_devices: int | None = None, cache: bool = True) -> None:
    """Set JAX up before its first use: platform, a CPU device for each core, 64 bits, cache."""
    import jax

    from .engine import configure

    if device == "cpu":
        jax.config.update("jax_platforms", "cpu")
    try:
        configure(cpu_devices=cpu_devices or _cores(), cache=cache)
    except RuntimeError:
        if cpu_devices is not None:
            raise
        configure(cache=cache)  # JAX runs already, with devices of its own
    if device is not None and jax.default_backend() != device:
        raise ValueError(
            f"--device {device}: JAX runs on {jax.default_backend()} here; a GPU needs its driver "
            "and `pip install 'jaxmembrane[cuda12]'`, or leave --device out"
        )


def _cores() -> int:
    """Cores that this process may use, which in a job are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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


@app.command()
def sweep(
    study: Annotated[Path, typer.Argument(help="Study file (TOML).")],
    store: Annotated[Path, typer.Option(help="Directory of the store; an old one is resumed.")],
    rows: Annotated[int | None, typer.Option(min=1, help="Rows, in place of the study's.")] = None,
    chunk: Annotated[int | None, typer.Option(min=1, help="Rows stored at a time.")] = None,
    shard: Annotated[str | None, typer.Option(help="k/n: every n-th chunk from the k-th.")] = None,
    device: Annotated[Literal["cpu", "gpu"] | None, typer.Option(help="Where to run.")] = None,
    cpu_devices: Annotated[
        int | None, typer.Option(min=1, help="Devices the CPU is split into; default: its cores.")
    ] = None,
    precision: Annotated[
        Literal["float64", "float32"] | None, typer.Option(help="In place of the study's.")
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Keep no compiled program.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check all, say what would be done, do nothing.")
    ] = False,
    allow_version_change: Annotated[
        bool, typer.Option("--allow-version-change", help="Resume a store of another JAX.")
    ] = False,
) -> None:
    """Compute the rests of all rows of a study; the same command again resumes."""
    _start(device, cpu_devices, not no_cache)
    from .study import read_study
    from .sweep import sweep as compute

    read = read_study(study, rows)
    options: dict[str, Any] = {
        "outputs": read.outputs,
        "params": read.params,
        "chunk": chunk or read.chunk,
        "shard": shard,
        "precision": precision or read.precision,
        "allow_version_change": allow_version_change,
    }
    if dry_run:
        _dry_run(read.cell, read.design, store, **options)
        return
    before, begun = _done(store), time.perf_counter()
    ds = compute(read.cell, read.design, store, study=read.text, progress=not quiet, **options)
    if quiet:
        return
    took, done = time.perf_counter() - begun, _done(store) - before
    print(f"{store}: {ds['status'].size:,} rows")
    _print_status(summary(store).counts)
    if done:
        print(f"computed {done:,} of them in {took:.1f} s, {done / took:,.0f} rows/s all in all")
    else:
        print("nothing was left to compute")
    print(f"next: jaxmembrane show {store}")


def _done(store: Path) -> int:
    """Rows that a store holds already; none where there is no store."""
    from .verify import summary

    if not store.is_dir() or not any(store.iterdir()):
        return 0
    found = summary(store)
    return found.n - found.counts["pending"]


def _dry_run(
    cell: Any, design: Any, store: Path, chunk: int | None, shard: str | None, **options: Any
) -> None:
    """Check what `sweep` would, an old store included, and say what it would do."""
    import jax
    import numpy as np

    from .engine import TILE
    from .schema import check_fingerprint
    from .steady import DIAGNOSTICS
    from .store import Store
    from .sweep import CHUNK_TILES, USUAL, check_design, fingerprint, parse_shard, schema

    names = tuple(dict.fromkeys((*(options["outputs"] or USUAL), *DIAGNOSTICS)))
    fixed = check_design(cell, design, options["params"])
    tile, (k, of) = TILE[jax.default_backend()], parse_shard(shard)
    chunk = tile * (ceil(chunk / tile) if chunk else CHUNK_TILES)
    held = schema(cell, design, fixed, names, options["precision"], "")
    row = 9 + sum(
        np.dtype(v.dtype).itemsize * prod(len(held.labels[d]) for d in v.dims)
        for v in held.variables
    )
    chunks = range(0, design.n, chunk)
    mine = [min(chunk, design.n - at) for at in chunks[k::of]]
    old = store.exists() and any(store.iterdir())
    if old:
        given = fingerprint(cell, design, fixed, names, options["precision"], tile)
        found = Store.open(store)
        check_fingerprint(store, found.fingerprint, given, options["allow_version_change"])
