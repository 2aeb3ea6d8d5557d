"""Neurons."""

from ..cell import Cell
from ..library import kcc2, na_k_atpase, nkcc1
from .ohmic import ohmic_leaks, passive_chloride, siemens


def neuron() -> Cell:
    """Mature neuron of Duesterwald et al. 2018, a cylinder of 25 um with ohmic leaks.

    Cubic Na/K pump, KCC2 by the log law, impermeant of mean charge -0.85. Rest: V -72.588 mV, Na
    14.0016, K 122.873, Cl 5.1648 mM, 1.96352 pL.

    Notes
    -----
    Source: Duesterwald et al. 2018, eLife 7:e39575, doi:10.7554/eLife.39575, constants of the
    authors' program. T is that of their RT/F = 26.725 mV.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> f"{jm.steady_state(jm.zoo.neuron()).V:.3f} mV"
    '-72.588 mV'
    """
    return Cell(
        [
            *ohmic_leaks(0.2, 0.7, 0.2),
            na_k_atpase(law="cubic", j=103.6426966),  # 10 A/m2 over F
            kcc2(law="log", g=siemens(0.2)),
        ],
        _NEURON,
        area="cylinder",
        source="Duesterwald et al. 2018, eLife 7:e39575, doi:10.7554/eLife.39575",
    )


_NEURON = {
    "T": 310.1307468,
    "bath.Na": 145.0,
    "bath.K": 3.5,
    "bath.Cl": 119.0,
    "bath.X": 29.5,
    "cytosol.X": 304267.1755,
    "cytosol.z_X": -0.85,
    "membrane.length": 25.0,
    "membrane.C_m": 0.02,
    "membrane.L_w": 2.7e-3,
}


def neuron_immature() -> Cell:
    """Immature neuron: the mature one with a tenth of its KCC2, and NKCC1 that sets E_Cl = -40 mV.

    Rest: V -65.38 mV, Na 14.27, K 124.36, Cl 26.64 mM, 2.31 pL.

    Notes
    -----
    Source: derived from Duesterwald et al. 2018, doi:10.7554/eLife.39575; NKCC1 (log law) is set so
    that E_Cl is -40 mV, the textbook value for immature neurons.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> f"{jm.steady_state(jm.zoo.neuron_immature()).E['Cl']:.2f} mV"
    '-40.00 mV'
    """
    return Cell(
        [
            *ohmic_leaks(0.2, 0.7, 0.2),
            na_k_atpase(law="cubic", j=103.6426966),
            kcc2(law="log", g=siemens(0.02)),
            nkcc1(law="log", g=siemens(0.0664214465)),
        ],
        _NEURON,
        area="cylinder",
        source="derived from Duesterwald et al. 2018, eLife 7:e39575, doi:10.7554/eLife.39575",
    )


def textbook_neuron() -> Cell:
    """The neuron of introductory texts: -70 mV, Na 12 and K 140 mM, passive Cl.

    Rest: V -70 mV, Na 12, K 140, Cl 9.535 mM at 310 K. Conductances follow from the rest
    (`analytic.calibrate`): g_Na 0.192035 for g_K 0.7 S/m^2, z_X -1.043967, pump 15.4228 A/m^2.
    Outside Cl 131 and impermeant 18 mM, g_K and a cylinder of 5 by 25 um are our choice.

    Notes
    -----
    Source: textbook concentrations and potential; conductances derived.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> f"{jm.steady_state(jm.zoo.textbook_neuron()).V:.2f} mV"
    '-70.00 mV'
    """
    return passive_chloride(
        {"V": -70.0, "Na": 12.0, "K": 140.0},
        {"Na": 145.0, "K": 4.0, "Cl": 131.0, "X": 18.0},
        g_K=0.7,
        T=310.0,
        length=25.0,
        radius=5.0,
        source="textbook concentrations and potential; conductances derived",
    )
