"""The proof that every unit is what its label says: rescale the base units, and all follows.

With six random factors for um, s, amol, mV, fC and K, the constants F and R and every parameter are
rescaled by the exponents of their declared units; every balance and every output must then rescale
by its own. A factor hidden in a formula, or one wrong label, breaks it.
"""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

import jaxmembrane as jm
from jaxmembrane import constants
from jaxmembrane.balance import Equations
from jaxmembrane.kinetics.thermodynamic import ohmic
from jaxmembrane.modes import MODES, modes
from jaxmembrane.outputs import OUTPUTS, Reading
from jaxmembrane.units import BASE, exponents

# One for each parameter; and one width for all, as eager operations compile once for each shape.
LANES = 64
IONS = (jm.Na, jm.K, jm.Cl)
GHK = [jm.leak(s) for s in IONS]
OHMIC = [jm.leak(s, "ohmic") for s in IONS]
CYTOSOL, MATRIX = jm.Compartment(), jm.Compartment("matrix", volume="rigid")
PLASMA = jm.Membrane(
    "plasma", [*GHK, jm.na_k_atpase(), jm.leak(jm.Glucose)], inside=CYTOSOL,
    outside=jm.Bath(derive="Cl"), area="sphere",
)  # fmt: skip
INNER = jm.Membrane(
    "inner",
    [jm.leak(s, name=f"inner_{s.name}") for s in IONS]
    + [jm.kcc2(name="inner_kcc"), jm.na_k_atpase("hill", name="inner_nka")],
    inside=MATRIX,
    outside=CYTOSOL,
)
CELLS = {
    "default laws, cylinder": jm.Cell(
        [*GHK, jm.na_k_atpase(), jm.kcc2(), jm.nkcc1(), jm.ncc(),
         jm.channel("c", {jm.K: 1.0, jm.Na: 0.4})],
        area="cylinder",
    ),
    "ohmic and log laws, sphere": jm.Cell(
        [*OHMIC, jm.na_k_atpase("cubic"), jm.kcc2("log"), jm.nkcc1("log"),
         jm.channel("c", {jm.Na: 0.4, jm.Cl: 1.0}, "ohmic")],
        area="sphere",
    ),
    "mass action and other pumps": jm.Cell(
        [*GHK, jm.kcc2("mass_action"), jm.nkcc1("mass_action")]
        + [jm.na_k_atpase(law, name=law) for law in ("hill", "hamada", "linear", "constant")],
    ),
    "two membranes, derived bath": jm.Cell([PLASMA, INNER]),
}  # fmt: skip
ROW_UNITS = {"n": "amol/s", "w": "um^3/s", "q": "fC"}
TYPICAL = {"Na": 14.0, "K": 110.0, "Cl": 9.0, "Glucose": 5.0}


def random_cell(cell, carry_all, seed=0):
    """Random parameters and unknowns, with an impermeant whose charge leaves room for every ion."""
    rng = np.random.default_rng(seed)

    def around(value):
        return value * np.exp(rng.normal(0.0, 0.3, LANES))

    params = {name: around(p.nominal) for name, p in cell.parameters.items()}
    eq = Equations(cell, params, carry_all)
    known = {}
    for a in cell.compartments:
        w = around(2000.0) if a.volume == "osmotic" else params[f"{a.name}.volume"]
        c = {s.name: around(TYPICAL[s.name]) for s in cell.contents[a.name]}
        dissolved = sum(s.z * c[s.name] for s in cell.contents[a.name])
        params[f"{a.name}.z_X"] = -dissolved * w / params[f"{a.name}.X"]
        known["w", a.name] = np.log(w)
        known["phi", a.name] = rng.uniform(-4.0, 1.0, LANES)
        known |= {("c", a.name, name): np.log(x) for name, x in c.items()}
    return params, [known[key] for key in eq.unknowns]


def evaluate(cell, params, u, carry_all):
    """Every balance, output and eigenvalue, as (name, unit, values)."""
    eq = Equations(cell, params, carry_all)
    balances = zip(eq.rows, eq.residual(u), strict=True)
    found = [(f"balance of {' '.join(key[1:])}", ROW_UNITS[key[0]], x) for key, x in balances]
    reading = Reading(eq, eq.state(u))
    for name, output in OUTPUTS.items():
        if output.needs(cell):
            continue
        found += [(name, output.units, value) for value in output.values(reading)]
    if not carry_all:
        made = modes(eq, u, list(MODES))
        found += [(name, MODES[name].units, x) for name, values in made.items() for x in values]
    return found


@dataclasses.dataclass
class BaseUnits:
    """New base units: how many of them are in each of the package's."""

    factors: np.ndarray

    def scale(self, unit):
        return float(np.prod(self.factors ** np.array(exponents(unit), float)))

    def constants(self, patch):
        patch.setattr(constants, "F", constants.F * self.scale("fC/amol"))
        patch.setattr(constants, "R", constants.R * self.scale("J/(mol K)"))

    def params(self, cell, params):
        return {name: x * self.scale(cell.parameters[name].unit) for name, x in params.items()}

    def unknowns(self, eq, u):
        shift = {"c": np.log(self.scale("mM")), "w": np.log(self.scale("um^3")), "phi": 0.0}
        return [x + shift[key[0]] for key, x in zip(eq.unknowns, u, strict=True)]


def random_units(seed=0):
    return BaseUnits(np.exp(np.random.default_rng(seed).uniform(-1.0, 1.0, len(BASE))))


