"""Published cells, each with its source; every one rests where its source says."""

from collections.abc import Callable
from math import exp, log, pi

from .analytic import calibrate, thermal_voltage
from .cell import Cell
from .constants import F
from .library import kcc2, leak, na_k_atpase, ncc, nkcc1
from .naming import UnknownName, unknown
from .species import Cl, K, Na
from .transport import Transporter
from .units import convert


def _conductance(value: float) -> float:
    return float(convert(value, "S/m^2", "pS/um^2"))


def _ohmic(g_Na: float, g_K: float, g_Cl: float) -> list[Transporter]:
    return [
        leak(species, law="ohmic", g=_conductance(g))
        for species, g in ((Na, g_Na), (K, g_K), (Cl, g_Cl))
    ]


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
            *_ohmic(0.2, 0.7, 0.2),
            na_k_atpase(law="cubic", j=103.6426966),  # 10 A/m2 over F
            kcc2(law="log", g=_conductance(0.2)),
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
            *_ohmic(0.2, 0.7, 0.2),
            na_k_atpase(law="cubic", j=103.6426966),
            kcc2(law="log", g=_conductance(0.02)),
            nkcc1(law="log", g=_conductance(0.0664214465)),
        ],
        _NEURON,
        area="cylinder",
        source="derived from Duesterwald et al. 2018, eLife 7:e39575, doi:10.7554/eLife.39575",
    )


def lymphocyte() -> Cell:
    """Lymphoid U937 cell: GHK leaks, linear pump, NCC, KCC and NKCC1 by mass action.

    Rest: V -45.04 mV, Na 38, K 147, Cl 45 mM, impermeant 80 mM. The source gives rates per cell
    water only: a water volume of 1000 um^3 and an area of 500 um^2 are our choice.

    Notes
    -----
    Source: Vereninov, Yurinskaya et al. 2016, PLoS One, PMC4861346; defaults of the authors'
    program, whose RT/F of 26.7 mV sets T.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> f"{jm.steady_state(jm.zoo.lymphocyte()).V:.2f} mV"
    '-45.04 mV'
    """
    water, area = 1000.0, 500.0

    def per_area(rate: float) -> float:
        """A rate per minute and cell water, as one per second and membrane area."""
        return rate / 60.0 * water / area

    return Cell(
        [
            leak(Na, P=per_area(0.0017)),
            leak(K, P=per_area(0.0115)),
            leak(Cl, P=per_area(0.011)),
            na_k_atpase(law="linear", b=per_area(0.039) / 3.0),  # 0.039 of Na, three a turnover
            ncc(k=per_area(7e-5)),
            kcc2(law="mass_action", name="kcc", k=per_area(8e-5)),
            nkcc1(law="mass_action", k=per_area(8e-9)),
        ],
        {
            "T": 26.7 / float(thermal_voltage(1.0)),
            "bath.Na": 140.0,
            "bath.K": 5.8,
            "bath.Cl": 116.0,
            "bath.X": 48.2,
            "bath.z_X": (116.0 - 140.0 - 5.8) / 48.2,
            "cytosol.X": 80.0 * water,
            "cytosol.z_X": -1.75,
            "membrane.area": area,
        },
        source="Vereninov, Yurinskaya et al. 2016, PLoS One, PMC4861346",
    )


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
        [*_ohmic(g_Na, 1.0, 1.0), na_k_atpase(law="constant", j=1.769236 * v * g_Na / F)],
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
    return _passive_chloride(
        {"V": -99.6, "Na": 10.4, "K": 124.0},
        {"Na": 109.0, "K": 2.25, "Cl": 77.5, "X": 33.75},
        g_K=1.0,
        T=293.0,
        length=1000.0,
        radius=40.0,
        source="Conway 1957, Physiol Rev 37:84, doi:10.1152/physrev.1957.37.1.84",
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
    return _passive_chloride(
        {"V": -70.0, "Na": 12.0, "K": 140.0},
        {"Na": 145.0, "K": 4.0, "Cl": 131.0, "X": 18.0},
        g_K=0.7,
        T=310.0,
        length=25.0,
        radius=5.0,
        source="textbook concentrations and potential; conductances derived",
    )


def _passive_chloride(
    rest: dict[str, float],
    bath: dict[str, float],
    *,
    g_K: float,
    T: float,
    length: float,
    radius: float,
    source: str,
) -> Cell:
    """The ohmic cell with cubic pump and passive Cl that rests at given V, Na and K."""
    outside = {f"{name}_o": value for name, value in bath.items()}
    v = float(thermal_voltage(T))
    d_Na = rest["V"] - v * log(bath["Na"] / rest["Na"])
    d_K = rest["V"] - v * log(bath["K"] / rest["K"])
    g_Na = -1.5 * g_K * d_K / d_Na  # three Na for two K
    chloride = bath["Cl"] * exp(rest["V"] / v)
    found = calibrate(**rest, Cl=chloride, g_Na=g_Na, g_K=g_K, T=T, **outside)
    water = pi * radius**2 * length
    impermeant = sum(bath.values()) - rest["Na"] - rest["K"] - chloride
    return Cell(
        [*_ohmic(g_Na, g_K, g_K), na_k_atpase(law="cubic", j=float(found.j))],
        {
            "T": T,
            **{f"bath.{name}": value for name, value in bath.items()},
            "cytosol.X": impermeant * water,
            "cytosol.z_X": float(found.z_X),
            "membrane.length": length,
        },
        area="cylinder",
        source=source,
    )


CELLS: dict[str, Callable[[], Cell]] = {
    cell.__name__: cell
    for cell in (neuron, neuron_immature, lymphocyte, squid_axon, frog_muscle, textbook_neuron)
}
"""The published cells, by name."""


def get(name: str) -> Cell:
    """A published cell by its name.

    Raises
    ------
    UnknownName
        (a `KeyError`) with the nearest name.
    """
    if name not in CELLS:
        raise UnknownName(unknown("cell in the zoo", name, CELLS))
    return CELLS[name]()
