"""Pumps."""

from ..kinetics.pumps import NKA_LAWS
from ..transport import Transporter
from .build import build


def na_k_atpase(law: str = "garay_garrahan", *, name: str = "nka", **nominal: float) -> Transporter:
    """Na/K-ATPase: three Na out and two K in for one ATP.

    ``3 Na_i + 2 K_o + ATP <-> 3 Na_o + 2 K_i + ADP + Pi``, one charge out per turnover.

    ==================  =======================================================  ==============
    law                 turnover J                                               strength
    ==================  =======================================================  ==============
    ``garay_garrahan``  j_max [Na_i/(Na_i + K_Na(1 + K_i/K_K_i))]^3              ``j_max``
                        [K_o/(K_o + K_K(1 + Na_o/K_Na_o))]^2 tanh(-dG/2RT)
    ``hill``            j_max (Na_i/(Na_i + K_Na))^3 (K_o/(K_o + K_K))^2         ``j_max``
    ``hamada``          j_max [f Na_i^3/(Na_i^3 + K_1^3)                         ``j_max``
                        + (1 - f) Na_i^3/(Na_i^3 + K_2^3)]
    ``linear``          b Na_i                                                   ``b`` (um/s)
    ``cubic``           j (Na_i/Na_o)^3                                          ``j``
    ``constant``        j                                                        ``j``
    ==================  =======================================================  ==============

    j and j_max are in amol/um^2/s, the K in mM. All but the first are irreversible as published:
    they pump on against any free energy.

    Parameters
    ----------
    law : str
        One of the table.
    name : str
        Owner of the parameters.
    **nominal : float
        Nominal values by parameter name, as in ``j_max=0.3``.

    Raises
    ------
    KeyError
        For a law or a parameter that does not exist, with the nearest that does.
    ValueError
        For a value outside its domain.

    Notes
    -----
    Sources: Garay & Garrahan 1973, doi:10.1113/jphysiol.1973.sp010234 (times tanh(-dG/2RT), which
    is bounded and gives the exact zero and sign); Kay & Blaustein 2019, doi:10.1085/jgp.201812274
    (hill); Dijkstra et al. 2016, PMID 27881775 (hamada); Vereninov et al.
    2016, PMC4861346 (linear); Duesterwald et al. 2018, doi:10.7554/eLife.39575 (cubic).

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.na_k_atpase(law="cubic", j=103.6).charge
    -1
    """
    reaction = "3 Na_i + 2 K_o + ATP <-> 3 Na_o + 2 K_i + ADP + Pi"
    return build(name, reaction, NKA_LAWS, law, nominal)
