"""Progress of a job: a bar on a terminal, plain lines in a log, or silence."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

_LINE_EVERY_S = 10.0


class Progress:
    """Rows done, rows per second and failures; silent by itself."""

    def __init__(self, rows: int):
        self.rows, self.done, self.failed = rows, 0, 0
        self.begun = time.perf_counter()
        self._said: set[str] = set()

    def advance(self, rows: int, failed: int) -> None:
        """Count rows that have ended, and those of them that failed."""
        self.done += rows
        self.failed += failed
        self.show()

    def say(self, note: str) -> None:
        """Say something once."""
        if note not in self._said:
            self._said.add(note)
            self.write(note)

    @property
    def rate(self) -> float:
        """Rows per second so far."""
        return self.done / max(time.perf_counter() - self.begun, 1e-9)

    def show(self) -> None:
        """Show the present state."""

    def write(self, text: str) -> None:
        """Write a line, where lines are wanted; warnings are, always."""
        print(text, file=sys.stderr)


class Lines(Progress):
    """A line every few seconds, and at the end of what took longer or was to be reported."""

    def __init__(self, rows: int, always: bool):
        super().__init__(rows)
        self._last, self._wanted = self.begun, always

    def show(self) -> None:
        now = time.perf_counter()
        due = now - self._last > _LINE_EVERY_S
        if due or (self._wanted and self.done >= self.rows):
            self._last, self._wanted = now, True
            left = (self.rows - self.done) / max(self.rate, 1e-9)
            self.write(
                f"{self.done:,} of {self.rows:,} rows, {self.rate:,.0f} rows/s, "
                f"{self.failed:,} failed, {left:.0f} s left"
            )


class Shown(Progress):
    """A bar on a terminal."""

    def __init__(self, rows: int, bar: Bar):
        super().__init__(rows)
        self._bar = bar
        self._task = bar.add_task("", total=rows, rate="compiling", failed=0)

    def show(self) -> None:
        rate: Any = f"{self.rate:,.0f} rows/s"
        self._bar.update(self._task, completed=self.done, rate=rate, failed=self.failed)

    def write(self, text: str) -> None:
        self._bar.console.print(text)


@contextmanager
def reporter(wanted: bool | None, whole: int, rows: int) -> Iterator[Progress]:
    """Progress of `rows` rows of `whole`: a bar on a terminal, lines elsewhere."""
    terminal = sys.stderr.isatty()
    if not rows or wanted is False:
        yield Progress(rows)
        return
    if rows < whole and wanted:
        print(f"{whole - rows:,} of {whole:,} rows are done already", file=sys.stderr)
    if not terminal:
        yield Lines(rows, always=bool(wanted))
        return
    columns = (
        BarColumn(),
        TextColumn(
            "{task.completed:,.0f} of {task.total:,.0f} rows, {task.fields[rate]}, "
            "{task.fields[failed]:,} failed"
        ),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        yield Shown(rows, bar)
