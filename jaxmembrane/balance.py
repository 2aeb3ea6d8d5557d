"""The equations of a cell, assembled from its structure, written for one cell in scalars.

Unknowns of each compartment: ln c of every free species but one ion, the potential phi (in RT/F,
against the bath), and ln w where it is osmotic. The one ion follows from charge::

    sum over membranes of (+-) C_m A V = F (w sum_s z_s c_s + z_X X)

so that charge is conserved by construction, and V is never a difference of large amounts. With
``carry_all`` every species is an unknown and charge is a row, which keeps all of them positive.
Balances, summed over membranes and reactions of turnover J::

    dn_s/dt = sum (nu_s A J)          dw/dt = sum (+-) L_w A (osm_inside - osm_outside)
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import pi
from typing import Any

import jax
import jax.numpy as jnp

from . import constants
from .cell import Cell
from .membrane import Bath, Membrane, water_crosses
from .species import Species
from .transport import Medium, Transporter

Key = tuple[str, ...]

_NONE = 1e-30
"""Added to what a bath holds (mM), so that a species that it lacks has a logarithm."""


@dataclass(frozen=True)
class State:
    """Everything that the unknowns say about a cell.

    ``c`` (mM) by (compartment, species), ``ln_c`` (functions, so that unused logarithms cost
    nothing), ``phi`` (RT/F) and ``volume`` (um^3) by compartment, ``area`` (um^2) by membrane.
    """

    c: Mapping[tuple[str, str], Any]
    ln_c: Mapping[tuple[str, str], Any]
    phi: Mapping[str, Any]
    volume: Mapping[str, Any]
    area: Mapping[str, Any]


def columns(f: Callable, u: Sequence[Any]) -> tuple[list[Any], list[list[Any]]]:
    """Value of f and its Jacobian as a list of rows, one unknown at a time."""
    u, columns, value = list(u), [], []
    for j, x in enumerate(u):
        value, column = jax.jvp(
            lambda x, j=j: f([*u[:j], x, *u[j + 1 :]]), (x,), (jnp.ones_like(x),)
        )
        columns.append(column)
    return value, [list(row) for row in zip(*columns, strict=True)]


@jax.custom_jvp
def _exp(x: Any) -> Any:
    # XLA merges exp(a)**3 into exp(3a), another exponential; the maximum keeps it from doing so.
    return jnp.maximum(jnp.exp(x), jnp.finfo(jnp.result_type(x)).tiny)


_exp.defjvps(lambda tangent, value, x: value * tangent)


class Equations:
    """The equations of `cell` at given parameters; make it once, outside any loop.

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
        self.bath_c = {
            (bath.name, s.name): self._bath_concentration(bath, s.name)
            for bath in cell.baths
            for s in cell.contents[bath.name]
        }
        # Outside the loops: a float64 logarithm is a library call for each lane on a CPU.
        self.bath_ln_c = {key: jnp.log(c) for key, c in self.bath_c.items()}
        self.bath_osmolarity = {
            bath.name: sum(
                (self.bath_c[bath.name, s.name] for s in cell.contents[bath.name]),
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
        """Keys of the unknowns, see `unknown_keys`."""
        return unknown_keys(self.cell, self.carry_all)

    @cached_property
    def rows(self) -> list[Key]:
        """Keys of the balances, paired with `unknowns` so that no pivoting is needed."""

        def row(key: Key) -> Key:
            if key[0] == "c":
                return ("n", *key[1:])
            if key[0] == "w":
                return key
            ion = None if self.carry_all else self.cell.dependent[key[1]]
            return ("q", key[1]) if ion is None else ("n", key[1], ion.name)

        return [row(key) for key in self.unknowns]

    def state(self, u: Sequence[Any], followed: Sequence[Any] | None = None) -> State:
        """What the unknowns say, in the order of `unknowns`.

        `followed` are concentrations of the ions that follow from charge, where they are known
        already.
        """
        given = dict(zip(self.unknowns, u, strict=True))
        phi = {a.name: given["phi", a.name] for a in self.cell.compartments}
        volume = {
            a.name: _exp(given["w", a.name])
            if a.volume == "osmotic"
            else self.params[f"{a.name}.volume"]
            for a in self.cell.compartments
        }
        area = {m.name: self.area(m, volume) for m in self.cell.membranes}
        c = dict(self.bath_c)
        ln_c = {key: (lambda x=x: x) for key, x in self.bath_ln_c.items()}
        for a in self.cell.compartments:
            for s in self.cell.contents[a.name]:
                if ("c", a.name, s.name) in given:
                    x = given["c", a.name, s.name]
                    c[a.name, s.name] = _exp(x)
                    ln_c[a.name, s.name] = lambda x=x: x
        for position, (a, ion) in enumerate(self.followers):
            if followed is None:
                missing = self.missing_charge(a, c, phi, volume, area)
                x = missing / (ion.z * self.F * volume[a])
            else:
                x = followed[position]
            c[a, ion.name] = x
            ln_c[a, ion.name] = lambda x=x: jnp.log(x)
        return State(c, ln_c, phi, volume, area)

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
        return phi[m.inside.name] - phi.get(m.outside.name, 0.0)

    def sides(self, a: str) -> list[tuple[Membrane, int]]:
        """Membranes of a compartment, with +1 where it is their inside."""
        found = [(m, +1) for m in self.cell.membranes if m.inside.name == a]
        return found + [(m, -1) for m in self.cell.membranes if m.outside.name == a]

    def missing_charge(
        self, a: str, c: Mapping, phi: Mapping, volume: Mapping, area: Mapping
    ) -> Any:
        """Charge of the membranes of a compartment less that of its contents so far, fC."""
        stored: Any = 0.0
        for m, sign in self.sides(a):
            capacitance = self.params[f"{m.name}.C_m"] * area[m.name]
            stored = stored + sign * capacitance * self.voltage(m, phi)
        contents = self.params[f"{a}.z_X"] * self.params[f"{a}.X"]
        dissolved: Any = 0.0
        for s in self.cell.contents[a]:
            if (a, s.name) in c and s.z:
                dissolved = dissolved + s.z * c[a, s.name]
        return stored * (self.RT / self.F) - self.F * (contents + volume[a] * dissolved)

    def turnovers(self, state: State) -> dict[str, Any]:
        """Turnover of every reaction, amol/um^2/s."""
        flux = {}
        for m in self.cell.membranes:
            medium = self.medium(m, state)
            for t in m.transporters:
                rates = self.rates(t, medium)
                flux |= {leg.name: J for leg, J in zip(t.legs, rates, strict=True)}
        return flux

    def rates(self, t: Transporter, medium: Medium) -> list[Any]:
        """Turnover of each reaction of a transporter in a medium."""
        return t.turnovers(medium, {name: self.params[f"{t.name}.{name}"] for name, _ in t.params})

    def medium(self, m: Membrane, state: State, u: Any = None) -> Medium:
        """What the transporters of a membrane see, at its own or at another potential u (RT/F)."""

        def side(pool: Mapping, owner: str) -> dict[str, Any]:
            return {s: value for (at, s), value in pool.items() if at == owner}

        return Medium(
            inside=side(state.c, m.inside.name),
            outside=side(state.c, m.outside.name),
            ln_inside=side(state.ln_c, m.inside.name),
            ln_outside=side(state.ln_c, m.outside.name),
            u=self.voltage(m, state.phi) if u is None else u,
            RT=self.RT,
            F=self.F,
            bare={name: value for name, value in self.params.items() if "." not in name},
        )

    def osmolarity(self, a: str, state: State) -> Any:
        """Osmolarity of a compartment or bath, mM."""
        if a in self.bath_osmolarity:
            return self.bath_osmolarity[a]
        total = self.params[f"{a}.X"] / state.volume[a]
        for s in self.cell.contents[a]:
            total = total + state.c[a, s.name]
        return total

    def residual(self, u: Sequence[Any], followed: Sequence[Any] | None = None) -> list[Any]:
        """Rates of change dn/dt (amol/s) and dw/dt (um^3/s), and charges (fC), as in `rows`."""
        state = self.state(u, followed)
        totals: dict[Key, Any] = {}
        for key, term in (*self._flows(state), *self._water(state)):
            if key[1] in state.volume:
                totals[key] = totals[key] + term if key in totals else term
        for kind, a, *_ in self.rows:
            if kind == "q":
                totals[kind, a] = self.missing_charge(
                    a, state.c, state.phi, state.volume, state.area
                )
        return [totals[key] for key in self.rows]

    def _flows(self, state: State) -> Iterator[tuple[Key, Any]]:
        """What each reaction adds to the amount of each species on either side, amol/s."""
        flux = self.turnovers(state)
        for m in self.cell.membranes:
            for leg in (leg for t in m.transporters for leg in t.legs):
                turnover = state.area[m.name] * flux[leg.name]
                for s in leg.reaction.species:
                    for owner, side in ((m.inside.name, "i"), (m.outside.name, "o")):
                        change = leg.reaction.change(s, side)
                        if change:
                            yield ("n", owner, s.name), change * turnover

    def _water(self, state: State) -> Iterator[tuple[Key, Any]]:
        """What each membrane adds to the volume on either side, um^3/s."""
        for m in self.cell.membranes:
            if water_crosses(m):
                inside, outside = m.inside.name, m.outside.name
                excess = self.osmolarity(inside, state) - self.osmolarity(outside, state)
                flow = self.params[f"{m.name}.L_w"] * state.area[m.name] * excess
                yield ("w", inside), flow
                yield ("w", outside), -flow

    def jacobian(self, u: Sequence[Any]) -> tuple[list[Any], list[list[Any]], list[Any], Any]:
        """Residual, its exact Jacobian, and the followed ions with theirs.

        Differentiating with respect to one scalar leaves the zeros of the others symbolic, so
        that they cost nothing; a basis of ones and zeros would be multiplied out. The ions that
        follow from charge are differentiated once, and chained.
        """
        x = self.followed(u)
        x, slope = columns(self.followed, u) if self.followers else ([], [])
        value, direct = columns(lambda u: self.residual(u, x), u)
        if self.followers:
            _, through = columns(lambda x: self.residual(u, x), x)
            for row, via in zip(direct, through, strict=True):
                for d, sensitivity in enumerate(via):
                    for j in range(len(row)):
                        row[j] = row[j] + sensitivity * slope[d][j]
        return value, direct, x, slope


def unknown_keys(cell: Cell, carry_all: bool = False) -> list[Key]:
    """Keys of a cell's unknowns: ("c", compartment, species), ("phi", ...) and ("w", ...)."""
    followed = {} if carry_all else cell.dependent
    free = [
        ("c", a.name, s.name)
        for a in cell.compartments
        for s in cell.contents[a.name]
        if s != followed.get(a.name)
    ]
    potentials = [("phi", a.name) for a in cell.compartments]
    return free + potentials + [("w", a.name) for a in cell.compartments if a.volume == "osmotic"]
