"""Rate laws of pumps that ATP, light or electrons drive, other than the Na/K-ATPase."""

from math import log
from typing import Any

import jax.numpy as jnp
from jax.nn import log_sigmoid, sigmoid

from ..params import Param
from ..site import Site, Values
from .cycles import turnover
from .law import Law


def hill(s: Site, p: Values) -> Any:
    """Cooperative activation by Ca inside, ``j_max / (1 + (K_Ca/Ca_i)^n)``, at any free energy."""
    # As a sigmoid of the logarithm, no power can overflow.
    return p.j_max * sigmoid(p.n * jnp.log(s.Ca_i / p.K_Ca))


def hill_bounded(s: Site, p: Values) -> Any:
    """Hill, bounded by its own free energy: ``j_max / (1 + (K_Ca/Ca_i)^n) tanh(-dG/2RT)``."""
    return hill(s, p) * s.drive


def hill_reversible(s: Site, p: Values) -> Any:
    """Hill with its free energy, ``j_max / (1 + (K_Ca/Ca_i)^n) (1 - exp(dG/RT))``.

    It diverges where dG is far above zero: for a sweep that may go there take `hill_bounded`.
    """
    force = s.dG / s.RT
    downhill, uphill = jnp.minimum(force, 0.0), jnp.maximum(force, 0.0)
    # The larger direction is factored out beside the power: with next to no Ca it alone overflows.
    gross = jnp.exp(log_sigmoid(p.n * jnp.log(s.Ca_i / p.K_Ca)) + uphill)
    return p.j_max * gross * (jnp.expm1(-uphill) - jnp.expm1(downhill))


def two_state(s: Site, p: Values) -> Any:
    """Carrier of two states, ``density (k_out r_f - k_back r_b) / (k_out + k_back + r_f + r_b)``.

    For n protons: ``k_out = k_0 exp(n u/2)``, ``k_back = k_0 exp(-n u/2) exp(dG_ATP/RT)
    (H_o/H_ref)^n``, ``r_f = k_r (H_i/H_ref)^n``, ``r_b = k_r``: closed for any ATP and pH.
    """
    n = -s.charge
    half, reference = jnp.exp(0.5 * n * s.u), p.H_ref**n
    forward = (p.k_0 * half, p.k_r * (s.reactants / reference))
    backward = (p.k_0 / half * s.quotient_energy * (s.products / reference), p.k_r)
    return p.density * turnover(forward, backward)


def weinstein(s: Site, p: Values) -> Any:
    """Sigmoid of the proton's own potential, ``j_max / (1 + exp(xi (dmu - dmu_0)))``.

    ``dmu = RT ln(H_o/H_i) - F V``. It knows no ATP and never reverses.
    """
    dmu = s.RT * (_acidity(s) - s.u)
    return p.j_max * sigmoid(p.xi * (p.dmu_0 - dmu))


def _acidity(s: Site) -> Any:
    """ln(H_o/H_i): float32 cannot hold the square of a proton concentration next to zero."""
    return s.medium.ln_outside["H"]() - s.medium.ln_inside["H"]()


def _lit(s: Site, p: Values) -> Any:
    return p.j_max * s.light / (s.light + p.L_half)


def light_linear(s: Site, p: Values) -> Any:
    """Linear in the proton-motive force: ``j_max L/(L + L_half) (1 - dp/dp_max)``.

    L is the bare parameter ``light``, ``dp = (RT/F) ln(H_o/H_i) - V`` and ``dp_max = E_photon/F``,
    so that the bracket is ``-dG/E_photon``.
    """
    return _lit(s, p) * (-s.dG / s.E_photon)


def geibel(s: Site, p: Values) -> Any:
    """As measured, ``j_max L/(L + L_half) (1 - (slope dpH - V)/dp_max)``, dpH = pH_i - pH_o.

    A pH unit counts 34 mV and not 60, so that it stops at another pH than its free energy.
    """
    back = p.slope * (_acidity(s) / log(10.0)) - s.V
    return _lit(s, p) * (1.0 - back / p.dp_max)


def light_constant(s: Site, p: Values) -> Any:
    """Constant-current pump, ``j_max L/(L + L_half)``, against any proton-motive force."""
    return _lit(s, p)


