"""What a rate law sees: both sides of a membrane, and the thermodynamics of a reaction there.

For a reaction that moves Q elementary charges inward, at membrane potential V = V_i - V_o::

    dG = RT ln(products / reactants) + Q F V + dG_source        J/mol
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import jax.numpy as jnp

from .naming import UnknownName, unknown
from .params import Param
from .reaction import ENERGY, Reaction
from .species import Species

EMPTY: Mapping[str, Any] = MappingProxyType({})


class Values:
    """The parameters of one owner, read as attributes: ``p.g``, ``p.K_Na``."""

    def __init__(self, owner: str, values: Mapping[str, Any]):
        self._owner, self._values = owner, values

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._values:
            raise UnknownName(unknown(f"parameter of {self._owner}", name, self._values))
        return self._values[name]

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


@dataclass(frozen=True)
class Medium:
    """What surrounds a membrane: both sides, potential, temperature, energy sources.

    Concentrations (mM) and their logarithms are keyed by species name; `u` is F V / (R T).
    Computed once for a membrane and shared by its transporters.
    """

    inside: Mapping[str, Any]
    outside: Mapping[str, Any]
    ln_inside: Mapping[str, Callable[[], Any]]
    ln_outside: Mapping[str, Callable[[], Any]]
    u: Any
    RT: Any
    F: Any
    bare: Mapping[str, Any]
    _shared: dict = field(default_factory=dict, compare=False)

    def at(self, u: Any) -> "Medium":
        """The same surroundings at another potential, in RT/F."""
        return replace(self, u=u, _shared={})

    def share(self, key: object, make: Callable[[], Any]) -> Any:
        """A value that several laws need, traced once."""
        if key not in self._shared:
            self._shared[key] = make()
        return self._shared[key]

    def power(self, n: int) -> Any:
        """exp(n u) for an integer n, from one exponential for each sign."""
        if n == 0:
            return 1.0
        one = self.share(("exp", n > 0), lambda: jnp.exp(self.u if n > 0 else -self.u))
        return one ** abs(n)


class Site:
    """What a rate law sees: both sides of its membrane, and the thermodynamics of its reaction.

    ===================  ========  =======================================================
    attribute            unit      is
    ===================  ========  =======================================================
    ``Na_i``, ``K_o``    mM        concentration of a species on a side
    ``V``, ``u``         mV, 1     membrane potential; F V / (R T)
    ``T``, ``RT``, ``F`` K, J/mol, temperature, R T, Faraday constant
                         fC/amol
    ``ATP``, ``light``   mM, 1     bare parameters
    ``bound``            1         a gate of the transporter, by its name
    ``reactants``        mM^n      product of the concentrations on the left of the reaction
    ``products``         mM^n      product of the concentrations on the right
    ``charge``           1         elementary charges moved inward per turnover (an int)
    ``bias``             1         dG/RT at equal products and reactants: voltage and energy
    ``drive``            1         tanh(-dG / 2RT), in (-1, 1)
    ``dG``               J/mol     free energy of the reaction as written
    ===================  ========  =======================================================
    """

    def __init__(self, reaction: Reaction, medium: Medium, gates: Mapping[str, Any] = EMPTY):
        self.reaction, self.medium, self.gates = reaction, medium, gates
        self.u, self.RT, self.F = medium.u, medium.RT, medium.F
        self.charge = reaction.charge

    def __getattr__(self, name: str) -> Any:
        species, _, side = name.rpartition("_")
        pool = {"i": self.medium.inside, "o": self.medium.outside}.get(side, {})
        if species in pool:
            return pool[species]
        if name in self.gates:
            return self.gates[name]
        if name in self.medium.bare:
            return self.medium.bare[name]
        if name.startswith("__"):
            raise AttributeError(name)
        there = [f"{s}_i" for s in self.medium.inside] + [f"{s}_o" for s in self.medium.outside]
        there += [*self.gates, *self.medium.bare]
        raise UnknownName(
            unknown(f"quantity in the rate law of {self.reaction.text!r}:", name, there)
        )

    @cached_property
    def V(self) -> Any:
        return self.u * self.RT / self.F

    def _product(self, terms: Iterable[tuple[Species, str, int]]) -> Any:
        result: Any = 1.0
        for species, side, count in terms:
            pool = self.medium.inside if side == "i" else self.medium.outside
            result = result * pool[species.name] ** count
        return result

    @cached_property
    def reactants(self) -> Any:
        return self._product(self.reaction.reactants)

    @cached_property
    def products(self) -> Any:
        return self._product(self.reaction.products)

    @cached_property
    def quotient_energy(self) -> Any:
        """exp(dG_source / RT) of the energy sources, as quotient over equilibrium constant."""
        result: Any = 1.0
        for source, uses in self.reaction.energy:
            result = result * SOURCES[source].quotient(self) ** uses
        return result

    @cached_property
    def bias(self) -> Any:
        voltage = self.charge * self.u if self.charge else 0.0
        return voltage + (jnp.log(self.quotient_energy) if self.reaction.energy else 0.0)

    @cached_property
    def drive(self) -> Any:
        if abs(self.charge) > 1:  # exp(2 u) and its derivatives leave float32
            return jnp.tanh(-0.5 * self.dG / self.RT)
        backward = self.products * self.quotient_energy * self.medium.power(self.charge)
        return (self.reactants - backward) / (self.reactants + backward)

    @cached_property
    def dG(self) -> Any:
        total = self.bias
        for sign, terms in ((+1, self.reaction.products), (-1, self.reaction.reactants)):
            for species, side, count in terms:
                pool = self.medium.ln_inside if side == "i" else self.medium.ln_outside
                total = total + sign * count * pool[species.name]()
        return self.RT * total


RateLaw = Callable[[Site, Values], Any]
"""Turnover in amol/um^2/s (or the rate of a gate, or a factor) from a site and parameters."""


@dataclass(frozen=True)
class Source:
    """An energy source: its bare parameters, and exp(dG / RT) of one use of it."""

    params: Mapping[str, Param]
    quotient: Callable[[Site], Any]


def _hydrolysis(s: Site) -> Any:
    quotient = 1.0 / s.K_ATP
    for name, change in ENERGY["ATP"].items():
        quotient = quotient * s.medium.bare[name] ** change
    return quotient


SOURCES = {
    "ATP": Source(
        {
            "ATP": Param(5.0, "mM", "ATP concentration", "positive"),
            "ADP": Param(0.05, "mM", "ADP concentration", "positive"),
            "Pi": Param(2.0, "mM", "phosphate concentration", "positive"),
            # 2.396e5 M at 310 K: the constants of Chapman, Johnson & Kootsey 1983, J Membr Biol
            # 74:139.
            "K_ATP": Param(2.396e8, "mM", "equilibrium constant of ATP hydrolysis", "positive"),
        },
        _hydrolysis,
    ),
    "photon": Source(
        {
            "light": Param(1.0, "1", "light, relative to one at half saturation"),
            # F times 250 mV, the back-pressure that stops bacteriorhodopsin; the rest of a
            # photon's 218 kJ/mol (550 nm) is heat at once, whatever the pump does.
            "E_photon": Param(
                24121.33, "J/mol", "free energy that a photocycle can pass on", "positive"
            ),
        },
        lambda s: jnp.exp(-s.E_photon / s.RT),
    ),
    "redox": Source(
        {"E_redox": Param(190.0, "mV", "redox potential through which an electron falls", "real")},
        lambda s: jnp.exp(-s.E_redox * s.F / s.RT),
    ),
}
"""Energy sources by name: what a reaction may write without a side, see `reaction.ENERGY`."""
