"""Rate laws of exchangers of the cell membrane: Na/Ca, Na/H, Cl/HCO3."""

from typing import Any

import jax.numpy as jnp

from .. import constants
from ..params import Param
from ..regulation import Regulation
from ..site import Site, Values
from .law import Law
from .thermodynamic import mass_action


def _electrogenic(s: Site, p: Values, saturation: Any, sites: Any) -> Any:
    """exp((nu - 1) u) R - exp(nu u) P over sites and 1 + saturation exp((nu - 1) u)."""
    barrier = jnp.exp((1.0 - p.nu) * s.u)
    net = s.reactants - s.products * s.medium.power(1)
    return net / ((barrier + saturation) * sites)


def weber_shannon_bers(s: Site, p: Values) -> Any:
    """Ca-activated NCX, ``j_max A (e R - e exp(u) P) / [(1 + k_sat e) D]``, e = exp((nu - 1) u).

    R = Na_o^3 Ca_i, P = Na_i^3 Ca_o, and ``A = 1 / (1 + (K_act/Ca_i)^h)``;
    ``D = K_Ca_i Na_o^3 (1 + (Na_i/K_Na_i)^3) + K_Na_o^3 Ca_i + K_Na_i^3 Ca_o (1 + Ca_i/K_Ca_i)
    + K_Ca_o Na_i^3 + Na_i^3 Ca_o + Na_o^3 Ca_i``.
    """
    na_i, na_o = (s.Na_i / p.K_Na_i) ** 3, (s.Na_o / p.K_Na_o) ** 3
    ca_i, ca_o = s.Ca_i / p.K_Ca_i, s.Ca_o / p.K_Ca_o
    outer, inner = p.K_Na_o**3 * p.K_Ca_i, p.K_Na_i**3 * p.K_Ca_o
    bound_i = 1.0 + na_i + ca_i
    sites = outer * (na_o * bound_i + ca_i) + inner * (ca_o * bound_i + na_i)
    bound = (s.Ca_i / p.K_act) ** p.h
    return p.j_max * bound / (1.0 + bound) * _electrogenic(s, p, p.k_sat, sites)


def luo_rudy(s: Site, p: Values) -> Any:
    """NCX that saturates outside, ``j_max (e R - e exp(u) P) / [(1 + k_sat e) D]``.

    e, R and P as in `weber_shannon_bers`, ``D = (K_Na^3 + Na_o^3) (K_Ca + Ca_o)``.
    """
    sites = (p.K_Na**3 + s.Na_o**3) * (p.K_Ca + s.Ca_o)
    return p.j_max * _electrogenic(s, p, p.k_sat, sites)


def difrancesco_noble(s: Site, p: Values) -> Any:
    """NCX in one term, ``k (e R - e exp(u) P) / (1 + d (R + P))``.

    e, R and P as in `weber_shannon_bers`; without the factor 1/(1 + Ca_i/0.0069 mM) of the paper.
    """
    return p.k * _electrogenic(s, p, 0.0, 1.0 + p.d * (s.reactants + s.products))


def _inactivation(s: Site, p: Values) -> tuple[Any, Any, Any, Any]:
    """Rates into I1 and out, into I2 and out (1/s), of an exchanger that is not inactivated."""
    na_i, na_o = (s.Na_i / p.K_E1_Na) ** 3, (s.Na_o / p.K_E2_Na) ** 3
    ca_i, ca_o = s.Ca_i / p.K_E1_Ca, s.Ca_o / p.K_E2_Ca
    inside, outside = 1.0 / (1.0 + na_i + ca_i), 1.0 / (1.0 + na_o + ca_o)
    # Sodium crosses at exp(delta u) and exp((delta - 1) u), calcium at 1, relative to each other.
    barrier = jnp.exp(p.delta * s.u)
    outward = (na_i * barrier + ca_i) * inside
    inward = (na_o * barrier * s.medium.power(-1) + ca_o) * outside
    facing_in = inward / (inward + outward)
    regulated = s.Ca_i / (s.Ca_i + p.K_regulatory)

    def rate(what: str) -> Any:
        return p[what] + regulated * (p[f"{what}_Ca"] - p[what])

    return (
        rate("to_I1") * facing_in * na_i * inside,
        rate("from_I1"),
        rate("to_I2") * facing_in,
        rate("from_I2"),
    )