def mismatches(cell, carry_all=False, spoil=None):
    """Names of what does not rescale by its own unit, with the lanes in which it does not."""
    new = random_units()
    params, u = random_cell(cell, carry_all)
    before = evaluate(cell, params, u, carry_all)
    rescaled = new.params(cell, params)
    if spoil is not None:
        rescaled = spoil(rescaled, params)
    there = new.unknowns(Equations(cell, params, carry_all), u)
    with pytest.MonkeyPatch.context() as patch:
        new.constants(patch)
        after = evaluate(cell, rescaled, there, carry_all)
    assert sum(np.isfinite(x).all() for _, _, x in before) > 0.8 * len(before)
    wrong = {}
    for (name, unit, old), (_, _, now) in zip(before, after, strict=True):
        off = ~np.isclose(now, old * new.scale(unit), rtol=1e-8, atol=0.0, equal_nan=True)
        wrong[name] = wrong.get(name, False) | np.broadcast_to(off, LANES)
    return {name: lanes for name, lanes in wrong.items() if lanes.any()}


@pytest.mark.parametrize("name", CELLS)
def test_balances_and_outputs_rescale_with_the_base_units(name):
    """With every ion carried; where one follows from charge, the next test says the same."""
    assert mismatches(CELLS[name], carry_all=True) == {}


@pytest.mark.parametrize("name", CELLS)
def test_the_label_of_every_parameter_counts(name):
    """What rescales, until a parameter, another one in each lane, does not."""
    cell = CELLS[name]
    labelled = [p for p, declared in cell.parameters.items() if any(exponents(declared.unit))]

    def spoil(rescaled, params):
        return rescaled | {
            p: np.where(np.arange(LANES) == lane, params[p], rescaled[p])
            for lane, p in enumerate(labelled)
        }

    caught = np.any(list(mismatches(cell, spoil=spoil).values()), axis=0)
    assert [p for lane, p in enumerate(labelled) if not caught[lane]] == []
    assert not caught[len(labelled) :].any()


def leak_with_unit(unit):
    return jm.Transporter("leak_K", "K_i <-> K_o", ohmic, {"g": jm.Param(0.7, unit)})


def test_a_wrong_label_is_caught():
    def cell(unit):
        return jm.Cell([leak_with_unit(unit), *OHMIC[::2], jm.na_k_atpase("cubic")])

    assert mismatches(cell("pS/um^2")) == {}
    seen = mismatches(cell("pS"))
    assert {"balance of cytosol K", "flux", "current", "slope_conductance", "tau_m"} <= set(seen)
    assert not {"V", "volume", "c", "E", "dG", "osmolarity"} & set(seen)


def hidden_milli(s, p):
    """Ohm's law, but in volts: the units of all that is declared are right."""
    return -p.g * (1e-3 * s.V - 1e-3 * 60.0) / s.F


def test_a_number_that_hides_a_unit_is_caught():
    leak = jm.Transporter("leak_K", "K_i <-> K_o", hidden_milli, {"g": jm.Param(0.7, "pS/um^2")})
    assert "flux" in mismatches(jm.Cell([leak, *OHMIC[::2], jm.na_k_atpase("cubic")]))


def test_a_wrong_label_of_an_output_is_caught(monkeypatch):
    monkeypatch.setitem(OUTPUTS, "tau_m", dataclasses.replace(OUTPUTS["tau_m"], units="1/s"))
    monkeypatch.setitem(OUTPUTS, "E", dataclasses.replace(OUTPUTS["E"], units="J/mol"))
    assert set(mismatches(CELLS["ohmic and log laws, sphere"])) == {"tau_m", "E"}


def test_closed_forms_rescale_as_well(monkeypatch):
    given = {
        "g_Na": "pS/um^2", "g_K": "pS/um^2", "g_Cl": "pS/um^2", "g_KCC2": "pS/um^2",
        "g_NKCC1": "pS/um^2", "Na_o": "mM", "K_o": "mM", "Cl_o": "mM", "X_o": "mM", "T": "K",
    }  # fmt: skip
    values = dict(zip(given, (0.2, 0.7, 0.2, 0.2, 0.05, 145, 3.5, 119, 29.5, 310.0), strict=True))
    new = random_units(1)

    def forms(scale):
        at = {name: np.array(x * scale(given[name])) for name, x in values.items()}
        rest = jm.analytic.pump_leak(9.0 * scale("fA/um^2"), **at, X=3e5 * scale("amol"), z_X=-0.85)
        bounds = jm.analytic.pump_range(**at)
        names = ("g_Na", "g_K", "Na_o", "K_o", "Cl_o", "X_o", "T")
        inverse = jm.analytic.calibrate(
            V=rest.V, Na=rest.Na, K=rest.K, Cl=rest.Cl, **{name: at[name] for name in names}
        )
        pressure = jm.analytic.osmotic_pressure(40.0 * scale("mM"), at["T"])
        bag = jm.analytic.donnan(at["K_o"], at["X_o"], -1.3, at["T"])
        return [*rest[:6], rest.eps, *bounds, *inverse, pressure, *bag]

    units = ["mV", *["mM"] * 4, "um^3", "1", *["fA/um^2"] * 3]
    units += ["fA/um^2", "pS/um^2", "pS/um^2", "1", "amol/um^2/s", "Pa", "mV", *["mM"] * 3]
    before = forms(lambda unit: 1.0)
    new.constants(monkeypatch)
    for old, now, unit in zip(before, forms(new.scale), units, strict=True):
        assert_allclose(now, old * new.scale(unit), rtol=1e-10, atol=0)
