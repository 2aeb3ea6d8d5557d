"""Drugs, ATP and kinases that change turnovers: what `Transporter.regulated` takes."""

from numbers import Real

from ..kinetics.regulation import (
    Binding,
    Inhibition,
    Phosphorylation,
    atp_saturation,
    kinase_activation,
    kinase_inhibition,
    unoccupied,
)
from ..naming import check_name
from ..params import Param, is_number
from ..regulation import Regulation
from ..site import SOURCES

# K of the rat isoforms (mM). O'Brien et al. found similar on-rates and alpha3 33 times slower to
# leave; the on-rate of alpha1 and alpha2 is that of human red cells, so that all rates are ours.
_OUABAIN_K = {"alpha1": 0.048, "alpha2": 1.15e-4, "alpha3": 1.6e-6}
_OUABAIN_ON = 46.0
_OUABAIN_OFF = {
    "alpha1": _OUABAIN_ON * _OUABAIN_K["alpha1"],
    "alpha2": _OUABAIN_ON * _OUABAIN_K["alpha2"],
    "alpha3": _OUABAIN_ON * _OUABAIN_K["alpha2"] / 33.0,
}
_OUABAIN_SOURCE = (
    "O'Brien, Lingrel & Wallick 1994, Arch Biochem Biophys 310:32, PMID 8161218; on-rate: "
    "doi:10.1113/jphysiol.1975.sp011115"
)
_WNK = Param(0.0, "1", "activity of WNK-SPAK", "fraction")


def inhibitor(drug: str, K: float, *, hill: float = 1.0, source: str = "") -> Regulation:
    """A drug at its equilibrium: the turnover times ``1 / (1 + (drug / K_drug)^hill)``.

    It brings the parameters ``<drug>`` (mM, zero unless given) and ``K_<drug>`` (mM) to the
    transporter that it regulates, as ``nkcc1.bumetanide``.

    Parameters
    ----------
    drug : str
        Its name, letters, digits and underscores.
    K : float
        Concentration at half inhibition, mM.
    hill : float
        Hill exponent. Where it is no whole number, derivatives at zero drug count as zero.
    source : str
        Where K comes from.

    Raises
    ------
    ValueError
        If the name is not an identifier, or K or hill is not above zero.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.library.regulation import inhibitor
    >>> nkcc1 = jm.nkcc1().regulated(inhibitor("bumetanide", K=1e-3))
    >>> state = dict(Na_i=14.0, K_i=120.0, Cl_i=5.0, Na_o=145.0, K_o=3.5, Cl_o=119.0)
    >>> f"{nkcc1.at(bumetanide=9e-3, **state).flux / nkcc1.at(**state).flux:.3f}"
    '0.100'
    """
    check_name(drug, "a drug")
    for what, value in (("K", K), ("hill", hill)):
        if not is_number(value) or not 0.0 < value < float("inf"):
            raise ValueError(f"{what} of {drug} must be a number above zero, not {value!r}")
    return Regulation(
        Inhibition(drug, float(hill)),
        {
            drug: Param(0.0, "mM", drug),
            f"K_{drug}": Param(K, "mM", f"{drug} at half inhibition", "positive"),
        },
        source=source,
    )


