"""Transporters: a reaction and a rate law; everything else is derived.

J (amol/um^2/s), the turnover, is what the rate law returns; free energy, current and reversal
potential follow from the reaction, see `site` and `point`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from . import point
from .naming import check_name
from .params import Param
from .point import Point
from .reaction import Reaction
from .regulation import Regulated, Regulation
from .site import EMPTY, SOURCES, Medium, RateLaw
from .species import Species


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
    gates : mapping
        Internal states, each with its own rate of change: name to ``rate(s, p)`` in 1/s, where
        ``s.<name>`` reads the gates. They join the unknowns; at rest they sit where their rates
        vanish.
    shared : mapping
        Bare parameters, as ``light``, that several transporters may read (``s.light``).
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
    gates: tuple[tuple[str, RateLaw], ...]
    shared: tuple[tuple[str, Param], ...]
    irreversible: bool
    source: str = field(compare=False)

    def __init__(
        self,
        name: str,
        reaction: str | Mapping[str, tuple[str, RateLaw]],
        rate: RateLaw | None = None,
        params: Mapping[str, Param] | None = None,
        *,
        gates: Mapping[str, RateLaw] | None = None,
        shared: Mapping[str, Param] | None = None,
        irreversible: bool = False,
        source: str = "",
        species: Iterable[Species] = (),
    ):
        check_name(name, "a transporter")
        several = isinstance(reaction, Mapping)
        pairs: dict[str, Any] = dict(reaction) if several else {name: (reaction, rate)}
        legs = []
        for leg, (text, law) in pairs.items():
            _check_law(f"the rate law of {name}", law)
            title = f"{name}:{leg}" if len(pairs) > 1 else name
            legs.append(Leg(title, Reaction.parse(text, species), law))
        if not legs:
            raise ValueError(f"transporter {name} must have at least one reaction")
        for gate, rate in (gates or {}).items():
            check_name(gate, f"a gate of {name}")
            _check_law(f"the rate of gate {gate} of {name}", rate)
        params, shared = dict(params or {}), dict(shared or {})
        for what, declared in (*params.items(), *shared.items()):
            check_name(what, f"a parameter of {name}")
            if not isinstance(declared, Param):
                raise TypeError(
                    f"parameter {what} of {name} must be jm.Param(nominal, unit), not {declared!r}"
                )
        fields = dict(
            name=name,
            legs=tuple(legs),
            params=tuple(params.items()),
            gates=tuple((gates or {}).items()),
            shared=tuple(shared.items()),
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

    @property
    def moves_charge(self) -> bool:
        """Whether any leg is electrogenic."""
        return any(leg.reaction.charge for leg in self.legs)

    @cached_property
    def bare(self) -> dict[str, Param]:
        """Bare parameters that it reads: its energy sources' and those that it shares."""
        found: dict[str, Param] = {}
        for leg in self.legs:
            for source, _ in leg.reaction.energy:
                found |= SOURCES[source].params
        return found | dict(self.shared)

    def regulated(self, *regulations: Regulation) -> "Transporter":
        """The same transporter with factors on its turnover, as a drug or a kinase puts there.

        Free energy, reversal potential and equilibrium stay where they are.

        Examples
        --------
        >>> import jaxmembrane as jm
        >>> blocked = jm.nkcc1().regulated(jm.inhibitor("bumetanide", K=1e-3))
        >>> [name for name, _ in blocked.params][-2:]
        ['bumetanide', 'K_bumetanide']
        """
        made = self
        for r in regulations:
            if not isinstance(r, Regulation):
                raise TypeError(f"{self.name} must be regulated by a jm.Regulation, not {r!r}")
            own = (("params", r.params), ("gates", r.gates), ("shared", r.shared))
            merged = {kind: (*getattr(made, kind), *extra.items()) for kind, extra in own}
            taken = [name for name, _ in (*made.params, *made.gates)]
            for name in (*r.params, *r.gates):
                if name in taken:
                    raise ValueError(f"{self.name} already has {name}: regulate it by it once")
            legs = tuple(replace(leg, rate=Regulated(leg.rate, r.factor)) for leg in made.legs)
            made = _with(
                made, legs=legs, source="; ".join(filter(None, (made.source, r.source))), **merged
            )
        return made

    def at(self, *, V: Any = 0.0, T: Any = 310.15, **given: Any) -> Point:
        """Turnover, free energy, current and reversal potential at a given state.

        Parameters
        ----------
        V, T : float or array
            Potential (mV), temperature (K).
        **given : float or array
            Concentrations in mM (``Na_i=12.0, Na_o=145.0``), gates, own and bare parameters
            (``j_max=1.0, ATP=5.0``). Gates rest and parameters are nominal unless given.

        Raises
        ------
        KeyError
            For a concentration that is missing, or a name that means nothing here.

        Examples
        --------
        >>> import jaxmembrane as jm
        >>> ncx = jm.ncx().at(V=-70.0, Na_i=12.0, Na_o=145.0, Ca_i=1e-4, Ca_o=1.2)
        >>> f"{ncx.reversal:.2f} mV, {1e-3 * ncx.dG:.3f} kJ/mol"
        '-51.24 mV, -1.810 kJ/mol'
        """
        return point.evaluate(self, V, T, given)

    def turnovers(
        self, medium: Medium, values: Mapping[str, Any], gates: Mapping[str, Any] = EMPTY
    ) -> list[Any]:
        """The turnover of each leg, amol/um^2/s."""
        return point.turnovers(self, medium, values, gates)


def _with(t: Transporter, **changes: Any) -> Transporter:
    """A transporter with some fields replaced; its own ones have been checked."""
    made = object.__new__(Transporter)
    for name in Transporter.__dataclass_fields__:
        object.__setattr__(made, name, changes.get(name, getattr(t, name)))
    return made


def _check_law(what: str, law: Any) -> None:
    if not callable(law):
        raise TypeError(f"{what} must be callable as rate(s, p), not {law!r}")
    try:
        hash(law)
    except TypeError:
        raise TypeError(
            f"{what} must be hashable: a module-level function or frozen dataclass"
        ) from None
