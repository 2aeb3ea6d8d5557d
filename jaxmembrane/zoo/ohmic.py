"""What several cells are made of: ohmic leaks, and the cell that rests at a given state."""

from math import exp, log, pi

from ..analytic import calibrate, thermal_voltage
from ..cell import Cell
from ..library import leak, na_k_atpase
from ..species import Cl, K, Na
from ..transport import Transporter
from ..units import convert


def siemens(value: float) -> float:
    """A conductance in S/m^2, in pS/um^2."""
    return float(convert(value, "S/m^2", "pS/um^2"))


def ohmic_leaks(g_Na: float, g_K: float, g_Cl: float) -> list[Transporter]:
    """Leaks of the three ions, with conductances in S/m^2."""
    return [
        leak(species, law="ohmic", g=siemens(g))
        for species, g in ((Na, g_Na), (K, g_K), (Cl, g_Cl))
    ]


def passive_chloride(
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
        [*ohmic_leaks(g_Na, g_K, g_K), na_k_atpase(law="cubic", j=float(found.j))],
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