def bounded(s: Site, p: Values) -> Any:
    """Flat far from equilibrium, ``j_max tanh(-dG/2RT)``."""
    # Not s.drive: float32 cannot hold the tenth power of a proton concentration.
    return p.j_max * jnp.tanh(-0.5 * s.dG / s.RT)


_FLUX = "amol/um^2/s"


def _calcium(K_Ca: float, n: float) -> dict[str, Param]:
    return {
        # 0.0673 A/F at 1 uF/cm^2 (Shannon et al. 2004), two charges for each Ca.
        "j_max": Param(3.4876e-3, _FLUX, "largest turnover of the Ca pump"),
        "K_Ca": Param(K_Ca, "mM", "inside Ca at half rate", "positive"),
        "n": Param(n, "1", "Hill exponent", "positive"),
    }


_SHANNON = "Shannon et al. 2004, Biophys J 87:3351, doi:10.1529/biophysj.104.047449"

PMCA_LAWS = {
    "hill_bounded": Law(hill_bounded, _calcium(5e-4, 1.6), f"{_SHANNON}; bound derived"),
    "hill_reversible": Law(hill_reversible, _calcium(5e-4, 1.6), f"{_SHANNON}; reversal derived"),
    "hill": Law(hill, _calcium(5e-4, 1.6), _SHANNON, irreversible=True),
    "red_cell": Law(
        hill,
        _calcium(2e-4, 4.0),
        "as in the red-cell model of Lew & Bookchin 1986, doi:10.1007/BF01869016; strength as in "
        + _SHANNON,
        irreversible=True,
    ),
}

H_ATPASE_LAWS = {
    "two_state": Law(
        two_state,
        {
            # All four are ours: published numbers could not be found.
            "density": Param(0.01, "amol/um^2", "H pumps per area"),
            "k_0": Param(100.0, "1/s", "rate of crossing the field, at 0 mV", "positive"),
            "k_r": Param(20.0, "1/s", "rate of return without a proton", "positive"),
            "H_ref": Param(1e-4, "mM", "H at which it returns at k_r", "positive"),
        },
        "form: Hansen, Gradmann, Sanders & Slayman 1981, J Membr Biol 63:165; closure and "
        "constants derived",
    ),
    "weinstein": Law(
        weinstein,
        {
            "j_max": Param(0.1, _FLUX, "largest turnover of the H pump"),
            "xi": Param(4e-4, "mol/J", "steepness"),
            "dmu_0": Param(2100.0, "J/mol", "proton potential at half rate", "real"),
        },
        "Strieter, Stephenson, Giebisch & Weinstein 1992, Am J Physiol 263:F1063; as in Weinstein "
        "2000, doi:10.1152/ajprenal.2000.279.1.F24",
        irreversible=True,
    ),
}

_LIGHT = {
    "j_max": Param(0.2, _FLUX, "turnover of the light pump in bright light"),
    "L_half": Param(1.0, "1", "light at half saturation", "positive"),
}

LIGHT_PUMP_LAWS = {
    "linear": Law(
        light_linear, _LIGHT, "linear flow-force relation with its own free energy, derived"
    ),
    "geibel": Law(
        geibel,
        {
            **_LIGHT,
            "slope": Param(34.0, "mV", "shift of the reversal potential for each pH unit"),
            "dp_max": Param(250.0, "mV", "proton-motive force that stops it", "positive"),
        },
        "Geibel et al. 2001, Biophys J 81:2059 (slope); form and dp_max derived",
        irreversible=True,
    ),
    "constant": Law(
        light_constant, _LIGHT, "current source in parallel to a leak, derived", irreversible=True
    ),
}

NADPH_OXIDASE_LAWS = {
    "bounded": Law(
        bounded,
        # 12 V/s at 1 uF/cm^2.
        {"j_max": Param(1.2437, _FLUX, "turnover of the NADPH oxidase, in electrons")},
        "DeCoursey, Morgan & Cherny 2003, Nature 422:531, doi:10.1038/nature01523; bound derived",
    ),
}

RESPIRATORY_CHAIN_LAWS = {
    "bounded": Law(
        bounded,
        {"j_max": Param(0.02, _FLUX, "turnover of the respiratory chain, in electron pairs")},
        "stoichiometry: Hinkle 2005, Biochim Biophys Acta 1706:1, "
        "doi:10.1016/j.bbabio.2004.09.004; bound and strength derived",
    ),
}
