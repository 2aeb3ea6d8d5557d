"""Cotransporters: cations with chloride, sodium with bicarbonate, sodium with glucose."""

from dataclasses import replace

from ..kinetics.carriers import RandomOrder
from ..kinetics.cotransport import KCC2_LAWS, NCC_LAWS, NKCC1_LAWS, nbc_laws
from ..kinetics.sugar import SGLT1_LAWS, SGLT1_SLIPS, SixState
from ..transport import Transporter
from .build import Entry, build, choose, with_nominal


def kcc2(law: str = "saturating", *, name: str = "kcc2", **nominal: float) -> Transporter:
    """K-Cl cotransporter 2, ``K_i + Cl_i <-> K_o + Cl_o``; at equilibrium E_K = E_Cl.

    ==================  ===========================================  ==========================
    law                 turnover J                                   strength
    ==================  ===========================================  ==========================
    ``saturating``      j_max (S_i - S_o) / sum over both sides of   ``j_max`` (amol/um^2/s)
                        (1 + S)(1 + K/K_K)(1 + Cl/K_Cl),
                        S = K Cl / (K_K K_Cl)
    ``kcc4``            density (k_out e_in L_i - k_in e_out L_o) /  ``density`` (amol/um^2)
                        trees, as `nkcc1`; K binds first outside,
                        Cl inside
    ``kcc4_published``  the same, irreversible                       ``density``
    ``log``             -g dG/F^2 = (g/F)(E_Cl - E_K)                ``g`` (pS/um^2)
    ``mass_action``     k (K_i Cl_i - K_o Cl_o)                      ``k`` (amol/um^2/s/mM^2)
    ==================  ===========================================  ==========================

    The rates of ``kcc4_published`` miss equilibrium by 0.012 % of their products (0.3 J/mol); in
    ``kcc4`` e_in follows from the others, 357741 instead of 357700/s.

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
    Sources: Staley & Proctor 1999, doi:10.1111/j.1469-7793.1999.0693n.x (saturating); the nephron
    model of Marcano, Layton & Layton 2010, without ammonium (kcc4); Doyon et al. 2011,
    doi:10.1371/journal.pcbi.1002149 (log); Fraser & Huang 2004,
    doi:10.1113/jphysiol.2004.065706 (mass action).

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.kcc2(law="log", g=0.2).charge
    0
    """
    return build(name, "K_i + Cl_i <-> K_o + Cl_o", KCC2_LAWS, law, nominal)


