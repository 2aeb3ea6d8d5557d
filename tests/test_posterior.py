"""Samples of the posterior: they agree with standard errors where these are right."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from test_fit_population import NEURON, NOMINAL, SPACE, recording

import jaxmembrane as jm

pytest.importorskip("blackjax")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def fitted():
    _, targets, conditions = recording(noise=1.0)
    return jm.fit(NEURON, targets, SPACE, conditions=conditions, starts=2)


def test_samples_of_well_determined_cells_are_the_gaussian_of_the_standard_errors(fitted):
    found = jm.posterior(NEURON, fitted, cells=[0, 1], draws=1000, warmup=300, chains=2)
    assert dict(found.sample.sizes) == {"cell": 2, "chain": 2, "draw": 1000, "parameter": 2}
    assert float(found.r_hat.max()) < 1.03 and int(found.divergences.sum()) == 0
    held = fitted.sel(cell=[0, 1])
    spread = found.sample.std(["chain", "draw"])
    assert_allclose(spread, held.standard_error, rtol=0.15)
    away = (found.sample.mean(["chain", "draw"]) - held.estimate) / held.standard_error
    assert float(np.abs(away).max()) < 0.25


def test_samples_spread_over_the_bounds_where_nothing_is_known():
    free = jm.Space(
        {k: jm.LogUniform(NOMINAL[k] / 5, NOMINAL[k] * 5) for k in ("membrane.L_w", "nka.j")}
    )
    blind = jm.fit(NEURON, [jm.Target("c.Na", [14.0], 0.3)], free, starts=2)
    assert blind.determined.values.tolist() == [[0, 1]]
    found = jm.posterior(NEURON, blind, draws=1000, warmup=300, chains=2)
    share = np.log(found.sample.sel(parameter="membrane.L_w") / NOMINAL["membrane.L_w"])
    quantiles = (share / np.log(5.0)).quantile([0.1, 0.5, 0.9]).values
    assert_allclose(quantiles, [-0.8, 0.0, 0.8], atol=0.1)


def test_fits_without_a_posterior_are_refused(fitted):
    with pytest.raises(KeyError, match="no cell 'x' in this fit"):
        jm.posterior(NEURON, fitted, cells=["x"])
    with pytest.raises(ValueError, match="draws must be a whole number above zero"):
        jm.posterior(NEURON, fitted, draws=0)
    plain = jm.fit(NEURON, [jm.Target("V", [[-72.0, -60.0, -50.0]])], SPACE, starts=1)
    with pytest.raises(ValueError, match="posterior needs known errors"):
        jm.posterior(NEURON, plain)
