"""What commands print: tables, outcomes, and what a job has done."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns, with bold heads on a terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*header, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else 200
    Console(width=width, markup=False, highlight=False).print(table)


def print_status(counts: Mapping[str, int]) -> None:
    """Print how many rows had which outcome, in words."""
    rows = sum(counts.values())
    for meaning, count in counts.items():
        if count:
            print(f"  {count:>12,}  {meaning.replace('_', ' ')} ({count / rows:.1%})")


def is_begun(store: Path) -> bool:
    """Whether there is anything at the place of a store."""
    return store.is_dir() and any(store.iterdir())


def done_rows(store: Path) -> int:
    """Rows that a store holds already; none where there is no store."""
    from ..verify import summary

    if not is_begun(store):
        return 0
    found = summary(store)
    return found.n - found.counts["pending"]


def print_begun(
    store: Path,
    what: str,
    n: int,
    given: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    allow_version_change: bool,
) -> None:
    """Print how far a store is, having refused one that `n` rows of a run cannot go on with.

    ``given(old)`` is the fingerprint of the run; `old` is that of the store.
    """
    from ..schema import check_fingerprint
    from ..store import Store

    if not is_begun(store):
        return
    old = Store.open(store)
    check_fingerprint(store, old.fingerprint, given(old.fingerprint), allow_version_change)
    if n < old.n:
        raise ValueError(f"{store} holds {old.n} {what} and this call asks for {n}")
    print(f"{store} goes on: {done_rows(store):,} of its {old.n:,} {what} are done")


def print_done(store: Path, what: str, before: int, begun: float) -> None:
    """Print the outcomes of a job that began when `before` rows were done, and how fast it was."""
    from ..verify import summary

    took, found = time.perf_counter() - begun, summary(store)
    done = found.n - found.counts["pending"] - before
    print(f"{store}: {found.n:,} {what}")
    print_status(found.counts)
    rate = f"{done / took:,.0f}" if done > 10.0 * took else f"{done / took:.2g}"
    print(f"computed {done:,} of them in {took:.1f} s, {rate} {what}/s all in all")
