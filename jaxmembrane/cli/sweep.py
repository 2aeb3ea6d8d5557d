"""``jaxmembrane sweep``."""

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
from .rows import read_rows, sweep_of


def sweep(
    study: StudyFile,
    store: NewStore,
    rows: Rows = None,
    blocks: Blocks = None,
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
    """Compute the rests of all rows of a study, or courses; the same command again resumes."""
    start(device, cpu_devices, not no_cache)
    sweep_of(read_rows(study, rows, blocks)).run(
        store,
        quiet=quiet,
        dry_run=dry_run,
        chunk=chunk,
        shard=shard,
        precision=precision,
        allow_version_change=allow_version_change,
    )
    if not (quiet or dry_run):
        print(f"next: jaxmembrane show {store}")
