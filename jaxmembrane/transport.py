"""Transporters: a reaction and a rate law; everything else is derived.

For a reaction with changes nu(s, side) per forward turnover, moving Q elementary charges inward,
at membrane potential V = V_i - V_o::

    dG = RT ln(products / reactants) + Q F V + dG_source        J/mol
    I  = -F Q J                                                 fA/um^2, outward positive
    V_rev = V - dG / (Q F)                                      mV, where Q is not 0

and J (amol/um^2/s), the turnover, is what the rate law returns.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax.numpy as jnp

from .naming import UnknownName, check_name, unknown
from .params import Param
from .reaction import ENERGY, Reaction
from .species import Species

RateLaw = Callable[["Site", "Values"], Any]

ENERGY_PARAMS = {
    "ATP": {
        "ATP": Param(5.0, "mM", "ATP concentration", "positive"),
        "ADP": Param(0.05, "mM", "ADP concentration", "positive"),
        "Pi": Param(2.0, "mM", "phosphate concentration", "positive"),
        # 2.396e5 M at 310 K: the constants of Chapman, Johnson & Kootsey 1983, J Membr Biol 74:139.
        "K_ATP": Param(2.396e8, "mM", "equilibrium constant of ATP hydrolysis", "positive"),
    }
}
"""Bare parameters that an energy source brings into a cell."""


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
    ``ATP``, ``ADP`` ..  mM        bare parameters
    ``reactants``        mM^n      product of the concentrations on the left of the reaction
    ``products``         mM^n      product of the concentrations on the right
    ``charge``           1         elementary charges moved inward per turnover (an int)
    ``bias``             1         dG/RT at equal products and reactants: voltage and energy
    ``drive``            1         tanh(-dG / 2RT), in (-1, 1), without a logarithm
    ``dG``               J/mol     free energy of the reaction as written
    ===================  ========  =======================================================
    """

    def __init__(self, reaction: Reaction, medium: Medium):
        self.reaction, self.medium = reaction, medium
        self.u, self.RT, self.F = medium.u, medium.RT, medium.F
        self.charge = reaction.charge

    def __getattr__(self, name: str) -> Any:
        species, _, side = name.rpartition("_")
        pool = {"i": self.medium.inside, "o": self.medium.outside}.get(side, {})
        if species in pool:
            return pool[species]
        if name in self.medium.bare:
            return self.medium.bare[name]
        if name.startswith("__"):
            raise AttributeError(name)
        there = [f"{s}_i" for s in self.medium.inside] + [f"{s}_o" for s in self.medium.outside]
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
        """exp(dG_source / RT): quotient over equilibrium constant of the energy sources."""
        result: Any = 1.0
        for source, uses in self.reaction.energy:
            quotient = 1.0 / self.medium.bare[f"K_{source}"]
            for name, change in ENERGY[source].items():
                quotient = quotient * self.medium.bare[name] ** change
            result = result * quotient**uses
        return result

    @cached_property
    def bias(self) -> Any:
        voltage = self.charge * self.u if self.charge else 0.0
        return voltage + (jnp.log(self.quotient_energy) if self.reaction.energy else 0.0)

    @cached_property
    def drive(self) -> Any:
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


@dataclass(frozen=True)
class Leg:
    """One reaction of a transporter and the law that drives it."""

    name: str
    reaction: Reaction
    rate: RateLaw


@dataclass(frozen=True, init=False)
class Transporter:
    """A transporter: one reaction (or several legs under one name) and a rate law.

    Charge, current, free energy, reversal potential and the share in every balance follow from the
    reaction; see the module's equations.

    Parameters
    ----------
    name : str
        Owner of the parameters, ``name.g``.
    reaction : str or mapping
        As in ``"Na_o + K_o + 2 Cl_o <-> Na_i + K_i + 2 Cl_i"``; a mapping from leg name to
        ``(reaction, rate)`` for a channel that passes several ions.
    rate : callable
        ``rate(s, p)`` gives the turnover in amol/um^2/s, positive as the reaction is written: `s`
        is a `Site`, `p` holds the transporter's own parameters. A module-level function or a
        frozen dataclass, so that two cells built alike are equal and compile once.
    params : mapping
        Name to `Param`.
    irreversible : bool
        Whether the law may turn against its own free energy, as many published pumps do.
    source : str
        Where law and constants come from.
    species : iterable of Species
        Species that the package does not know.

    Raises
    ------
    ValueError
        If the reaction cannot be read, makes or destroys matter, or a name is not valid.
    TypeError
        If the law is not callable or not hashable.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> def mass_action(s, p):
    ...     return p.k * (s.reactants - s.products)
    >>> nkcc1 = jm.Transporter(
    ...     "nkcc1",
    ...     "Na_o + K_o + 2 Cl_o <-> Na_i + K_i + 2 Cl_i",
    ...     mass_action,
    ...     {"k": jm.Param(1e-9, "amol/um^2/s/mM^4", "rate constant")},
    ... )
    >>> nkcc1.charge
    0
    """

    name: str
    legs: tuple[Leg, ...]
    params: tuple[tuple[str, Param], ...]
    irreversible: bool
    source: str = field(compare=False)

    def __init__(
        self,
        name: str,
        reaction: str | Mapping[str, tuple[str, RateLaw]],
        rate: RateLaw | None = None,
        params: Mapping[str, Param] | None = None,
        *,
        irreversible: bool = False,
        source: str = "",
        species: Iterable[Species] = (),
    ):
        check_name(name, "a transporter")
        several = isinstance(reaction, Mapping)
        pairs = dict(reaction) if several else {name: (reaction, rate)}
        legs = []
        for leg, (text, law) in pairs.items():
            if not callable(law):
                raise TypeError(
                    f"the rate law of {name} must be callable as rate(s, p), not {law!r}"
                )
            _check_hashable(name, law)
            title = f"{name}:{leg}" if len(pairs) > 1 else name
            legs.append(Leg(title, Reaction.parse(text, species), law))
        if not legs:
            raise ValueError(f"transporter {name} must have at least one reaction")
        for param, declared in (params or {}).items():
            check_name(param, f"a parameter of {name}")
            if not isinstance(declared, Param):
                raise TypeError(
                    f"parameter {param} of {name} must be jm.Param(nominal, unit), not {declared!r}"
                )
        fields = dict(
            name=name,
            legs=tuple(legs),
            params=tuple((params or {}).items()),
            irreversible=irreversible,
            source=source,
        )
        for key, value in fields.items():
            object.__setattr__(self, key, value)

    @property
    def charge(self) -> int | tuple[int, ...]:
        """Elementary charges moved inward per turnover; one for each leg if there are several."""
        charges = tuple(leg.reaction.charge for leg in self.legs)
        return charges[0] if len(charges) == 1 else charges

    @cached_property
    def declared(self) -> dict[str, Param]:
        """Parameters by name within the transporter."""
        return dict(self.params)

    def turnovers(self, medium: Medium, values: Mapping[str, Any]) -> list[Any]:
        """The turnover of each leg, amol/um^2/s."""
        p = Values(self.name, values)
        return [leg.rate(Site(leg.reaction, medium), p) for leg in self.legs]


def _check_hashable(name: str, law: RateLaw) -> None:
    try:
        hash(law)
    except TypeError:
        raise TypeError(
            f"the rate law of {name} must be hashable: a module-level function or frozen dataclass"
        ) from None