def nkcc1(law: str = "terashima", *, name: str = "nkcc1", **nominal: float) -> Transporter:
    """Na-K-2Cl cotransporter 1, ``Na_o + K_o + 2 Cl_o <-> Na_i + K_i + 2 Cl_i``.

    =======================  ======================================  ==========================
    law                      turnover J, y and x = Na K Cl^2         strength
                             outside and inside
    =======================  ======================================  ==========================
    ``terashima``            density (k_in e_out L_o -               ``density`` (amol/um^2)
                             k_out e_in L_i) / trees
    ``terashima_published``  the same, irreversible                  ``density``
    ``nkcc2f``               the same, constants of NKCC2 F          ``density``
    ``nkcc2f_published``     the same, irreversible                  ``density``
    ``palk``                 j_max (y - x) / (K + x)                 ``j_max`` (amol/um^2/s)
    ``palk_published``       the same, y a parameter; irreversible   ``j_max``
    ``log``                  -g dG/F^2 = (g/F)(E_Na + E_K - 2 E_Cl)  ``g`` (pS/um^2)
    ``wei``                  log / (1 + exp((K_half - K_o)/K_width)) ``g``
    ``mass_action``          k (y - x)                               ``k`` (amol/um^2/s/mM^4)
    =======================  ======================================  ==========================

    The first four are ordered carriers with ten states: outside Na, Cl, K and Cl bind, inside
    they leave in that order. ``L = y/(K_Na K_K K_Cl^2)`` on either side, B is the sum of the
    bound forms (1 + Na/K_Na + ...), and ``trees = B_o (k_out L_i + e_out) + B_i (k_in L_o +
    e_in)``: the loaded carrier crosses at k_in and k_out, the empty one at e_in and e_out (1/s).

    The published rates do not quite cancel, ``k_in e_out / (k_out e_in)`` = 0.99976 and 0.99984: at
    equilibrium 0.02 % of the resting flux survives in ``terashima_published``. In ``terashima`` and
    ``nkcc2f`` e_in is k_in e_out / k_out, 79502.6 instead of 79522/s and 357741 instead of
    357800/s: the flux there is zero exactly.
    ``palk_published`` holds y at 7.84e6 mM^4 and turns where x does, whatever the bath.

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
    Sources: Terashima et al. 2006, doi:10.1098/rsta.2006.1767; Marcano et al. 2009,
    doi:10.1152/ajprenal.00096.2008, without ammonium (nkcc2f); Palk et al. 2010,
    doi:10.1016/j.jtbi.2010.06.027; Doyon et al. 2011 (log); Wei, Ullah & Schiff 2014,
    doi:10.1523/JNEUROSCI.0480-14.2014 (astrocytes: shut below K_o = 10 mM); Kay & Blaustein 2019,
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


def nbc(
    law: str = "saturating", *, bicarbonates: int = 2, name: str = "nbc", **nominal: float
) -> Transporter:
    """Na-HCO3 cotransporter with n bicarbonates, ``Na_o + 2 HCO3_o <-> Na_i + 2 HCO3_i``.

    The charge Q that a turnover moves in is 1 - n: NBCn1 has n = 1, NBCe1 2 or 3. Turnover, with
    ``a = (Na_o/K_Na) exp(-Q u/2)``, ``x = (HCO3_o/K_HCO3)^n``, ``b = (Na_i/K_Na) exp(Q u/2)``,
    ``y = (HCO3_i/K_HCO3)^n``, u = F V/(R T):

    ===============  ==============================================  ==============================
    law              turnover J                                      strength
    ===============  ==============================================  ==============================
    ``saturating``   j_max (a x - b y) /                             ``j_max`` (amol/um^2/s)
                     (1 + a + x + a x + b + y + b y)
    ``ohmic``        g (V_rev - V) / (Q F), -g dG/F^2 for Q = 0      ``g`` (pS/um^2)
    ``mass_action``  k [Na_o HCO3_o^n exp(-Q u/2) -                  ``k`` (amol/um^2/s/mM^(n+1))
                     Na_i HCO3_i^n exp(Q u/2)]
    ===============  ==============================================  ==============================

    Parameters
    ----------
    law, name, **nominal
        As for `na_k_atpase`.
    bicarbonates : int
        n, bicarbonates per sodium.

    Raises
    ------
    KeyError, ValueError
        As for `na_k_atpase`; also for bicarbonates that are not a whole number above zero.

    Notes
    -----
    Generic reversible laws of the package; the constants are of the order of the ions in tissue.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> [jm.nbc(bicarbonates=n).charge for n in (1, 2, 3)]
    [0, -1, -2]
    """
    _check_count("bicarbonates", name, bicarbonates)
    n = f"{bicarbonates} " if bicarbonates > 1 else ""
    reaction = f"Na_o + {n}HCO3_o <-> Na_i + {n}HCO3_i"
    return build(name, reaction, nbc_laws(bicarbonates), law, nominal)


def sglt1(
    law: str = "simple",
    *,
    sodium: int = 2,
    slip: bool | None = None,
    name: str = "sglt1",
    **nominal: float,
) -> Transporter:
    """Na-glucose cotransporter, ``2 Na_o + Glucose_o <-> 2 Na_i + Glucose_i``.

    =======================  ======================================  ==========================
    law                      turnover J                              strength
    =======================  ======================================  ==========================
    ``simple``               j_max (a x - b y) /                     ``j_max`` (amol/um^2/s)
                             (1 + a + x + a x + b + y + b y)
    ``six_state``            density (k_12 k_23 k_34 k_45 k_56 k_61  ``density`` (amol/um^2)
                             - k_21 k_32 k_43 k_54 k_65 k_16) /
                             trees, human SGLT1
    ``six_state_published``  the same, slipping; irreversible        ``density``
    ``parent``               the same cycle, rabbit SGLT1 at 22 C    ``density``
    =======================  ======================================  ==========================

    With n sodium ions, ``a = (Na_o/K_Na)^n exp(-n u/2)``, ``x = Glucose_o/K_Glucose``,
    ``b = (Na_i/K_Na)^n exp(n u/2)``, ``y = Glucose_i/K_Glucose``. In the cycles states 1 to 3 face
    outside (empty, 2 Na, 2 Na and glucose), 4 to 6 inside in reverse; ``six_state`` and ``parent``
    take k_54 (and k_52 of the slip) from detailed balance, which the published sets miss by 2.44
    (1.16) and 0.999 (1.001).

    Parameters
    ----------
    law, name, **nominal
        As for `na_k_atpase`.
    sodium : int
        n, sodium ions per glucose: 2 for SGLT1, 1 for SGLT2 (``simple`` only).
    slip : bool, optional
        Whether the carrier also crosses with two Na and no glucose, at ``k_25`` (1/s); by default
        only ``six_state_published`` does. It then has two legs, ``name:coupled`` (crossings with
        glucose) and ``name:slip`` (``2 Na_o <-> 2 Na_i``), and is irreversible: glucose can run
        against its free energy, paid by the sodium that slips.

    Raises
    ------
    KeyError, ValueError
        As for `na_k_atpase`; also for a sodium that is not a whole number above zero, and for
        another number than 2, or slip, that the law does not have.

    Notes
    -----
    Sources: Wright, Loo & Hirayama 2011, doi:10.1152/physrev.00055.2009; Parent, Supplisson, Loo &
    Wright 1992, J Membr Biol 125:63; ``simple`` is derived. The slip of ``parent``, 0.3/s, caps the
    accumulation of glucose at 8.3-fold (-50 mV, Na 12 | 145 mM, 22 C), where tight coupling
    reaches 7446-fold.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.sglt1().charge, jm.sglt1(sodium=1).charge, jm.sglt1("parent", slip=True).charge
    (2, 1, (2, 2))
    """
    _check_count("sodium", name, sodium)
    chosen = choose(SGLT1_LAWS, law, name)
    slips, published = SGLT1_SLIPS.get(law), law == "six_state_published"
    slip = published if slip is None else slip
    if slips is None:
        if slip:
            raise ValueError(f"law {law} of {name} cannot slip; use law='six_state' or 'parent'")
        n = f"{sodium} " if sodium > 1 else ""
        laws = {law: replace(chosen, rate=RandomOrder(sodium, "Glucose", 1))}
        return build(name, f"{n}Na_o + Glucose_o <-> {n}Na_i + Glucose_i", laws, law, nominal)
    if sodium != 2:
        raise ValueError(f"law {law} of {name} binds 2 sodium ions, not {sodium}: use law='simple'")
    reaction = "2 Na_o + Glucose_o <-> 2 Na_i + Glucose_i"
    if not slip:
        return build(name, reaction, SGLT1_LAWS, law, nominal)
    legs = {
        leg: (text, SixState(closed=not published, slips=True, leg=leg))
        for leg, text in (("coupled", reaction), ("slip", "2 Na_o <-> 2 Na_i"))
    }
    declared = with_nominal({**chosen.params, **slips}, nominal)
    return Transporter(name, legs, params=declared, irreversible=True, source=chosen.source)


def _check_count(what: str, name: str, n: object) -> None:
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"{what} of {name} must be a whole number above zero, not {n!r}")


COTRANSPORTERS = (
    Entry("kcc2", KCC2_LAWS, kcc2),
    Entry("nkcc1", NKCC1_LAWS, nkcc1),
    Entry("ncc", NCC_LAWS, ncc),
    Entry("nbc", nbc_laws(2), nbc),
    Entry("sglt1", SGLT1_LAWS, sglt1),
)
