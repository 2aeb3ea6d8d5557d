"""Exchangers of the cell membrane: Na/Ca, Na/H, Cl/HCO3."""

from dataclasses import replace

from ..kinetics.exchange import AE_LAWS, ANTIPORTER_LAWS, NCX_INACTIVATION, NCX_LAWS, NHE_LAWS
from ..transport import Transporter
from .build import Entry, build, with_nominal


def ncx(
    law: str = "weber_shannon_bers",
    *,
    name: str = "ncx",
    inactivation: bool = False,
    **nominal: float,
) -> Transporter:
    """Na/Ca exchanger, ``3 Na_o + Ca_i <-> 3 Na_i + Ca_o``, one charge in per turnover.

    Turnover, with ``R = Na_o^3 Ca_i``, ``P = Na_i^3 Ca_o``, ``e = exp((nu - 1) u)``,
    u = F V/(R T):

    ======================  =======================================  =========================
    law                     turnover J                               strength
    ======================  =======================================  =========================
    ``weber_shannon_bers``  j_max (e R - e exp(u) P) /               ``j_max`` (amol/um^2/s)
                            [(1 + (K_act/Ca_i)^h)(1 + k_sat e) D]
    ``luo_rudy``            j_max (e R - e exp(u) P) /               ``j_max``
                            [(K_Na^3 + Na_o^3)(K_Ca + Ca_o)
                            (1 + k_sat e)]
    ``difrancesco_noble``   k (e R - e exp(u) P) / (1 + d (R + P))   ``k`` (amol/um^2/s/mM^4)
    ======================  =======================================  =========================

    ``D = K_Ca_i Na_o^3 (1 + (Na_i/K_Na_i)^3) + K_Na_o^3 Ca_i + K_Na_i^3 Ca_o (1 + Ca_i/K_Ca_i) +
    K_Ca_o Na_i^3 + P + R``. Regulatory calcium (K_act, h) speeds both directions and leaves
    the free energy alone; its constants differ among isoforms: K_act 2.56e-4 mM (rabbit), 3.84e-4
    (human atrium), 1.28e-4 (mouse).

    Parameters
    ----------
    law, name, **nominal
        As for `na_k_atpase`.
    inactivation : bool
        Whether exchangers fall asleep: I1 with inside Na bound, I2 without regulatory Ca. Gates
        ``active`` and ``I1`` are the shares of exchangers there, the rest are in I2, and the
        turnover is that of the law times ``active``.

    Raises
    ------
    KeyError, ValueError
        As for `na_k_atpase`.

    Notes
    -----
    j_max is 9 and 2000 A/F at 1 uF/cm2. Sources: Weber et al. 2001, doi:10.1085/jgp.117.2.119;
    Shannon et al. 2004, doi:10.1529/biophysj.104.047449; Luo & Rudy 1994,
    doi:10.1161/01.RES.74.6.1071; DiFrancesco & Noble 1985, doi:10.1098/rstb.1985.0001, without its
    factor 1/(1 + Ca_i/0.0069 mM).

    Inactivation takes the rates into and out of I1 and I2 with and without regulatory calcium, and
    the binding constants of the exchanger facing inside (E1) and outside (E2), from the Kyoto
    model (Takeuchi et al. 2006, doi:10.1085/jgp.200609646). As there, only E1 can fall asleep, and
    only with three Na into I1. Simplified: E1 and E2, which that model integrates, are at
    equilibrium with each other at the state's concentrations and potential, as they turn over
    within milliseconds and I1 and I2 within seconds; the turnover is the chosen law's.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> at = jm.ncx().at(V=20.0, Na_i=12.0, Na_o=145.0, Ca_i=1e-4, Ca_o=1.2)
    >>> f"{at.reversal:.2f} mV, {at.current:.3f} fA/um^2 outward: calcium enters"
    '-51.24 mV, 0.911 fA/um^2 outward: calcium enters'
    """
    slow = NCX_INACTIVATION.params if inactivation else {}
    own = {what: value for what, value in nominal.items() if what not in slow}
    made = build(name, "3 Na_o + Ca_i <-> 3 Na_i + Ca_o", NCX_LAWS, law, own)
    if not inactivation:
        return made
    rates = with_nominal(slow, {what: x for what, x in nominal.items() if what in slow})
    return made.regulated(replace(NCX_INACTIVATION, params=rates))


