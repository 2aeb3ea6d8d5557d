"""Epithelia: cells and layers that pump for others."""

from math import exp, expm1, log

from ..cell import Cell
from ..constants import R
from ..kinetics.primary import bounded
from ..library import leak, na_k_atpase, sglt1
from ..membrane import Bath, Compartment, Membrane
from ..params import Param
from ..species import Cl, Glucose, K, Na
from ..transport import Transporter
from ..units import convert


def enterocyte() -> Cell:
    """Absorbing cell of the gut: SGLT1 on the lumen's face, pump, leaks and GLUT2 on the blood's.

    Short-circuited: both baths are at zero potential. Rest: V -77.03 mV, Na 12.90, K 139.3, glucose
    19.97 mM, four times that of either bath.

    Notes
    -----
    Source: derived; SGLT1 by the simple reversible law, doi:10.1152/physrev.00055.2009 for its
    stoichiometry; densities and permeabilities are ours.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> rest = jm.steady_state(jm.zoo.enterocyte())
    >>> f"{rest.V['apical']:.1f} mV, glucose {rest.c['Glucose']:.1f} mM"
    '-77.0 mV, glucose 20.0 mM'
    """
    cytosol = Compartment("cytosol")
    apical = [sglt1(j_max=0.05), leak(Cl, name="apical_Cl", P=1e-3)]
    basolateral = [
        na_k_atpase(j_max=0.3),
        leak(K, P=0.02),
        leak(Na, P=5e-4),
        leak(Cl, P=1e-2),
        leak(Glucose, name="glut2", P=3e-3),
    ]
    return Cell(
        [
            Membrane("apical", apical, inside=cytosol, outside=Bath("lumen")),
            Membrane("basolateral", basolateral, inside=cytosol, outside=Bath("blood")),
        ],
        {
            "lumen.Na": 140.0,
            "lumen.Cl": 140.0,
            "lumen.Glucose": 5.0,
            "lumen.X": 15.0,
            "lumen.z_X": 0.0,
            "blood.Na": 140.0,
            "blood.K": 4.5,
            "blood.Cl": 110.0,
            "blood.Glucose": 5.0,
            "blood.X": 40.5,
            "blood.z_X": -34.5 / 40.5,
            "cytosol.X": 1.5e5,
            "cytosol.z_X": -1.2,
        },
        source="derived",
    )


def corneal_stroma() -> Cell:
    """Corneal stroma that its endothelium keeps from swelling, by pumping sodium out of it.

    At the thickness of a living cornea, held here, sodium pulls 98.5 mmHg of water out, chloride
    8.1 mmHg and the imbibition of its fixed charges 60 mmHg in: 30.4 mmHg are left for outflow.
    Rest: V 0.106 mV, Na 5.09 mM below and Cl 0.42 mM above the aqueous humour.

    Notes
    -----
    Source: Stiemke et al. 1992, Invest Ophthalmol Vis Sci, for the three pressures. Permeabilities
    are ours, the pump's rate follows; bicarbonate counts among the impermeants.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> cell = jm.zoo.corneal_stroma()
    >>> rest = jm.steady_state(cell)
    >>> outside = sum(cell.nominal()[f"aqueous.{s}"] for s in ("Na", "Cl", "X"))
    >>> f"{jm.analytic.osmotic_pressure(outside - rest.osmolarity) / 133.322:.1f} mmHg"
    '30.4 mmHg'
    """
    T, P = 310.15, 1.0
    pull = {s: float(convert(x, "mmHg", "Pa")) / (R * T) for s, x in _CORNEAL_PRESSURES.items()}
    aqueous = {"Na": 145.0, "Cl": 105.0, "X": 40.0}
    stroma = {s: aqueous[s] - pull[s] for s in aqueous}
    u = log(stroma["Cl"] / aqueous["Cl"])
    entering = P * u / -expm1(-u) * (aqueous["Na"] * exp(-u) - stroma["Na"])
    volume = 4e6
    pump = Transporter(
        "pump",
        "Na_i + ATP <-> Na_o + ADP + Pi",
        bounded,
        {"j_max": Param(entering, "amol/um^2/s", "sodium pumped by the endothelium")},
        source="derived",
    )
    return Cell(
        [leak(Na, P=P), leak(Cl, P=P), pump],
        {
            **{f"aqueous.{s}": c for s, c in aqueous.items()},
            "aqueous.z_X": (aqueous["Cl"] - aqueous["Na"]) / aqueous["X"],
            "stroma.X": stroma["X"] * volume,
            "stroma.z_X": (stroma["Cl"] - stroma["Na"]) / stroma["X"],
            "stroma.volume": volume,
            "membrane.area": 1e4,
        },
        compartment=Compartment("stroma", volume="rigid"),
        bath=Bath("aqueous"),
        source="Stiemke et al. 1992, Invest Ophthalmol Vis Sci",
    )


_CORNEAL_PRESSURES = {"Na": 98.5, "Cl": -8.1, "X": -60.0}
"""Water that each draws out of the stroma, mmHg."""
