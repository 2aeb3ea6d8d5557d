"""What a cell's unknowns say: concentrations, charge, volumes, areas, pressures and media.

The dependent ion of each compartment follows from charge::

    sum over membranes of (+-) C_m A V = F (w sum_s z_s c_s + z_X X)

so that charge is conserved by construction, and V is never a difference of large amounts.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import log, pi
from typing import Any

import jax
import jax.numpy as jnp

from . import constants
from .analytic import turgor
from .cell import Cell
from .membrane import Bath, Compartment, Membrane
from .site import Medium
from .species import Species
from .unknowns import Key, State, row_keys, unknown_keys

_NONE = 1e-30
"""Added to what a bath holds (mM), so that a species that it lacks has a logarithm."""


@jax.custom_jvp
def _exp(x: Any) -> Any:
    # XLA merges exp(a)**3 into exp(3a), another exponential; the maximum keeps it from doing so.
    return jnp.maximum(jnp.exp(x), jnp.finfo(jnp.result_type(x)).tiny)


_exp.defjvps(lambda tangent, value, x: value * tangent)


class Contents:
    """What is in `cell` at given parameters, whatever its unknowns.

    Parameters
    ----------
    cell : Cell
        The structure.
    params : mapping
        Parameter name to scalar (or lanes).
    carry_all : bool
        Whether every species is an unknown and charge is a row.
    """

    def __init__(self, cell: Cell, params: Mapping[str, Any], carry_all: bool = False):
        self.cell, self.params, self.carry_all = cell, params, carry_all
        self.RT = constants.R * params["T"]
        self.F = constants.F
        self.held_c = {
            (bath.name, s.name): self._bath_concentration(bath, s.name)
            for bath in cell.baths
            for s in cell.contents[bath.name]
        }
        for a in cell.compartments:
            for s in cell.contents[a.name]:
                if a.kind(s.name) != "free":
                    self.held_c[a.name, s.name] = params[f"{a.name}.{s.name}"]
        # Outside the loops: a float64 logarithm is a library call for each lane on a CPU.
        self.held_ln_c = {key: jnp.log(c) for key, c in self.held_c.items()}
        self.proteins = {a.name for a in cell.compartments if a.impermeant == "protein"}
        self.bath_osmolarity = {
            bath.name: sum(
                (self.held_c[bath.name, s.name] for s in cell.contents[bath.name]),
                start=params[f"{bath.name}.X"],
            )
            for bath in cell.baths
        }

    def _bath_concentration(self, bath: Bath, species: str) -> Any:
        if species != bath.derive:
            return self.params[f"{bath.name}.{species}"] + _NONE
        charge = self.params[f"{bath.name}.z_X"] * self.params[f"{bath.name}.X"]
        z = {s.name: s.z for s in self.cell.contents[bath.name]}
        for other, valence in z.items():
            if other != species:
                charge = charge + valence * self.params[f"{bath.name}.{other}"]
        return -charge / z[species]

    @cached_property
    def unknowns(self) -> list[Key]:
        """Keys of the unknowns, see `unknowns.unknown_keys`."""
        return unknown_keys(self.cell, self.carry_all)

    @cached_property
    def rows(self) -> list[Key]:
        """Keys of the rows, paired with `unknowns`."""
        return row_keys(self.cell, self.carry_all)

    @property
    def pivot(self) -> bool:
        """Whether elimination has to exchange rows: the pairs of free species need none."""
        return bool(self.cell.buffered or self.cell.pools)

    def state(self, u: Sequence[Any], followed: Sequence[Any] | None = None) -> State:
        """What the unknowns say, in the order of `unknowns`.

        `followed` are concentrations of the ions that follow from charge, where they are known
        already.
        """
        given = dict(zip(self.unknowns, u, strict=True))
        parts = self.cell.compartments
        phi = {a.name: given.get(("phi", a.name), 0.0) for a in parts}
        volume = {
            a.name: _exp(given["w", a.name])
            if a.volume == "osmotic"
            else self.params[f"{a.name}.volume"]
            for a in parts
        }
        c = dict(self.held_c)
        ln_c = {key: (lambda x=x: x) for key, x in self.held_ln_c.items()}
        for (kind, owner, *rest), x in given.items():
            if kind == "c":
                c[owner, rest[0]] = _exp(x)
                ln_c[owner, rest[0]] = lambda x=x: x
        gates: dict[str, dict[str, Any]] = {}
        for (kind, owner, *rest), x in given.items():
            if kind == "g":
                gates.setdefault(owner, {})[rest[0]] = x
        state = State(
            c=c,
            ln_c=ln_c,
            phi=phi,
            volume=volume,
            z={a.name: self._impermeant_charge(a, given, ln_c) for a in parts},
            area={m.name: self.area(m, volume) for m in self.cell.membranes},
            gates=gates,
        )
        for position, (a, ion) in enumerate(self.followers):
            if followed is None:
                x = self.missing_charge(a, state) / (ion.z * self.F * volume[a])
            else:
                x = followed[position]
            c[a, ion.name] = x
            ln_c[a, ion.name] = lambda x=x: jnp.log(x)
        return state

    def _impermeant_charge(self, a: Compartment, given: Mapping, ln_c: Mapping) -> Any:
        z = given.get(("z", a.name), self.params[f"{a.name}.z_X"])
        if a.impermeant == "protein" and (a.name, "H") in ln_c:
            z = z + self._bound(a.name, ln_c[a.name, "H"]())
        return z

    def _bound(self, a: str, ln_H: Any) -> Any:
        """Protons that a protein has bound, less those at pH_X."""
        return self.params[f"{a}.beta_X"] * (self.params[f"{a}.pH_X"] - 3.0 + ln_H / log(10.0))

    def amount(self, a: str, species: str, state: State) -> Any:
        """Amount of a species in a compartment, amol; protons with those that a protein binds."""
        found = state.c[a, species] * state.volume[a]
        if species == "H" and a in self.proteins:
            found = found + self.params[f"{a}.X"] * self._bound(a, state.ln_c[a, species]())
        return found

    @cached_property
    def followers(self) -> list[tuple[str, Species]]:
        """The ions that follow from charge: (compartment, species)."""
        if self.carry_all:
            return []
        return [(a, s) for a, s in self.cell.dependent.items() if s is not None]

    def followed(self, u: Sequence[Any]) -> list[Any]:
        """Concentrations of the ions that follow from charge, mM."""
        c = self.state(u).c
        return [c[a, s.name] for a, s in self.followers]

    def area(self, m: Membrane, volume: Mapping[str, Any]) -> Any:
        """Area of a membrane, um^2."""
        if m.area == "constant":
            return self.params[f"{m.name}.area"]
        w = volume[m.inside.name]
        if m.area == "cylinder":
            return 2.0 * jnp.sqrt(pi * self.params[f"{m.name}.length"] * w)
        return (36.0 * pi) ** (1 / 3) * jnp.cbrt(w) ** 2

    def voltage(self, m: Membrane, phi: Mapping[str, Any]) -> Any:
        """Potential across a membrane, in RT/F."""
        return phi.get(m.inside.name, 0.0) - phi.get(m.outside.name, 0.0)

    def turgor(self, m: Membrane, state: State) -> Any:
        """Pressure of a membrane's wall, Pa; none where it is slack."""
        wall = (self.params[f"{m.name}.wall_{name}"] for name in ("volume", "modulus"))
        return turgor(state.volume[m.inside.name], *wall)

    def water_force(self, m: Membrane, state: State) -> Any:
        """Osmolarity inside less that outside and the wall's turgor over RT, mM."""
        force = self.osmolarity(m.inside.name, state) - self.osmolarity(m.outside.name, state)
        return force - self.turgor(m, state) / self.RT if m.wall else force

    def sides(self, a: str) -> list[tuple[Membrane, int]]:
        """Membranes of a compartment, with +1 where it is their inside."""
        found = [(m, +1) for m in self.cell.membranes if m.inside.name == a]
        return found + [(m, -1) for m in self.cell.membranes if m.outside.name == a]

    def missing_charge(self, a: str, state: State) -> Any:
        """Charge of the membranes of a compartment less that of its contents so far, fC."""
        stored: Any = 0.0
        for m, sign in self.sides(a):
            capacitance = self.params[f"{m.name}.C_m"] * state.area[m.name]
            stored = stored + sign * capacitance * self.voltage(m, state.phi)
        contents = state.z[a] * self.params[f"{a}.X"]
        dissolved: Any = 0.0
        for s in self.cell.contents[a]:
            if (a, s.name) in state.c and s.z:
                dissolved = dissolved + s.z * state.c[a, s.name]
        return stored * (self.RT / self.F) - self.F * (contents + state.volume[a] * dissolved)

    def medium(self, m: Membrane, state: State) -> Medium:
        """What the transporters of a membrane see."""

        def side(pool: Mapping, owner: str) -> dict[str, Any]:
            return {s: value for (at, s), value in pool.items() if at == owner}

        return Medium(
            inside=side(state.c, m.inside.name),
            outside=side(state.c, m.outside.name),
            ln_inside=side(state.ln_c, m.inside.name),
            ln_outside=side(state.ln_c, m.outside.name),
            u=self.voltage(m, state.phi),
            RT=self.RT,
            F=self.F,
            bare={name: value for name, value in self.params.items() if "." not in name},
        )

    def osmolarity(self, a: str, state: State) -> Any:
        """Osmolarity of a compartment or bath, mM."""
        if a in self.bath_osmolarity:
            return self.bath_osmolarity[a]
        total = self.params[f"{a}.X"] / state.volume[a]
        if a in self.proteins:
            second, third = (self.params[f"{a}.b_{n}"] for n in (2, 3))
            total = total * (1.0 + total * (second + total * third))
        for s in self.cell.contents[a]:
            total = total + state.c[a, s.name]
        return total