def nhe(law: str = "weinstein", *, name: str = "nhe", **nominal: float) -> Transporter:
    """Na/H exchanger, ``Na_o + H_i <-> Na_i + H_o``.

    Turnover, with a, b = Na/K_Na and H/K_H outside, A, B inside:

    ===============  ==============================================  ==========================
    law              turnover J                                      strength
    ===============  ==============================================  ==========================
    ``weinstein``    density m k_Na k_H (a B - A b) /                ``density`` (amol/um^2)
                     [(1 + a + b)(k_Na A + k_H B) +
                     (1 + A + B)(k_Na a + k_H b)],
                     m = m_max H_i/(H_i + K_m)
    ``mass_action``  k (Na_o H_i - Na_i H_o)                         ``k`` (um/s/mM)
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
    Source: Weinstein 1995, doi:10.1085/jgp.105.5.617 (NHE3, without ammonium). The equilibrium,
    H_i/H_o = Na_i/Na_o, is far alkaline (pH 8.5 inside 12 | 145 mM Na): m shuts it off before.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> at = jm.nhe().at(Na_i=12.0, Na_o=145.0, H_i=6.3e-5, H_o=4e-5)
    >>> f"{at.flux:.4f} amol/um^2/s, {1e-3 * at.dG:.1f} kJ/mol"
    '0.0073 amol/um^2/s, -7.6 kJ/mol'
    """
    return build(name, "Na_o + H_i <-> Na_i + H_o", NHE_LAWS, law, nominal)


def ae(law: str = "weinstein", *, name: str = "ae", **nominal: float) -> Transporter:
    """Anion exchanger, ``Cl_o + HCO3_i <-> Cl_i + HCO3_o``.

    Turnover, with c, b = Cl/K_Cl and HCO3/K_HCO3 outside, C, B inside:

    =======================  ======================================  ==========================
    law                      turnover J                              strength
    =======================  ======================================  ==========================
    ``weinstein``            density k_Cl_in k_HCO3_out              ``density`` (amol/um^2)
                             (c B - C b) / trees
    ``weinstein_published``  density (k_Cl_in k_HCO3_out c B -       ``density``
                             k_Cl_out k_HCO3_in C b) / trees
    ``mass_action``          k (Cl_o HCO3_i - Cl_i HCO3_o)           ``k`` (amol/um^2/s/mM^2)
    =======================  ======================================  ==========================

    ``trees = (1 + c + b)(k_Cl_out C + k_HCO3_out B) + (1 + C + B)(k_Cl_in c + k_HCO3_in b)``; in
    ``weinstein`` ``k_Cl_out = k_Cl_in k_HCO3_out / k_HCO3_in``, 60.8 instead of 61/s: the published
    rates miss equilibrium by 0.07 mV, so that law is irreversible.

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
    Source: Weinstein 2000, doi:10.1152/ajprenal.2000.279.1.F24 (AE1, without its inhibition by
    inside HCO3).

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.ae().charge
    0
    """
    return build(name, "Cl_o + HCO3_i <-> Cl_i + HCO3_o", AE_LAWS, law, nominal)


def na_h_antiporter(
    law: str = "mass_action", *, name: str = "na_h_antiporter", **nominal: float
) -> Transporter:
    """Na/H antiporter of a protocell, ``Na_i + H_o <-> Na_o + H_i``: J = k (Na_i H_o - Na_o H_i).

    Parameters
    ----------
    law, name, **nominal
        As for `na_k_atpase`; the strength is ``k`` (um/s/mM).

    Raises
    ------
    KeyError, ValueError
        As for `na_k_atpase`.

    Notes
    -----
    It turns a proton gradient into a sodium gradient: at a hydrothermal vent, after Sojo,
    Pomiankowski & Lane 2014, doi:10.1371/journal.pbio.1001926.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.na_h_antiporter(k=0.1).legs[0].reaction.text
    'Na_i + H_o <-> Na_o + H_i'
    """
    return build(name, "Na_i + H_o <-> Na_o + H_i", ANTIPORTER_LAWS, law, nominal)


EXCHANGERS = (
    Entry("ncx", NCX_LAWS, ncx),
    Entry("nhe", NHE_LAWS, nhe),
    Entry("ae", AE_LAWS, ae),
    Entry("na_h_antiporter", ANTIPORTER_LAWS, na_h_antiporter),
)
