"""Pumps driven by ATP, light or electrons, other than the Na/K-ATPase."""

from dataclasses import replace
from typing import Any

from ..kinetics.primary import (
    H_ATPASE_LAWS,
    LIGHT_PUMP_LAWS,
    NADPH_OXIDASE_LAWS,
    PMCA_LAWS,
    RESPIRATORY_CHAIN_LAWS,
)
from ..site import SOURCES
from ..species import Species
from ..transport import Transporter
from .build import Entry, build

ELECTRON = Species("e", -1)
"""What the NADPH oxidase carries."""


def _protons(protons: Any, name: str) -> str:
    if protons not in (1, 2) or isinstance(protons, bool):
        raise ValueError(f"{name} must move 1 or 2 protons per ATP, not {protons!r}")
    return "2 H" if protons == 2 else "H"


def pmca(
    law: str = "hill_bounded", *, protons: int = 1, name: str = "pmca", **nominal: float
) -> Transporter:
    """Plasma-membrane Ca pump: one Ca out and one or two H in for one ATP.

    ``Ca_i + H_o + ATP <-> Ca_o + H_i + ADP + Pi``, one charge out; with two H electroneutral.

    ===================  =================================================  ==========
    law                  turnover J, h = 1 / (1 + (K_Ca/Ca_i)^n)            strength
    ===================  =================================================  ==========
    ``hill_bounded``     j_max h tanh(-dG/2RT)                              ``j_max``
    ``hill_reversible``  j_max h (1 - exp(dG/RT)); diverges far above zero  ``j_max``
    ``hill``             j_max h, with K_Ca 0.5 uM and n 1.6                ``j_max``
    ``red_cell``         j_max h, with K_Ca 0.2 uM and n 4                  ``j_max``
    ===================  =================================================  ==========

    j_max is in amol/um^2/s, K_Ca in mM. The last two are irreversible as published.

    Parameters
    ----------
    law, name, **nominal
        As for `na_k_atpase`.
    protons : {1, 2}
        H that enter for one Ca; both numbers are in use.

    Raises
    ------
    KeyError, ValueError
        As for `na_k_atpase`; a ValueError for another number of protons.

    Notes
    -----
    Sources: Shannon et al. 2004, doi:10.1529/biophysj.104.047449 (0.0673 A/F); Lew & Bookchin 1986,
    doi:10.1007/BF01869016 (red cell; its strength here is that of the other laws).

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.library.primary import pmca
    >>> pmca().charge, pmca(protons=2).charge
    (-1, 0)
    """
    H = _protons(protons, name)
    reaction = f"Ca_i + {H}_o + ATP <-> Ca_o + {H}_i + ADP + Pi"
    return build(name, reaction, PMCA_LAWS, law, nominal)


def h_atpase(
    law: str = "two_state", *, protons: int = 1, name: str = "h_atpase", **nominal: float
) -> Transporter:
    """Proton pump of plants and fungi: one H out for one ATP.

    ``H_i + ATP <-> H_o + ADP + Pi``, one charge out per turnover.

    ==============  ==============================================================  ===========
    law             turnover J                                                      strength
    ==============  ==============================================================  ===========
    ``two_state``   density (k_out r_f - k_back k_r)/(k_out + k_back + r_f + k_r)   ``density``
    ``weinstein``   j_max / (1 + exp(xi (dmu - dmu_0))),                            ``j_max``
                    dmu = RT ln(H_o/H_i) - F V; irreversible
    ==============  ==============================================================  ===========

    Here k_out = k_0 exp(n u/2), k_back = k_0 exp(-n u/2) exp(dG_ATP/RT) (H_o/H_ref)^n,
    r_f = k_r (H_i/H_ref)^n for n protons: closed for any ATP and pH. density is in amol/um^2,
    j_max in amol/um^2/s, k in 1/s, H_ref in mM, xi in mol/J, dmu_0 in J/mol.

    Parameters
    ----------
    law, name, **nominal
        As for `na_k_atpase`.
    protons : {1, 2}
        H that leave for one ATP. At -45 kJ/mol of ATP and pH 7.2 inside, 5.7 outside, two reverse
        at -144 mV and one at -378 mV: plant cells at -200 mV use one.

    Raises
    ------
    KeyError, ValueError
        As for `na_k_atpase`; a ValueError for another number of protons.

    Notes
    -----
    Sources: Hansen, Gradmann, Sanders & Slayman 1981, J Membr Biol 63:165 (form of two_state; its
    constants and closure are ours); Strieter et al. 1992, Am J Physiol 263:F1063 and Weinstein
    2000, doi:10.1152/ajprenal.2000.279.1.F24.

    Examples
    --------
    >>> from jaxmembrane.library.primary import h_atpase
    >>> plant = {"H_i": 6.3e-5, "H_o": 2e-3, "T": 298.15}
    >>> [f"{h_atpase(protons=n).at(**plant).reversal:.0f} mV" for n in (1, 2)]
    ['-507 mV', '-209 mV']
    """
    H = _protons(protons, name)
    reaction = f"{H}_i + ATP <-> {H}_o + ADP + Pi"
    return build(name, reaction, H_ATPASE_LAWS, law, nominal)


