"""Laws that need only the reaction itself: constant field, ohmic, mass action; those of pores."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp

from ..params import Param
from ..site import RateLaw, Site, Values
from .law import Law

_SERIES = (
    1 / 12,
    -1 / 720,
    1 / 30240,
    -1 / 1209600,
    1 / 47900160,
    -691 / 1307674368000,
    1 / 74724249600,
    -3617 / 10670622842880000,
)
_CUT = 0.5


def bernoulli(x: Any) -> tuple[Any, Any]:
    """Bernoulli function ``B(x) = x / (exp(x) - 1)`` at x and at -x.

    Smooth through zero: relative error below 2e-15 in float64 for every x, and its first two
    derivatives are as good.
    """
    near = jnp.abs(x) < _CUT
    # Each branch gets an argument that is harmless to it: a NaN of the branch that is not taken
    # would come back through the derivative.
    small = jnp.where(near, x, 0.0)
    large = jnp.where(near, 1.0, jnp.abs(x))
    square = small * small
    even = 0.0
    for coefficient in reversed(_SERIES):
        even = even * square + coefficient
    middle = 1.0 + even * square
    decay = jnp.exp(-large)
    low = large * decay / (1.0 - decay)
    high = low + large
    rising = x > 0
    return (
        jnp.where(near, middle - 0.5 * small, jnp.where(rising, low, high)),
        jnp.where(near, middle + 0.5 * small, jnp.where(rising, high, low)),
    )


def ghk(s: Site, p: Values) -> Any:
    """Constant-field flux (Goldman-Hodgkin-Katz), ``P [reactants B(b) - products B(-b)]``.

    ``B(x) = x / (exp(x) - 1)`` and ``b = dG/RT`` at equal sides, ``-z u`` for an ion that leaves:
    the outward flux is ``P z u (c_i - c_o exp(-z u)) / (1 - exp(-z u))``. Plain diffusion where
    nothing is charged.
    """
    if not s.charge and not s.reaction.energy:
        return p.P * (s.reactants - s.products)
    if s.reaction.energy:
        forward, backward = bernoulli(s.bias)
    else:
        size = abs(s.charge)
        pair = s.medium.share(("bernoulli", size), lambda: bernoulli(size * s.u))
        forward, backward = pair if s.charge > 0 else pair[::-1]
    return p.P * (s.reactants * forward - s.products * backward)


def ohmic(s: Site, p: Values) -> Any:
    """Turnover proportional to the driving force: ``J = -g dG / (Q F)^2``, ``i = g (V - V_rev)``.

    For an electroneutral reaction Q counts as one, ``J = -g dG / F^2`` (the log law).
    """
    charge = max(abs(s.charge), 1)
    return -p.g * s.dG / (charge * s.F) ** 2


def mass_action(s: Site, p: Values) -> Any:
    """Mass action, ``J = k [reactants exp(-b/2) - products exp(b/2)]``, b = dG/RT at equal sides.

    Without charge and energy source b is zero, and ``J = k (reactants - products)``.
    """
    if not s.charge and not s.reaction.energy:
        return p.k * (s.reactants - s.products)
    half = 0.5 * s.bias
    return p.k * (s.reactants * jnp.exp(-half) - s.products * jnp.exp(half))


@dataclass(frozen=True)
class Share:
    """A rate law times some of the transporter's parameters."""

    law: RateLaw
    factors: tuple[str, ...]

    def __call__(self, s: Site, p: Values) -> Any:
        rate = self.law(s, p)
        for factor in self.factors:
            rate = p[factor] * rate
        return rate


_GHK_SOURCE = "Hodgkin & Katz 1949, J Physiol 108:37, doi:10.1113/jphysiol.1949.sp004310"
_OHMIC_SOURCE = "Duesterwald et al. 2018, eLife 7:e39575, doi:10.7554/eLife.39575"


def passive(what: str, P: float = 1e-3, g: float = 0.1, *, source: str = "") -> dict[str, Law]:
    """Constant field and ohmic law of a path of nominal permeability P and conductance g."""
    permeability = Param(P, "um/s", f"permeability of the {what}")
    conductance = Param(g, "pS/um^2", f"conductance of the {what}")
    return {
        "ghk": Law(ghk, {"P": permeability}, source or _GHK_SOURCE),
        "ohmic": Law(ohmic, {"g": conductance}, source or _OHMIC_SOURCE),
    }


def shared(law: Law, ions: Mapping[str, float], **common: Param) -> Law:
    """The law of one ion for several, with the share of each and what they have in common."""
    kind = "permeability" if "P" in law.params else "conductance"
    shares = {f"r_{ion}": Param(r, "1", f"relative {kind} to {ion}") for ion, r in ions.items()}
    return replace(law, params={**law.params, **shares, **common})


_CATION = passive(
    "cation channel", source=f"{_GHK_SOURCE}; selectivity derived from a reversal at -20 mV"
)
CATION_LAWS = {
    "ghk": shared(_CATION["ghk"], {"K": 1.0, "Na": 0.447}),
    "ohmic": shared(_CATION["ohmic"], {"K": 1.0, "Na": 0.866}),
}

# All receptors of a mature neuron: 10 S/m2, and the permeability that passes the same current.
_GABA = passive(
    "GABA-A receptors",
    P=0.15,
    g=10.0,
    source="Bormann, Hamill & Sakmann 1987, J Physiol 385:243, doi:10.1113/jphysiol.1987.sp016493; "
    "Kaila 1994, Prog Neurobiol 42:489, doi:10.1016/0301-0082(94)90049-3",
)
_OPEN = Param(1.0, "1", "open fraction", "fraction")
GABA_LAWS = {
    law: shared(_GABA[of_one], {"Cl": 1.0, "HCO3": 0.2}, open=_OPEN)
    for law, of_one in (("ghk", "ghk"), ("chord", "ohmic"))
}

_GRAMICIDIN = passive(
    "gramicidin pores",
    P=0.0,
    g=0.0,
    source="Am J Physiol 1996, 271:C524, doi:10.1152/ajpcell.1996.271.2.C524",
)
GRAMICIDIN_LAWS = {
    law: shared(of_one, {"K": 1.0, "Na": 0.65, "H": 1.0}) for law, of_one in _GRAMICIDIN.items()
}
