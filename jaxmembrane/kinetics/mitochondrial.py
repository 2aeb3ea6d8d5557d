"""Rate laws of the inner mitochondrial membrane; inside is the matrix, V about -160 mV."""

from typing import Any

import jax.numpy as jnp

from ..params import Param
from ..site import Site, Values
from .law import Law


def free_nucleotides(ATP: Any, ADP: Any, *, Mg: Any, H: Any) -> tuple[Any, Any]:
    """Free ATP4- and ADP3-, which the ADP/ATP carrier binds, from total ATP and ADP.

    ``ATP4- = ATP / (1 + Mg/K_Mg + H/K_H + Mg H/(K_MgH K_H))``, likewise ADP3-.

    ==========  =============  ============  =============
    constant    K_Mg (mM)      K_H (mM)      K_MgH (mM)
    ==========  =============  ============  =============
    ATP         0.101          3.23e-4       10.616
    ADP         0.901          4.45e-4       38.168
    ==========  =============  ============  =============

    Parameters
    ----------
    ATP, ADP : float or array
        Total concentrations on one side, mM.
    Mg, H : float or array
        Free magnesium and hydrogen ions on that side, mM.

    Returns
    -------
    tuple of float or array
        ATP4- and ADP3-, mM.

    Notes
    -----
    Source: Metelkin, Goryanin & Demin 2006, Biophys J 90:423, doi:10.1529/biophysj.105.061986.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> atp, adp = jm.free_nucleotides(5.0, 0.05, Mg=0.8, H=6.3e-5)
    >>> f"{atp:.3f} of 5 mM, {adp:.4f} of 0.05 mM"
    '0.548 of 5 mM, 0.0246 of 0.05 mM'
    """
    protonated = H / 3.23e-4, H / 4.45e-4
    ATP4 = ATP / (1.0 + Mg / 0.101 + protonated[0] * (1.0 + Mg / 10.616))
    ADP3 = ADP / (1.0 + Mg / 0.901 + protonated[1] * (1.0 + Mg / 38.168))
    return ATP4, ADP3


def dash_beard(s: Site, p: Values) -> Any:
    """NCLX, ``j_max [exp(-u/2) a b - exp(u/2) c d] / (1 + a + b + a b + c + d + c d)``.

    ``a = (Na_o/K_Na)^3``, ``b = Ca_i/K_Ca``, ``c = (Na_i/K_Na)^3``, ``d = Ca_o/K_Ca``.
    """
    a, b = (s.Na_o / p.K_Na) ** 3, s.Ca_i / p.K_Ca
    c, d = (s.Na_i / p.K_Na) ** 3, s.Ca_o / p.K_Ca
    sites = 1.0 + a + b + a * b + c + d + c * d
    return p.j_max * (a * b - c * d * s.medium.power(1)) * jnp.exp(-0.5 * s.u) / sites


def metelkin(s: Site, p: Values) -> Any:
    """ADP/ATP carrier, ``density k_3 (T_i D_o exp(f) - D_i T_o) / (K_T S_i S_o)``, f = -u.

    T = ATP4-, D = ADP3-, ``S_i = q T_i + D_i`` with ``q = k_3 K_D exp(f) / (k_2 K_T)``, and
    ``S_o = 1 + T_o/K_T + D_o/K_D``. k_2, k_3, K_D and K_T are the parameters times
    ``exp((C - 3 A - 4 B) f)``, ``exp((C - 4 A - 3 B) f)``, ``exp(3 delta_D f)`` and
    ``exp(4 delta_T f)``.
    """
    f = -s.u
    ratio = p.k_3 * p.K_D / (p.k_2 * p.K_T)
    q = ratio * jnp.exp((1.0 - p.A + p.B + 3.0 * p.delta_D - 4.0 * p.delta_T) * f)
    k_3 = p.k_3 * jnp.exp((p.C - 4.0 * p.A - 3.0 * p.B) * f)
    K_T = p.K_T * jnp.exp(4.0 * p.delta_T * f)
    K_D = p.K_D * jnp.exp(3.0 * p.delta_D * f)
    net = s.reactants * s.medium.power(-1) - s.products
    sites = (q * s.ATP_i + s.ADP_i) * (K_T + s.ATP_o + s.ADP_o * (K_T / K_D))
    return p.density * k_3 * net / sites


def magnus_keizer(s: Site, p: Values) -> Any:
    """ADP/ATP carrier, ``j_max (T_i D_o - exp(u) T_o D_i) / [(D_o + exp(h u) T_o)(T_i + D_i)]``.

    T = ATP4-, D = ADP3-; the paper fixes their shares of the total.
    """
    net = s.reactants - s.products * s.medium.power(1)
    return p.j_max * net / ((s.ADP_o + jnp.exp(p.h * s.u) * s.ATP_o) * (s.ATP_i + s.ADP_i))


