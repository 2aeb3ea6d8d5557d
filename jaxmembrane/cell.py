"""Cells: compartments joined by membranes that carry transporters. Structure only, no numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from .membrane import Bath, Compartment, Membrane, water_crosses
from .naming import UnknownName, unknown
from .params import Param, check_params
from .pools import Amount, Pool, components, null_vectors
from .species import Species
from .transport import Leg, Transporter

_NEVER_DEPENDENT = ("H", "Ca")


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
        If two owners share a name, nothing sets a compartment's potential, or a nominal value lies
        outside its domain.
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
        self._check_potentials()
        nominal = dict(nominal or {})
        check_params(self._declared, nominal)
        object.__setattr__(
            self, "overrides", tuple(sorted((k, float(v)) for k, v in nominal.items()))
        )

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
                raise ValueError(
                    f"two parts of the cell are named {name!r}; give one another name="
                )
        valence: dict[str, int] = {}
        for s in (s for leg in self.legs for s in leg.reaction.species):
            if valence.setdefault(s.name, s.z) != s.z:
                raise ValueError(
                    f"species {s.name} has valence {valence[s.name]} in one reaction and {s.z} in "
                    "another; give one of them another name"
                )
        for bath in self.baths:
            there = [s.name for s in self.contents[bath.name] if s.z]
            if bath.derive is not None and bath.derive not in there:
                raise UnknownName(unknown(f"ion to derive in {bath.name}:", bath.derive, there))
        for c in self.compartments:
            if not self.contents[c.name]:
                raise ValueError(
                    f"nothing enters or leaves {c.name}: give its membrane a transporter"
                )

    def _check_potentials(self) -> None:
        """Refuse compartments whose charge no reaction changes: nothing would set their V."""
        ions = [a.name for a in self.compartments if self._charged(a) and a.name != self.ground]
        moved = []
        for m, leg in self._placed:
            change: dict[str, int] = {}
            for a, side in ((m.inside, "i"), (m.outside, "o")):
                if isinstance(a, Compartment):
                    counted = [s for s in leg.reaction.species if a.kind(s.name) != "clamped"]
                    change[a.name] = sum(s.z * leg.reaction.change(s, side) for s in counted)
            moved.append(change)
        for lost in null_vectors(moved, ions):
            raise ValueError(
                f"no transporter changes the charge of {' and '.join(lost)}, so that "
                "nothing sets its potential: give it an electrogenic path, as jm.leak is"
            )

    @cached_property
    def pools(self) -> tuple[Pool, ...]:
        """Amounts and volumes that nothing changes; the total of each is a parameter."""
        rows = [
            (a.name, s.name)
            for a in reversed(self.compartments)
            for s in sorted(self.free[a.name], key=lambda s: s != self.dependent[a.name])
            if (a.name, s) != (self.ground, self.dependent.get(self.ground))
        ]
        changes = []
        for m, leg in self._placed:
            counted: dict[Amount, int] = {}
            for s in leg.reaction.species:
                counted[m.inside.name, s.name] = leg.reaction.change(s, "i")
                counted[m.outside.name, s.name] = leg.reaction.change(s, "o")
            changes.append(counted)
        found = []
        for vector in null_vectors(changes, rows):
            own = [row for row in rows if row in vector][-1]
            found.append(Pool(*own, tuple(vector.items())))
        osmotic = [a.name for a in self.compartments if a.volume == "osmotic"]
        joined = [(m.outside.name, m.inside.name) for m in self.membranes if water_crosses(m)]
        open_ = {bath.name for bath in self.baths}
        for group in components([*open_, *osmotic], joined):
            if not open_ & set(group):
                found.append(Pool(group[0], "volume", tuple(((a, "volume"), 1) for a in group)))
        return tuple(found)

    @cached_property
    def _placed(self) -> list[tuple[Membrane, Leg]]:
        return [(m, leg) for m in self.membranes for t in m.transporters for leg in t.legs]

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
        for m, leg in self._placed:
            for s, side, _ in (*leg.reaction.reactants, *leg.reaction.products):
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
        """For each compartment the ion that follows from its charge, the most abundant free one."""
        inside = {"K": 120.0, "Na": 14.0, "Cl": 5.0}
        chosen: dict[str, Species | None] = {}
        for c in self.compartments:
            ions = [s for s in self.free[c.name] if s.z and s.name not in _NEVER_DEPENDENT]
            chosen[c.name] = max(ions, key=lambda s: inside.get(s.name, 1.0), default=None)
        return chosen

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
        for part in (*self.baths, *self.compartments):
            declared |= part.declared(self.contents[part.name])
        for pool in self.pools:
            declared[pool.parameter] = _pool_param(pool)
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


def _pool_param(pool: Pool) -> Param:
    if pool.species == "volume":
        return Param(1000.0, "um^3", f"conserved volume, {pool}", "positive")
    alike = all(n > 0 for _, n in pool.terms)
    return Param(1e5, "amol", f"conserved amount, {pool}", "positive" if alike else "real")
