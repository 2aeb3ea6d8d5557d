"""Conserved pools: amounts that no reaction changes, found as integer left null vectors."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TypeVar

from .membrane import Bath, Compartment, Membrane, water_crosses
from .params import Param
from .reaction import Reaction
from .species import Species

_NEVER_DEPENDENT = ("H", "Ca")
_ABUNDANT = {"K": 120.0, "Na": 14.0, "Cl": 5.0}  # mM

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

    def declared(self, proteins: Collection[str]) -> Param:
        """The total as a parameter, where compartments in `proteins` bind protons."""
        if self.species == "volume":
            return Param(1000.0, "um^3", f"conserved volume, {self}", "positive")
        if any(what == "H" and a in proteins for (a, what), _ in self.terms):
            total = f"conserved amount, {self}, with protons bound since pH_X"
            return Param(0.0, "amol", total, "real")
        alike = all(n > 0 for _, n in self.terms)
        return Param(1e5, "amol", f"conserved amount, {self}", "positive" if alike else "real")

    def __str__(self) -> str:
        shares = " ".join(
            f"{'+' if n > 0 else '-'} {'' if abs(n) == 1 else f'{abs(n)} '}{what} in {a}"
            for (a, what), n in self.terms
        )
        return shares.removeprefix("+ ")


Placed = Sequence[tuple[Membrane, Reaction]]
"""Reactions, each in its membrane."""


def amount_changes(placed: Placed) -> list[dict[Amount, int]]:
    """What each reaction adds to each amount."""
    return [
        {
            (a.name, s.name): reaction.change(s, side)
            for s in reaction.species
            for a, side in ((m.inside, "i"), (m.outside, "o"))
        }
        for m, reaction in placed
    ]


def charge_changes(placed: Placed, *kinds: str) -> list[dict[str, int]]:
    """Charge that each reaction adds to each compartment, on species of these kinds."""
    return [
        {
            a.name: sum(
                s.z * reaction.change(s, side) for s in reaction.species if a.kind(s.name) in kinds
            )
            for a, side in ((m.inside, "i"), (m.outside, "o"))
            if isinstance(a, Compartment)
        }
        for m, reaction in placed
    ]


def conserved(changes: Sequence[Mapping[Amount, int]], rows: Sequence[Amount]) -> list[Pool]:
    """Pools of amounts that no reaction changes; the last of its rows owns each."""
    return [
        Pool(*[row for row in rows if row in vector][-1], tuple(vector.items()))
        for vector in null_vectors(changes, rows)
    ]


def following(
    placed: Placed, free: dict[str, tuple[Species, ...]], ground: str
) -> dict[str, Species | None]:
    """For each compartment the free ion that follows from its charge: abundant, and not conserved.

    None where nothing changes the charge of free ions: V, or what buffers hold, then follows. Nor
    may such ions be conserved by themselves, since their total would be set twice.
    """
    changes, charges = amount_changes(placed), charge_changes(placed, "free")
    every = [(a, s.name) for a, there in free.items() for s in there]
    pooled = {row for vector in null_vectors(changes, every) for row in vector}
    chosen: dict[str, Species | None] = dict.fromkeys(free)
    rows: list[Amount] = []
    for a, there in reversed(free.items()):
        # All charge together sets that of the ground.
        own = [a] if a != ground else []
        ions = [s for s in there if s.z and s.name not in _NEVER_DEPENDENT]
        for s in sorted(ions, key=lambda s: ((a, s.name) in pooled, -_ABUNDANT.get(s.name, 1.0))):
            with_it = [*rows, *((name, s.name) for name in own)]
            held = null_vectors(charges, [name for name, _ in with_it])
            if not held and not null_vectors(changes, with_it):
                chosen[a], rows = s, with_it
                break
    return chosen


def sealed(membranes: Sequence[Membrane]) -> list[Pool]:
    """Pools of volumes between which water flows, but from and to no bath."""
    sides = dict.fromkeys(side for m in membranes for side in (m.outside, m.inside))
    open_ = {side.name for side in sides if isinstance(side, Bath)}
    osmotic = [a.name for a in sides if isinstance(a, Compartment) and a.volume == "osmotic"]
    joined = [(m.outside.name, m.inside.name) for m in membranes if water_crosses(m)]
    return [
        Pool(group[0], "volume", tuple(((a, "volume"), 1) for a in group))
        for group in components([*open_, *osmotic], joined)
        if not open_ & set(group)
    ]


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
