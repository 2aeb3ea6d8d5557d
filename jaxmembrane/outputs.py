"""What can be read off a cell's state: name, unit, meaning, dims and formula of each output."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp

from . import point
from .balance import Equations
from .cell import Cell
from .membrane import water_crosses
from .naming import UnknownName, unknown
from .site import Site
from .unknowns import State, row_keys


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
            t.name: point.current(t, [self.flux[leg.name] for leg in t.legs], self.eq.F)
            for t in self.cell.transporters
        }

    def reversal(self) -> list[Any]:
        """Potential where each transporter passes no current; NaN where it moves no charge."""
        found = []
        for m in self.cell.membranes:
            medium = self.eq.medium(m, self.state)
            for t in m.transporters:
                gates = self.state.gates.get(t.name, {})
                found.append(point.reversal(t, medium, self.eq.values(t), gates))
        return found

    def concentrations(self) -> list[Any]:
        nothing = jnp.full_like(self.eq.RT, jnp.nan)
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
                medium = self.eq.medium(m, self.state).at(u)
                total: Any = jnp.zeros_like(u)
                for t in m.transporters:
                    J = self.eq.rates(t, medium, self.state)
                    total = total + point.current(t, J, self.eq.F)
                return total

            u = self.eq.voltage(m, self.state.phi)
            _, tangent = jax.jvp(current, (u,), (jnp.ones_like(u),))
            found[m.name] = tangent * (self.eq.F / self.eq.RT)
        return found

    def turgor(self, membrane: str) -> Any:
        """Pressure of a membrane's wall, Pa; NaN without one."""
        m = next(m for m in self.cell.membranes if m.name == membrane)
        return self.eq.turgor(m, self.state) if m.wall else jnp.full_like(self.eq.RT, jnp.nan)

    def atp(self) -> list[Any]:
        total: Any = jnp.zeros_like(self.eq.RT)
        for m in self.cell.membranes:
            for leg in (leg for t in m.transporters for leg in t.legs):
                uses = dict(leg.reaction.energy).get("ATP", 0)
                if uses:
                    total = total + uses * self.state.area[m.name] * self.flux[leg.name]
        return [total]

    @cached_property
    def dissipation(self) -> list[Any]:
        """Free energy that each reaction turns into heat, fC mV/s."""
        return [
            -self.state.area[m.name] * self.flux[leg.name] * self.dG[leg.name]
            for m in self.cell.membranes
            for t in m.transporters
            for leg in t.legs
        ]

    @cached_property
    def heat(self) -> Any:
        """Free energy that reactions and water flows turn into heat, fC mV/s."""
        total = sum(self.dissipation)
        for m in self.cell.membranes:
            if water_crosses(m):
                force = self.eq.water_force(m, self.state)
                L_w = self.eq.params[f"{m.name}.L_w"]
                total = total + L_w * self.state.area[m.name] * self.eq.RT * force**2
        return total


@dataclass(frozen=True)
class Output:
    """One output: unit, meaning, dims, and its values in row-major order of those dims.

    `needs` says in words what a cell lacks for it, or nothing.
    """

    units: str
    long_name: str
    dims: tuple[str, ...]
    values: Callable[[Reading], Sequence[Any]]
    needs: Callable[[Cell], str] = lambda cell: ""


def _membranes(r: Reading, value: Callable[[str], Any]) -> list[Any]:
    return [value(m.name) for m in r.cell.membranes]


def _gates(cell: Cell) -> str:
    return "" if any(t.gates for t in cell.transporters) else "a transporter with gates"


def _walls(cell: Cell) -> str:
    return "" if any(m.wall for m in cell.membranes) else "a membrane with wall=True"


def _second_law(cell: Cell) -> str:
    blind = [t.name for t in cell.transporters if t.irreversible]
    if not blind:
        return ""
    return (
        f"laws that keep the second law, which that of {' and '.join(blind)}, irreversible as "
        "published, does not: choose another law="
    )


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
    "z_X": Output(
        "1",
        "mean charge of the impermeant",
        ("compartment",),
        lambda r: [r.state.z[a.name] for a in r.cell.compartments],
    ),
    "gate": Output(
        "1",
        "state of a gate",
        ("gate",),
        lambda r: [r.state.gates[t.name][g] for t in r.cell.transporters for g, _ in t.gates],
        _gates,
    ),
    "turgor": Output(
        "Pa",
        "pressure of the wall",
        ("membrane",),
        lambda r: _membranes(r, r.turgor),
        _walls,
    ),
    "dissipation": Output(
        "fC mV/s",
        "free energy that a reaction turns into heat",
        ("reaction",),
        lambda r: r.dissipation,
        _second_law,
    ),
    "heat": Output(
        "fC mV/s",
        "free energy that reactions and water turn into heat",
        (),
        lambda r: [r.heat],
        _second_law,
    ),
    "entropy_production": Output(
        "fC mV/s/K",
        "entropy production of reactions and water",
        (),
        lambda r: [r.heat / r.eq.params["T"]],
        _second_law,
    ),
}
"""Outputs of a state, by name."""

ENERGY_BUDGET = ("dissipation", "heat", "entropy_production")
"""Outputs that are computed on request: they need laws that keep the second law."""


def check_outputs(
    names: Iterable[str], known: Iterable[str], cell: Cell | None = None
) -> tuple[str, ...]:
    """Output names in order, each once.

    Raises
    ------
    UnknownName
        (a `KeyError`) for one that does not exist, with the nearest that does.
    ValueError
        For one that the cell cannot have, with what it lacks.
    """
    if isinstance(names, str):
        raise TypeError(f"outputs must be a sequence of names, as ['V', 'volume'], not {names!r}")
    for name in names:
        if name not in known:
            raise UnknownName(unknown("output", name, known))
        lacking = OUTPUTS[name].needs(cell) if cell and name in OUTPUTS else ""
        if lacking:
            raise ValueError(f"output {name!r} needs {lacking}")
    return tuple(dict.fromkeys(names))


def labels(cell: Cell) -> dict[str, tuple[str, ...]]:
    """Labels of each dim of a cell's outputs."""
    return {
        "species": cell.species,
        "reaction": tuple(leg.name for leg in cell.legs),
        "transporter": tuple(t.name for t in cell.transporters),
        "gate": tuple(f"{t.name}.{gate}" for t in cell.transporters for gate, _ in t.gates),
        "compartment": tuple(a.name for a in cell.compartments),
        "membrane": tuple(m.name for m in cell.membranes),
        "mode": tuple(str(i) for i in range(sum(row[0] not in "pq" for row in row_keys(cell)))),
    }


def shown_dims(cell: Cell, dims: Iterable[str]) -> tuple[str, ...]:
    """Dims of an output: a cell of one compartment or membrane does not show that dim."""
    size = labels(cell)
    return tuple(d for d in dims if d not in ("compartment", "membrane") or len(size[d]) > 1)
