"""Rate laws of cotransporters of cations with chloride and with bicarbonate."""

from collections.abc import Mapping
from typing import Any

import jax

from ..params import Param
from ..site import Site, Values
from .carriers import Ordered, RandomOrder
from .law import Law
from .thermodynamic import mass_action, ohmic


def saturating_kcc(s: Site, p: Values) -> Any:
    """Saturating KCC, ``j_max (S_i - S_o) / sum over sides of (1 + S)(1 + K/K_K)(1 + Cl/K_Cl)``.

    S = K Cl / (K_K K_Cl) on each side; exactly zero where ``K_i Cl_i = K_o Cl_o``.
    """

    def side(k: Any, cl: Any) -> tuple[Any, Any]:
        k, cl = k / p.K_K, cl / p.K_Cl
        return k * cl, (1.0 + k * cl) * (1.0 + k) * (1.0 + cl)

    inside, bound_inside = side(s.K_i, s.Cl_i)
    outside, bound_outside = side(s.K_o, s.Cl_o)
    return p.j_max * (inside - outside) / (bound_inside + bound_outside)


def palk(s: Site, p: Values) -> Any:
    """Reduced NKCC1 cycle, ``j_max (y - x) / (K + x)``.

    y and x are ``Na K Cl^2`` outside and inside; exactly zero at equilibrium for any bath.
    """
    return p.j_max * (s.reactants - s.products) / (p.K + s.products)


def palk_published(s: Site, p: Values) -> Any:
    """Reduced NKCC1 cycle with a frozen bath, ``j_max (y - x) / (K + x)``.

    y is a parameter, x = ``Na K Cl^2`` inside. Irreversible: it turns at x = y in any bath.
    """
    return p.j_max * (p.y - s.products) / (p.K + s.products)


def wei(s: Site, p: Values) -> Any:
    """Gated log law, ``-g dG/F^2 / (1 + exp((K_half - K_o)/K_width))``: shut at resting K_o."""
    return ohmic(s, p) * jax.nn.sigmoid((s.K_o - p.K_half) / p.K_width)


_FLUX = "amol/um^2/s"
_NKCC_OUTSIDE, _NKCC_INSIDE = ("Na", "Cl", "K", "Cl"), ("Cl", "K", "Cl", "Na")
_KCC_OUTSIDE, _KCC_INSIDE = ("K", "Cl"), ("Cl", "K")


def _carrier(
    what: str, density: float, rates: tuple[float, float, float], **K: float
) -> dict[str, Param]:
    """Parameters of an ordered carrier: k_in, k_out, e_out (1/s), dissociation constants (mM)."""
    k_in, k_out, e_out = rates
    return {
        "density": Param(density, "amol/um^2", f"{what} carriers per area"),
        "k_in": Param(k_in, "1/s", f"loaded {what}, outside to inside", "positive"),
        "k_out": Param(k_out, "1/s", f"loaded {what}, inside to outside", "positive"),
        "e_out": Param(e_out, "1/s", f"empty {what}, inside to outside", "positive"),
    } | {f"K_{ion}": Param(K[ion], "mM", f"{ion} constant of {what}", "positive") for ion in K}


def _published(closed: Mapping[str, Param], what: str, e_in: float) -> dict[str, Param]:
    """The same parameters with the published rate of the empty carrier's way in."""
    return {**closed, "e_in": Param(e_in, "1/s", f"empty {what}, outside to inside", "positive")}


_LOG_SOURCE = (
    "log law: Doyon et al. 2011, doi:10.1371/journal.pcbi.1002149; "
    "Duesterwald et al. 2018, doi:10.7554/eLife.39575"
)

# Association constants 0.08445, 0.05735, 0.00116 mM^-1, rates per ms in the paper. The density is
# ours: the flux of the log law, 0.016 amol/um^2/s, in an immature neuron with 40 mM Cl.
_TERASHIMA = _carrier(
    "NKCC1", 4.5e-4, (3065.0, 1456.0, 37767.0), Na=1 / 0.08445, K=1 / 0.00116, Cl=1 / 0.05735
)
_TERASHIMA_SOURCE = "Terashima et al. 2006, Phil Trans R Soc A 364:1245, doi:10.1098/rsta.2006.1767"

_NKCC2F = _carrier("NKCC2 F", 2.2e-4, (1e4, 1.098e3, 3.928e4), Na=58.93, K=9.149, Cl=13.12)
_NKCC2F_SOURCE = (
    "NKCC2 F: Marcano et al. 2009, Am J Physiol Renal 296:F369, doi:10.1152/ajprenal.00096.2008; "
    "constants as in the nephron model of Marcano, Layton & Layton 2010, without ammonium"
)

# Ours: the flux of the log law at the rest of Duesterwald et al. (2018).
_KCC4 = _carrier("KCC4", 1e-4, (1e4, 1.098e3, 3.928e4), K=1.45, Cl=21.08)
_KCC4_SOURCE = "KCC4 of the nephron model of Marcano, Layton & Layton 2010, without ammonium; "

_PALK = {
    "j_max": Param(0.01, _FLUX, "turnover of NKCC1 run fully in reverse"),
    # a3 / a4 = 1.0306 / 1.3852e-6 mM^-4 of the paper.
    "K": Param(1.0306 / 1.3852e-6, "mM^4", "inside product at half rate", "positive"),
}
_PALK_SOURCE = "Palk et al. 2010, J Theor Biol 266:625, doi:10.1016/j.jtbi.2010.06.027"

