"""What a fit claims: intervals that cover, optima that are global, and what data cannot tell."""

import numpy as np
import pytest
from test_fit import NEURON, NOMINAL, around, known_conductance, population, seen

import jaxmembrane as jm

ALL = ("leak_K.g", "leak_Na.g", "leak_Cl.g", "nka.j")


def held(found, share=0.5):
    """How many combinations the data of the first cell hold to so much of the priors."""
    return int((found.information_eigenvalue.values[0] > share**-2).sum())


@pytest.fixture(scope="module")
def one_potential():
    space = around(ALL, 30.0)
    return space, jm.fit(NEURON, jm.Target("V", [-72.0], 0.5), space, starts=4).load()


def test_one_potential_fixes_one_combination_and_names_what_it_leaves_open(one_potential):
    _, found = one_potential
    assert held(found) == 1 and not found.determined.values.any()
    lines = jm.explain(found, 0).splitlines()
    assert sum(line.strip().startswith("determined to") for line in lines) == 1
    assert "  not determined: 3 other combinations" in lines
    assert lines[-1] == "not determined by these data: leak_K.g, leak_Na.g, leak_Cl.g, nka.j"
    told = next(line for line in lines if line.strip().startswith("determined to"))
    assert "leak_Na.g" in told and "leak_K.g" in told and " %: " in told


@pytest.mark.slow
def test_a_series_of_potassium_and_a_flux_change_what_is_reported(one_potential):
    space, before = one_potential
    baths = np.array([2.0, 3.5, 6.0, 12.0, 25.0])
    rest = jm.steady_state(NEURON, {"bath.K": baths})
    series = [jm.Target("V", rest.V[None], 0.2), jm.Target("c.Cl", rest.c["Cl"][None], 0.05)]
    found = jm.fit(NEURON, series, space, conditions={"bath.K": baths}, starts=4).load()
    assert held(found) > held(before)
    # Ratios are known now, and the scale of all rates is not: one flux gives it.
    assert not found.determined.values.all()
    flux = jm.Target("flux.nka", rest.flux["nka"][None], 0.01 * np.asarray(rest.flux["nka"])[None])
    whole = jm.fit(NEURON, [*series, flux], space, conditions={"bath.K": baths}, starts=4).load()
    assert held(whole) == 4 and whole.determined.values.all()
    assert "not determined" not in jm.explain(whole, 0)
    for name in ALL:
        low, high = (float(whole[end].sel(parameter=name)[0]) for end in ("low", "high"))
        assert low < NOMINAL[name] < high


@pytest.mark.slow
def test_intervals_cover_the_truth_and_starts_find_the_global_optimum():
    """A thousand cells; V, Na, Cl, volume at three bath potassium levels; 0.5 mV and 2 %."""
    n = 1000
    truth, rest = population(n, seed=11)
    free, conditions = known_conductance(truth, n)
    targets = seen(rest, noise=1, seed=12)
    found = jm.fit(NEURON, targets, free, conditions=conditions, starts=16).load()
    begin = {name: truth[name] for name in found.parameter.values.tolist()}
    best = jm.fit(NEURON, targets, free, conditions=conditions, begin=begin).loss.values
    assert (found.status == 0).mean() > 0.99
    assert (found.loss <= best + 1e-6).mean() >= 0.99
    for name in found.parameter.values:
        low, high = (found[end].sel(parameter=name) for end in ("low", "high"))
        covered = float(((low <= truth[str(name)]) & (truth[str(name)] <= high)).mean())
        assert 0.93 <= covered <= 0.97, (name, covered)
    # The chi-square has its degrees of freedom: p-values are uniform.
    assert abs(float(found.p_value.mean()) - 0.5) < 4 / np.sqrt(12 * n)
