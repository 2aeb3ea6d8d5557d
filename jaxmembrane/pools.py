"""Conserved pools: amounts that no reaction changes, found as integer left null vectors."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TypeVar

Amount = tuple[str, str]
"""A compartment and a species, or a compartment and "volume"."""


@dataclass(frozen=True)
class Pool:
    """A combination of amounts that nothing changes; its total is ``owner.species_0``.

    `terms` pairs amounts with counts; that of (owner, species) is one or more.
    """

    owner: str
    species: str
    terms: tuple[tuple[Amount, int], ...]

    @property
    def parameter(self) -> str:
        return f"{self.owner}.{self.species}_0"

    def __str__(self) -> str:
        shares = " ".join(
            f"{'+' if n > 0 else '-'} {'' if abs(n) == 1 else f'{abs(n)} '}{what} in {a}"
            for (a, what), n in self.terms
        )
        return shares.removeprefix("+ ")


Row = TypeVar("Row", bound=Hashable)


def null_vectors(changes: Sequence[Mapping[Row, int]], rows: Sequence[Row]) -> list[dict[Row, int]]:
    """Combinations of rows that no change touches, in smallest integers.

    Each has one row of its own, among the last that can be, with a positive count.
    """
    basis: dict[int, list[Fraction]] = {}
    for change in changes:
        row = [Fraction(change.get(r, 0)) for r in rows]
        for lead, known in basis.items():
            row = [x - row[lead] * y for x, y in zip(row, known, strict=True)]
        lead = next((j for j, x in enumerate(row) if x), None)
        if lead is None:
            continue
        row = [x / row[lead] for x in row]
        for other, known in basis.items():
            basis[other] = [y - known[lead] * x for x, y in zip(row, known, strict=True)]
        basis[lead] = row
    found = []
    for free in (j for j in range(len(rows)) if j not in basis):
        vector = [
            -basis[j][free] if j in basis else Fraction(int(j == free)) for j in range(len(rows))
        ]
        scale = lcm(*(x.denominator for x in vector))
        found.append({r: int(x * scale) for r, x in zip(rows, vector, strict=True) if x})
    return found


def components(names: Sequence[str], joined: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Names in groups that are joined, directly or through others, in their order."""
    group = {name: {name} for name in names}
    for a, b in joined:
        if group[a] is not group[b]:
            group[a] |= group[b]
            for name in group[b]:
                group[name] = group[a]
    unique = {id(g): g for g in group.values()}
    return [[name for name in names if name in g] for g in unique.values()]
