"""The experiment on chloride: published and independent values, and the files of a run."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose

import jaxmembrane as jm

CHLORIDE = Path(__file__).parents[1] / "experiments" / "chloride"
sys.path.insert(0, str(CHLORIDE))

import gaba_response  # noqa: E402
import kcc2_ramp  # noqa: E402
import neurons  # noqa: E402
import wnk_switch  # noqa: E402

pytestmark = pytest.mark.slow

_SPEC = importlib.util.spec_from_file_location("chloride_run", CHLORIDE / "run.py")
assert _SPEC and _SPEC.loader
chloride = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(chloride)


def test_gaba_hyperpolarises_mature_and_depolarises_immature_neurons():
    course = gaba_response.three_cells()
    opens, closes = gaba_response.OPENS, gaba_response.CLOSES
    opened, closed = (int(np.argmin(np.abs(course.time - t))) for t in (opens + 0.02, closes))
    assert course.ok.all()
    for i, name in enumerate(gaba_response.CELLS):
        if name in gaba_response.EXPECTED:
            assert_allclose(course.V[i, [0, opened]], gaba_response.EXPECTED[name], atol=0.051)
    # The immature neuron of the zoo, as its docstring has it.
    assert_allclose([course.V[1, 0], course.E["Cl"][1, 0]], [-65.38, -40.0], atol=0.0051)
    Cl = np.asarray(course.c["Cl"])
    assert_allclose(Cl[0, closed] - Cl[0, 0], gaba_response.EXPECTED_LOAD["mature"], atol=0.0051)
    assert (Cl[1:, closed] < Cl[1:, 0]).all()
    # An hour later all chloride is back where it was; KCC2 is faster than NKCC1.
    assert_allclose(Cl[:, -1], Cl[:, 0], atol=0.01)
    tau = np.asarray(course.recovery["Cl"])
    assert 60.0 < tau[0] < tau[1] < 1800.0


def test_without_the_switch_it_is_the_published_neuron():
    cell, published = neurons.neuron(), jm.zoo.neuron()
    given = cell.nominal()
    assert {name: given[name] for name in published.parameters} == published.nominal()
    assert given["wnk"] == given["gaba_a.g"] == given["nkcc1.wnk_basal"] == 0.0


def test_the_ramp_raises_kcc2_from_its_own_strength():
    final = kcc2_ramp.protocol().final(neurons.neuron().nominal())
    assert final["kcc2.g"] == pytest.approx(18.4 * jm.zoo.neuron().nominal()["kcc2.g"])
    assert kcc2_ramp.protocol().ends == [120.0, 480.0, np.inf]


def test_receptors_stop_to_hyperpolarise_where_chloride_meets_the_potential():
    wnk = np.linspace(0.0, 1.0, 5)
    E = np.stack([np.zeros(5), -90.0 + 60.0 * wnk], axis=1)
    ds = xr.Dataset(
        {"E": (("sample", "species"), E), "V": ("sample", np.full(5, -72.0))},
        {"species": ["Na", "Cl"], "wnk": ("sample", wnk)},
    )
    assert wnk_switch.flips_at(ds) == pytest.approx(0.3)


def test_too_few_rows_are_refused(tmp_path):
    with pytest.raises(ValueError, match="--rows must be at least 64"):
        chloride.run(tmp_path, 3)


@pytest.mark.slow
def test_a_run_leaves_its_numbers_and_pictures(tmp_path):
    pytest.importorskip("matplotlib")
    chloride.run(tmp_path, 64)
    table = [
        [part.strip() for part in line.split("|")[1:-1]]
        for line in (tmp_path / "results.md").read_text().splitlines()
        if line.startswith("| ")
    ]
    ends = {row[0]: row[2:4] for row in table if row[0] in kcc2_ramp.ENDS}
    assert list(ends) == list(kcc2_ramp.ENDS)
    assert all(computed == equations for computed, equations in ends.values())
    rests = {row[0]: [float(x) for x in row[1:]] for row in table if row[0] in ("0", "0.35", "1")}
    for activity, (Cl, E_Cl) in wnk_switch.EXPECTED.items():
        found = rests[f"{activity:g}"]
        # An activity of 0.35 is itself rounded: by 5e-4, thus by 0.02 mM.
        assert_allclose(found[0], Cl, atol=0.021)
        assert_allclose(found[2], E_Cl, atol=0.041)
        assert found[2] < found[4] < -12.0
    for part in ("kcc2_ramp", "wnk_switch", "gaba_response"):
        assert (tmp_path / f"{part}.png").stat().st_size > 20_000
