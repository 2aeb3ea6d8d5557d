"""Cells: compartments joined by membranes that carry transporters. Structure only, no numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from .membrane import Bath, Compartment, Membrane
from .naming import UnknownName, unknown
from .params import Param, check_params
from .pools import (
    Amount,
    Pool,
    amount_changes,
    charge_changes,
    conserved,
    following,
    null_vectors,
    sealed,
)
from .reaction import Reaction
from .species import Species
from .transport import Leg, Transporter


@dataclass(frozen=True, init=False)
class Cell:
    """A cell: membranes, the compartments that they join, and nominal values of its parameters.

    ``Cell(transporters)`` is one membrane around one osmotic compartment in a bath; otherwise give
    `Membrane` objects. Two cells built by the same calls are equal and share one compilation.

    Parameters
    ----------
    parts : iterable of Transporter, or iterable of Membrane
        What it is made of.
    nominal : mapping, optional
        Nominal values by parameter name, as in ``{"bath.K": 3.5}``.
    area : {"constant", "cylinder", "sphere"}
        Area of the one membrane, where `parts` are transporters.
    bath, compartment : Bath, Compartment
        The bath of that one membrane, and what it encloses.
    source : str
        Where the model comes from.

    Raises
    ------
    ValueError
        If two owners share a name or two valences a species, nothing sets a compartment's potential
        or the charge that it buffers, or a nominal value lies outside its domain.
    KeyError
        If `nominal` names a parameter that the cell does not have, with the nearest that it has.
    TypeError
        If `parts` mixes or holds anything else.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> cell = jm.Cell([jm.leak(jm.Na), jm.leak(jm.K), jm.leak(jm.Cl), jm.na_k_atpase()])
    >>> cell.species, cell.parameters["leak_K.P"].unit
    (('Na', 'K', 'Cl'), 'um/s')
    """

    membranes: tuple[Membrane, ...]
    overrides: tuple[tuple[str, float], ...]
    source: str = field(compare=False)

    def __init__(
        self,
        parts: Iterable[Any],
        nominal: Mapping[str, float] | None = None,
        *,
        area: str | None = None,
        bath: Bath | None = None,
        compartment: Compartment | None = None,
        source: str = "",
    ):
        parts = tuple(parts)
        if parts and all(isinstance(part, Membrane) for part in parts):
            if any(part is not None for part in (area, bath, compartment)):
                raise TypeError(
                    "area, bath and compartment belong to each jm.Membrane when a cell is given "
                    "membranes"
                )
            membranes = parts
        elif parts and all(isinstance(part, Transporter) for part in parts):
            sides = {"inside": compartment or Compartment(), "outside": bath or Bath()}
            membranes = (Membrane("membrane", parts, area=area or "constant", **sides),)
        else:
            raise TypeError(
                "a cell must be built from jm.Transporter objects, or from jm.Membrane objects"
            )
        object.__setattr__(self, "membranes", membranes)
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "overrides", ())
        self._check_owners()
        self._check_charge()
        nominal = dict(nominal or {})
        check_params(self._declared, nominal)
        overrides = tuple(sorted((k, float(v)) for k, v in nominal.items()))
        object.__setattr__(self, "overrides", overrides)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.membranes, self.overrides))

    def _check_owners(self) -> None:
        owners = [m.name for m in self.membranes] + [t.name for t in self.transporters]
        owners += [c.name for c in (*self.compartments, *self.baths)]
        for name in owners:
            if owners.count(name) > 1:
                raise ValueError(f"two parts of the cell are named {name!r}; give one another name")
        valence: dict[str, int] = {}
        for s in (s for there in self.contents.values() for s in there):
            if valence.setdefault(s.name, s.z) != s.z:
                raise ValueError(
                    f"species {s.name} has valence {valence[s.name]} in one place and {s.z} in "
                    "another; give one of them another name"
                )
        for bath in self.baths:
            there = [s.name for s in self.contents[bath.name] if s.z]
            if bath.derive is not None and bath.derive not in there:
                raise UnknownName(unknown(f"ion to derive in {bath.name}:", bath.derive, there))
        for c in self.compartments:
            if not self.contents[c.name]:
                raise ValueError(f"nothing enters or leaves {c.name}: give it a transporter")

    def _check_charge(self) -> None:
        """Refuse cells in which nothing sets a potential or a buffer, or closes a circuit."""
        moving = any(self.free[a.name] or a.volume == "osmotic" for a in self.compartments)
        if not (moving or self.buffered or any(t.gates for t in self.transporters)):
            raise ValueError(
                "nothing in this cell can change: its volume is rigid and its ions are clamped, so "
                "that V follows from their charge; for currents to set V let them be buffered"
            )
        ions = [a.name for a in self.compartments if self._charged(a) and a.name != self.ground]
        moved = charge_changes(self._placed, "free", "buffered")
        for lost in null_vectors(moved, ions):
            raise ValueError(
                f"no transporter changes the charge of {' and '.join(lost)}, so that "
                "nothing sets its potential: give it an electrogenic path, as jm.leak is"
            )
        for leg, charge in zip(self.legs, moved, strict=True):
            if not self.baths and sum(charge.values()):
                raise ValueError(
                    f"{leg.name} passes a clamped ion, and a cell without a bath has nothing that "
                    "closes the circuit of its supply: let that ion be free, or add a jm.Bath"
                )
        charges = charge_changes(self._placed, "buffered")
        changes = [{**n, **z} for n, z in zip(self._changes, charges, strict=True)]
        for vector in null_vectors(changes, [*self._amounts, *self.buffered]):
            held = [a for a in self.buffered if a in vector]
            stuck = [f"{s.name} buffered in {a}" for a in held for s in self.buffered[a]]
            others = [f"{row[1]} in {row[0]}" for row in vector if row not in held]
            ratio = f", but in a fixed ratio with {' and '.join(others)}" if others else ""
            if stuck:
                raise ValueError(
                    f"nothing brings or takes the charge of {' and '.join(stuck)}{ratio}: "
                    "give it a path of its own to a bath, as jm.leak is, or let it be clamped"
                )

    @cached_property
    def pools(self) -> tuple[Pool, ...]:
        """Amounts and volumes that nothing changes; the total of each is a parameter."""
        followed = {(a, s.name) for a, s in self.dependent.items() if s}
        # The last that can be owns a pool: no ion that follows from charge, and far outside.
        rows = sorted(self._amounts, key=lambda row: row not in followed)
        return (*conserved(self._changes, rows), *sealed(self.membranes))

    @cached_property
    def _amounts(self) -> list[Amount]:
        """Amounts that balances set; that of the ground's dependent ion follows from all charge."""
        last = (self.ground, self.dependent.get(self.ground))
        inward = reversed(self.free.items())
        return [(a, s.name) for a, free in inward for s in free if (a, s) != last]

    @cached_property
    def _changes(self) -> list[dict[Amount, int]]:
        return amount_changes(self._placed)

    @cached_property
    def _placed(self) -> list[tuple[Membrane, Reaction]]:
        return [(m, leg.reaction) for m in self.membranes for t in m.transporters for leg in t.legs]

    def _charged(self, a: Compartment) -> bool:
        return any(s.z and a.kind(s.name) != "clamped" for s in self.contents[a.name])

    @cached_property
    def free(self) -> dict[str, tuple[Species, ...]]:
        """Free species of each compartment, by its name."""
        return {
            a.name: tuple(s for s in self.contents[a.name] if a.kind(s.name) == "free")
            for a in self.compartments
        }

    @cached_property
    def buffered(self) -> dict[str, tuple[Species, ...]]:
        """Buffered species of each compartment that has any, by its name."""
        found = {
            a.name: tuple(s for s in self.contents[a.name] if s.z and a.kind(s.name) == "buffered")
            for a in self.compartments
        }
        return {name: species for name, species in found.items() if species}

    @cached_property
    def ground(self) -> str:
        """Name of the compartment of zero potential: a bath, or else the outermost compartment."""
        return (*self.baths, *self.compartments)[0].name

    @cached_property
    def compartments(self) -> tuple[Compartment, ...]:
        """Compartments with contents, in the order in which membranes name them."""
        sides = [side for m in self.membranes for side in (m.outside, m.inside)]
        return tuple(dict.fromkeys(c for c in sides if isinstance(c, Compartment)))

    @cached_property
    def baths(self) -> tuple[Bath, ...]:
        """The baths, in the order in which membranes name them."""
        return tuple(
            dict.fromkeys(m.outside for m in self.membranes if isinstance(m.outside, Bath))
        )

    @cached_property
    def transporters(self) -> tuple[Transporter, ...]:
        """All transporters, membrane by membrane."""
        return tuple(t for m in self.membranes for t in m.transporters)

    @cached_property
    def legs(self) -> tuple[Leg, ...]:
        """All reactions, in the order of the dim ``reaction``."""
        return tuple(leg for t in self.transporters for leg in t.legs)

    @cached_property
    def contents(self) -> dict[str, tuple[Species, ...]]:
        """Species of each compartment and bath, by its name."""
        found: dict[str, dict[Species, None]] = {
            c.name: {} for c in (*self.compartments, *self.baths)
        }
        for m, reaction in self._placed:
            for s, side, _ in (*reaction.reactants, *reaction.products):
                found[(m.inside if side == "i" else m.outside).name][s] = None
        for a in self.compartments:
            found[a.name] |= dict.fromkeys(s for s, _ in a.kinds)
        return {name: tuple(species) for name, species in found.items()}

    @cached_property
    def species(self) -> tuple[str, ...]:
        """Names of all species, in the order of the dim ``species``."""
        return tuple(
            dict.fromkeys(s.name for c in self.compartments for s in self.contents[c.name])
        )

    @cached_property
    def dependent(self) -> dict[str, Species | None]:
        """For each compartment the ion that follows from its charge, if one can."""
        return following(self._placed, self.free, self.ground)

    @cached_property
    def parameters(self) -> dict[str, Param]:
        """Every parameter by its name, with unit, nominal value and domain."""
        chosen = dict(self.overrides)
        return {
            name: replace(p, nominal=chosen[name]) if name in chosen else p
            for name, p in self._declared.items()
        }

    @cached_property
    def _declared(self) -> dict[str, Param]:
        declared: dict[str, Param] = {"T": Param(310.15, "K", "temperature", "positive")}
        for t in self.transporters:
            for name, p in t.bare.items():
                if declared.setdefault(name, p) != p:
                    raise ValueError(
                        f"{t.name} reads {name} as {p.nominal:g} {p.unit}, another transporter as "
                        f"{declared[name].nominal:g} {declared[name].unit}: give both the same"
                    )
        proteins = {a.name for a in self.compartments if a.impermeant == "protein"}
        for part in (*self.baths, *self.compartments):
            declared |= part.declared(self.contents[part.name])
        for pool in self.pools:
            declared[pool.parameter] = pool.declared(proteins)
        for m in self.membranes:
            declared |= m.declared()
            for t in m.transporters:
                declared |= {f"{t.name}.{name}": p for name, p in t.params}
        return declared

    def nominal(self, overrides: Mapping[str, Any] | None = None, /, **more: Any) -> dict[str, Any]:
        """The whole parameter mapping, with some values replaced.

        Examples
        --------
        >>> import jaxmembrane as jm
        >>> jm.zoo.neuron().nominal({"bath.K": 5.0})["bath.K"]
        5.0
        """
        given = {**(overrides or {}), **more}
        check_params(self.parameters, given)
        return {name: p.nominal for name, p in self.parameters.items()} | given