def bohnensack(s: Site, p: Values) -> Any:
    """ADP/ATP carrier, ``j_max [D_o/(D_o + x T_o) - D_i/(D_i + y T_i)] / (1 + K_ADP/D_o)``.

    T = ATP4-, D = ADP3-, ``x = exp(f u)``, ``y = exp((f - 1) u)``.
    """
    outer = jnp.exp(p.f * s.u)
    inner = outer * s.medium.power(-1)
    net = s.reactants * inner - s.products * outer
    sites = (s.ADP_o + s.ATP_o * outer) * (s.ADP_i + s.ATP_i * inner)
    return p.j_max * net / sites * s.ADP_o / (s.ADP_o + p.K_ADP)


_FLUX = "amol/um^2/s"

NCLX_LAWS = {
    "dash_beard": Law(
        dash_beard,
        {
            # 1.41e-3 umol/mg/s on 400 cm2 of inner membrane per mg of protein.
            "j_max": Param(0.035, _FLUX, "turnover of NCLX, saturated at 0 mV"),
            "K_Na": Param(8.2, "mM", "Na constant of NCLX", "positive"),
            "K_Ca": Param(2.1e-3, "mM", "Ca constant of NCLX", "positive"),
        },
        "Dash & Beard 2008, J Physiol 586:3267, doi:10.1113/jphysiol.2008.151977",
    ),
}


def _metelkin(
    k: tuple[float, float],
    K: tuple[float, float],
    charges: tuple[float, float, float],
    deltas: tuple[float, float],
) -> dict[str, Param]:
    """k_2, k_3 (1/min, as published), K_D, K_T (mM), A, B, C, delta_D, delta_T."""
    (k_2, k_3), (K_D, K_T), (A, B, C), (delta_D, delta_T) = k, K, charges, deltas
    return {
        # Ours: 1.2 nmol/mg on 400 cm2 of inner membrane per mg of protein.
        "density": Param(0.03, "amol/um^2", "ADP/ATP carriers per area"),
        "k_2": Param(k_2 / 60.0, "1/s", "exchange of outside ADP for ATP, 0 mV", "positive"),
        "k_3": Param(k_3 / 60.0, "1/s", "exchange of outside ATP for ADP, 0 mV", "positive"),
        "K_D": Param(K_D, "mM", "outside ADP3- constant, 0 mV", "positive"),
        "K_T": Param(K_T, "mM", "outside ATP4- constant, 0 mV", "positive"),
        "A": Param(A, "1", "field share of the nucleotide that leaves", "real"),
        "B": Param(B, "1", "field share of the nucleotide that enters", "real"),
        "C": Param(C, "1", "field share of the carrier's own charges", "real"),
        "delta_D": Param(delta_D, "1", "field share of ADP3- binding outside", "real"),
        "delta_T": Param(delta_T, "1", "field share of ATP4- binding outside", "real"),
    }


_METELKIN_SOURCE = (
    "Metelkin, Goryanin & Demin 2006, Biophys J 90:423, doi:10.1529/biophysj.105.061986"
)

ANT_LAWS = {
    "metelkin": Law(
        metelkin,
        _metelkin((10.8, 21.0), (0.051, 0.057), (0.268, -0.205, 0.187), (0.0, 0.07)),
        _METELKIN_SOURCE,
    ),
    "metelkin_refit": Law(
        metelkin,
        _metelkin((9.54, 30.05), (0.03889, 0.05605), (0.2829, -0.2086, 0.2372), (0.0167, 0.0699)),
        _METELKIN_SOURCE + "; constants refitted in the QAMAS heart models of the Beard group",
    ),
    "magnus_keizer": Law(
        magnus_keizer,
        {
            # Ours, as the next: the flux of Metelkin's law at -160 mV with 5 mM of either form in
            # the matrix and 2 | 0.05 mM outside.
            "j_max": Param(0.011, _FLUX, "largest turnover of the ADP/ATP carrier"),
            "h": Param(0.5, "1", "share of the field in binding outside", "fraction"),
        },
        "Magnus & Keizer 1997, Am J Physiol 273:C717, doi:10.1152/ajpcell.1997.273.2.C717, "
        "in free forms",
    ),
    "bohnensack": Law(
        bohnensack,
        {
            "j_max": Param(0.012, _FLUX, "largest turnover of the ADP/ATP carrier"),
            "f": Param(0.35, "1", "share of the field outside the carrier", "fraction"),
            "K_ADP": Param(3.5e-3, "mM", "outside ADP3- constant", "positive"),
        },
        "Bohnensack 1982, Biochim Biophys Acta 680:271; as in Korzeniewski & Zoladz 2001, "
        "Biophys Chem 92:17, doi:10.1016/S0301-4622(01)00184-3",
    ),
}
