"""What commands have in common: options, and the devices arranged before JAX starts."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

StudyFile = Annotated[Path, typer.Argument(help="Study file (TOML).")]
Rows = Annotated[int | None, typer.Option(min=1, help="Rows, in place of the study's.")]
Blocks = Annotated[int | None, typer.Option(min=1, help="Blocks, in place of the study's.")]
Chunk = Annotated[int | None, typer.Option(min=1, help="Rows stored at a time.")]
Shard = Annotated[str | None, typer.Option(help="k/n: every n-th chunk from the k-th.")]
Precision = Annotated[Literal["float64", "float32"] | None, typer.Option()]
NewStore = Annotated[Path, typer.Option(help="Directory of the store; an old one is resumed.")]
OldStore = Annotated[Path, typer.Argument(help="Directory of a store.")]
Device = Annotated[Literal["cpu", "gpu"] | None, typer.Option(help="Where to run.")]
CpuDevices = Annotated[int | None, typer.Option(min=1, help="Default: one a core.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Keep no compiled program.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check all, write nothing.")]
VersionChange = Annotated[
    bool, typer.Option("--allow-version-change", help="Resume a store of another JAX.")
]


def start(device: str | None = None, cpu_devices: int | None = None, cache: bool = True) -> None:
    """Set JAX up before its first use: platform, a CPU device for each core, 64 bits, cache."""
    import jax

    from ..engine import configure

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
