"""Rate laws of the Na/K-ATPase."""

from typing import Any

import jax.numpy as jnp
from jax.nn import sigmoid

from ..params import Param
from ..site import Site, Values
from .cycles import POST_ALBERS_LAWS
from .law import Law


def _filling(s: Site, p: Values) -> tuple[Any, Any]:
    """Na inside and K outside plus what keeps their sites from filling, mM."""
    sodium = s.Na_i + p.K_Na * (1.0 + s.K_i / p.K_K_i)
    potassium = s.K_o + p.K_K * (1.0 + s.Na_o / p.K_Na_o)
    return sodium, potassium


def garay_garrahan_published(s: Site, p: Values) -> Any:
    """Saturating pump, ``j_max [Na_i/(Na_i + K_Na(1 + K_i/K_K_i))]^3 [K_o/(K_o + ...)]^2``.

    The second bracket is ``K_o/(K_o + K_K(1 + Na_o/K_Na_o))``. It pumps against any free energy.
    """
    sodium, potassium = _filling(s, p)
    return p.j_max * (s.Na_i / sodium) ** 3 * (s.K_o / potassium) ** 2


def garay_garrahan(s: Site, p: Values) -> Any:
    """Saturating pump, bounded by its own free energy: ``G tanh(-dG/2RT)``.

    G is `garay_garrahan_published`, ``j_max [Na_i/(Na_i + K_Na(1 + K_i/K_K_i))]^3
    [K_o/(K_o + K_K(1 + Na_o/K_Na_o))]^2``.
    """
    return garay_garrahan_published(s, p) * s.drive


def garay_garrahan_reversible(s: Site, p: Values) -> Any:
    """Saturating pump with its free energy: ``G (1 - exp(dG/RT))``, G as in `garay_garrahan`.

    It diverges in dead cells, at dG = +12 kJ/mol to -104 times the forward rate: for a sweep that
    may visit them take `garay_garrahan`.
    """
    sodium, potassium = _filling(s, p)
    # Na_i^3 K_o^2 cancels: without either ion the quotient of the reaction is infinite.
    backward = s.products * s.quotient_energy * s.medium.power(s.charge)
    return p.j_max * (s.reactants - backward) / (sodium**3 * potassium**2)


def hill(s: Site, p: Values) -> Any:
    """Saturating in either ion, ``j_max (Na_i/(Na_i + K_Na))^3 (K_o/(K_o + K_K))^2``."""
    return p.j_max * (s.Na_i / (s.Na_i + p.K_Na)) ** 3 * (s.K_o / (s.K_o + p.K_K)) ** 2


def hamada(s: Site, p: Values) -> Any:
    """Two sites for Na inside: ``j_max [f Na^3/(Na^3 + K_1^3) + (1 - f) Na^3/(Na^3 + K_2^3)]``."""
    cube = s.Na_i**3
    return p.j_max * (p.f * cube / (cube + p.K_1**3) + (1.0 - p.f) * cube / (cube + p.K_2**3))


def luo_rudy(s: Site, p: Values) -> Any:
    """Cardiac pump with voltage, ``j_max f(u) K_o/(K_o + K_K) / (1 + (K_Na/Na_i)^1.5)``.

    ``1/f = 1 + 0.1245 exp(-u/10) + 0.0365 (exp(Na_o/K_Na_o) - 1)/7 exp(-u)``; no dG stops it.
    """
    sigma = jnp.expm1(s.Na_o / p.K_Na_o) / 7.0
    voltage = 1.0 + 0.1245 * jnp.exp(-0.1 * s.u) + 0.0365 * sigma * s.medium.power(-1)
    # The root has a slope at zero with the least number added, which no concentration shows.
    sodium = s.Na_i * jnp.sqrt(s.Na_i + jnp.finfo(jnp.result_type(s.Na_i)).tiny)
    sodium = sodium / (sodium + p.K_Na * jnp.sqrt(p.K_Na))
    return p.j_max * sodium * s.K_o / ((s.K_o + p.K_K) * voltage)


def wei(s: Site, p: Values) -> Any:
    """Two sigmoids, ``j_max / (1 + exp((Na_half - Na_i)/w_Na)) / (1 + exp((K_half - K_o)/w_K))``.

    It pumps against any free energy, and without any Na inside.
    """
    sodium = sigmoid((s.Na_i - p.Na_half) / p.w_Na)
    return p.j_max * sodium * sigmoid((s.K_o - p.K_half) / p.w_K)


