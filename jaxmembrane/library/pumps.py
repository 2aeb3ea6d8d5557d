"""The Na/K-ATPase."""

from collections.abc import Sequence

from ..kinetics.pumps import NKA_LAWS
from ..transport import Transporter
from .build import Entry, build, choose

_K_NA_RELATIVE = {"alpha1": 1.0, "alpha2": 1.8, "alpha3": 2.75}
_BINDS_THREE_AND_TWO = ("garay_garrahan_reversible", "post_albers_4", "post_albers_6")


def na_k_atpase(
    law: str = "garay_garrahan",
    *,
    stoichiometry: Sequence[int] = (3, 2),
    isoform: str | None = None,
    name: str = "nka",
    **nominal: float,
) -> Transporter:
    """Na/K-ATPase: three Na out and two K in for one ATP.

    ``3 Na_i + 2 K_o + ATP <-> 3 Na_o + 2 K_i + ADP + Pi``, one charge out per turnover.

    =============================  ================================================  ===========
    law                            turnover J                                        strength
    =============================  ================================================  ===========
    ``garay_garrahan``             G tanh(-dG/2RT),                                  ``j_max``
                                   G = j_max [Na_i/(Na_i + K_Na(1 + K_i/K_K_i))]^3
                                   [K_o/(K_o + K_K(1 + Na_o/K_Na_o))]^2
    ``garay_garrahan_reversible``  G (1 - exp(dG/RT)); diverges in dead cells        ``j_max``
    ``post_albers_4``              cycle of four states                              ``density``
    ``post_albers_6``              cycle of six states                               ``density``
    ``garay_garrahan_published``   G                                                 ``j_max``
    ``hill``                       j_max (Na_i/(Na_i + K_Na))^3                      ``j_max``
                                   (K_o/(K_o + K_K))^2
    ``hamada``                     j_max [f Na_i^3/(Na_i^3 + K_1^3)                  ``j_max``
                                   + (1 - f) Na_i^3/(Na_i^3 + K_2^3)]
    ``luo_rudy``                   j_max f(u, Na_o) K_o/(K_o + K_K)                  ``j_max``
                                   / (1 + (K_Na/Na_i)^1.5)
    ``wei``                        j_max / (1 + exp((Na_half - Na_i)/w_Na))          ``j_max``
                                   / (1 + exp((K_half - K_o)/w_K))
    ``linear``                     b Na_i                                            ``b``
    ``cubic``                      j (Na_i/Na_o)^3                                   ``j``
    ``constant``                   j                                                 ``j``
    =============================  ================================================  ===========

    j and j_max are in amol/um^2/s, b in um/s, density (pumps per area; turnovers per second times
    density is J) in amol/um^2, the K in mM. The first four are zero where dG is and have its sign;
    the others are irreversible as published: they pump on against any free energy.

    Parameters
    ----------
    law : str
        One of the table.
    stoichiometry : pair of int
        Na out and K in per ATP: ``(2, 3)`` is the hypothetical reverse pump, ``(2, 2)`` is
        electroneutral. The law keeps its dependence on Na and K; charge and dG follow. The
        ``post_albers`` and reversible laws bind 3 Na and 2 K and take no other.
    isoform : {"alpha1", "alpha2", "alpha3"}, optional
        Scales K_Na by 1, 1.8 or 2.75, for the laws that have it.
    name : str
        Owner of the parameters.
    **nominal : float
        Nominal values by parameter name, as in ``j_max=0.3``.

    Raises
    ------
    KeyError
        For a law or a parameter that does not exist, with the nearest that does.
    ValueError
        For a value outside its domain, or a stoichiometry or isoform that the law cannot have.

    Notes
    -----
    The cycles are closed: the rate at which phosphate rebinds follows from ATP, ADP, Pi and K_ATP,
    so that both stand still exactly where dG = 0. K_ATP is the apparent constant of the reaction
    without a proton: it holds pH (tenfold for each unit) and what binds phosphate. The four-state
    constants were published with H and bound phosphate explicit; at pH 7.1, 140 mM K and 12 mM Na
    inside they amount to K_ATP = 2.49e8 mM, the six-state ones to 2.396e8 mM, the default.

    Sources: Garay & Garrahan 1973, doi:10.1113/jphysiol.1973.sp010234 (times tanh(-dG/2RT), which
    is bounded and gives the exact zero and sign); Pan et al. 2020, doi:10.36903/physiome.12871070
    (four states); Chapman, Johnson & Kootsey 1983, J Membr Biol 74:139 (six states);
    Kay & Blaustein 2019, doi:10.1085/jgp.201812274 (hill); Dijkstra et al. 2016, PMID 27881775
    (hamada); Luo & Rudy 1994, doi:10.1161/01.RES.74.6.1071; Wei, Ullah & Schiff 2014,
    doi:10.1523/JNEUROSCI.0516-14.2014; Vereninov et al. 2016, PMC4861346 (linear); Duesterwald et
    al. 2018, doi:10.7554/eLife.39575 (cubic). Isoforms: half rate at 12, 22 and 33 mM Na inside,
    Zahler et al. 1997, doi:10.1085/jgp.110.2.201.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.na_k_atpase(law="cubic", j=103.6).charge
    -1
    >>> jm.na_k_atpase(stoichiometry=(2, 3)).charge
    1
    >>> pump = jm.na_k_atpase("post_albers_4", density=1.0)
    >>> at = pump.at(V=-70.0, Na_i=12.0, K_i=140.0, Na_o=145.0, K_o=4.0, T=310.0)
    >>> f"{at.flux:.3f} turnovers per second, reversal {at.reversal:.0f} mV"
    '8.171 turnovers per second, reversal -230 mV'
    """
    declared = choose(NKA_LAWS, law, name).params
    counts = _counts(stoichiometry, law)
    if isoform is not None:
        if isoform not in _K_NA_RELATIVE:
            raise ValueError(
                f"isoform of {name} must be one of {', '.join(_K_NA_RELATIVE)}, not {isoform!r}"
            )
        if "K_Na" not in declared:
            raise ValueError(
                f"law {law!r} of {name} has no K_Na for isoform={isoform!r} to scale; "
                "set its own constants, or choose another law"
            )
        if "K_Na" in nominal:
            raise ValueError(
                f"{name} takes isoform={isoform!r} or K_Na={nominal['K_Na']!r}, not both"
            )
        nominal["K_Na"] = declared["K_Na"].nominal * _K_NA_RELATIVE[isoform]
    sodium, potassium = (f"{n} " if n > 1 else "" for n in counts)
    reaction = f"{sodium}Na_i + {potassium}K_o + ATP <-> {sodium}Na_o + {potassium}K_i + ADP + Pi"
    return build(name, reaction, NKA_LAWS, law, nominal)


def _counts(stoichiometry: Sequence[int], law: str) -> tuple[int, int]:
    counts = tuple(stoichiometry) if isinstance(stoichiometry, Sequence) else ()
    whole = all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in counts)
    if len(counts) != 2 or not whole:
        raise ValueError(
            "stoichiometry must be two whole numbers above zero, Na out and K in per ATP, as "
            f"(3, 2), not {stoichiometry!r}"
        )
    if counts != (3, 2) and law in _BINDS_THREE_AND_TWO:
        raise ValueError(
            f"law {law!r} binds 3 Na and 2 K, so that stoichiometry must be (3, 2), not {counts}; "
            "choose law='garay_garrahan'"
        )
    return counts


PUMPS = (Entry("na_k_atpase", NKA_LAWS, na_k_atpase),)