def light_pump(law: str = "linear", *, name: str = "light_pump", **nominal: float) -> Transporter:
    """Light-driven proton pump, as bacteriorhodopsin: one H out for one photon.

    ``H_i + photon <-> H_o``, one charge out per turnover.

    ============  =============================================================  ==========
    law           turnover J, with L the bare parameter ``light``                strength
    ============  =============================================================  ==========
    ``linear``    j_max L/(L + L_half) (1 - dp/dp_max),                          ``j_max``
                  dp = (RT/F) ln(H_o/H_i) - V, dp_max = E_photon/F
    ``geibel``    the same with dp = slope (pH_i - pH_o) - V and its own dp_max  ``j_max``
    ``constant``  j_max L/(L + L_half)                                           ``j_max``
    ============  =============================================================  ==========

    j_max is in amol/um^2/s, slope and dp_max in mV, ``light`` and L_half in the same unit, at
    choice. Light is dimmed by ``light``, back-pressure is set by ``E_photon`` (J/mol); both are
    bare, thus shared by all light pumps of a cell. The last two laws are irreversible: `geibel`
    has its zero where it was measured, not where its free energy is zero.

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
    Source: Geibel et al. 2001, Biophys J 81:2059 (current linear in V from -160 to +60 mV; its
    zero moves 34 mV for each unit of pH). j_max and dp_max are ours.

    Examples
    --------
    >>> from jaxmembrane.library.primary import light_pump
    >>> f"{light_pump().at(V=-70.0, H_i=1e-4, H_o=1e-4).reversal:.0f} mV"
    '-250 mV'
    """
    return build(name, "H_i + photon <-> H_o", LIGHT_PUMP_LAWS, law, nominal)


def nadph_oxidase(
    law: str = "bounded", *, name: str = "nadph_oxidase", **nominal: float
) -> Transporter:
    """Electron path of the NADPH oxidase, ``e_i + redox <-> e_o``: one electron out.

    J = j_max tanh(-dG/2RT), in electrons (amol/um^2/s): flat to 1 % from -100 to +50 mV, zero at
    ``E_redox``, a bare parameter (190 mV).

    The electron is a species of charge -1 for the book-keeping of charge; with the same
    concentration on both sides, as cells have by default, dG = F (V - E_redox).

    Parameters
    ----------
    law, name, **nominal
        As for `na_k_atpase`; the only law is ``bounded``, its strength ``j_max``.

    Raises
    ------
    KeyError, ValueError
        As for `na_k_atpase`.

    Notes
    -----
    Source: DeCoursey, Morgan & Cherny 2003, doi:10.1038/nature01523 (12 V/s uncompensated).

    Examples
    --------
    >>> from jaxmembrane.library.primary import nadph_oxidase
    >>> oxidase = nadph_oxidase().at(V=-60.0, e_i=1e-9, e_o=1e-9)
    >>> f"{oxidase.current:.0f} fA/um^2, reversal {oxidase.reversal:.0f} mV"
    '-120 fA/um^2, reversal 190 mV'
    """
    reaction = "e_i + redox <-> e_o"
    return build(name, reaction, NADPH_OXIDASE_LAWS, law, nominal, species=(ELECTRON,))


def respiratory_chain(
    law: str = "bounded", *, name: str = "respiratory_chain", **nominal: float
) -> Transporter:
    """Respiratory chain of mitochondria: ten H out of the matrix for two electrons.

    ``10 H_i + 2 redox <-> 10 H_o``: J = j_max tanh(-dG/2RT), in electron pairs (amol/um^2/s).

    From NADH to oxygen an electron falls through 1140 mV, which balances a proton-motive force of
    228 mV; that is the nominal value of the bare parameter ``E_redox`` here.

    Parameters
    ----------
    law, name, **nominal
        As for `na_k_atpase`; the only law is ``bounded``, its strength ``j_max``.

    Raises
    ------
    KeyError, ValueError
        As for `na_k_atpase`.

    Notes
    -----
    Source of the stoichiometry: Hinkle 2005, doi:10.1016/j.bbabio.2004.09.004; j_max is ours.

    Examples
    --------
    >>> from jaxmembrane.library.primary import respiratory_chain
    >>> chain = respiratory_chain().at(V=-160.0, H_i=1.6e-5, H_o=1e-4)
    >>> f"{1e-3 * chain.dG:.0f} kJ/mol, reversal {chain.reversal:.0f} mV"
    '-18 kJ/mol, reversal -179 mV'
    """
    return build(
        name,
        "10 H_i + 2 redox <-> 10 H_o",
        RESPIRATORY_CHAIN_LAWS,
        law,
        nominal,
        shared={"E_redox": replace(SOURCES["redox"].params["E_redox"], nominal=1140.0)},
    )


PRIMARY = (
    Entry("pmca", PMCA_LAWS, pmca),
    Entry("h_atpase", H_ATPASE_LAWS, h_atpase),
    Entry("light_pump", LIGHT_PUMP_LAWS, light_pump),
    Entry("nadph_oxidase", NADPH_OXIDASE_LAWS, nadph_oxidase),
    Entry("respiratory_chain", RESPIRATORY_CHAIN_LAWS, respiratory_chain),
)