def active_rate(s: Site, p: Values) -> Any:
    """Active exchangers, ``from_I1 I1 + from_I2 (1 - active - I1) - (to_I1 + to_I2) active``."""
    to_I1, from_I1, to_I2, from_I2 = _inactivation(s, p)
    asleep = 1.0 - s.active - s.I1
    return from_I1 * s.I1 + from_I2 * asleep - (to_I1 + to_I2) * s.active


def I1_rate(s: Site, p: Values) -> Any:
    """Exchangers in I1, ``to_I1 active - from_I1 I1``."""
    to_I1, from_I1, _, _ = _inactivation(s, p)
    return to_I1 * s.active - from_I1 * s.I1


def active(s: Site, p: Values) -> Any:
    """Share of exchangers that work, ``active``."""
    del p
    return s.active


def weinstein_nhe(s: Site, p: Values) -> Any:
    """NHE activated by inside H, ``density m k_Na k_H (a B - A b) / trees``.

    a and b are Na/K_Na and H/K_H outside, A and B inside; ``m = m_max H_i/(H_i + K_m)`` and
    ``trees = (1 + a + b)(k_Na A + k_H B) + (1 + A + B)(k_Na a + k_H b)``.
    """
    na_o, na_i, h_o, h_i = s.Na_o / p.K_Na, s.Na_i / p.K_Na, s.H_o / p.K_H, s.H_i / p.K_H
    inward, outward = p.k_Na * na_o + p.k_H * h_o, p.k_Na * na_i + p.k_H * h_i
    trees = (1.0 + na_o + h_o) * outward + (1.0 + na_i + h_i) * inward
    modified = p.m_max * s.H_i / (s.H_i + p.K_m)
    return p.density * modified * p.k_Na * p.k_H * (na_o * h_i - na_i * h_o) / trees


def weinstein_ae(s: Site, p: Values) -> Any:
    """AE1, ``density k_Cl_in k_HCO3_out (c B - C b) / trees``.

    c and b are Cl/K_Cl and HCO3/K_HCO3 outside, C and B inside; ``trees = (1 + c + b)(k_Cl_out C
    + k_HCO3_out B) + (1 + C + B)(k_Cl_in c + k_HCO3_in b)``. Closed,
    ``k_Cl_out = k_Cl_in k_HCO3_out / k_HCO3_in``.
    """
    cl_o, cl_i = s.Cl_o / p.K_Cl, s.Cl_i / p.K_Cl
    b_o, b_i = s.HCO3_o / p.K_HCO3, s.HCO3_i / p.K_HCO3
    both = p.k_Cl_in * p.k_HCO3_out
    inward = p.k_Cl_in * cl_o + p.k_HCO3_in * b_o
    outward = both / p.k_HCO3_in * cl_i + p.k_HCO3_out * b_i
    trees = (1.0 + cl_o + b_o) * outward + (1.0 + cl_i + b_i) * inward
    return p.density * both * (cl_o * b_i - cl_i * b_o) / trees


