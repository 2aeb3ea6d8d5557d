"""Cells: compartments joined by membranes that carry transporters. Structure only, no numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Any

from .membrane import Bath, Compartment, Membrane, water_crosses
from .naming import UnknownName, unknown
from .params import Param, check_params
from .species import Species
from .transport import ENERGY_PARAMS, Leg, Transporter

_BATH = {"Na": 145.0, "K": 3.5, "Cl": 119.0, "Ca": 1.2, "Mg": 0.7, "H": 4e-5, "HCO3": 24.0}
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
    bath : Bath
        The bath of that one membrane.
    source : str
        Where the model comes from.

    Raises
    ------
    ValueError
        If two owners share a name, no compartment touches a bath, or a nominal value lies outside
        its domain.
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
        source: str = "",
    ):
        parts = tuple(parts)
        if parts and all(isinstance(part, Membrane) for part in parts):
            if area is not None or bath is not None:
                raise TypeError(
                    "area and bath belong to each jm.Membrane when a cell is given membranes"
                )
            membranes = parts
        elif parts and all(isinstance(part, Transporter) for part in parts):
            membranes = (
                Membrane("membrane", parts, outside=bath or Bath(), area=area or "constant"),
            )
        else:
            raise TypeError(
                "a cell must be built from jm.Transporter objects, or from jm.Membrane objects"
            )
        object.__setattr__(self, "membranes", membranes)
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "overrides", ())
        self._check_owners()
        self._check_pools()
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
        if not self.baths:
            raise ValueError("a cell must touch a bath: give one membrane outside=jm.Bath()")
        for bath in self.baths:
            there = [s.name for s in self.contents[bath.name] if s.z]
            if bath.derive is not None and bath.derive not in there:
                raise UnknownName(unknown(f"ion to derive in {bath.name}:", bath.derive, there))
        for c in self.compartments:
            if not self.contents[c.name]:
                raise ValueError(
                    f"nothing enters or leaves {c.name}: give its membrane a transporter"
                )

    def _check_pools(self) -> None:
        rows = [(c.name, s) for c in self.compartments for s in self.contents[c.name]]
        changes = []
        for m in self.membranes:
            for leg in (leg for t in m.transporters for leg in t.legs):
                sides = {m.inside.name: "i", m.outside.name: "o"}
                changes.append(
                    [leg.reaction.change(s, sides[a]) if a in sides else 0 for a, s in rows]
                )
        pool = conserved(changes, len(rows))
        if pool:
            shares = " ".join(
                f"{'+' if x > 0 else '-'} {abs(x)} {s.name} in {a}"
                for x, (a, s) in zip(pool, rows, strict=True)
                if x
            )
            raise ValueError(
                f"no reaction changes the amount {shares.removeprefix('+ ')}, so that no rest is "
                "determined: give one of them a path of its own, as jm.leak does"
            )

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
        for m in self.membranes:
            for leg in (leg for t in m.transporters for leg in t.legs):
                for terms in (leg.reaction.reactants, leg.reaction.products):
                    for s, side, _ in terms:
                        found[(m.inside if side == "i" else m.outside).name][s] = None
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
            ions = [s for s in self.contents[c.name] if s.z and s.name not in _NEVER_DEPENDENT]
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
        for leg in self.legs:
            for source, _ in leg.reaction.energy:
                declared |= ENERGY_PARAMS[source]
        for bath in self.baths:
            declared |= _bath_params(bath, self.contents[bath.name])
        for c in self.compartments:
            declared |= _compartment_params(c)
        for m in self.membranes:
            declared |= _membrane_params(m)
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


def conserved(changes: Iterable[Sequence[int]], n: int) -> list[int] | None:
    """A combination of n amounts that no reaction changes, in smallest integers; None if none."""
    basis: dict[int, list[Fraction]] = {}
    for change in changes:
        row = [Fraction(x) for x in change]
        for lead, known in basis.items():
            row = [x - row[lead] * y for x, y in zip(row, known, strict=True)]
        lead = next((j for j, x in enumerate(row) if x), None)
        if lead is not None:
            row = [x / row[lead] for x in row]
            for other, known in basis.items():
                basis[other] = [y - known[lead] * x for x, y in zip(row, known, strict=True)]
            basis[lead] = row
    free = next((j for j in range(n) if j not in basis), None)
    if free is None:
        return None
    pool = [-basis[j][free] if j in basis else Fraction(int(j == free)) for j in range(n)]
    first = next(x for x in pool if x)
    scale = lcm(*(x.denominator for x in pool)) * (1 if first > 0 else -1)
    return [int(x * scale) for x in pool]


def _bath_params(bath: Bath, contents: Iterable[Species]) -> dict[str, Param]:
    name = bath.name
    declared = {
        f"{name}.{s.name}": Param(_BATH.get(s.name, 1.0), "mM", f"{s.name} in the {name}")
        for s in contents
        if s.name != bath.derive
    }
    declared[f"{name}.X"] = Param(29.5, "mM", f"impermeant osmolytes in the {name}")
    declared[f"{name}.z_X"] = Param(
        -1.0, "1", f"mean charge of the impermeant in the {name}", "real"
    )
    return declared


def _compartment_params(c: Compartment) -> dict[str, Param]:
    declared = {
        f"{c.name}.X": Param(3e5, "amol", f"impermeant in the {c.name}", "positive"),
        f"{c.name}.z_X": Param(
            -0.85, "1", f"mean charge of the impermeant in the {c.name}", "real"
        ),
    }
    if c.volume == "rigid":
        declared[f"{c.name}.X"] = Param(100.0, "amol", f"impermeant in the {c.name}")
        declared[f"{c.name}.volume"] = Param(
            1.0, "um^3", f"water volume of the {c.name}", "positive"
        )
    return declared


def _membrane_params(m: Membrane) -> dict[str, Param]:
    declared = {f"{m.name}.C_m": Param(0.01, "pF/um^2", f"capacitance of the {m.name}", "positive")}
    if m.area == "constant":
        declared[f"{m.name}.area"] = Param(800.0, "um^2", f"area of the {m.name}", "positive")
    if m.area == "cylinder":
        declared[f"{m.name}.length"] = Param(25.0, "um", f"length of the {m.name}", "positive")
    if water_crosses(m):
        declared[f"{m.name}.L_w"] = Param(
            2.7e-3, "um/s/mM", f"water permeability of the {m.name}", "positive"
        )
    return declared
