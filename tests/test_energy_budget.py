"""The energy budget of rests: dissipation, heat and entropy, and laws that have none."""

from functools import cache

import numpy as np
import pytest
from example_cells import F, R, assert_at_rest, driven, mass_action, of, salt
from numpy.testing import assert_allclose

import jaxmembrane as jm
from jaxmembrane.balance import Equations
from jaxmembrane.outputs import ENERGY_BUDGET, Reading
from jaxmembrane.steady import usual

pytestmark = pytest.mark.slow

ROWS = 2000
SHOWN = ("V", "c", "volume", "flux", "z_X", "area", "osmolarity", "dG", "atp_rate", *ENERGY_BUDGET)
# Every law here turns back with its free energy; calcium is held by a supply.
CELL = jm.Cell(
    [
        *salt(),
        jm.kcc2(),
        jm.nkcc1(law="log"),
        jm.channel("cation", {jm.K: 1.0, jm.Na: 0.4}, P=1e-3),
        jm.Transporter(
            "ncc",
            "Na_o + Cl_o <-> Na_i + Cl_i",
            mass_action,
            {"k": jm.Param(1e-7, "amol/um^2/s/mM^2")},
        ),
        driven("ncx", "3 Na_o + Ca_i <-> 3 Na_i + Ca_o", 0.005),
    ]
)
STRENGTHS = ("leak_Na.P", "leak_K.P", "leak_Cl.P", "nka.j_max", "kcc2.j_max", "nkcc1.g")
STRENGTHS += ("cation.P", "ncc.k", "ncx.k", "bath.Na", "bath.K", "bath.Cl", "bath.Ca")
STRENGTHS += ("cytosol.X", "cytosol.Ca", "ATP", "ADP", "Pi")


@cache
def random_cells():
    """Parameters and rests of cells of all kinds; half without an exchanger."""
    rng, params = np.random.default_rng(7), {}
    for name in STRENGTHS:
        wide = 2.0 if "." in name and not name.startswith("bath") else 0.7
        params[name] = CELL.parameters[name].nominal * np.exp(rng.uniform(-wide, wide, ROWS))
    params["ncx.k"][::2] = 0.0
    # Without ATP to speak of, so that pumps run backwards; slowly, or the cell would burst.
    params["ATP"][1 :: ROWS // 20] *= 1e-11
    params["nka.j_max"][1 :: ROWS // 20] *= 1e-2
    params["T"] = rng.uniform(280.0, 315.0, ROWS)
    params["cytosol.z_X"] = rng.uniform(-2.0, 0.5, ROWS)
    return params, jm.steady_state(CELL, params, outputs=SHOWN)


def hydrolysis(p):
    """Free energy of ATP hydrolysis, J/mol."""
    K = CELL.parameters["K_ATP"].nominal
    return R * p["T"] * np.log(p["ADP"] * p["Pi"] / (p["ATP"] * K))


def test_random_cells_rest():
    params, rest = random_cells()
    assert np.mean(of(rest.status) == 0) > 0.999
    ok = of(rest.status) == 0
    rows = {name: x[ok] for name, x in params.items()}
    found = jm.Rest(CELL, {})
    for name, value in rest.values.items():
        kept = value.values[ok] if hasattr(value, "values") else value[ok]
        found.values[name] = type(value)(kept, value.dims) if hasattr(value, "dims") else kept
    assert_at_rest(CELL, rows, found)


def test_no_reaction_gains_free_energy():
    _, rest = random_cells()
    found = np.nan_to_num(of(rest.dissipation))
    assert found.shape == (ROWS, len(CELL.legs))
    # A reaction at equilibrium has the rounding of its flux alone.
    largest = found.max(axis=1, keepdims=True)
    assert np.all(found >= -1e-15 * largest)
    assert (of(rest.flux, "nka") < 0.0).sum() >= 5 and (of(rest.flux, "kcc2") < 0.0).sum() >= 5


def test_dissipation_is_turnover_times_free_energy():
    _, rest = random_cells()
    for leg in CELL.legs:
        turnover = of(rest.area) * of(rest.flux, leg.name)
        expected = -turnover * of(rest.dG, leg.name)
        assert_allclose(of(rest.dissipation, leg.name), expected, rtol=1e-12)


def test_heat_is_all_dissipation_and_gives_the_entropy():
    params, rest = random_cells()
    # Water is at rest, so that it makes no heat.
    assert_allclose(of(rest.heat), of(rest.dissipation).sum(axis=1), rtol=1e-9)
    assert_allclose(of(rest.entropy_production), of(rest.heat) / params["T"], rtol=1e-13)


def test_at_rest_heat_is_what_atp_and_supplies_bring():
    params, rest = random_cells()
    p = {name: params[name] for name in ("T", "ATP", "ADP", "Pi")}
    fuel = -of(rest.atp_rate) * hydrolysis(p)
    calcium = -of(rest.area) * of(rest.flux, "ncx")
    V = of(rest.V)
    lift = R * p["T"] * np.log(params["cytosol.Ca"] / params["bath.Ca"]) + 2.0 * F * V
    # What the exchanger takes out, the supply brings in; half of the cells live on ATP alone.
    expected = fuel - calcium * lift
    scale = abs(fuel) + abs(calcium * lift)
    ok = of(rest.status) == 0
    assert_allclose(((of(rest.heat) - expected) / scale)[ok], 0.0, atol=1e-8)
    assert_allclose(of(rest.heat)[::2], fuel[::2], rtol=1e-8)


def test_water_that_flows_makes_heat():
    given = {name: np.asarray(x) for name, x in CELL.nominal({"membrane.L_w": 2e-3}).items()}
    eq = Equations(CELL, given)
    u = [np.asarray(x) for x in (np.log(14.0), np.log(5.0), -2.6, np.log(1500.0))]
    assert [key[0] for key in eq.unknowns] == ["c", "c", "phi", "w"]
    reading = Reading(eq, eq.state(u))
    flow = dict(zip(eq.rows, eq.residual(u), strict=True))["w", "cytosol"]
    pressure = eq.RT * (
        eq.osmolarity("cytosol", reading.state) - eq.osmolarity("bath", reading.state)
    )
    expected = sum(float(x) for x in reading.dissipation) + float(flow * pressure)
    assert float(reading.heat) == pytest.approx(expected, rel=1e-12)
    assert float(flow * pressure) > 0.0


@pytest.mark.parametrize("output", ENERGY_BUDGET)
def test_laws_that_can_turn_against_their_free_energy_have_no_budget(output):
    pumps = [jm.na_k_atpase(law="hill"), jm.na_k_atpase(law="cubic", name="other")]
    cell = jm.Cell([*salt()[:3], *pumps])
    sentence = f"output '{output}' needs laws that keep the second law, which that of nka and other"
    with pytest.raises(ValueError, match=sentence) as caught:
        jm.steady_state(cell, outputs=["V", output])
    assert "choose another law=" in str(caught.value)
    design = jm.Space({"bath.K": jm.Uniform(2.0, 5.0)}).sobol(4, seed=1)
    with pytest.raises(ValueError, match=sentence):
        jm.sweep(cell, design, outputs=[output])


def test_the_budget_comes_on_request_alone():
    assert not set(usual(CELL)) & set(ENERGY_BUDGET)