def weinstein_ae_published(s: Site, p: Values) -> Any:
    """AE1 as printed, ``density (k_Cl_in k_HCO3_out c B - k_Cl_out k_HCO3_in C b) / trees``.

    Symbols as in `weinstein`. Irreversible by a trifle: the four rates miss detailed balance by
    0.26 %, or 0.07 mV.
    """
    cl_o, cl_i = s.Cl_o / p.K_Cl, s.Cl_i / p.K_Cl
    b_o, b_i = s.HCO3_o / p.K_HCO3, s.HCO3_i / p.K_HCO3
    cl_in, cl_out = p.k_Cl_in * cl_o, p.k_Cl_out * cl_i
    b_in, b_out = p.k_HCO3_in * b_o, p.k_HCO3_out * b_i
    trees = (1.0 + cl_o + b_o) * (cl_out + b_out) + (1.0 + cl_i + b_i) * (cl_in + b_in)
    return p.density * (cl_in * b_out - cl_out * b_in) / trees


_FLUX = "amol/um^2/s"
# A/F of a membrane of 0.01 pF/um^2 (1 uF/cm^2), for one charge per turnover: 10 fA/um^2 over F.
_PER_A_F = 10.0 / constants.F


def _site(nominal: float, what: str) -> Param:
    return Param(nominal, "mM", what, "positive")


def _barrier(nominal: float) -> Param:
    return Param(nominal, "1", "place of the barrier in the field, from outside", "fraction")


def _j_max(A_F: float) -> Param:
    return Param(A_F * _PER_A_F, _FLUX, "largest turnover of NCX")


_SATURATION = "saturation of NCX at negative potentials"

NCX_LAWS = {
    "weber_shannon_bers": Law(
        weber_shannon_bers,
        {
            "j_max": _j_max(9.0),
            "K_Na_i": _site(12.29, "inside Na constant of NCX"),
            "K_Na_o": _site(87.5, "outside Na constant of NCX"),
            "K_Ca_i": _site(3.59e-3, "inside Ca constant of NCX"),
            "K_Ca_o": _site(1.3, "outside Ca constant of NCX"),
            "k_sat": Param(0.27, "1", _SATURATION),
            "nu": _barrier(0.35),
            "K_act": _site(2.56e-4, "regulatory inside Ca at half activity of NCX"),
            "h": Param(2.0, "1", "Hill coefficient of regulatory Ca", "positive"),
        },
        "Weber, Ginsburg, Philipson, Shannon & Bers 2001, J Gen Physiol 117:119, "
        "doi:10.1085/jgp.117.2.119; Shannon et al. 2004, Biophys J 87:3351, "
        "doi:10.1529/biophysj.104.047449",
    ),
    "luo_rudy": Law(
        luo_rudy,
        {
            "j_max": _j_max(2000.0),
            "K_Na": _site(87.5, "outside Na constant of NCX"),
            "K_Ca": _site(1.38, "outside Ca constant of NCX"),
            "k_sat": Param(0.1, "1", _SATURATION),
            "nu": _barrier(0.35),
        },
        "Luo & Rudy 1994, Circ Res 74:1071, doi:10.1161/01.RES.74.6.1071",
    ),
    "difrancesco_noble": Law(
        difrancesco_noble,
        {
            # 0.02 nA in a fibre of 75 nF.
            "k": Param(0.02 / 75.0 * _PER_A_F, "amol/um^2/s/mM^4", "NCX rate constant"),
            "d": Param(1e-3, "1/mM^4", "saturation of NCX by its ions"),
            "nu": _barrier(0.5),
        },
        "DiFrancesco & Noble 1985, Phil Trans R Soc B 307:353, doi:10.1098/rstb.1985.0001",
    ),
}


def _rate(per_ms: float, what: str) -> Param:
    return Param(1e3 * per_ms, "1/s", what, "positive")


