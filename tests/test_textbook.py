"""The inventory of the founding collection: every claim is there, computed, and can fail."""

import importlib.util
import sys
from dataclasses import replace
from math import nan
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from test_simulate import BLOCKED, DIGITS

import jaxmembrane as jm

TEXTBOOK = Path(__file__).parent.parent / "experiments" / "textbook"
sys.path.insert(0, str(TEXTBOOK))

import cells  # noqa: E402
import inventory  # noqa: E402
from claims import CLAIMS  # noqa: E402

pytestmark = pytest.mark.slow

_SPEC = importlib.util.spec_from_file_location("textbook_run", TEXTBOOK / "run.py")
assert _SPEC and _SPEC.loader
textbook = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(textbook)

ITEMS = {"000": 23, "001": 43, "002": 24, "003": 24, "004": 22}
"""Claims of each text."""

ROWS = inventory.read_table()
BY_ID = {row.id: row for row in ROWS}


@pytest.fixture(scope="module")
def outcomes():
    return {row.id: textbook.compute(row) for row in ROWS}


def test_every_claim_of_the_texts_is_there_once():
    ids = [f"{text}-{n:02d}" for text, count in ITEMS.items() for n in range(1, count + 1)]
    assert [row.id for row in ROWS] == ids
    assert all(row.claim and row.kind for row in ROWS)


def test_every_claim_but_context_is_computed():
    assert set(CLAIMS) == {row.id for row in ROWS if row.verdict != "context"}
    assert all(row.verdict == "context" or row.expected for row in ROWS)


def test_every_claim_gives_its_recorded_verdict_and_values(outcomes):
    wrong = {id: o.faults for id, o in outcomes.items() if o.faults}
    assert not wrong
    assert all(o.verdict == o.row.verdict for o in outcomes.values())


def test_numbers_that_do_not_follow_say_why():
    """Numbers of the texts that do not check out, or hold only at particular inputs."""
    doubtful = "001-04 001-13 001-18 001-28 001-29 001-39 001-40 002-12 002-13 002-18 003-13"
    doubtful += " 000-07 003-16 003-18 003-21 004-07 004-08 004-14 004-17 004-20"
    assert all(BY_ID[id].why for id in doubtful.split())
    assert all(row.why for row in ROWS if row.verdict in ("approximate", "does not follow"))


def off(quantity, value):
    """The quantity, claimed to be something that the value is not."""
    if quantity.relation == "=":
        far = 10.0 * (1.0 + abs(quantity.low) + abs(quantity.high))
        return replace(quantity, low=quantity.low + far, high=quantity.high + far)
    low = value - 1.0 - abs(value) if quantity.relation == "<" else value + 1.0 + abs(value)
    return replace(quantity, low=low, high=low)


def hit(quantity, value):
    """The quantity, claimed to be what the value is."""
    return replace(quantity, relation="=", low=value, high=value)


def swapped(quantities, n, new):
    """Quantities with the nth replaced."""
    return (*quantities[:n], new, *quantities[n + 1 :])


def test_another_expected_value_makes_a_row_fail(outcomes):
    for outcome in outcomes.values():
        row, computed = outcome.row, outcome.computed
        if row.verdict == "agrees":
            for n, q in enumerate(row.expected):
                wrong = replace(row, expected=swapped(row.expected, n, off(q, computed[q.name])))
                assert any("verdict" in f for f in wrong.faults(computed)), (row.id, q.name)
        elif row.verdict != "context":
            as_computed = tuple(hit(q, computed[q.name]) for q in row.expected)
            wrong = replace(row, expected=as_computed)
            assert any("verdict" in f for f in wrong.faults(computed)), row.id


def test_another_recomputed_digit_makes_a_row_fail(outcomes):
    checked = 0
    for outcome in outcomes.values():
        row, computed = outcome.row, outcome.computed
        for n, q in enumerate(row.recomputed):
            moved = replace(q, low=q.low + 2.0 * q.digit, high=q.high + 2.0 * q.digit)
            wrong = replace(row, recomputed=swapped(row.recomputed, n, moved))
            assert any(q.name in fault for fault in wrong.faults(computed)), (row.id, q.name)
            checked += 1
    assert checked > 150


def test_a_value_that_is_missing_unforeseen_or_no_number_is_a_fault(outcomes):
    row, computed = BY_ID["001-05"], outcomes["001-05"].computed
    assert not list(row.faults(computed))
    assert any("was not computed" in fault for fault in row.faults({}))
    assert any("not in the table" in fault for fault in row.faults(computed | {"E": 1.0}))
    assert any("verdict" in fault for fault in row.faults({"dG": nan}))


