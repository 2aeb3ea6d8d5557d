"""Laws that need only the reaction itself: constant field, ohmic, mass action."""

from typing import Any

import jax.numpy as jnp

from ..transport import Site, Values

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
    """Constant-field flux (Goldman-Hodgkin-Katz) of an elementary reaction.

    ``J = P [reactants B(b) - products B(-b)]`` with ``b = dG/RT`` at equal sides (``-z u`` for an
    ion that leaves) and B the Bernoulli function; plain diffusion where nothing is charged.
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
    """Mass action, ``J = k [reactants exp(-b/2) - products exp(b/2)]``, b as in `ghk`.

    Without charge and energy source b is zero, and ``J = k (reactants - products)``.
    """
    if not s.charge and not s.reaction.energy:
        return p.k * (s.reactants - s.products)
    half = 0.5 * s.bias
    return p.k * (s.reactants * jnp.exp(-half) - s.products * jnp.exp(half))
