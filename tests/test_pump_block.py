"""The experiment on ouabain: the published course, what counts as survival, and its files."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

pytestmark = pytest.mark.slow

RUN = Path(__file__).parents[1] / "experiments" / "pump_block" / "run.py"
ROWS = 64

_SPEC = importlib.util.spec_from_file_location("pump_block_run", RUN)
assert _SPEC and _SPEC.loader
pump_block = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(pump_block)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The folder that a small run leaves."""
    pytest.importorskip("matplotlib")
    out = tmp_path_factory.mktemp("pump_block")
    pump_block.run(out, ROWS)
    return out


def courses(where=None):
    cell, space = pump_block.population()
    return cell, pump_block.blocked(cell, space.sobol(ROWS, seed=1), where)


def test_a_run_leaves_its_numbers_and_pictures(ran):
    text = (ran / "results.md").read_text()
    assert f"| finished | {ROWS} |" in text
    assert "| jump of V in 0.1 s (mV) | 8.15 |" in text
    for name in ("rundown.png", "survival.png"):
        assert (ran / name).stat().st_size > 20_000


def test_the_published_cell_runs_down_as_it_does_alone(ran):
    cell, _ = courses()
    one = pump_block.published(cell, pump_block.population()[1].sobol(1))
    assert float(one.V[0]) == pytest.approx(-72.588, abs=5e-4)
    assert float(one.V.sel(time=3600.0)) == pytest.approx(-17.99, abs=0.01)
    V = one.V.values
    met = np.flatnonzero(V > pump_block.THRESHOLD)[0]
    assert pump_block.TIMES[met - 1] < float(one.survival) <= pump_block.TIMES[met]
    assert float(one.peak) == pytest.approx(float(one.volume[-1]), rel=1e-6)


def test_a_second_run_takes_what_the_store_has(ran):
    where = ran / f"blocked_{ROWS}.zarr"
    before = {p: p.stat().st_mtime_ns for p in (where / "V").rglob("*") if p.is_file()}
    _, stored = courses(where)
    assert before
    assert before == {p: p.stat().st_mtime_ns for p in (where / "V").rglob("*") if p.is_file()}
    np.testing.assert_array_equal(stored.V.values, courses()[1].V.values)


def test_every_bath_is_neutral_and_as_osmotic_as_the_published_one():
    cell, space = pump_block.population()
    rows, valid = space.sobol(ROWS, seed=1).rows(0, ROWS)
    given = cell.nominal()
    assert valid.all()
    assert np.ptp(rows["bath.K"]) > 2.5
    np.testing.assert_allclose(
        rows["bath.K"] + rows["bath.Na"], given["bath.K"] + given["bath.Na"], rtol=1e-14
    )


def made_up():
    """Four rows: one that crosses late, one at once, one that rests above, one without a rest."""
    names = (*pump_block.STRENGTHS, "bath.K")
    V = np.array([[-70.0, -62.0, -10.0], [-50.0, -39.0, -10.0], [-35.0, -30.0, -10.0]])
    V = np.vstack([V, np.full(3, np.nan)])
    return xr.Dataset(
        {
            "status": ("sample", [0, 0, 0, 2]),
            "V": (("sample", "time"), V),
            "volume": (("sample", "time"), np.full((4, 3), 2000.0)),
            "survival": ("sample", [1200.0, 0.02, 5.0, np.nan]),
            "rundown": ("sample", [600.0, 1200.0, 1800.0, np.nan]),
            "peak": ("sample", [3000.0, 2500.0, 4000.0, np.nan]),
        },
        {"time": [0.0, 0.1, 7200.0], **{n: ("sample", np.arange(4.0)) for n in names}},
    )


def test_survival_is_told_of_cells_that_outlive_the_jump():
    found = pump_block.endpoints(made_up().reset_coords([*pump_block.STRENGTHS, "bath.K"]))
    np.testing.assert_array_equal(found.survival, [20.0, np.nan, np.nan])
    np.testing.assert_array_equal(found.at_once, [False, True, False])
    np.testing.assert_array_equal(found.rests_above, [False, False, True])
    np.testing.assert_allclose(found.jump, [8.0, 11.0, 5.0])
    np.testing.assert_allclose(found.swelling, [1.5, 1.25, 2.0])


def test_rank_correlations_see_any_monotonic_rule_and_leave_out_what_is_missing():
    rng = np.random.default_rng(1)
    names = (*pump_block.STRENGTHS, "bath.K")
    found = xr.Dataset({n: ("sample", rng.uniform(1.0, 2.0, 200)) for n in names})
    y = np.exp(-5.0 * found["kcc2.g"].values)
    y[:20] = np.nan
    r = pump_block.rank_correlations(found.assign(survival=("sample", y)), "survival")
    assert next(iter(r)) == "kcc2.g"
    assert r["kcc2.g"] == pytest.approx(-1.0)
    assert max(abs(x) for name, x in r.items() if name != "kcc2.g") < 0.3


def test_too_few_rows_are_refused(tmp_path):
    with pytest.raises(ValueError, match="--rows must be at least 64"):
        pump_block.run(tmp_path, 3)
