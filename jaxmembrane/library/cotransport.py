"""Electroneutral cotransporters of cations with chloride."""

from ..kinetics.cotransport import KCC2_LAWS, NCC_LAWS, NKCC1_LAWS
from ..transport import Transporter
from .build import build


def kcc2(law: str = "saturating", *, name: str = "kcc2", **nominal: float) -> Transporter:
    """K-Cl cotransporter 2, ``K_i + Cl_i <-> K_o + Cl_o``; at equilibrium E_K = E_Cl.

    ===============  ==============================================  ==========================
    law              turnover J                                      strength
    ===============  ==============================================  ==========================
    ``saturating``   j_max (S_i - S_o) / sum over both sides of      ``j_max`` (amol/um^2/s)
                     (1 + S)(1 + K/K_K)(1 + Cl/K_Cl),
                     S = K Cl / (K_K K_Cl)
    ``log``          -g dG/F^2 = (g/F)(E_Cl - E_K)                   ``g`` (pS/um^2)
    ``mass_action``  k (K_i Cl_i - K_o Cl_o)                         ``k`` (amol/um^2/s/mM^2)
    ===============  ==============================================  ==========================

    Parameters
    ----------
    law, name, **nominal
        As for `na_k_atpase`.

    Raises
    ------
    KeyError, ValueError
        As for `na_k_atpase`.

    Notes
    -----
    Sources: Staley & Proctor 1999, doi:10.1111/j.1469-7793.1999.0693n.x (saturating); Doyon et al.
    2011, doi:10.1371/journal.pcbi.1002149 (log); Fraser & Huang 2004,
    doi:10.1113/jphysiol.2004.065706 (mass action).

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.kcc2(law="log", g=0.2).charge
    0
    """
    return build(name, "K_i + Cl_i <-> K_o + Cl_o", KCC2_LAWS, law, nominal)


def nkcc1(law: str = "palk", *, name: str = "nkcc1", **nominal: float) -> Transporter:
    """Na-K-2Cl cotransporter 1, ``Na_o + K_o + 2 Cl_o <-> Na_i + K_i + 2 Cl_i``.

    ===============  ==============================================  ==========================
    law              turnover J, y and x = Na K Cl^2 outside, inside strength
    ===============  ==============================================  ==========================
    ``palk``         j_max (y - x) / (K + x)                         ``j_max`` (amol/um^2/s)
    ``log``          -g dG/F^2 = (g/F)(E_Na + E_K - 2 E_Cl)          ``g`` (pS/um^2)
    ``mass_action``  k (y - x)                                       ``k`` (amol/um^2/s/mM^4)
    ===============  ==============================================  ==========================

    Parameters
    ----------
    law, name, **nominal
        As for `na_k_atpase`.

    Raises
    ------
    KeyError, ValueError
        As for `na_k_atpase`.

    Notes
    -----
    Sources: Palk et al. 2010, doi:10.1016/j.jtbi.2010.06.027 (whose bath is frozen; here the law is
    zero at equilibrium with any bath); Doyon et al. 2011 (log); Kay & Blaustein 2019,
    doi:10.1085/jgp.201812274 (mass action).

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.nkcc1(law="log").charge
    0
    """
    reaction = "Na_o + K_o + 2 Cl_o <-> Na_i + K_i + 2 Cl_i"
    return build(name, reaction, NKCC1_LAWS, law, nominal)


def ncc(law: str = "mass_action", *, name: str = "ncc", **nominal: float) -> Transporter:
    """Na-Cl cotransporter, ``Na_o + Cl_o <-> Na_i + Cl_i``: J = k (Na_o Cl_o - Na_i Cl_i).

    Parameters
    ----------
    law, name, **nominal
        As for `na_k_atpase`; the strength is ``k`` (amol/um^2/s/mM^2).

    Raises
    ------
    KeyError, ValueError
        As for `na_k_atpase`.

    Notes
    -----
    Source: Kay & Blaustein 2019, doi:10.1085/jgp.201812274.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.ncc(k=1e-7).legs[0].reaction.text
    'Na_o + Cl_o <-> Na_i + Cl_i'
    """
    return build(name, "Na_o + Cl_o <-> Na_i + Cl_i", NCC_LAWS, law, nominal)
