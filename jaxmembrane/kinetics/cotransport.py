"""Rate laws of electroneutral cotransporters."""

from typing import Any

from ..params import Param
from ..transport import Site, Values
from .law import Law
from .thermodynamic import mass_action, ohmic


def saturating_kcc(s: Site, p: Values) -> Any:
    """Saturating KCC, exactly zero where ``K_i Cl_i = K_o Cl_o``.

    With S = K Cl / (K_K K_Cl) on each side,
    ``j_max (S_i - S_o) / sum over sides of (1 + S)(1 + K/K_K)(1 + Cl/K_Cl)``.
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


_FLUX = "amol/um^2/s"

_LOG_SOURCE = (
    "log law: Doyon et al. 2011, doi:10.1371/journal.pcbi.1002149; "
    "Duesterwald et al. 2018, doi:10.7554/eLife.39575"
)

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
    "log": Law(ohmic, {"g": Param(0.2, "pS/um^2", "KCC2 conductance")}, _LOG_SOURCE),
    "mass_action": Law(
        mass_action,
        {"k": Param(1.07e-4, "amol/um^2/s/mM^2", "KCC2 rate constant")},
        "Fraser & Huang 2004, J Physiol 559:459, doi:10.1113/jphysiol.2004.065706",
    ),
}

NKCC1_LAWS = {
    "palk": Law(
        palk,
        {
            "j_max": Param(0.01, _FLUX, "turnover of NKCC1 run fully in reverse"),
            # a3 / a4 = 1.0306 / 1.3852e-6 mM^-4 of the paper.
            "K": Param(1.0306 / 1.3852e-6, "mM^4", "inside product at half rate", "positive"),
        },
        "Palk et al. 2010, J Theor Biol 266:625, doi:10.1016/j.jtbi.2010.06.027, made consistent: "
        "the paper freezes the bath at Na K Cl^2 = 7.84e6 mM^4",
    ),
    "log": Law(ohmic, {"g": Param(0.0664214465, "pS/um^2", "NKCC1 conductance")}, _LOG_SOURCE),
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
