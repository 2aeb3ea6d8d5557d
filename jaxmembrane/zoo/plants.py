"""Plant cells."""

from math import exp

from ..cell import Cell
from ..constants import R
from ..kinetics.thermodynamic import mass_action
from ..library import h_atpase, leak
from ..membrane import Bath, Compartment, Membrane
from ..params import Param
from ..species import Cl, H, K
from ..transport import Transporter


def root_cell() -> Cell:
    """Plant root cell in a dilute bath: proton pump, K and H leaks, 2H-Cl symport, and a wall.

    Cytosol of pH 7.2, held by buffers, in a bath of pH 5.7 with 0.5 mM KCl at 25 C, and ATP
    hydrolysis worth -45 kJ/mol. Rest: V -151 mV, K 179 mM, turgor 0.90 MPa. Without the pump V
    collapses, and since buffers never tire here, ends at E_H of +89 mV.

    Notes
    -----
    Source: pump as a closed two-state carrier after Hansen, Gradmann, Sanders & Slayman 1981, J
    Membr Biol 63:165, doi:10.1007/BF01870979; no published set of all constants was found, so that
    densities and permeabilities are ours, chosen for the potential, K and turgor of a root cell.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> rest = jm.steady_state(jm.zoo.root_cell())
    >>> f"{rest.V:.0f} mV, {1e-6 * rest.turgor:.2f} MPa"
    '-151 mV, 0.90 MPa'
    """
    T = 298.15
    symport = Transporter(
        "h_cl",
        "2 H_o + Cl_o <-> 2 H_i + Cl_i",
        mass_action,
        {"k": Param(30.0, "um/s/mM^2", "rate constant of the proton-chloride symport")},
        source="derived",
    )
    membrane = Membrane(
        "plasma",
        [h_atpase(), leak(K, P=0.01), leak(Cl, P=1e-5), leak(H, P=1.3), symport],
        inside=Compartment(buffered=[H]),
        outside=Bath(derive="Cl"),
        wall=True,
    )
    return Cell(
        [membrane],
        {
            "T": T,
            "ATP": 1.0,
            "ADP": 0.5,
            "Pi": 5.0,
            "K_ATP": 0.5 * 5.0 / 1.0 * exp(45000.0 / (R * T)),
            "bath.K": 0.5,
            "bath.H": 10.0 ** (3.0 - 5.7),
            "bath.X": 1.0,
            "bath.z_X": 0.0,
            "cytosol.H": 10.0 ** (3.0 - 7.2),
            "cytosol.X": 2e5,
            "plasma.wall_modulus": 5e6,
            "plasma.wall_volume": 1000.0,
        },
        source="derived; pump after Hansen et al. 1981, doi:10.1007/BF01870979",
    )
