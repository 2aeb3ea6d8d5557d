"""Axons and muscle fibres."""

from math import pi

from ..analytic import thermal_voltage
from ..cell import Cell
from ..constants import F
from ..library import na_k_atpase
from .ohmic import ohmic_leaks, passive_chloride


def squid_axon() -> Cell:
    """Textbook squid axon: ohmic leaks, passive Cl and the constant pump of least volume.

    g_Na/g_K is 0.11, impermeant inside only, of charge -1. Rest: V -68.86 mV, Na 31.2, K 425.8, Cl
    31.7 mM. With P = I_p / (v g_Na), v = RT/F, there are rests up to P = 14.2225; the volume is
    least at this cell's 1.7692. Only ratios are given: g_K and g_Cl of 1 S/m^2 and a cylinder 500
    um wide and 1 mm long are our choice.

    Notes
    -----
    Source: Keener & Sneyd, Mathematical Physiology, program of Fig. 2.17,
    doi:10.1007/978-0-387-75847-3; RT/F of 25.8 mV sets T.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> f"{jm.steady_state(jm.zoo.squid_axon()).V:.2f} mV"
    '-68.86 mV'
    """
    g_Na, v, length, radius = 0.11, 25.8, 1000.0, 250.0
    impermeant = 425.3185  # mM at rest, which makes the axon 500 um wide
    return Cell(
        [*ohmic_leaks(g_Na, 1.0, 1.0), na_k_atpase(law="constant", j=1.769236 * v * g_Na / F)],
        {
            "T": v / float(thermal_voltage(1.0)),
            "bath.Na": 437.0,
            "bath.K": 20.0,
            "bath.Cl": 457.0,
            "bath.X": 0.0,
            "cytosol.X": impermeant * pi * radius**2 * length,
            "cytosol.z_X": -1.0,
            "membrane.length": length,
        },
        area="cylinder",
        source="Keener & Sneyd, Mathematical Physiology, Fig. 2.17, doi:10.1007/978-0-387-75847-3",
    )


def frog_muscle() -> Cell:
    """Frog sartorius muscle fibre with passive Cl, calibrated to Conway's concentrations.

    Rest: V -99.6 mV, Na 10.4, K 124, Cl 1.5 mM at 293 K. Conductances follow from the rest
    (`analytic.calibrate`): g_Na/g_K 0.01538, z_X -1.5346, cubic pump 0.938 A/m^2. Only ratios
    matter: g_K and g_Cl of 1 S/m^2 and a fibre 80 um wide and 1 mm long are our choice.

    Notes
    -----
    Source: Conway 1957, Physiol Rev 37:84, doi:10.1152/physrev.1957.37.1.84, as quoted.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> f"{jm.steady_state(jm.zoo.frog_muscle()).V:.1f} mV"
    '-99.6 mV'
    """
    return passive_chloride(
        {"V": -99.6, "Na": 10.4, "K": 124.0},
        {"Na": 109.0, "K": 2.25, "Cl": 77.5, "X": 33.75},
        g_K=1.0,
        T=293.0,
        length=1000.0,
        radius=40.0,
        source="Conway 1957, Physiol Rev 37:84, doi:10.1152/physrev.1957.37.1.84",
    )
