"""Carriers that several families share: sites that face one side or the other, never both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from ..site import Site, Values


@dataclass(frozen=True)
class Ordered:
    """Carrier with ordered sites, ``density (k_in e_out L_o - k_out e_in L_i) / trees`` inward.

    ``trees = B_o (k_out L_i + e_out) + B_i (k_in L_o + e_in)``, where L is the product of all
    c/K of a side and B = 1 + a + a b + a b c + ... their partial products. Binding is at
    equilibrium; the loaded carrier crosses at k_in and k_out, the empty one at e_in and e_out.
    Unless e_in is given, as published, ``e_in = k_in e_out / k_out`` by detailed balance. J is the
    reverse of this where the reaction is written outward.

    Parameters
    ----------
    outside, inside : tuple of str
        Species in the order in which they bind on either side.
    leaving : bool
        Whether the reaction is written outward.
    closed : bool
        Whether e_in follows from the other rates.
    """

    outside: tuple[str, ...]
    inside: tuple[str, ...]
    leaving: bool = False
    closed: bool = True

    def __call__(self, s: Site, p: Values) -> Any:
        affinity = {ion: 1.0 / p[f"K_{ion}"] for ion in dict.fromkeys(self.outside)}
        loaded_o, bound_o = _bound(s, affinity, self.outside, "o")
        loaded_i, bound_i = _bound(s, affinity, self.inside, "i")
        inward = p.k_in * p.e_out
        if self.closed:
            e_in, net = inward / p.k_out, inward * (loaded_o - loaded_i)
        else:
            e_in, net = p.e_in, inward * loaded_o - p.k_out * p.e_in * loaded_i
        trees = bound_o * (p.k_out * loaded_i + p.e_out) + bound_i * (p.k_in * loaded_o + e_in)
        return p.density * (-net if self.leaving else net) / trees


def _bound(
    s: Site, affinity: Mapping[str, Any], order: tuple[str, ...], side: str
) -> tuple[Any, Any]:
    """The fully loaded form and the sum of all forms, both relative to the empty one."""
    held = {ion: getattr(s, f"{ion}_{side}") * a for ion, a in affinity.items()}
    loaded: Any = 1.0
    total: Any = 1.0
    for ion in order:
        loaded = loaded * held[ion]
        total = total + loaded
    return loaded, total


@dataclass(frozen=True)
class RandomOrder:
    """Random binding, ``j_max (a x - b y) / (1 + a + x + a x + b + y + b y)``.

    ``a = (Na_o/K_Na)^n exp(-Q u/2)`` and ``x = (X_o/K_X)^m`` outside, ``b = (Na_i/K_Na)^n
    exp(Q u/2)`` and ``y = (X_i/K_X)^m`` inside, for n Na and m of the other species X, and Q
    charges moved inward.

    Parameters
    ----------
    sodium : int
        n, sodium ions per turnover.
    other : str
        X, the species that goes with them.
    count : int
        m, how many of it.
    """

    sodium: int
    other: str
    count: int

    def __call__(self, s: Site, p: Values) -> Any:
        K = p[f"K_{self.other}"]
        na_o, na_i = (s.Na_o / p.K_Na) ** self.sodium, (s.Na_i / p.K_Na) ** self.sodium
        x_o = (getattr(s, f"{self.other}_o") / K) ** self.count
        x_i = (getattr(s, f"{self.other}_i") / K) ** self.count
        if s.charge:
            field = jnp.exp(-0.5 * s.charge * s.u)
            na_o, na_i = na_o * field, na_i / field
        both_o, both_i = na_o * x_o, na_i * x_i
        sites = 1.0 + na_o + x_o + both_o + na_i + x_i + both_i
        return p.j_max * (both_o - both_i) / sites