@pytest.mark.parametrize(
    ("claimed", "tolerance", "value", "verdict"),
    [
        ("x = -40 mV", "0.5", -40.4, "agrees"),
        ("x = -40 mV", "0.5", -40.6, "does not follow"),
        ("x = 5 mM", "0.05 to 0.6", 4.48, "approximate"),
        ("x = 5 mM", "0.05 to 0.6", 4.3, "does not follow"),
        ("x = 60 to 80 mM", "0.5", 80.4, "agrees"),
        ("x = 131 mM", "1 %", 132.4, "does not follow"),
        ("x = 131 mM", "1 %", 132.2, "agrees"),
        ("x = +1", "exact", 1.0000001, "does not follow"),
        ("x < 0 mV", "sign", -1e-300, "agrees"),
        ("x < 0 mV", "1e-9", 0.0, "does not follow"),
        ("x > 1 atm", "0 to 0.05", 0.96, "approximate"),
    ],
)
def test_a_verdict_follows_from_value_claim_and_tolerance(claimed, tolerance, value, verdict):
    (quantity,) = inventory.quantities(claimed)
    assert quantity.verdict(value, tolerance) == verdict


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("9,k,c,,V is -70 mV,1,agrees,,", "row 9: cannot read 'V is -70 mV'"),
        ("9,k,c,,V = 1 mV; E = 2 mV,1;1;1,agrees,,", "3 tolerances for 2 quantities"),
        ("9,k,c,,V = 1 mV,1,perhaps,,", "verdict must be one of"),
        ("9,k,c,,,1,agrees,,", "only context, expects nothing"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path, line, said):
    table = tmp_path / "table.csv"
    head = inventory.TABLE.read_text().splitlines()[0]
    table.write_text(f"{head}\n{line}\n")
    with pytest.raises(ValueError, match=said):
        inventory.read_table(table)


def test_a_row_that_changed_ends_the_program_with_an_error(tmp_path, monkeypatch, capsys):
    rows = [BY_ID["001-05"], BY_ID["000-21"]]
    monkeypatch.setattr(textbook, "read_table", lambda: rows)
    monkeypatch.setattr(jm, "configure", lambda: None)
    assert textbook.run(tmp_path) == 0
    told, written = capsys.readouterr().out, (tmp_path / "results.md").read_text()
    for text in (told, written):
        assert "-12.6942" in text and "-12.7 kJ/mol" in text and "context" in text
        assert "ERROR" not in text
    rows[0] = replace(rows[0], verdict="does not follow")
    assert textbook.run(tmp_path, 1) == 1
    assert "ERROR" in capsys.readouterr().out
    assert "ERROR: the verdict is 'agrees'" in (tmp_path / "results.md").read_text()
    with pytest.raises(ValueError, match="--rows must be at least 1, not 0"):
        textbook.run(tmp_path, 0)


def test_a_row_without_a_function_is_refused():
    with pytest.raises(ValueError, match="row 009-01 has no function"):
        textbook.compute(replace(BY_ID["001-05"], id="009-01"))
    with pytest.raises(ValueError, match="is context, but has a function"):
        textbook.compute(replace(BY_ID["000-21"], id="001-05"))


# The neuron of fixed area from an independent float64 model, to its printed digits: V (mV), Na, K,
# Cl (mM), E_Cl (mV), volume over that of the mature neuron.
AT_REST = {
    "mature": (-72.59, 14.00, 122.87, 5.16, -83.85, 1.000),
    "pump x 0.5": (-72.78, 17.39, 119.49, 5.22, -83.57, 1.000),
    "pump x 0.1": (-72.42, 28.65, 108.25, 5.52, -82.07, 1.002),
    "impermeant x 1.5": (-72.59, 14.00, 122.87, 5.16, -83.85, 1.500),
    "impermeant of charge -1": (-74.67, 14.07, 134.43, 4.75, -86.09, 1.078),
    "VU0463271": (-69.93, 13.92, 123.25, 8.69, -69.93, 1.025),
    "immature": (-63.51, 14.26, 125.47, 40.44, -28.84, 1.326),
    "bumetanide": (-69.93, 13.92, 123.25, 8.69, -69.93, 1.025),
    "KCC2 x 0.5": (-71.77, 13.98, 122.97, 6.06, -79.56, 1.006),
    "bath K 2.5": (-80.28, 14.35, 122.42, 3.79, -92.14, 0.990),
    "bath K 10": (-48.70, 12.59, 124.96, 13.54, -58.10, 1.062),
    "bath K 40": (-17.71, 8.96, 131.33, 47.15, -24.74, 1.414),
}
# Solved for a Cl of 15 mM, for an E_Cl of -40 mV: three and four digits of the strength are
# printed, which leave 0.03 mM and 0.03 mV.
SOLVED = {
    "immature, E_Cl -40 mV": (-65.19, 14.17, 124.45, 26.64, -40.00, 1.176),
    "WNK-SPAK 0.35": (-68.50, 14.49, 123.19, 15.00, -55.35, 1.074),
}
SHORT_OF_ATP = {
    (0.01, 0.5): (-45.92, 110.26, 27.54, 16.44, -52.91, 1.085),
    (0.001, 1.0): (-20.48, 130.98, 8.50, 36.64, -31.48, 1.281),
}
SPECIES = ("Na", "K", "Cl")


