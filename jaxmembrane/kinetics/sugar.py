"""Rate laws of the sodium-glucose cotransporter."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from ..params import Param
from ..site import Site, Values
from .carriers import RandomOrder
from .law import Law


@dataclass(frozen=True)
class SixState:
    """Six-state carrier, ``density (k_12 k_23 k_34 k_45 k_56 k_61 - k_21 ... k_16) / trees``.

    States 1 to 3 face outside: empty, with two Na (k_12 times Na_o^2), with glucose too (k_23
    times G_o); 4 to 6 the same inside, in reverse (k_54 times G_i, k_65 times Na_i^2). Sodium's
    binding outside, inside, and the empty carrier share the field: forward rates have
    ``exp(-alpha_o u)``, ``exp(-alpha_i u)`` and ``exp(-(1 - alpha_o - alpha_i) u)``, backward
    ones the reciprocals. Closed, k_54 and k_52 follow from detailed balance.

    A carrier that slips crosses with Na alone as well, 2 to 5 and back. The coupled leg then
    counts crossings with glucose: they can run against their free energy, paid by sodium.

    Parameters
    ----------
    closed : bool
        Whether k_54 and k_52 follow from the other rates.
    slips : bool
        Whether sodium crosses without glucose as well, at k_25 and k_52.
    leg : {"coupled", "slip"}
        Which crossing to count.
    """

    closed: bool = True
    slips: bool = False
    leg: str = "coupled"

    def __call__(self, s: Site, p: Values) -> Any:
        # exp(-u) of a turnover, in three shares, and their reciprocals without a division.
        bind_o, bind_i = jnp.exp(-p.alpha_o * s.u), jnp.exp(-p.alpha_i * s.u)
        down, up = s.medium.power(-1), s.medium.power(1)
        cross = down * jnp.exp((p.alpha_o + p.alpha_i) * s.u)
        na_o, na_i = s.Na_o**2, s.Na_i**2
        k_12, k_21 = p.k_12 * na_o * bind_o, p.k_21 * bind_i * cross * up
        k_56, k_65 = p.k_56 * bind_i, p.k_65 * na_i * bind_o * cross * up
        k_61, k_16 = p.k_61 * cross, p.k_16 * bind_o * bind_i * up
        loading, crossing = p.k_23 * p.k_34 * p.k_45, p.k_32 * p.k_43
        emptying = p.k_56 * p.k_61 * p.k_12
        r_54 = loading * emptying / (crossing * p.k_21 * p.k_65 * p.k_16) if self.closed else p.k_54
        k_23, k_54 = p.k_23 * s.Glucose_o, r_54 * s.Glucose_i
        # The two ways between states 2 and 5 without their middle states, in series.
        middle = 1.0 / (crossing + p.k_32 * p.k_45 + p.k_34 * p.k_45)
        empty = 1.0 / (k_61 * k_12 + k_65 * (k_12 + k_16))
        in_g, out_g = k_23 * p.k_34 * p.k_45 * middle, k_54 * crossing * middle
        out_e, in_e = k_56 * k_61 * k_12 * empty, k_21 * k_16 * k_65 * empty
        k_25: Any = 0.0
        k_52: Any = 0.0
        if self.slips:
            k_25 = p.k_25
            k_52 = k_25 * r_54 * crossing / loading if self.closed else p.k_52
        two, five = out_g + out_e + k_52, in_g + in_e + k_25
        carriers = two * (
            1.0 + k_23 * (p.k_34 + p.k_43 + p.k_45) * middle + k_21 * (k_16 + k_61 + k_65) * empty
        ) + five * (
            1.0 + k_54 * (p.k_32 + p.k_34 + p.k_43) * middle + k_56 * (k_12 + k_16 + k_61) * empty
        )
        if self.closed:
            # Differences of concentrations, so that equilibrium is an exact zero.
            glucose = k_52 * loading * middle * (s.Glucose_o - s.Glucose_i)
            sodium = k_25 * emptying * empty * (na_o * down - na_i * up)
            both = na_o * s.Glucose_o * down - na_i * s.Glucose_i * up
            coupled = loading * emptying * middle * empty * both
        else:
            glucose = in_g * k_52 - out_g * k_25
            sodium = out_e * k_25 - in_e * k_52
            coupled = in_g * out_e - out_g * in_e
        net = coupled + glucose if self.leg == "coupled" else sodium - glucose
        return p.density * net / carriers


def _six_state(density: float, rates: tuple[float, ...]) -> dict[str, Param]:
    """Rates 12, 21, 23, 32, 34, 43, 45, 56, 65, 61, 16 with M for concentrations, as published."""
    steps = {
        "k_12": (1e-6, "1/s/mM^2", "two Na bind outside"),
        "k_21": (1.0, "1/s", "two Na leave outside"),
        "k_23": (1e-3, "1/s/mM", "glucose binds outside"),
        "k_32": (1.0, "1/s", "glucose leaves outside"),
        "k_34": (1.0, "1/s", "loaded carrier, outside to inside"),
        "k_43": (1.0, "1/s", "loaded carrier, inside to outside"),
        "k_45": (1.0, "1/s", "glucose leaves inside"),
        "k_56": (1.0, "1/s", "two Na leave inside"),
        "k_65": (1e-6, "1/s/mM^2", "two Na bind inside"),
        "k_61": (1.0, "1/s", "empty carrier, inside to outside"),
        "k_16": (1.0, "1/s", "empty carrier, outside to inside"),
    }
    return {
        "density": Param(density, "amol/um^2", "SGLT1 carriers per area"),
        **{
            name: Param(rate * from_M, unit, what, "positive")
            for (name, (from_M, unit, what)), rate in zip(steps.items(), rates, strict=True)
        },
        "alpha_o": Param(0.3, "1", "share of the field in binding Na outside", "fraction"),
        "alpha_i": Param(0.0, "1", "share of the field in binding Na inside", "fraction"),
    }


_WRIGHT = _six_state(3e-3, (1.4e5, 300, 4.5e4, 20, 50, 50, 800, 5, 2250, 25, 600))
_PARENT = _six_state(3e-3, (8e4, 500, 1e5, 20, 50, 50, 800, 10, 50, 5, 35))
_WRIGHT_SOURCE = "Wright, Loo & Hirayama 2011, Physiol Rev 91:733, doi:10.1152/physrev.00055.2009"
_SLIP = "carrier with Na alone, outside to inside"

SGLT1_LAWS = {
    "simple": Law(
        RandomOrder(2, "Glucose", 1),
        {
            "j_max": Param(0.01, "amol/um^2/s", "largest turnover of SGLT1"),
            "K_Na": Param(30.0, "mM", "Na constant of SGLT1 at 0 mV", "positive"),
            "K_Glucose": Param(0.5, "mM", "glucose constant of SGLT1", "positive"),
        },
        "derived: random binding, half the field on either side; constants of the order of "
        + _WRIGHT_SOURCE,
    ),
    "six_state": Law(
        SixState(), _WRIGHT, _WRIGHT_SOURCE + "; k_54 and k_52 derived by detailed balance"
    ),
    "six_state_published": Law(
        SixState(closed=False),
        {
            **_WRIGHT,
            "k_54": Param(190.0, "1/s/mM", "glucose binds inside", "positive"),
        },
        _WRIGHT_SOURCE,
        irreversible=True,
    ),
    "parent": Law(
        SixState(),
        _PARENT,
        "Parent, Supplisson, Loo & Wright 1992, J Membr Biol 125:63; k_54 and k_52 derived by "
        "detailed balance",
    ),
}

SGLT1_SLIPS = {
    "six_state": {"k_25": Param(0.01, "1/s", _SLIP)},
    "six_state_published": {
        "k_25": Param(0.01, "1/s", _SLIP),
        "k_52": Param(5e-4, "1/s", "carrier with Na alone, inside to outside"),
    },
    "parent": {"k_25": Param(0.3, "1/s", _SLIP)},
}
"""Rates of the slip, for carriers that have one."""
