"""The inventory: claims of the textbook as rows, and the verdict that a computed value earns.

Each row of table.csv has a claim in a few words, what it holds for, and four columns that decide:

expected
    What the claim says, as ``E_K = -95 mV; dV < 0 mV``: a name, ``=``, ``<`` or ``>``, a number or
    a range as ``60 to 80``, and a unit.
tolerance
    How far a value may be off, in its unit or as ``1 %``. ``0.05 to 0.6``: up to the first number
    it agrees, up to the second it is approximate. One for each quantity of `expected`, or one for
    all; ``exact`` and ``sign`` allow nothing, nor does any other for ``<`` and ``>``, but a range.
verdict
    ``agrees``, ``approximate``, ``does not follow`` or ``context``, which computes nothing.
recomputed
    What does follow, from an independent model or a publication, with its printed digits: a
    computed value must round to it.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import inf, isfinite, nan
from pathlib import Path

TABLE = Path(__file__).resolve().parent / "table.csv"
VERDICTS = ("agrees", "approximate", "does not follow", "context")
_COLUMNS = ("id", "kind", "claim", "inputs", "expected", "tolerance", "verdict")
_COLUMNS = (*_COLUMNS, "recomputed", "why")
_NUMBER = r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_QUANTITY = re.compile(rf"(.+?) ([=<>]) ({_NUMBER})(?: to ({_NUMBER}))?(?: (\S.*))?$")
# Half a printed digit, and what rounding adds to it.
_HALF = 0.5 * (1.0 + 1e-6)


@dataclass(frozen=True)
class Quantity:
    """A named number, or a range, with the relation that is claimed and its unit."""

    name: str
    relation: str
    low: float
    high: float
    unit: str
    digit: float
    """Value of the last printed digit."""

    def miss(self, value: float) -> float:
        """How far a value is from what is claimed; nothing for one that is as claimed."""
        if not isfinite(value):
            return inf
        below, above = max(self.low - value, 0.0), max(value - self.high, 0.0)
        if self.relation == "=":
            return max(below, above)
        wrong = value >= self.high if self.relation == "<" else value <= self.low
        return max(abs(value - self.low), 5e-324) if wrong else 0.0

    def rounds_to(self, value: float) -> bool:
        """Whether a value has the printed digits."""
        return isfinite(value) and self.miss(value) <= _HALF * self.digit

    def verdict(self, value: float, tolerance: str) -> str:
        """What a computed value says of the claim."""
        near, far = _tolerances(tolerance, max(abs(self.low), abs(self.high)))
        if self.relation != "=":  # a sign is right or wrong
            near = 0.0
            far = 0.0 if " to " not in tolerance else far
        miss = self.miss(value)
        return VERDICTS[0 if miss <= near else 1 if miss <= far else 2]


def _tolerances(text: str, size: float) -> tuple[float, float]:
    """Within which deviation a value agrees, and within which it is approximate."""
    bounds = [float(x) for x in re.findall(_NUMBER, text)] or [0.0]
    scale = size / 100.0 if text.endswith("%") else 1.0
    return bounds[0] * scale, bounds[-1] * scale


def quantities(text: str) -> list[Quantity]:
    """Read ``"E_K = -95 mV; dV < 0 mV"``.

    Raises
    ------
    ValueError
        For a part that is no name, relation, number and unit.
    """
    return [_quantity(part.strip()) for part in text.split(";") if part.strip()]


def _quantity(text: str) -> Quantity:
    found = _QUANTITY.match(text)
    if not found:
        raise ValueError(f"cannot read {text!r}; write a name, =, < or >, a number and a unit")
    name, relation, low, high, unit = found.groups()
    exponent = Decimal(low).as_tuple().exponent
    ends = sorted((float(low), float(high or low)))
    return Quantity(name, relation, *ends, unit or "", 10.0 ** float(exponent))


@dataclass(frozen=True)
class Row:
    """One claim of the inventory."""

    id: str
    kind: str
    claim: str
    inputs: str
    expected: tuple[Quantity, ...]
    tolerance: tuple[str, ...]
    verdict: str
    recomputed: tuple[Quantity, ...]
    why: str

    def judge(self, computed: Mapping[str, float]) -> str:
        """The verdict of computed values: that of the quantity that fares worst."""
        found = (
            quantity.verdict(computed.get(quantity.name, nan), tolerance)
            for quantity, tolerance in zip(self.expected, self.tolerance, strict=True)
        )
        return max(found, key=VERDICTS.index)

    def faults(self, computed: Mapping[str, float]) -> Iterator[str]:
        """What is wrong with computed values: each fault a sentence."""
        named = {q.name for q in (*self.expected, *self.recomputed)}
        for name in sorted(named - computed.keys()):
            yield f"{name} is in the table, but was not computed"
        for name in sorted(computed.keys() - named):
            yield f"{name} was computed, but is not in the table"
        verdict = self.judge(computed)
        if verdict != self.verdict:
            yield f"the verdict is {verdict!r}, but {self.verdict!r} in the table"
        for q in self.recomputed:
            value = computed.get(q.name, nan)
            if not q.rounds_to(value):
                yield f"{q.name} is {value:.8g} {q.unit}, which does not round to {q.low:g}"

    def unit(self, name: str) -> str:
        """The unit of one of its quantities."""
        units = {q.name: q.unit for q in (*self.expected, *self.recomputed)}
        return units.get(name, "")


def read_table(path: Path = TABLE) -> list[Row]:
    """The rows of the inventory.

    Raises
    ------
    ValueError
        For a row that cannot be read, with its id.
    """
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != _COLUMNS:
            raise ValueError(f"{path.name} must have the columns {', '.join(_COLUMNS)}")
        return [_row(cells) for cells in reader]


def _row(cells: Mapping[str, str]) -> Row:
    try:
        expected, recomputed = quantities(cells["expected"]), quantities(cells["recomputed"])
        tolerance = [x.strip() for x in cells["tolerance"].split(";")]
        if len(tolerance) == 1:
            tolerance = tolerance * len(expected)
        if len(tolerance) != len(expected):
            raise ValueError(f"{len(tolerance)} tolerances for {len(expected)} quantities")
        if cells["verdict"] not in VERDICTS:
            raise ValueError(f"verdict must be one of {', '.join(VERDICTS)}")
        if (cells["verdict"] == "context") != (not expected):
            raise ValueError("context, and only context, expects nothing")
    except ValueError as error:
        raise ValueError(f"row {cells['id']}: {error}") from None
    texts = {name: cells[name] for name in ("id", "kind", "claim", "inputs", "verdict", "why")}
    return Row(
        **texts,
        expected=tuple(expected),
        tolerance=tuple(tolerance),
        recomputed=tuple(recomputed),
    )
