"""Pumps as cycles of conformations, solved by sums over spanning trees.

A cycle of n states with rates f_j (state j to j + 1) and b_j (back) turns over at::

    v = (f_1 ... f_n - b_1 ... b_n) / (sum of the n^2 spanning trees)          1/s

and J = density v. Both cycles here are closed: one rate follows from detailed balance, so that
f_1 ... f_n / (b_1 ... b_n) = exp(-dG/RT) for any ATP, ADP, Pi and K_ATP. It is the rate at which
phosphate rebinds, which the published sets give for one pH and one degree of phosphate binding.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import jax.numpy as jnp

from ..params import Param
from ..site import Site, Values
from .law import Law


def turnover(forward: Sequence[Any], backward: Sequence[Any]) -> Any:
    """Cycles per time of a closed ring of states, by explicit sums over its spanning trees.

    All terms of a sum are positive, so that only the difference of the two products cancels, as
    the physics does: in float32 the result is one to two digits better than a linear solve.
    """
    n = len(forward)
    # Each step in units of its own pace: products of rates overflow float32.
    pause = [1.0 / (f + b) for f, b in zip(forward, backward, strict=True)]
    onward = [f * t for f, t in zip(forward, pause, strict=True)]
    back = [b * t for b, t in zip(backward, pause, strict=True)]
    duration: Any = 0.0
    for root in range(n):
        steps = [(root + j) % n for j in range(n)]
        tree, behind = pause[steps[0]], 1.0
        for before, step in pairwise(steps):
            behind = behind * back[before]
            tree = tree * onward[step] + behind * pause[step]
        duration = duration + tree
    ahead, behind = onward[0], back[0]
    for f, b in zip(onward[1:], back[1:], strict=True):
        ahead, behind = ahead * f, behind * b
    return (ahead - behind) / duration


def post_albers_4(s: Site, p: Values) -> Any:
    """Four-state Post-Albers cycle, ``density (f1 f2 f3 f4 - b1 b2 b3 b4) / trees``, closed.

    Forward rates ``f1 = k_1 n/D_i``, ``f2 = k_2``, ``f3 = k_3 (K_o/K_K_o)^2/D_o`` and
    ``f4 = k_4 A/(1 + A)``, backward ``b1 = r_1 ADP``, ``b2 = r_2 m/D_o``,
    ``b3 = r_3 H Pi/(1 + A)`` and ``b4 = r_4 (K_i/K_K_i)^2/D_i``, where ``A = ATP/K_A``; trees is
    the sum of all spanning trees.
    Bound Na is ``n = (Na_i/K_Na_i2)^2 Na_i/(K_Na_i1 exp(delta u))`` inside and
    ``m = (Na_o/K_Na_o2)^2 Na_o/(K_Na_o1 exp((1 + delta) u))`` outside; ``D_i = n +
    (1 + Na_i/K_Na_i2)^2 + (1 + K_i/K_K_i)^2 - 1``, D_o likewise with m.

    Published with ``b3 = r_3 Pi H / (1 + ATP/K_A)`` and phosphate that binds K, H and Na; here
    ``r_3 H`` is ``(K of the rates and sites) / K_ATP``, as K_ATP holds both pH and binding.
    """
    field = jnp.exp(p.delta * s.u)
    entered = (s.Na_i / p.K_Na_i2) ** 2 * s.Na_i / (p.K_Na_i1 * field)
    left = (s.Na_o / p.K_Na_o2) ** 2 * s.Na_o * s.medium.power(-1) / (p.K_Na_o1 * field)
    K_i, K_o, nucleotide = s.K_i / p.K_K_i, s.K_o / p.K_K_o, s.ATP / p.K_A
    inside = 1.0 / (entered + (1.0 + s.Na_i / p.K_Na_i2) ** 2 + (1.0 + K_i) ** 2 - 1.0)
    outside = 1.0 / (left + (1.0 + s.Na_o / p.K_Na_o2) ** 2 + (1.0 + K_o) ** 2 - 1.0)
    empty = 1.0 / (1.0 + nucleotide)
    sites = p.K_Na_o1 * (p.K_Na_o2 * p.K_K_i) ** 2
    sites = sites / (p.K_Na_i1 * (p.K_Na_i2 * p.K_K_o) ** 2 * p.K_A)
    rates = p.k_1 * p.k_2 * p.k_3 * p.k_4 / (p.r_1 * p.r_2 * p.r_4)
    forward = (
        p.k_1 * entered * inside,
        p.k_2,
        p.k_3 * K_o**2 * outside,
        p.k_4 * nucleotide * empty,
    )
    backward = (
        p.r_1 * s.ADP,
        p.r_2 * left * outside,
        rates * sites / s.K_ATP * s.Pi * empty,
        p.r_4 * K_i**2 * inside,
    )
    return p.density * turnover(forward, backward)


def post_albers_6(s: Site, p: Values) -> Any:
    """Six-state Post-Albers cycle, ``density (f1 ... f6 - b1 ... b6) / trees``, closed.

    Forward rates ``k_1 Na_i^3``, k_2, k_3, ``k_4 K_o^2``, ``k_5 ATP`` and k_6; backward r_1,
    ``r_2 ADP``, ``r_3 Na_o^3``, that of phosphate, r_5 and ``r_6 K_i^2``; trees is the sum of all
    spanning trees.

    Voltage acts as ``exp(u/2)`` and ``exp(-u/2)`` on the binding of ATP; phosphate rebinds at
    ``Pi k_1 ... k_6 / (r_1 r_2 r_3 r_5 r_6 K_ATP)``.
    """
    half = jnp.exp(0.5 * s.u)
    rates = p.k_1 * p.k_2 * p.k_3 * p.k_4 * p.k_5 * p.k_6
    rates = rates / (p.r_1 * p.r_2 * p.r_3 * p.r_5 * p.r_6)
    forward = (
        p.k_1 * s.Na_i**3,
        p.k_2,
        p.k_3,
        p.k_4 * s.K_o**2,
        p.k_5 * s.ATP * half,
        p.k_6,
    )
    backward = (
        p.r_1,
        p.r_2 * s.ADP,
        p.r_3 * s.Na_o**3,
        rates / s.K_ATP * s.Pi,
        p.r_5 / half,
        p.r_6 * s.K_i**2,
    )
    return p.density * turnover(forward, backward)


def _site(nominal: float, what: str) -> Param:
    return Param(nominal, "mM", what, "positive")


def _rate(nominal: float, unit: str, what: str) -> Param:
    return Param(nominal, unit, what, "positive")


POST_ALBERS_LAWS = {
    "post_albers_4": Law(
        post_albers_4,
        {
            # Ours: the flux of the cubic law at the rest of Duesterwald et al. (2018).
            "density": Param(0.0104, "amol/um^2", "Na/K pumps per area"),
            "k_1": _rate(1423.2, "1/s", "rate of occluding Na and releasing ADP"),
            "k_2": _rate(11565.0, "1/s", "rate of releasing Na outside"),
            "k_3": _rate(194.4506, "1/s", "rate of occluding K and releasing phosphate"),
            "k_4": _rate(30630.0, "1/s", "rate of releasing K inside with ATP bound"),
            "r_1": _rate(225.9048, "1/s/mM", "rate of rebinding ADP"),
            "r_2": _rate(36355.0, "1/s", "rate of rebinding Na outside"),
            "r_4": _rate(1.574e6, "1/s", "rate of rebinding K inside"),
            "K_Na_i1": _site(579.7295, "inside Na constant of the site in the field, at 0 mV"),
            "K_Na_i2": _site(5.6399, "inside Na constant of the other two sites"),
            "K_Na_o1": _site(0.0349, "outside Na constant of the site in the field, at 0 mV"),
            "K_Na_o2": _site(10617.0, "outside Na constant of the other two sites"),
            "K_K_i": _site(16795.0, "inside K constant"),
            "K_K_o": _site(1.0817, "outside K constant"),
            "K_A": _site(140.3709, "MgATP constant"),
            "delta": Param(-0.055, "1", "share of the field crossed from inside", "real"),
        },
        "Pan, Gawthrop, Cursons, Tran & Crampin 2020, Physiome, doi:10.36903/physiome.12871070 "
        "(Terkildsen et al. 2007, doi:10.1152/ajpheart.00771.2007, corrected); closure derived",
    ),
    "post_albers_6": Law(
        post_albers_6,
        {
            "density": Param(1.25e-3, "amol/um^2", "Na/K pumps per area"),
            "k_1": _rate(250.0, "1/s/mM^3", "rate of binding three Na inside"),
            "k_2": _rate(1e4, "1/s", "rate of releasing ADP"),
            "k_3": _rate(172.0, "1/s", "rate of releasing Na outside"),
            "k_4": _rate(15.0, "1/s/mM^2", "rate of binding two K outside, phosphate leaving"),
            "k_5": _rate(2e3, "1/s/mM", "rate of binding ATP"),
            "k_6": _rate(1.15e4, "1/s", "rate of releasing K inside"),
            "r_1": _rate(1e5, "1/s", "rate of releasing Na inside"),
            "r_2": _rate(100.0, "1/s/mM", "rate of rebinding ADP"),
            "r_3": _rate(1.72e-5, "1/s/mM^3", "rate of rebinding Na outside"),
            "r_5": _rate(30.0, "1/s", "rate of releasing ATP"),
            "r_6": _rate(600.0, "1/s/mM^2", "rate of rebinding K inside"),
        },
        "Chapman, Johnson & Kootsey 1983, J Membr Biol 74:139 (ModelDB 120692); closure derived",
    ),
}
