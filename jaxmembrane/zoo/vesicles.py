"""Vesicles and protocells."""

from math import pi

from ..cell import Cell
from ..constants import F
from ..kinetics.thermodynamic import ohmic
from ..library import hydroxide_leak, leak, light_pump, na_h_antiporter
from ..membrane import Bath, Compartment, Membrane
from ..params import Param
from ..species import Cl, H, Na
from ..transport import Transporter


def proteoliposome() -> Cell:
    """Liposome with a light-driven proton pump and a proton leak.

    A sphere of 50 nm, pH 7 on both sides, held by buffers. The pump carries 20 pA against no force
    and stops at 250 mV; the leak has 100 pS. In the light ``I_0 / (G + I_0 / dp_max)`` = 111.1 mV,
    outside positive; a pump without back-pressure (``law="constant"``) would reach I_0/G = 200 mV.
    ``light`` is the light over that of half saturation; it is far above 1 here.

    Notes
    -----
    Source: back-pressure after Geibel et al. 2001, Biophys J 81:2059,
    doi:10.1016/S0006-3495(01)75855-9; current and conductance of a textbook example.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> rest = jm.steady_state(jm.zoo.proteoliposome(), {"light": [0.0, 1e12]})
    >>> [f"{V:.1f}" for V in rest.V]
    ['0.0', '-111.1']
    """
    radius = 0.05
    area = 4.0 * pi * radius**2
    return Cell(
        [light_pump(j_max=2e4 / area / F), leak(H, law="ohmic", g=100.0 / area)],
        {
            "light": 1e12,
            "bath.H": 1e-4,
            "cytosol.H": 1e-4,
            "bath.X": 100.0,
            "cytosol.X": 100.0 * 4.0 / 3.0 * pi * radius**3,
            "cytosol.volume": 4.0 / 3.0 * pi * radius**3,
            "membrane.area": area,
        },
        compartment=Compartment(volume="rigid", buffered=[H]),
        source="textbook example; Geibel et al. 2001, doi:10.1016/S0006-3495(01)75855-9",
    )


def vent_protocell() -> Cell:
    """Protocell of an alkaline hydrothermal vent: two faces, ocean (pH 7) and vent (pH 10).

    H, OH, Na and Cl leak through both faces; water keeps H and OH in equilibrium. An Na/H
    antiporter (``na_h.k``) and a consumer of the proton force (``consumer.g``) sit on the ocean's
    face; both are off. Rest: pH 9.699, H force across the ocean's face -15.41 kJ/mol, none of Na.
    With ``na_h.k`` of 1 um/s/mM they are -15.33 and -5.77; a consumer of 0.003755 pS/um^2 leaves
    -2.5 kJ/mol once the leaks of H and OH are a thousandth.

    Notes
    -----
    Source: Sojo, Pomiankowski & Lane 2014, PLoS Biol 12:e1001926,
    doi:10.1371/journal.pbio.1001926, for the idea; the closed model is derived.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> rest = jm.steady_state(jm.zoo.vent_protocell(), {"na_h.k": [0.0, 1.0]})
    >>> [f"{abs(x):.2f}" for x in 1e-3 * rest.dG["Na_ocean"]]
    ['0.00', '5.77']
    """
    ocean, vent = Bath("ocean", derive="Cl"), Bath("vent", derive="Cl")
    inside = Compartment("protocell", volume="rigid", free=[H])

    def leaks(side: str) -> list[Transporter]:
        return [
            leak(H, name=f"H_{side}", P=10.0),
            hydroxide_leak(name=f"OH_{side}", P=10.0),
            leak(Na, name=f"Na_{side}", P=1e-5),
            leak(Cl, name=f"Cl_{side}", P=1e-5),
        ]

    consumer = Transporter(
        "consumer",
        "H_o <-> H_i",
        ohmic,
        {"g": Param(0.0, "pS/um^2", "conductance of what the proton force drives")},
        source="derived",
    )
    ocean_side = [*leaks("ocean"), na_h_antiporter(name="na_h", k=0.0), consumer]
    return Cell(
        [
            Membrane("ocean_face", ocean_side, inside=inside, outside=ocean),
            Membrane("vent_face", leaks("vent"), inside=inside, outside=vent),
        ],
        {
            "T": 298.15,
            "ocean.Na": 500.0,
            "vent.Na": 500.0,
            "ocean.H": 1e-4,
            "vent.H": 1e-7,
            "ocean.X": 0.0,
            "vent.X": 0.0,
            "protocell.X": 0.0,
            "protocell.z_X": 0.0,
            "protocell.volume": 1.0,
            "ocean_face.area": 3.0,
            "vent_face.area": 3.0,
        },
        source="derived; after Sojo et al. 2014, PLoS Biol, doi:10.1371/journal.pbio.1001926",
    )
