"""Rate laws of the Na/K-ATPase."""

from typing import Any

from ..params import Param
from ..transport import Site, Values
from .law import Law


def _saturating(s: Site, p: Values) -> Any:
    sodium = s.Na_i / (s.Na_i + p.K_Na * (1.0 + s.K_i / p.K_K_i))
    potassium = s.K_o / (s.K_o + p.K_K * (1.0 + s.Na_o / p.K_Na_o))
    return p.j_max * sodium**3 * potassium**2


def garay_garrahan(s: Site, p: Values) -> Any:
    """Saturating pump, bounded by its own free energy: Garay-Garrahan times tanh(-dG/2RT)."""
    return _saturating(s, p) * s.drive


def hill(s: Site, p: Values) -> Any:
    """``j_max (Na_i / (Na_i + K_Na))^3 (K_o / (K_o + K_K))^2``."""
    return p.j_max * (s.Na_i / (s.Na_i + p.K_Na)) ** 3 * (s.K_o / (s.K_o + p.K_K)) ** 2


def hamada(s: Site, p: Values) -> Any:
    """Two sites for Na inside: ``j_max [f Na^3/(Na^3 + K_1^3) + (1 - f) Na^3/(Na^3 + K_2^3)]``."""
    cube = s.Na_i**3
    return p.j_max * (p.f * cube / (cube + p.K_1**3) + (1.0 - p.f) * cube / (cube + p.K_2**3))


def linear(s: Site, p: Values) -> Any:
    """``b Na_i``."""
    return p.b * s.Na_i


def cubic(s: Site, p: Values) -> Any:
    """``j (Na_i / Na_o)^3``."""
    return p.j * (s.Na_i / s.Na_o) ** 3


def constant(s: Site, p: Values) -> Any:
    """``j``, whatever the concentrations."""
    del s
    return p.j


_FLUX = "amol/um^2/s"

NKA_LAWS = {
    "garay_garrahan": Law(
        garay_garrahan,
        {
            # Same flux as the cubic law at the rest of Duesterwald et al. (2018).
            "j_max": Param(0.27231, _FLUX, "largest turnover of the Na/K pump"),
            "K_Na": Param(0.2, "mM", "inside Na constant without K", "positive"),
            "K_K_i": Param(8.3, "mM", "inside K that doubles K_Na", "positive"),
            "K_K": Param(0.1, "mM", "outside K constant without Na", "positive"),
            "K_Na_o": Param(18.0, "mM", "outside Na that doubles K_K", "positive"),
        },
        "Garay & Garrahan 1973, J Physiol 231:297, doi:10.1113/jphysiol.1973.sp010234; "
        "constants as in the red-cell model of Lew & Bookchin 1986, doi:10.1007/BF01869016",
    ),
    "hill": Law(
        hill,
        {
            "j_max": Param(0.2887, _FLUX, "largest turnover of the Na/K pump"),
            "K_Na": Param(3.56, "mM", "inside Na constant", "positive"),
            "K_K": Param(0.883, "mM", "outside K constant", "positive"),
        },
        "Kay & Blaustein 2019, J Gen Physiol 151:407, doi:10.1085/jgp.201812274",
        irreversible=True,
    ),
    "hamada": Law(
        hamada,
        {
            "j_max": Param(0.166, _FLUX, "largest turnover of the Na/K pump"),
            "f": Param(0.62, "1", "share of the first site", "fraction"),
            "K_1": Param(6.7, "mM", "inside Na constant of the first site", "positive"),
            "K_2": Param(67.6, "mM", "inside Na constant of the second site", "positive"),
        },
        "Hamada et al. 2003, as used by Dijkstra et al. 2016, J Neurosci 36:11881, PMID 27881775, "
        "and in the thesis doi:10.3990/1.9789036543194",
        irreversible=True,
    ),
    "linear": Law(
        linear,
        {"b": Param(6.67e-3, "um/s", "Na/K pump turnover per inside Na")},
        "Vereninov, Yurinskaya et al. 2016, PLoS One, PMC4861346",
        irreversible=True,
    ),
    "cubic": Law(
        cubic,
        {"j": Param(103.6426966, _FLUX, "Na/K pump turnover at equal Na")},
        "Duesterwald et al. 2018, eLife 7:e39575, doi:10.7554/eLife.39575",
        irreversible=True,
    ),
    "constant": Law(
        constant,
        {"j": Param(0.0933, _FLUX, "Na/K pump turnover")},
        "Keener & Sneyd, Mathematical Physiology, ch. 2, doi:10.1007/978-0-387-75847-3",
        irreversible=True,
    ),
}
