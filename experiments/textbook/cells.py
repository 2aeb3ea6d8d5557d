"""The cells that many claims share, each solved once: the published neuron and its variants."""

from collections.abc import Mapping, Sequence
from functools import cache
from math import pi

import jax
import numpy as np

import jaxmembrane as jm
from jaxmembrane.constants import F, R

BODY = 310.15  # K

_NEURON = jm.zoo.neuron().nominal()
PUMP = _NEURON["nka.j"]
AREA = 2.0 * pi * 5.0 * _NEURON["membrane.length"]  # um^2
_FIXED = {
    "T": BODY,
    "membrane.area": AREA,
    "membrane.C_m": _NEURON["membrane.C_m"],
    "membrane.L_w": _NEURON["membrane.L_w"],
    **{name: x for name, x in _NEURON.items() if name.split(".")[0] in ("bath", "cytosol")},
}


def uptake(U: float) -> float:
    """Conductance (pS/um^2) of the log law ``J = U ln(y/x)``, U in amol/um^2/s."""
    return U * F**2 / (R * BODY)


def _passive_and_chloride() -> list[jm.Transporter]:
    """Leaks, KCC2 and NKCC1 with their drugs and their kinase, and GABA-A receptors for Cl."""
    return [
        *(t for t in jm.zoo.neuron().transporters if t.name.startswith("leak")),
        jm.kcc2("log", g=0.2).regulated(
            jm.inhibitor("vu0463271", K=6.1e-5), jm.wnk_spak("inhibits")
        ),
        jm.nkcc1("log", g=uptake(0.04)).regulated(
            jm.inhibitor("bumetanide", K=1e-3), jm.wnk_spak("activates", basal=0.0)
        ),
        jm.channel("gaba_a", {jm.Cl: 1.0}, law="ohmic", g=0.0),
    ]


def _neuron(pump: jm.Transporter, **options) -> jm.Cell:
    return jm.Cell([*_passive_and_chloride(), pump], _FIXED, **options)


@cache
def neuron() -> jm.Cell:
    """The published neuron with a fixed area, at 310.15 K; NKCC1 and GABA-A receptors are off."""
    return _neuron(jm.na_k_atpase("cubic", j=PUMP))


@cache
def saturating_neuron() -> jm.Cell:
    """The same with the saturating pump of the same rest, which depends on ATP."""
    rest, bath = at_rest(), neuron().nominal()
    outside = {"Na_o": bath["bath.Na"], "K_o": bath["bath.K"]}
    one = jm.na_k_atpase("garay_garrahan_published", j_max=1.0)
    share = one.at(Na_i=rest.c["Na"], K_i=rest.c["K"], **outside).flux
    j_max = float(rest.flux["nka"] / share)
    pump = jm.na_k_atpase("garay_garrahan_published", j_max=j_max)
    return _neuron(pump.regulated(jm.atp_dependence()))


@cache
def other_pump(sodium: int, potassium: int) -> jm.Cell:
    """The same with a pump of another stoichiometry."""
    return _neuron(jm.na_k_atpase("cubic", stoichiometry=(sodium, potassium), j=PUMP))


@cache
def dialysed() -> jm.Cell:
    """The same under a whole-cell pipette, which clamps Cl."""
    pump = jm.na_k_atpase("cubic", j=PUMP)
    return _neuron(pump, compartment=jm.Compartment(clamped=[jm.Cl]))