def linear(s: Site, p: Values) -> Any:
    """Proportional to inside Na, ``b Na_i``."""
    return p.b * s.Na_i


def cubic(s: Site, p: Values) -> Any:
    """Cube of the sodium ratio, ``j (Na_i/Na_o)^3``."""
    return p.j * (s.Na_i / s.Na_o) ** 3


def constant(s: Site, p: Values) -> Any:
    """Constant, ``j``, whatever the concentrations."""
    del s
    return p.j


_FLUX = "amol/um^2/s"
_LARGEST = "largest turnover of the Na/K pump"
_GARAY_GARRAHAN = {
    # Same flux as the cubic law at the rest of Duesterwald et al. (2018).
    "j_max": Param(0.27231, _FLUX, _LARGEST),
    "K_Na": Param(0.2, "mM", "inside Na constant without K", "positive"),
    "K_K_i": Param(8.3, "mM", "inside K that doubles K_Na", "positive"),
    "K_K": Param(0.1, "mM", "outside K constant without Na", "positive"),
    "K_Na_o": Param(18.0, "mM", "outside Na that doubles K_K", "positive"),
}
_GARAY_GARRAHAN_SOURCE = (
    "Garay & Garrahan 1973, J Physiol 231:297, doi:10.1113/jphysiol.1973.sp010234; "
    "constants as in the red-cell model of Lew & Bookchin 1986, doi:10.1007/BF01869016"
)

NKA_LAWS = {
    "garay_garrahan": Law(garay_garrahan, _GARAY_GARRAHAN, _GARAY_GARRAHAN_SOURCE),
    "garay_garrahan_reversible": Law(
        garay_garrahan_reversible, _GARAY_GARRAHAN, _GARAY_GARRAHAN_SOURCE
    ),
    "garay_garrahan_published": Law(
        garay_garrahan_published, _GARAY_GARRAHAN, _GARAY_GARRAHAN_SOURCE, irreversible=True
    ),
    **POST_ALBERS_LAWS,
    "hill": Law(
        hill,
        {
            "j_max": Param(0.2887, _FLUX, _LARGEST),
            "K_Na": Param(3.56, "mM", "inside Na constant", "positive"),
            "K_K": Param(0.883, "mM", "outside K constant", "positive"),
        },
        "Kay & Blaustein 2019, J Gen Physiol 151:407, doi:10.1085/jgp.201812274",
        irreversible=True,
    ),
    "hamada": Law(
        hamada,
        {
            "j_max": Param(0.166, _FLUX, _LARGEST),
            "f": Param(0.62, "1", "share of the first site", "fraction"),
            "K_1": Param(6.7, "mM", "inside Na constant of the first site", "positive"),
            "K_2": Param(67.6, "mM", "inside Na constant of the second site", "positive"),
        },
        "Hamada et al. 2003, as used by Dijkstra et al. 2016, J Neurosci 36:11881, PMID 27881775, "
        "and in the thesis doi:10.3990/1.9789036543194",
        irreversible=True,
    ),
    "luo_rudy": Law(
        luo_rudy,
        {
            # 1.5 A/F at 1 uF/cm^2.
            "j_max": Param(0.15546, _FLUX, _LARGEST),
            "K_Na": Param(10.0, "mM", "inside Na at half rate", "positive"),
            "K_K": Param(1.5, "mM", "outside K at half rate", "positive"),
            "K_Na_o": Param(
                67.3, "mM", "outside Na that scales the voltage dependence", "positive"
            ),
        },
        "Luo & Rudy 1994, Circ Res 74:1071, doi:10.1161/01.RES.74.6.1071",
        irreversible=True,
    ),
    "wei": Law(
        wei,
        {
            "j_max": Param(1.87, _FLUX, _LARGEST),
            "Na_half": Param(25.0, "mM", "inside Na at half rate"),
            "w_Na": Param(3.0, "mM", "width of the inside Na sigmoid", "positive"),
            "K_half": Param(3.5, "mM", "outside K at half rate"),
            "w_K": Param(1.0, "mM", "width of the outside K sigmoid", "positive"),
        },
        "Wei, Ullah & Schiff 2014, J Neurosci 34:11733, doi:10.1523/JNEUROSCI.0516-14.2014; "
        "strength as in Saetra et al. 2020, doi:10.1371/journal.pcbi.1007661",
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