_NKCC1_LOG = {"g": Param(0.0664214465, "pS/um^2", "NKCC1 conductance")}

KCC2_LAWS = {
    "saturating": Law(
        saturating_kcc,
        {
            "j_max": Param(3.5, _FLUX, "largest turnover of KCC2"),
            "K_K": Param(9.0, "mM", "K constant of KCC2", "positive"),
            "K_Cl": Param(6.0, "mM", "Cl constant of KCC2", "positive"),
        },
        "Staley & Proctor 1999, J Physiol 519:693, doi:10.1111/j.1469-7793.1999.0693n.x; "
        "as in Duesterwald et al. 2018, doi:10.7554/eLife.39575",
    ),
    "kcc4": Law(
        Ordered(_KCC_OUTSIDE, _KCC_INSIDE, leaving=True),
        _KCC4,
        _KCC4_SOURCE + "e_in derived by detailed balance",
    ),
    "kcc4_published": Law(
        Ordered(_KCC_OUTSIDE, _KCC_INSIDE, leaving=True, closed=False),
        _published(_KCC4, "KCC4", 3.577e5),
        _KCC4_SOURCE + "orientation and density derived",
        irreversible=True,
    ),
    "log": Law(ohmic, {"g": Param(0.2, "pS/um^2", "KCC2 conductance")}, _LOG_SOURCE),
    "mass_action": Law(
        mass_action,
        {"k": Param(1.07e-4, "amol/um^2/s/mM^2", "KCC2 rate constant")},
        "Fraser & Huang 2004, J Physiol 559:459, doi:10.1113/jphysiol.2004.065706",
    ),
}

NKCC1_LAWS = {
    "terashima": Law(
        Ordered(_NKCC_OUTSIDE, _NKCC_INSIDE),
        _TERASHIMA,
        _TERASHIMA_SOURCE + ", with e_in derived by detailed balance",
    ),
    "terashima_published": Law(
        Ordered(_NKCC_OUTSIDE, _NKCC_INSIDE, closed=False),
        _published(_TERASHIMA, "NKCC1", 79522.0),
        _TERASHIMA_SOURCE,
        irreversible=True,
    ),
    "nkcc2f": Law(
        Ordered(_NKCC_OUTSIDE, _NKCC_INSIDE),
        _NKCC2F,
        _NKCC2F_SOURCE + "; e_in derived by detailed balance",
    ),
    "nkcc2f_published": Law(
        Ordered(_NKCC_OUTSIDE, _NKCC_INSIDE, closed=False),
        _published(_NKCC2F, "NKCC2 F", 3.578e5),
        _NKCC2F_SOURCE,
        irreversible=True,
    ),
    "palk": Law(
        palk,
        _PALK,
        _PALK_SOURCE + ", made consistent: the paper freezes the bath at Na K Cl^2 = 7.84e6 mM^4",
    ),
    "palk_published": Law(
        palk_published,
        # a1 / a2 = 157.55 / 2.0096e-5 s^-1 of the paper.
        {**_PALK, "y": Param(157.55 / 2.0096e-5, "mM^4", "outside product", "positive")},
        _PALK_SOURCE,
        irreversible=True,
    ),
    "log": Law(ohmic, _NKCC1_LOG, _LOG_SOURCE),
    "wei": Law(
        wei,
        {
            **_NKCC1_LOG,
            "K_half": Param(16.0, "mM", "outside K that opens half", "positive"),
            "K_width": Param(1.0, "mM", "outside K that opens e-fold", "positive"),
        },
        "Wei, Ullah & Schiff 2014, J Neurosci 34:11733, doi:10.1523/JNEUROSCI.0480-14.2014",
    ),
    "mass_action": Law(
        mass_action,
        {"k": Param(5.4e-9, "amol/um^2/s/mM^4", "NKCC1 rate constant")},
        "Kay & Blaustein 2019, J Gen Physiol 151:407, doi:10.1085/jgp.201812274",
    ),
}

NCC_LAWS = {
    "mass_action": Law(
        mass_action,
        {"k": Param(3e-7, "amol/um^2/s/mM^2", "NCC rate constant")},
        "Kay & Blaustein 2019, J Gen Physiol 151:407, doi:10.1085/jgp.201812274",
    ),
}


def nbc_laws(bicarbonates: int) -> dict[str, Law]:
    """Laws of a Na-HCO3 cotransporter that moves so many bicarbonates with one sodium."""
    order = f"amol/um^2/s/mM^{1 + bicarbonates}"
    return {
        "saturating": Law(
            RandomOrder(1, "HCO3", bicarbonates),
            {
                "j_max": Param(0.05, _FLUX, "largest turnover of NBC"),
                "K_Na": Param(30.0, "mM", "Na constant of NBC", "positive"),
                "K_HCO3": Param(10.0, "mM", "HCO3 constant of NBC", "positive"),
            },
            "derived: random binding; constants of the order of the ions in tissue",
        ),
        "ohmic": Law(
            ohmic,
            {"g": Param(0.05, "pS/um^2", "NBC conductance")},
            "derived: linear in the free energy",
        ),
        "mass_action": Law(
            mass_action,
            # Ours: 0.01 amol/um^2/s times the products of Na 145 and HCO3 25 mM at 0 mV.
            {"k": Param(0.01 / (145.0 * 25.0**bicarbonates), order, "NBC rate constant")},
            "derived: law of mass action",
        ),
    }