# No NKCC1 in the mature neuron: WNK-SPAK at full activity gives it the strength of the immature
# one, and takes all of KCC2. Drugs are given in excess, so that nothing is left of what they block.
SCENARIOS = {
    "mature": {},
    "pump x 0.5": {"nka.j": 0.5 * PUMP},
    "pump x 0.1": {"nka.j": 0.1 * PUMP},
    "no pump": {"nka.j": 0.0},
    "impermeant x 1.5": {"cytosol.X": 1.5 * _NEURON["cytosol.X"]},
    "impermeant x 2": {"cytosol.X": 2.0 * _NEURON["cytosol.X"]},
    "impermeant of charge -1": {"cytosol.z_X": -1.0},
    "VU0463271": {"kcc2.vu0463271": 1e6},
    "KCC2 x 0.5": {"kcc2.g": 0.1},
    "immature": {"wnk": 1.0},
    "immature, E_Cl -40 mV": {"wnk": 1.0, "nkcc1.g": uptake(0.01494)},
    "bumetanide": {"wnk": 1.0, "nkcc1.bumetanide": 1e6},
    "WNK-SPAK 0.35": {"wnk": 0.350},
    "WNK-SPAK 0.7": {"wnk": 0.7},
    "bath K 2.5": {"bath.K": 2.5, "bath.Na": 146.0},
    "bath K 10": {"bath.K": 10.0, "bath.Na": 138.5},
    "bath K 40": {"bath.K": 40.0, "bath.Na": 108.5},
    "thin capacitance": {"membrane.C_m": 0.01},
    "no impermeant outside, no pump": {"bath.X": 0.0, "bath.Cl": 148.5, "nka.j": 0.0},
}
"""What differs from the mature neuron, by name."""


@cache
def _rests() -> jm.Rest:
    cell = neuron()
    nominal = cell.nominal()
    changed = sorted({name for scenario in SCENARIOS.values() for name in scenario})
    batch = {
        name: np.array([scenario.get(name, nominal[name]) for scenario in SCENARIOS.values()])
        for name in changed
    }
    outputs = ["V", "volume", "c", "E", "flux", "dG", "current", "atp_rate", "slope_conductance"]
    return jm.steady_state(cell, batch, outputs=[*outputs, "tau_m"])


def at_rest(scenario: str = "mature") -> jm.Rest:
    """The neuron's rest in one of the scenarios."""
    row = list(SCENARIOS).index(scenario)
    return jax.tree.map(lambda x: x[row], _rests())


@cache
def root() -> jm.Rest:
    """The plant root cell, with its proton pump and without."""
    density = np.array([jm.zoo.root_cell().nominal()["h_atpase.density"], 0.0])
    outputs = ["V", "dG", "turgor", "osmolarity"]
    return jm.steady_state(jm.zoo.root_cell(), {"h_atpase.density": density}, outputs=outputs)


def after(
    changes: Mapping[str, float],
    times: Sequence[float],
    cell: jm.Cell | None = None,
    params: Mapping[str, float] | None = None,
    start: jm.Rest | None = None,
) -> jm.Course:
    """The neuron, or another cell, in time (s) after parameters have changed at once."""
    changed = jm.Protocol([jm.Step(0.0, changes)])
    cell = neuron() if cell is None else cell
    return jm.simulate(cell, params, changed, (0.0, *times), start=start, rtol=1e-9)


@cache
def pump_block() -> jm.Course:
    """The pump is blocked for six hours, as by ouabain."""
    times = (*np.linspace(1e-3, 0.1, 100), 1.0, 10.0, 60.0, 600.0, 1800.0, 3600.0, 7200.0, 21600.0)
    return after({"nka.j": 0.0}, times)


@cache
def gaba_opens(scenario: str) -> jm.Course:
    """GABA-A receptors of 10 S/m^2 open for five seconds."""
    return after({"gaba_a.g": 10.0}, (0.02, 5.0), params=SCENARIOS[scenario])


@cache
def atp_falls(ATP: float, ADP: float) -> jm.Course:
    """ATP falls, and stays low for an hour."""
    return after({"ATP": ATP, "ADP": ADP}, (3600.0,), saturating_neuron(), start=at_rest())


def value(found: jm.Course, name: str, t: float) -> float:
    """V, volume or a concentration of a course at one of its times (s)."""
    series = getattr(found, name) if name in ("V", "volume") else found.c[name]
    return float(series[int(np.argmin(np.abs(found.time - t)))])
