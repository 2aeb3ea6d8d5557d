"""Reactions across a membrane, read from a string; charge and matter are derived from it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from .naming import unknown
from .species import KNOWN, Species

ENERGY = {
    "ATP": {"ATP": -1, "ADP": +1, "Pi": +1},
    "photon": {"photon": -1},
    "redox": {"redox": -1},
}
"""Energy sources: what one use of each does to the terms that a reaction writes without a side.

``ATP <-> ADP + Pi`` is hydrolysis, ``photon`` one photocycle, ``redox`` the fall of one electron.
"""

_TERM = re.compile(r"(?:(\d+)\s*)?([A-Za-z][A-Za-z0-9]*)(?:_([io]))?$")


@dataclass(frozen=True)
class Reaction:
    """A reaction across a membrane: counts of species on the inside and the outside.

    Read from a string by `Reaction.parse`: ``_i`` and ``_o`` are the two sides, terms without a
    side are an energy source. Counts are changes per forward turnover.

    Attributes
    ----------
    text : str
        The reaction as written.
    reactants, products : tuple of (Species, side, count)
        Left and right terms that have a side, ``"i"`` or ``"o"``.
    energy : tuple of (source, uses)
        Energy sources spent per forward turnover, as ``("ATP", 1)``.
    """

    text: str
    reactants: tuple[tuple[Species, str, int], ...]
    products: tuple[tuple[Species, str, int], ...]
    energy: tuple[tuple[str, int], ...] = ()

    @classmethod
    def parse(cls, text: str, species: Iterable[Species] = ()) -> "Reaction":
        """Read a reaction such as ``"3 Na_i + 2 K_o + ATP <-> 3 Na_o + 2 K_i + ADP + Pi"``.

        Raises
        ------
        ValueError
            If a term cannot be read, a species is unknown, matter is made or destroyed, or nothing
            crosses the membrane; the sentence names the reaction and the term.
        """
        known = KNOWN | {s.name: s for s in species}
        halves = re.split(r"\s*<->\s*", text.strip()) if isinstance(text, str) else []
        if len(halves) != 2:
            raise ValueError(
                f"reaction {text!r} must have one '<->' between its two halves, as in 'K_i <-> K_o'"
            )
        sided: list[tuple[tuple[Species, str, int], ...]] = []
        sourceless: dict[str, int] = {}
        for half, sign in zip(halves, (-1, +1), strict=True):
            terms = []
            for term in half.split("+"):
                match = _TERM.match(term.strip())
                if not match or match[1] == "0":
                    raise ValueError(
                        f"cannot read {term.strip()!r} in reaction {text!r}; "
                        "write a count, a species and a side, as in '2 Cl_o'"
                    )
                count, name, side = int(match[1] or 1), match[2], match[3]
                if side is None:
                    sourceless[name] = sourceless.get(name, 0) + sign * count
                elif name not in known:
                    raise ValueError(
                        unknown(f"species in reaction {text!r}:", name, known)
                        + " A new one is passed as species=(jm.Species(name, z),)"
                    )
                else:
                    terms.append((known[name], side, count))
            sided.append(tuple(terms))
        reaction = cls(text, sided[0], sided[1], _read_energy(text, sourceless))
        reaction._check_matter()
        return reaction

    def _check_matter(self) -> None:
        for s in self.species:
            made = self.change(s, "i") + self.change(s, "o")
            if made:
                verb = "makes" if made > 0 else "destroys"
                raise ValueError(f"reaction {self.text!r} {verb} {abs(made)} {s.name} per turnover")
        if not any(self.change(s, "i") for s in self.species):
            raise ValueError(f"reaction {self.text!r} carries nothing across the membrane")

    @cached_property
    def species(self) -> tuple[Species, ...]:
        """Species that have a side, in the order in which they are written."""
        return tuple(dict.fromkeys(s for s, _, _ in self.reactants + self.products))

    def change(self, species: Species, side: str) -> int:
        """Change in the count of a species on one side per forward turnover."""
        gained = sum(n for s, at, n in self.products if (s, at) == (species, side))
        return gained - sum(n for s, at, n in self.reactants if (s, at) == (species, side))

    @cached_property
    def charge(self) -> int:
        """Elementary charges moved into the inside per forward turnover."""
        return sum(s.z * self.change(s, "i") for s in self.species)


def _read_energy(text: str, terms: dict[str, int]) -> tuple[tuple[str, int], ...]:
    """Turn ``{"ATP": -1, "ADP": +1, "Pi": +1}`` into uses of energy sources."""
    spent = []
    for source, unit in ENERGY.items():
        uses = terms.get(source, 0) * unit[source]
        if uses and all(terms.get(name, 0) == uses * change for name, change in unit.items()):
            spent.append((source, uses))
            terms = {name: n for name, n in terms.items() if name not in unit}
    if any(terms.values()):
        left = " and ".join(name for name, n in terms.items() if n)
        raise ValueError(
            f"reaction {text!r} has {left} without a side and not as an energy source; "
            "write a side (_i or _o), or the whole source, as in 'ATP <-> ADP + Pi'"
        )
    return tuple(spent)