def resting(scenario):
    rest, mature = cells.at_rest(scenario), cells.at_rest()
    c = [float(rest.c[s]) for s in SPECIES]
    return np.array([rest.V, *c, rest.E["Cl"], rest.volume / mature.volume], float)


def moving(found, t):
    V, *c, w = (cells.value(found, name, t) for name in ("V", *SPECIES, "volume"))
    E_Cl = jm.analytic.nernst(-1, 119.0, c[2])
    return np.array([V, *c, E_Cl, w / cells.value(found, "volume", 0.0)], float)


def assert_printed(found, expected, digits=1.0):
    assert (np.abs(found - expected) <= digits * DIGITS).all(), found - expected


@pytest.mark.parametrize("scenario", AT_REST)
def test_the_neuron_rests_where_an_independent_model_does(scenario):
    assert_printed(resting(scenario), AT_REST[scenario])


@pytest.mark.parametrize("scenario", SOLVED)
def test_a_solved_scenario_rests_near_its_target(scenario):
    assert_printed(resting(scenario), SOLVED[scenario], digits=6.0)


@pytest.mark.parametrize("t", BLOCKED)
def test_pump_block_runs_as_in_an_independent_model(t):
    assert_printed(moving(cells.pump_block(), t), BLOCKED[t])


@pytest.mark.parametrize("supply", SHORT_OF_ATP)
def test_atp_depletion_runs_as_in_an_independent_model(supply):
    assert_printed(moving(cells.atp_falls(*supply), 3600.0), SHORT_OF_ATP[supply])


def test_wash_out_overshoots_as_far_as_the_pump_saturates():
    """Ten minutes of block, then the pump again: -164 mV for the cubic law, -77.4 for the other."""
    # That model has no dependence on ATP here.
    laws = {
        cells.neuron: ("nka.j", {}),
        cells.saturating_neuron: ("nka.j_max", {"nka.K_m_ATP": 1e-12}),
    }
    washed, times = {}, (0.0, 600.0, 610.0, 890.0, 7800.0)
    for cell, (pump, kept) in laws.items():
        back = cell().nominal()[pump]
        block = jm.Protocol.pulse(pump, 0.0, at=0.0, lasting=600.0, back=back)
        washed[cell] = jm.simulate(cell(), kept, block, times, start=cells.at_rest())
    assert_allclose(cells.value(washed[cells.neuron], "V", 610.0), -164.0, atol=0.5)
    assert_allclose(cells.value(washed[cells.saturating_neuron], "V", 890.0), -77.4, atol=0.05)
    rest = cells.value(cells.pump_block(), "V", 0.0)
    for found in washed.values():
        assert_allclose(found.V[-1], rest, atol=1e-4)


# Share of the saturating pump that is left to V (mV), Na and K (mM) after six hours.
@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, (-70.95, 41.5, 95.4)), (0.2, (-42.5, 114.8, None))]
)
def test_partial_block_of_the_saturating_pump(share, expected):
    cell = cells.saturating_neuron()
    left = {"nka.j_max": share * cell.nominal()["nka.j_max"], "nka.K_m_ATP": 1e-12}
    found = cells.after(left, (21600.0,), cell, start=cells.at_rest())
    assert_allclose(found.V[-1], expected[0], atol=0.05)
    for species, c in zip(("Na", "K"), expected[1:], strict=True):
        if c is not None:
            assert_allclose(found.c[species][-1], c, atol=0.05)


def test_a_course_keeps_charge():
    """Charge of all that is inside, against that on the membrane, after an hour without pump."""
    found, nominal = cells.pump_block(), cells.neuron().nominal()
    inside = found.c["Na"] + found.c["K"] - found.c["Cl"]
    fixed = nominal["cytosol.z_X"] * nominal["cytosol.X"]
    charge = jm.constants.F * (inside * found.volume + fixed)
    stored = nominal["membrane.C_m"] * nominal["membrane.area"] * found.V
    # Of 3e7 fC of either sign 1140 fC stay on the membrane.
    assert_allclose(charge, stored, atol=0.5)
