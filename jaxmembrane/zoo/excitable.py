"""Cells with voltage-gated channels: they fire."""

from ..cell import Cell
from ..constants import F, R
from ..library import kcc2, leak, na_k_atpase
from ..library.gating import ExpLinearRate, ExponentialRate, SigmoidRate, boltzmann, gate
from ..species import Cl, K, Na

_AREA = 2000.0  # um^2; 20 pF at the usual 0.01 pF/um^2
_SOURCE = (
    "Dijkstra, Hofmeijer, van Gils & van Putten 2016, J Neurosci 36:11881, PMID 27881775; "
    "constants of the parameter file deposited in mkalia94/Dijkstra2016 c9a9d09"
)


def neuron_dijkstra() -> Cell:
    """Neuron of Dijkstra et al. 2016 that fires, and swells when its Na/K pump fails.

    GHK leaks; GHK channels for Na (m^3 h) and K (n^2), and for Cl with the instantaneous factor
    1/(1 + exp(-(V + 10)/10)); two-site Na/K pump; KCC2 by the log law. Rest: V -65.503 mV, Na
    10.0005, K 144.999, Cl 6.9992 mM, 2.000 pL.

    It has a second stable rest, depolarised and swollen: -30.77 mV and 2.532 pL at the full pump,
    so that a cell that went there does not come back with the pump alone. The polarised one exists
    down to 0.647 of the pump: at 0.65 it lies at -58.86 mV, 2.0363 pL; at 0.64 the cell goes,
    within hours, to -25.60 mV, 2.8027 pL and Na 139.6 mM. A `start` decides which rest is found.

    Notes
    -----
    Source: Dijkstra et al. 2016, J Neurosci 36:11881, PMID 27881775, with the constants of the
    re-implementation deposited in mkalia94/Dijkstra2016. Its leaks were balanced with n^4 for the K
    channel, which has n^2 in the model: the cell is 8.7 fA off balance at the nominal -65.5 mV,
    10/145/7 mM and 2 pL, and rests 3 uV below it; with ``leak_K.P`` of 19.94892483 um^3/s over the
    area it would rest there. Permeabilities are um^3/s over the area. That is ours, 20 pF at 0.01
    pF/um^2; only products with it matter. It stays constant as the cell swells, as in the source.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> polarised = {"V": -65.5, "Na": 10.0, "Cl": 7.0, "volume": 2000.0}
    >>> f"{jm.steady_state(jm.zoo.neuron_dijkstra(), start=polarised).V:.3f} mV"
    '-65.503 mV'
    """
    sodium = [
        gate("m", ExpLinearRate(1280.0, -52.0, 4.0), ExpLinearRate(1400.0, -25.0, -5.0), 3),
        gate("h", ExponentialRate(128.0, -53.0, -18.0), SigmoidRate(4000.0, -30.0, 5.0)),
    ]
    potassium = gate("n", ExpLinearRate(80.0, -35.0, 5.0), ExponentialRate(250.0, -50.0, -40.0), 2)
    return Cell(
        [
            leak(Na, P=1.995092556 / _AREA),
            leak(K, P=19.9524692 / _AREA),
            leak(Cl, P=2.494492911 / _AREA),
            leak(Na, name="na_v", P=800.0 / _AREA).regulated(*sodium),
            leak(K, name="k_v", P=400.0 / _AREA).regulated(potassium),
            leak(Cl, name="cl_v", P=19.5 / _AREA).regulated(boltzmann(-10.0, 10.0)),
            na_k_atpase(law="hamada", j_max=54.5e3 / (F * _AREA)),  # 54.5 pA
            kcc2(law="log", g=1.3 * F / _AREA),  # 1.3 amol/s/mV
        ],
        {
            "T": 310.0,
            "bath.Na": 152.0,
            "bath.K": 3.0,
            "bath.Cl": 135.0,
            "bath.X": 20.00679,
            "cytosol.X": 296013.5776,
            "cytosol.z_X": -1.0,
            "membrane.area": _AREA,
            "membrane.C_m": 20.0 / _AREA,
            "membrane.L_w": 2e-5 / _AREA * R * 310.0,  # 2 um^3/s/bar
        },
        source=_SOURCE,
    )
