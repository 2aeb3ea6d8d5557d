"""What can be read off a cell's state: name, unit, meaning, dims and formula of each output."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp

from .balance import Equations, State, unknown_keys
from .cell import Cell
from .naming import UnknownName, unknown
from .transport import Site


class Reading:
    """A state with everything that outputs share: fluxes, media, free energies."""

    def __init__(self, eq: Equations, state: State):
        self.eq, self.state, self.cell = eq, state, eq.cell

    @cached_property
    def flux(self) -> dict[str, Any]:
        return self.eq.turnovers(self.state)

    @cached_property
    def V(self) -> dict[str, Any]:
        thermal = self.eq.RT / self.eq.F
        return {m.name: thermal * self.eq.voltage(m, self.state.phi) for m in self.cell.membranes}

    @cached_property
    def dG(self) -> dict[str, Any]:
        found = {}
        for m in self.cell.membranes:
            medium = self.eq.medium(m, self.state)
            for leg in (leg for t in m.transporters for leg in t.legs):
                found[leg.name] = Site(leg.reaction, medium).dG
        return found

    @cached_property
    def current(self) -> dict[str, Any]:
        return {
            t.name: sum(-self.eq.F * leg.reaction.charge * self.flux[leg.name] for leg in t.legs)
            for t in self.cell.transporters
        }

    def reversal(self) -> list[Any]:
        """Potential where a transporter's free energy vanishes; NaN for several or no charges."""
        found = []
        for m in self.cell.membranes:
            for t in m.transporters:
                charge = t.charge
                if isinstance(charge, int) and charge:
                    found.append(self.V[m.name] - self.dG[t.legs[0].name] / (charge * self.eq.F))
                else:
                    found.append(jnp.full_like(self.V[m.name], jnp.nan))
        return found

    def concentrations(self) -> list[Any]:
        nothing = jnp.full_like(self.state.phi[self.cell.compartments[0].name], jnp.nan)
        return [
            self.state.c.get((a.name, s), nothing)
            for a in self.cell.compartments
            for s in self.cell.species
        ]

    def nernst(self) -> list[Any]:
        found = []
        valence = {s.name: s.z for at in self.cell.contents.values() for s in at}
        for m in self.cell.membranes:
            for s in self.cell.species:
                inside = self.state.ln_c.get((m.inside.name, s))
                outside = self.state.ln_c.get((m.outside.name, s))
                if valence[s] and inside and outside:
                    found.append(self.eq.RT / (valence[s] * self.eq.F) * (outside() - inside()))
                else:
                    found.append(jnp.full_like(self.V[m.name], jnp.nan))
        return found

    def slope(self) -> dict[str, Any]:
        """dI/dV of each membrane at fixed composition, pS/um^2."""
        found = {}
        for m in self.cell.membranes:

            def current(u: Any, m: Any = m) -> Any:
                medium = self.eq.medium(m, self.state, u)
                total: Any = jnp.zeros_like(u)
                for t in m.transporters:
                    for leg, J in zip(t.legs, self.eq.rates(t, medium), strict=True):
                        total = total - self.eq.F * leg.reaction.charge * J
                return total

            u = self.eq.voltage(m, self.state.phi)
            _, tangent = jax.jvp(current, (u,), (jnp.ones_like(u),))
            found[m.name] = tangent * (self.eq.F / self.eq.RT)
        return found

    def atp(self) -> list[Any]:
        total: Any = jnp.zeros_like(self.state.phi[self.cell.compartments[0].name])
        for m in self.cell.membranes:
            for leg in (leg for t in m.transporters for leg in t.legs):
                uses = dict(leg.reaction.energy).get("ATP", 0)
                if uses:
                    total = total + uses * self.state.area[m.name] * self.flux[leg.name]
        return [total]


@dataclass(frozen=True)
class Output:
    """One output: unit, meaning, dims, and its values in row-major order of those dims."""

    units: str
    long_name: str
    dims: tuple[str, ...]
    values: Callable[[Reading], Sequence[Any]]


def _membranes(r: Reading, value: Callable[[str], Any]) -> list[Any]:
    return [value(m.name) for m in r.cell.membranes]


OUTPUTS: dict[str, Output] = {
    "V": Output("mV", "membrane potential", ("membrane",), lambda r: list(r.V.values())),
    "volume": Output(
        "um^3",
        "water volume",
        ("compartment",),
        lambda r: [r.state.volume[a.name] for a in r.cell.compartments],
    ),
    "c": Output("mM", "concentration", ("compartment", "species"), Reading.concentrations),
    "E": Output("mV", "Nernst potential", ("membrane", "species"), Reading.nernst),
    "flux": Output(
        "amol/um^2/s",
        "turnover of the reaction as written",
        ("reaction",),
        lambda r: list(r.flux.values()),
    ),
    "dG": Output(
        "J/mol",
        "free energy of the reaction as written",
        ("reaction",),
        lambda r: list(r.dG.values()),
    ),
    "current": Output(
        "fA/um^2", "outward current", ("transporter",), lambda r: list(r.current.values())
    ),
    "reversal": Output("mV", "reversal potential", ("transporter",), Reading.reversal),
    "osmolarity": Output(
        "mM",
        "osmolarity inside",
        ("compartment",),
        lambda r: [r.eq.osmolarity(a.name, r.state) for a in r.cell.compartments],
    ),
    "area": Output(
        "um^2", "membrane area", ("membrane",), lambda r: _membranes(r, r.state.area.__getitem__)
    ),
    "atp_rate": Output("amol/s", "ATP used by the cell", (), Reading.atp),
    "slope_conductance": Output(
        "pS/um^2",
        "slope conductance at fixed composition",
        ("membrane",),
        lambda r: list(r.slope().values()),
    ),
    "input_resistance": Output(
        "mV/fA",
        "input resistance",
        ("membrane",),
        lambda r: [1.0 / (g * r.state.area[name]) for name, g in r.slope().items()],
    ),
    "tau_m": Output(
        "s",
        "membrane time constant",
        ("membrane",),
        lambda r: [r.eq.params[f"{name}.C_m"] / g for name, g in r.slope().items()],
    ),
}
"""Outputs of a state, by name."""


def check_outputs(names: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """Output names in order, each once; an unknown one is refused with the nearest."""
    if isinstance(names, str):
        raise TypeError(f"outputs must be a sequence of names, as ['V', 'volume'], not {names!r}")
    for name in names:
        if name not in known:
            raise UnknownName(unknown("output", name, known))
    return tuple(dict.fromkeys(names))


def labels(cell: Cell) -> dict[str, tuple[str, ...]]:
    """Labels of each dim of a cell's outputs."""
    return {
        "species": cell.species,
        "reaction": tuple(leg.name for leg in cell.legs),
        "transporter": tuple(t.name for t in cell.transporters),
        "compartment": tuple(a.name for a in cell.compartments),
        "membrane": tuple(m.name for m in cell.membranes),
        "mode": tuple(str(i) for i in range(len(unknown_keys(cell)))),
    }


def shown_dims(cell: Cell, dims: Iterable[str]) -> tuple[str, ...]:
    """Dims of an output: a cell of one compartment or membrane does not show that dim."""
    size = labels(cell)
    return tuple(d for d in dims if d not in ("compartment", "membrane") or len(size[d]) > 1)
