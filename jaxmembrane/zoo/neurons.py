"""Neurons."""

from ..cell import Cell
from ..kinetics.thermodynamic import mass_action
from ..library import (
    ant,
    kcc2,
    leak,
    na_k_atpase,
    nclx,
    ncx,
    nhe,
    nkcc1,
    pmca,
    respiratory_chain,
)
from ..membrane import Compartment, Membrane
from ..params import Param
from ..species import ADP, ATP, Ca, Cl, H, K, Na
from ..transport import Transporter
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


def _with_calcium() -> list[Transporter]:
    """Paths of Na, K, Cl and Ca through a neuron's membrane, all reversible."""
    return [
        leak(Na),
        leak(K),
        leak(Cl),
        na_k_atpase(),
        kcc2(j_max=0.5),
        leak(Ca, P=1e-4),
        ncx(j_max=0.1),
        pmca(j_max=1e-2),
    ]


def neuron_calcium() -> Cell:
    """Neuron with calcium: GHK leaks, saturating pump and KCC2, Ca leak, NCX and PMCA.

    Ca inside is free. Rest: V -70.98 mV, Na 13.81, K 123.8, Cl 7.70 mM, Ca 90 nM; the pump bears
    most of the Ca load. All laws keep the second law, so that the energy budget is defined.

    Notes
    -----
    Source: derived; leaks and pumps pass the fluxes of Duesterwald et al. 2018,
    doi:10.7554/eLife.39575; Ca leak, NCX and PMCA densities are ours, chosen for 0.1 uM of Ca.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> f"{1e6 * jm.steady_state(jm.zoo.neuron_calcium()).c['Ca']:.0f} nM"
    '90 nM'
    """
    return Cell(
        _with_calcium(),
        {"membrane.area": 785.4, "cytosol.X": 304267.0},
        compartment=Compartment(free=[Ca]),
        source="derived; after Duesterwald et al. 2018, eLife 7:e39575, doi:10.7554/eLife.39575",
    )


def neuron_mitochondrion() -> Cell:
    """The calcium neuron with a mitochondrial matrix behind a second membrane.

    The respiratory chain drives protons out of the matrix, against a leak, ANT, K/H and Na/H
    exchange; Ca enters by its potential and leaves by NCLX. Buffers hold H, ATP and ADP of the
    matrix. Rest: V -71.30 mV, and -159.2 mV across the inner membrane; 180 nM of Ca in the matrix.

    Notes
    -----
    Source: derived; Dash & Beard 2008, doi:10.1113/jphysiol.2008.151977, for NCLX; Metelkin et al.
    2006 for ANT; densities are ours, chosen for a potential near -160 mV and 0.2 uM of Ca.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> f"{jm.steady_state(jm.zoo.neuron_mitochondrion()).V['inner']:.0f} mV"
    '-159 mV'
    """
    cytosol = Compartment("cytosol", free=[Ca])
    matrix = Compartment("matrix", "rigid", free=[Ca], buffered=[H, ATP, ADP])
    potassium = Transporter(
        "khe",
        "K_i + H_o <-> K_o + H_i",
        mass_action,
        {"k": Param(10.0, "um/s/mM", "rate constant of the K/H exchanger")},
        source="derived",
    )
    inner = [
        respiratory_chain(j_max=9.2e-4),
        leak(H, law="ohmic", name="inner_H", g=1.7e-3),
        leak(K, name="inner_K", P=1e-6),
        potassium,
        nhe(law="mass_action", name="mnhe", k=10.0),
        leak(Ca, name="mcu", P=1.0),
        nclx(j_max=1e-3),
        ant(),
    ]
    return Cell(
        [
            Membrane("plasma", _with_calcium(), inside=cytosol),
            Membrane("inner", inner, inside=matrix, outside=cytosol),
        ],
        {
            "plasma.area": 785.4,
            "cytosol.X": 304267.0,
            "cytosol.H": 10.0 ** (3.0 - 7.2),
            "cytosol.ATP": 1.0,
            "cytosol.ADP": 0.03,
            "inner.area": 2000.0,
            "matrix.volume": 100.0,
            "matrix.X": 12000.0,
            "matrix.z_X": -0.3,
            "matrix.H": 10.0 ** (3.0 - 7.8),
            "matrix.ATP": 0.5,
            "matrix.ADP": 0.5,
        },
        source="derived; densities chosen for the potential and Ca of mitochondria",
    )
