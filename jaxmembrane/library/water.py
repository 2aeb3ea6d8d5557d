"""Water's own ions: hydroxide, whose way out is a proton's way in."""

from ..kinetics.law import Law
from ..kinetics.thermodynamic import ghk
from ..params import Param
from ..regulation import Regulated
from ..site import Site, Values
from ..transport import Transporter
from .build import Entry, build


def per_proton(s: Site, p: Values) -> float:
    """Hydroxide for each proton: ``K_w / (H_i H_o)``."""
    return p.K_w / (s.H_i * s.H_o)


HYDROXIDE_LAWS = {
    "ghk": Law(
        Regulated(ghk, per_proton),
        {
            "P": Param(10.0, "um/s", "permeability to OH"),
            "K_w": Param(1e-8, "mM^2", "ion product of water", "positive"),
        },
        "derived from the constant field with water in equilibrium; K_w of 25 C: Harned & Owen, "
        "The Physical Chemistry of Electrolytic Solutions",
    )
}


def hydroxide_leak(law: str = "ghk", *, name: str = "leak_OH", **nominal: float) -> Transporter:
    """Leak of hydroxide, as the proton that it takes back: ``H_i <-> H_o``.

    Water keeps ``H OH = K_w`` on both sides, so that an OH that enters removes a proton from the
    inside, with the same charge and the same free energy as a proton that leaves.

    =======  =====================================================================  ===========
    law      turnover J (protons out, OH in), u = F V/(R T)                         strength
    =======  =====================================================================  ===========
    ``ghk``  P u (OH_o - OH_i exp(-u)) / (1 - exp(-u)), OH = K_w / H                ``P`` (um/s)
    =======  =====================================================================  ===========

    Parameters
    ----------
    law, name, **nominal
        As for `na_k_atpase`; also ``K_w`` (mM^2).

    Raises
    ------
    KeyError, ValueError
        As for `na_k_atpase`.

    Notes
    -----
    Source: Hodgkin & Katz 1949, doi:10.1113/jphysiol.1949.sp004310, for an anion; the rest is
    derived.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> leak = jm.hydroxide_leak(P=10.0).at(V=0.0, H_i=1e-7, H_o=1e-4)
    >>> f"{leak.flux:.3f} amol/um^2/s"
    '-0.999 amol/um^2/s'
    """
    return build(name, "H_i <-> H_o", HYDROXIDE_LAWS, law, nominal)


WATER = (Entry("hydroxide_leak", HYDROXIDE_LAWS, hydroxide_leak),)
