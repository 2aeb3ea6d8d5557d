"""Exchangers of the inner mitochondrial membrane: inside is the matrix."""

from ..kinetics.mitochondrial import ANT_LAWS, NCLX_LAWS
from ..transport import Transporter
from .build import Entry, build


def nclx(law: str = "dash_beard", *, name: str = "nclx", **nominal: float) -> Transporter:
    """Mitochondrial Na/Ca exchanger, ``3 Na_o + Ca_i <-> 3 Na_i + Ca_o``, inside = matrix.

    One charge into the matrix per calcium that leaves it. Turnover, with ``a = (Na_o/K_Na)^3``,
    ``b = Ca_i/K_Ca``, ``c = (Na_i/K_Na)^3``, ``d = Ca_o/K_Ca``, u = F V/(R T):

    ===============  ==============================================  ==========================
    law              turnover J                                      strength
    ===============  ==============================================  ==========================
    ``dash_beard``   j_max [exp(-u/2) a b - exp(u/2) c d] /          ``j_max`` (amol/um^2/s)
                     (1 + a + b + a b + c + d + c d)
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
    exp(-u/2) is 20 at V = -160 mV: J can exceed j_max. Source: Dash & Beard 2008,
    doi:10.1113/jphysiol.2008.151977; j_max for 400 cm2 of membrane per mg of protein.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> at = jm.nclx().at(V=-160.0, T=310.0, Na_o=10.0, Na_i=5.0, Ca_o=1e-4, Ca_i=2e-4)
    >>> f"{1e-3 * at.dG:.2f} kJ/mol"
    '-22.58 kJ/mol'
    """
    return build(name, "3 Na_o + Ca_i <-> 3 Na_i + Ca_o", NCLX_LAWS, law, nominal)


def ant(law: str = "metelkin", *, name: str = "ant", **nominal: float) -> Transporter:
    """ADP/ATP carrier, ``ATP_i + ADP_o <-> ATP_o + ADP_i``, inside = matrix.

    The species are the free forms that it binds, T = ATP4- and D = ADP3-; see
    `free_nucleotides`. One charge into the matrix per turnover; u = F V/(R T).

    ==================  ===========================================  ==========================
    law                 turnover J                                   strength
    ==================  ===========================================  ==========================
    ``metelkin``        density k_3 (T_i D_o exp(-u) - D_i T_o) /    ``density`` (amol/um^2)
                        [K_T (q T_i + D_i)(1 + T_o/K_T + D_o/K_D)],
                        q = k_3 K_D exp(-u)/(k_2 K_T)
    ``metelkin_refit``  the same, refitted constants                 ``density``
    ``magnus_keizer``   j_max (T_i D_o - exp(u) T_o D_i) /           ``j_max`` (amol/um^2/s)
                        [(D_o + exp(h u) T_o)(T_i + D_i)]
    ``bohnensack``      j_max [D_o/(D_o + T_o exp(f u)) -            ``j_max``
                        D_i/(D_i + T_i exp((f - 1) u))]
                        / (1 + K_ADP/D_o)
    ==================  ===========================================  ==========================

    k_2, k_3 (1/s), K_D and K_T (mM) hold at 0 mV and change exponentially with V, by A, B, C,
    delta_D and delta_T. All four are zero exactly where the free energy is.

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
    Sources: Metelkin, Goryanin & Demin 2006, doi:10.1529/biophysj.105.061986; Magnus & Keizer
    1997, doi:10.1152/ajpcell.1997.273.2.C717, who fix the free shares at 2.5 and 17 % (matrix ATP,
    ADP), 25 and 45 % (outside); Bohnensack 1982, Biochim Biophys Acta 680:271, as in Korzeniewski
    & Zoladz 2001, doi:10.1016/S0301-4622(01)00184-3.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.ant().charge
    1
    """
    return build(name, "ATP_i + ADP_o <-> ATP_o + ADP_i", ANT_LAWS, law, nominal)


MITOCHONDRIAL = (Entry("nclx", NCLX_LAWS, nclx), Entry("ant", ANT_LAWS, ant))