def ouabain(isoform: str = "alpha1", kinetics: bool = False) -> Regulation:
    """Ouabain on the Na/K-ATPase of the rat, at equilibrium or as it binds.

    =========  ==================  =================  ============
    isoform    K_ouabain (mM)      k_on (1/(mM s))    k_off (1/s)
    =========  ==================  =================  ============
    alpha1     0.048               46                 2.2
    alpha2     1.15e-4             46                 5.3e-3
    alpha3     1.6e-6              100                1.6e-4
    =========  ==================  =================  ============

    At equilibrium the factor is ``1 / (1 + ouabain / K_ouabain)``; with kinetics it is
    ``1 - bound``, where the gate follows ``d bound/dt = k_on ouabain (1 - bound) - k_off bound``
    and rests at the same factor. Human isoforms are all nanomolar: give their own K.

    Parameters
    ----------
    isoform : {"alpha1", "alpha2", "alpha3"}
        Isoform of the pump, which sets the constants.
    kinetics : bool
        Whether binding takes time: a gate ``bound`` with k_on and k_off for K_ouabain.

    Raises
    ------
    ValueError
        For another isoform.

    Notes
    -----
    Sources: O'Brien, Lingrel & Wallick 1994, Arch Biochem Biophys 310:32 (K; similar on-rates of
    alpha2 and alpha3, of which alpha3 releases it 33 times slower). The rates themselves are ours:
    alpha1 and alpha2 take the on-rate of human red cells, doi:10.1113/jphysiol.1975.sp011115, and
    the others follow from K and the ratio.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.library.regulation import ouabain
    >>> pump = jm.na_k_atpase("constant", j=1.0).regulated(ouabain("alpha2", kinetics=True))
    >>> at = pump.at(Na_i=12.0, K_i=140.0, Na_o=145.0, K_o=4.0, ouabain=1.15e-4)
    >>> f"{at.gates['bound']:.3f} bound, turnover {at.flux:.3f}"
    '0.500 bound, turnover 0.500'
    """
    if isoform not in _OUABAIN_K:
        raise ValueError(
            f"isoform for ouabain must be one of {', '.join(_OUABAIN_K)}, not {isoform!r}"
        )
    if not kinetics:
        return inhibitor("ouabain", _OUABAIN_K[isoform], source=_OUABAIN_SOURCE)
    off = _OUABAIN_OFF[isoform]
    return Regulation(
        unoccupied,
        {
            "ouabain": Param(0.0, "mM", "ouabain"),
            "k_on": Param(off / _OUABAIN_K[isoform], "1/s/mM", "rate of binding ouabain"),
            "k_off": Param(off, "1/s", "rate of releasing ouabain", "positive"),
        },
        gates={"bound": Binding("ouabain")},
        source=_OUABAIN_SOURCE,
    )


def atp_dependence() -> Regulation:
    """Dependence of a pump on ATP: ``ATP / (ATP + K_m_ATP (1 + ADP / K_i_ADP))``.

    It reads the bare parameters ATP and ADP (mM), which all users of ATP in a cell share, and
    brings K_m_ATP (0.008 mM) and K_i_ADP (0.1 mM). Meant for laws that ignore ATP, as ``luo_rudy``.

    Notes
    -----
    Source: Cortassa et al. 2006, Biophys J 91:1564, doi:10.1529/biophysj.105.076174.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.library.regulation import atp_dependence
    >>> pump = jm.na_k_atpase("constant", j=1.0).regulated(atp_dependence())
    >>> f"{pump.at(Na_i=12.0, K_i=140.0, Na_o=145.0, K_o=4.0, ATP=0.01, ADP=0.5).flux:.4f}"
    '0.1724'
    """
    return Regulation(
        atp_saturation,
        {
            "K_m_ATP": Param(0.008, "mM", "ATP at half rate without ADP", "positive"),
            "K_i_ADP": Param(0.1, "mM", "ADP that doubles K_m_ATP", "positive"),
        },
        shared={name: SOURCES["ATP"].params[name] for name in ("ATP", "ADP")},
        source="Cortassa et al. 2006, Biophys J 91:1564, doi:10.1529/biophysj.105.076174",
    )


