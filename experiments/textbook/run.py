"""The inventory of the founding collection: every claim of its five texts, computed.

    python experiments/textbook/run.py [--out DIR] [--rows N]

table.csv holds 136 claims of texts 000 to 004 of the founding collection, on electrogenic
transport, secondary transporters and chloride, the pump-leak steady state, the resting potential
and ouabain, and equilibrium potentials. This computes each of them with the package, compares the
result with the claim and with the verdict that the table records, and tells all of it. A row whose
computation no longer gives its recorded verdict is an error, and the exit status is then 1.
"""

import argparse
import sys
import time
from pathlib import Path

from claims import CLAIMS
from inventory import VERDICTS, Quantity, Row, read_table

import jaxmembrane as jm

HERE = Path(__file__).resolve().parent

SUBJECTS = {
    "000": "Electrogenic transport",
    "001": "Secondary transporters, chloride and calcium",
    "002": "The pump-leak steady state",
    "003": "Resting potential and ouabain",
    "004": "Equilibrium potentials",
}


class Outcome:
    """A row with what was computed for it."""

    def __init__(self, row: Row, computed: dict[str, float]):
        self.row, self.computed = row, computed
        self.context = row.verdict == "context"
        self.verdict = "context" if self.context else row.judge(computed)
        self.faults = [] if self.context else list(row.faults(computed))

    @property
    def expected(self) -> str:
        """What the text says, in a line."""
        return "; ".join(_claimed(q) for q in self.row.expected)

    @property
    def shown(self) -> str:
        """What was computed, in a line."""
        values = (f"{n} = {_digits(x)} {self.row.unit(n)}" for n, x in self.computed.items())
        return "; ".join(text.strip() for text in values)


def _claimed(q: Quantity) -> str:
    number = f"{q.low:g}" if q.low == q.high else f"{q.low:g} to {q.high:g}"
    return f"{q.name} {q.relation} {number} {q.unit}".strip()


def _digits(x: float) -> str:
    return f"{x + 0.0:.0f}" if x.is_integer() and abs(x) < 1e6 else f"{x:.6g}"


def compute(row: Row) -> Outcome:
    """Compute one claim.

    Raises
    ------
    ValueError
        If a row that is no context has no function, or the other way round.
    RuntimeError
        If the function fails, with its error as the cause.
    """
    if row.verdict == "context":
        if row.id in CLAIMS:
            raise ValueError(f"row {row.id} is context, but has a function")
        return Outcome(row, {})
    if row.id not in CLAIMS:
        raise ValueError(f"row {row.id} has no function: decorate one with @claim({row.id!r})")
    try:
        computed = CLAIMS[row.id]()
    except Exception as error:
        raise RuntimeError(f"claim {row.id} cannot be computed") from error
    return Outcome(row, {name: float(x) for name, x in computed.items()})


def told(outcome: Outcome) -> str:
    """A row on a terminal: claim, computed value, expected value, verdict."""
    row = outcome.row
    lines = [f"{row.id}  {outcome.verdict:15s}  {row.claim}"]
    if not outcome.context:
        lines += [f"        expected  {outcome.expected}", f"        computed  {outcome.shown}"]
    if row.why:
        lines.append(f"        why       {row.why}")
    lines += [f"        ERROR     {fault}" for fault in outcome.faults]
    return "\n".join(lines) + "\n"


def report(outcomes: list[Outcome]) -> str:
    """All rows as Markdown, those that do not follow first."""
    counts = {v: sum(o.verdict == v for o in outcomes) for v in VERDICTS}
    faulty = sum(bool(o.faults) for o in outcomes)
    lines = [
        "# The textbook, computed",
        "",
        f"{len(outcomes)} claims of texts 000 to 004 of the founding collection: "
        + ", ".join(f"{n} {verdict}" for verdict, n in counts.items())
        + f". Rows that no longer give their recorded verdict or value: {faulty}.",
        "",
        "## What does not follow, or only nearly",
        "",
        *_table(o for o in outcomes if o.verdict in ("approximate", "does not follow")),
    ]
    for text, subject in SUBJECTS.items():
        rows = [o for o in outcomes if o.row.id.startswith(text)]
        if rows:
            lines += ["", f"## Text {text}: {subject.lower()}", "", *_table(rows)]
    return "\n".join(lines) + "\n"


def _table(outcomes) -> list[str]:
    lines = ["| id | kind | claim | inputs | expected | computed | verdict | why |"]
    lines.append("|" + "---|" * 8)
    for o in outcomes:
        row = o.row
        verdict = f"{o.verdict}; ERROR: {' and '.join(o.faults)}" if o.faults else o.verdict
        cells = (row.id, row.kind, row.claim, row.inputs, o.expected, o.shown, verdict, row.why)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines


def main() -> None:
    """Read the arguments; a mistake is one line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "out", help="folder for results.md")
    parser.add_argument("--rows", type=int, help="only the first rows of the table (all: 136)")
    arguments = parser.parse_args()
    try:
        sys.exit(run(arguments.out, arguments.rows))
    except (OSError, ValueError) as error:
        sys.exit(f"{error}")


def run(out: Path, rows: int | None = None) -> int:
    """Compute, tell, write; 1 if a row is not as recorded, else 0."""
    if rows is not None and rows < 1:
        raise ValueError(f"--rows must be at least 1, not {rows}")
    jm.configure()
    begun = time.perf_counter()
    outcomes = []
    for row in read_table()[:rows]:
        outcomes.append(compute(row))
        print(told(outcomes[-1]))
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.md").write_text(report(outcomes), encoding="utf-8")
    wrong = [o.row.id for o in outcomes if o.faults]
    print(f"{len(outcomes)} claims in {time.perf_counter() - begun:.0f} s with compilation")
    print(f"written: {out / 'results.md'}")
    if wrong:
        print(f"no longer as recorded: {', '.join(wrong)}")
    return int(bool(wrong))


if __name__ == "__main__":
    main()