NCX_INACTIVATION = Regulation(
    active,
    {
        "to_I1": _rate(0.0015, "NCX with Na bound into I1, without regulatory Ca"),
        "to_I1_Ca": _rate(0.002, "NCX with Na bound into I1, with regulatory Ca"),
        "from_I1": _rate(5e-7, "NCX out of I1, without regulatory Ca"),
        "from_I1_Ca": _rate(0.0012, "NCX out of I1, with regulatory Ca"),
        "to_I2": _rate(0.01, "NCX facing inside into I2, without regulatory Ca"),
        "to_I2_Ca": _rate(3e-5, "NCX facing inside into I2, with regulatory Ca"),
        "from_I2": _rate(1e-4, "NCX out of I2, without regulatory Ca"),
        "from_I2_Ca": _rate(0.09, "NCX out of I2, with regulatory Ca"),
        "K_regulatory": _site(4e-3, "regulatory Ca at half occupancy"),
        # (K_E1_Na / K_E2_Na)^3 = K_E1_Ca / K_E2_Ca to 6e-7.
        "K_E1_Na": _site(20.74854, "Na constant of NCX facing inside"),
        "K_E1_Ca": _site(0.0184, "Ca constant of NCX facing inside"),
        "K_E2_Na": _site(87.5, "Na constant of NCX facing outside"),
        "K_E2_Ca": _site(1.38, "Ca constant of NCX facing outside"),
        "delta": Param(0.32, "1", "place of sodium's barrier in the field", "fraction"),
    },
    gates={"active": active_rate, "I1": I1_rate},
    source="slow states: Kyoto model, Takeuchi et al. 2006, J Gen Physiol 128:495, "
    "doi:10.1085/jgp.200609646",
)

NHE_LAWS = {
    "weinstein": Law(
        weinstein_nhe,
        {
            "density": Param(1e-4, "amol/um^2", "NHE carriers per area"),
            "k_Na": Param(8000.0, "1/s", "carrier with Na, either way", "positive"),
            "k_H": Param(2400.0, "1/s", "carrier with H, either way", "positive"),
            "K_Na": _site(30.0, "Na constant of NHE"),
            "K_H": _site(7.2e-5, "H constant of NHE"),
            "m_max": Param(2.0, "1", "activation of NHE by ample inside H"),
            "K_m": _site(1e-3, "inside H at half activation of NHE"),
        },
        "Weinstein 1995, J Gen Physiol 105:617, doi:10.1085/jgp.105.5.617, without ammonium",
    ),
    "mass_action": Law(
        mass_action,
        {"k": Param(1.0, "um/s/mM", "NHE rate constant")},
        "derived: law of mass action",
    ),
}

_AE = {
    "density": Param(1e-3, "amol/um^2", "AE carriers per area"),
    "k_Cl_in": Param(562.0, "1/s", "carrier with Cl, outside to inside", "positive"),
    "k_HCO3_in": Param(1247.0, "1/s", "carrier with HCO3, outside to inside", "positive"),
    "k_HCO3_out": Param(135.0, "1/s", "carrier with HCO3, inside to outside", "positive"),
    "K_Cl": _site(50.0, "Cl constant of AE"),
    "K_HCO3": _site(198.0, "HCO3 constant of AE"),
}
_AE_SOURCE = (
    "Weinstein 2000, Am J Physiol Renal 279:F24, doi:10.1152/ajprenal.2000.279.1.F24, "
    "without its inhibition by inside HCO3"
)

AE_LAWS = {
    "weinstein": Law(weinstein_ae, _AE, _AE_SOURCE + "; k_Cl_out derived by detailed balance"),
    "weinstein_published": Law(
        weinstein_ae_published,
        {**_AE, "k_Cl_out": Param(61.0, "1/s", "carrier with Cl, inside to outside", "positive")},
        _AE_SOURCE,
        irreversible=True,
    ),
    "mass_action": Law(
        mass_action,
        {"k": Param(5e-6, "amol/um^2/s/mM^2", "AE rate constant")},
        "derived: law of mass action",
    ),
}

ANTIPORTER_LAWS = {
    "mass_action": Law(
        mass_action,
        {"k": Param(1.0, "um/s/mM", "antiporter rate constant")},
        "derived: the antiporter of Sojo, Pomiankowski & Lane 2014, PLoS Biol 12:e1001926, "
        "doi:10.1371/journal.pbio.1001926, as mass action",
    ),
}