def phosphorylation(site: str = "T906", *, f: float = 0.5) -> Regulation:
    """A phosphorylation site that slows a transporter: the turnover times ``1 - f_site p_site``.

    It brings ``p_<site>`` (the phosphorylated share, zero unless given) and ``f_<site>`` (the part
    of the turnover that full phosphorylation takes). Sites combine: T906 and T1007 of KCC2 give
    ``(1 - f_T906 p_T906) (1 - f_T1007 p_T1007)``.

    Parameters
    ----------
    site : str
        Its name, letters, digits and underscores.
    f : float
        Nominal value of ``f_<site>``, between 0 and 1. That of the default is ours.

    Raises
    ------
    ValueError
        If the name is not an identifier, or f not between 0 and 1.

    Notes
    -----
    Source: Rinehart et al. 2009, doi:10.1016/j.cell.2009.05.031 (sites of KCC2 and its relatives
    that are phosphorylated where it is inactive).

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.library.regulation import phosphorylation
    >>> kcc2 = jm.kcc2().regulated(phosphorylation("T906"), phosphorylation("T1007"))
    >>> [name for name, _ in kcc2.params][-4:]
    ['p_T906', 'f_T906', 'p_T1007', 'f_T1007']
    """
    check_name(site, "a phosphorylation site")
    _check_fraction(f"f of {site}", f)
    return Regulation(
        Phosphorylation(site),
        {
            f"p_{site}": Param(0.0, "1", f"phosphorylated share of {site}", "fraction"),
            f"f_{site}": Param(f, "1", f"part that phosphorylated {site} takes", "fraction"),
        },
        source="Rinehart et al. 2009, Cell 138:525, doi:10.1016/j.cell.2009.05.031",
    )


def wnk_spak(role: str, gain: float = 1.0, basal: float = 1.0) -> Regulation:
    """The kinases WNK and SPAK, which slow KCC2 and speed NKCC1 by one and the same activity.

    ===============  ==================================  ==========
    role             factor                              as for
    ===============  ==================================  ==========
    ``"inhibits"``   1 - wnk_gain wnk                    KCC2
    ``"activates"``  wnk_basal + wnk_gain wnk            NKCC1
    ===============  ==================================  ==========

    ``wnk`` (0 to 1, zero unless given) is a bare parameter, thus one for the whole cell. At zero
    both factors are one: transporters run as without it, but for another `basal`; with ``basal=0``
    the strength of NKCC1 is what full activity gives it.

    Parameters
    ----------
    role : {"inhibits", "activates"}
        What the kinases do to the transporter.
    gain : float
        Nominal ``wnk_gain``: how much full activity takes (at most 1) or adds. The defaults are
        ours: KCC2 stops, NKCC1 doubles.
    basal : float
        Nominal ``wnk_basal``, for ``"activates"`` only.

    Raises
    ------
    ValueError
        For another role, or a gain or basal outside its range.

    Notes
    -----
    Source: Rinehart et al. 2009, doi:10.1016/j.cell.2009.05.031.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.library.regulation import wnk_spak
    >>> kcc2 = jm.kcc2("mass_action", k=1.0).regulated(wnk_spak("inhibits"))
    >>> f"{kcc2.at(K_i=2.0, Cl_i=1.0, K_o=1.0, Cl_o=1.0, wnk=0.25).flux:.2f}"
    '0.75'
    """
    source = "Rinehart et al. 2009, Cell 138:525, doi:10.1016/j.cell.2009.05.031"
    if role == "inhibits":
        if basal != 1.0:
            raise ValueError(f"basal of wnk_spak belongs to role='activates', not basal={basal!r}")
        _check_fraction("gain of wnk_spak('inhibits')", gain)
        own = {"wnk_gain": Param(gain, "1", "part that full WNK-SPAK activity takes", "fraction")}
        return Regulation(kinase_inhibition, own, shared={"wnk": _WNK}, source=source)
    if role != "activates":
        raise ValueError(f"role of wnk_spak must be 'inhibits' or 'activates', not {role!r}")
    own = {
        "wnk_basal": Param(basal, "1", "share without WNK-SPAK activity"),
        "wnk_gain": Param(gain, "1", "what full WNK-SPAK activity adds"),
    }
    return Regulation(kinase_activation, own, shared={"wnk": _WNK}, source=source)


def _check_fraction(what: str, value: float) -> None:
    if not isinstance(value, Real) or not 0.0 <= value <= 1.0:
        raise ValueError(f"{what} must be a number between 0 and 1, not {value!r}")
