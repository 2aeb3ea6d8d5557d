"""Fits of populations: shared parameters, profiles, comparisons, estimated errors, stores."""

import shutil
from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm

NEURON = jm.zoo.neuron()
NOMINAL = NEURON.nominal()


@cache
def dosed(law="cubic"):
    """The neuron with a pump that ouabain blocks, of which the dose is a condition."""
    pump = jm.na_k_atpase("cubic", j=NOMINAL["nka.j"]).regulated(jm.ouabain("alpha1"))
    parts = [pump if t.name == "nka" else t for t in NEURON.transporters]
    return jm.Cell(parts, NOMINAL, area="cylinder")


@pytest.mark.slow
def test_an_affinity_is_shared_by_cells_of_different_pump_density():
    cell, doses, n = dosed(), np.array([0.0, 0.02, 0.05, 0.1]), 12
    K, rng = 0.03, np.random.default_rng(0)
    density = NOMINAL["nka.j"] * np.exp(rng.uniform(-0.7, 0.7, n))
    given = {"nka.j": density[:, None], "nka.ouabain": doses + np.zeros((n, 1)), "nka.K_ouabain": K}
    rest = jm.steady_state(cell, given)
    noise = 0.3 * rng.standard_normal((n, 4))
    targets = [
        jm.Target("c.Na", rest.c["Na"] + noise, 0.3),
        jm.Target("V", rest.V + noise[::-1], 0.3),
    ]
    space = jm.Space(
        {
            "nka.j": jm.LogUniform(NOMINAL["nka.j"] / 10, NOMINAL["nka.j"] * 10),
            "nka.K_ouabain": jm.LogUniform(1e-3, 1.0),
        }
    )
    own = {"conditions": {"nka.ouabain": doses}, "starts": 4}
    found = jm.fit(cell, targets, space, shared=["nka.K_ouabain"], **own).load()
    assert_array_equal(found.status, 0)
    together = found.estimate.sel(parameter="nka.K_ouabain").values
    assert np.ptp(together) == 0.0
    error = found.standard_error.sel(parameter="nka.K_ouabain").values
    assert abs(together[0] - K) < 3.5 * error[0]
    # Twelve cells know it better than one, by about the square root of twelve.
    alone = jm.fit(cell, targets, space, **own).load()
    single = alone.standard_error.sel(parameter="nka.K_ouabain").values
    assert 2.5 < np.sqrt(np.mean(single**2)) / error[0] < 5.0
    # What they agree on is their mean, weighted by what each knows.
    each = alone.estimate.sel(parameter="nka.K_ouabain").values
    mean = np.average(np.log(each), weights=(each / single) ** 2)
    assert_allclose(np.log(together[0]), mean, atol=0.7 * error[0] / K)


def recording(n=3, noise=0.0, seed=2, names=("nka.j", "leak_K.g")):
    """V, Na and Cl of cells at three bath potassium levels, and their true parameters."""
    rng, baths = np.random.default_rng(seed), np.array([2.5, 5.0, 10.0])
    truth = {k: NOMINAL[k] * np.exp(rng.uniform(-0.5, 0.5, n)) for k in names}
    rest = jm.steady_state(
        NEURON, {k: x[:, None] for k, x in truth.items()} | {"bath.K": baths + np.zeros((n, 1))}
    )
    made = {"V": rest.V, "c.Na": rest.c["Na"], "c.Cl": rest.c["Cl"]}
    sd = {"V": 0.5, "c.Na": 0.3, "c.Cl": 0.2}
    y = {k: x + noise * sd[k] * rng.standard_normal(x.shape) for k, x in made.items()}
    return truth, [jm.Target(k, x, sd[k]) for k, x in y.items()], {"bath.K": baths}


SPACE = jm.Space({k: jm.LogUniform(NOMINAL[k] / 5, NOMINAL[k] * 5) for k in ("nka.j", "leak_K.g")})


@pytest.mark.slow
def test_a_profile_of_a_nearly_quadratic_loss_gives_the_interval_of_the_standard_error():
    _, targets, conditions = recording(noise=1.0)
    found = jm.fit(NEURON, targets, SPACE, conditions=conditions, starts=2)
    line = jm.profile(NEURON, found, "leak_K.g", points=17, cells=[0, 2])
    assert dict(line.sizes) == {"cell": 2, "point": 17}
    assert float(line.chi_square_rise.min()) > -1e-6
    held = found.sel(cell=[0, 2], parameter="leak_K.g")
    assert_allclose(line.low, held.low, rtol=0.02)
    assert_allclose(line.high, held.high, rtol=0.02)


@pytest.mark.slow
def test_a_model_that_lacks_what_the_data_show_is_told_to_be_worse():
    _, targets, conditions = recording(n=6, noise=1.0)
    whole = jm.fit(NEURON, targets, SPACE, conditions=conditions, starts=2)
    poor = jm.Space({"leak_K.g": SPACE.axes["leak_K.g",]})
    lacking = jm.fit(NEURON, targets, poor, conditions=conditions, starts=2)
    table = jm.compare({"both": whole, "leak only": lacking})
    n = 9
    assert_allclose(table.aic.sel(model="both"), whole.chi_square + 4.0)
    assert_allclose(table.bic.sel(model="leak only"), lacking.chi_square + np.log(n))
    assert table.attrs["words"].startswith("both has the least BIC over all 6 cells")
    assert "leak only is worse by" in table.attrs["words"]
    _, others, _ = recording(n=6, noise=1.0, seed=3)
    with pytest.raises(ValueError, match="'both' and 'other' were fitted to other data"):
        jm.compare({"both": whole, "other": jm.fit(NEURON, others, SPACE, conditions=conditions)})


@pytest.mark.slow
def test_errors_are_estimated_where_none_are_given():
    """Noise of 1 mV gives the errors that a known error of 1 mV gives."""
    _, targets, conditions = recording(n=40, noise=2.0, names=("nka.j",))
    plain, known = (jm.Target("V", targets[0].values, sd) for sd in (None, 1.0))
    one = jm.Space({"nka.j": SPACE.axes["nka.j",]})
    given = jm.fit(NEURON, known, one, conditions=conditions, starts=2).load()
    found = jm.fit(NEURON, plain, one, conditions=conditions, starts=2).load()
    assert_allclose(found.estimate, given.estimate, rtol=1e-7)
    assert found.attrs["errors"] == "estimated from the residuals"
    ratio = (found.standard_error / given.standard_error).values ** 2
    assert_allclose(ratio.mean(), 1.0, atol=0.35)
    assert np.isnan(found.p_value).all()


def test_a_fit_resumes_its_store_and_refuses_that_of_other_data(tmp_path):
    _, targets, conditions = recording(n=3)
    path = tmp_path / "fit.zarr"
    first = jm.fit(NEURON, targets, SPACE, conditions=conditions, starts=2, store=path, cells="abc")
    assert first.cell.values.tolist() == ["a", "b", "c"]
    kept = jm.open_store(path)
    assert_array_equal(kept.estimate, first.estimate)
    assert kept.sel(cell="b").status == 0
    # A chunk that was never finished is computed again, to the same bits.
    before = kept.estimate.values.copy()
    shutil.rmtree(path / "status" / "c")
    jm.verify(path, repair=True)
    again = jm.fit(NEURON, targets, SPACE, conditions=conditions, starts=2, store=path, cells="abc")
    assert_array_equal(again.estimate, before)
    other = [jm.Target("V", targets[0].values + 1.0, 0.5), *targets[1:]]
    with pytest.raises(ValueError, match=r"fit\.zarr holds another run: recorded sha256"):
        jm.fit(NEURON, other, SPACE, conditions=conditions, starts=2, store=path, cells="abc")


V = jm.Target("V", [-70.0, -71.0], 0.5)
REFUSED = {
    "no cell": (lambda: jm.fit("neuron", V, SPACE), TypeError, "fit needs a jm.Cell, not str"),
    "no targets": (lambda: jm.fit(NEURON, [], SPACE), TypeError, "targets must be a sequence"),
    "no space": (lambda: jm.fit(NEURON, V, {"nka.j": 1}), TypeError, "free must be a space"),
    "unknown axis": (
        lambda: jm.fit(NEURON, V, jm.Space({"nka.jj": jm.Uniform(1, 2)})),
        KeyError,
        "unknown parameter 'nka.jj'; did you mean nka.j",
    ),
    "a choice": (
        lambda: jm.fit(NEURON, V, jm.Space({"nka.j": jm.Choice([1.0, 2.0])})),
        ValueError,
        "nka.j cannot be fitted over a Choice",
    ),
    "rules": (
        lambda: jm.fit(NEURON, V, jm.Space({"nka.j": jm.Uniform(1, 2)}, where="nka.j > 1")),
        ValueError,
        "takes no derive= or where=",
    ),
    "a domain": (
        lambda: jm.fit(NEURON, V, jm.Space({"nka.j": jm.Normal(10.0, 5.0)})),
        ValueError,
        "nka.j must be a finite number, zero or more, but its axis runs from -15 to 35",
    ),
    "free and fixed": (
        lambda: jm.fit(NEURON, V, SPACE, params={"nka.j": 1.0}),
        ValueError,
        "nka.j is both free and fixed",
    ),
    "free and a condition": (
        lambda: jm.fit(NEURON, V, SPACE, conditions={"nka.j": [1.0]}),
        ValueError,
        "nka.j is both free and a condition",
    ),
    "unknown condition": (
        lambda: jm.fit(NEURON, V, SPACE, conditions={"bath.k": [1.0]}),
        KeyError,
        "unknown condition 'bath.k'; did you mean bath.K",
    ),
    "a negative bath": (
        lambda: jm.fit(NEURON, V, SPACE, conditions={"bath.K": [-1.0]}),
        ValueError,
        "condition bath.K at cell 0, condition 0 is -1",
    ),
    "conditions do not fit": (
        lambda: jm.fit(NEURON, V, SPACE, conditions={"bath.K": [2.5, 5.0]}),
        ValueError,
        "V has 1 conditions, but there are 2",
    ),
    "cells do not fit": (
        lambda: jm.fit(NEURON, [V, jm.Target("c.Na", [14.0], 1.0)], SPACE),
        ValueError,
        "c.Na was recorded of 1 cells, other targets of 2",
    ),
    "names do not fit": (
        lambda: jm.fit(NEURON, V, SPACE, cells=["a"]),
        ValueError,
        "cells has 1 names, but there are 2 cells",
    ),
    "a name twice": (
        lambda: jm.fit(NEURON, V, SPACE, cells=["a", "a"]),
        ValueError,
        "cell 'a' is there twice",
    ),
    "a target twice": (lambda: jm.fit(NEURON, [V, V], SPACE), ValueError, "V is there twice"),
    "some errors": (
        lambda: jm.fit(NEURON, [V, jm.Target("c.Na", [14.0, 15.0])], SPACE),
        ValueError,
        "V has an error and c.Na has none",
    ),
    "unknown shared": (
        lambda: jm.fit(NEURON, V, SPACE, shared=["nka.k"]),
        KeyError,
        "unknown shared parameter 'nka.k'; did you mean nka.j",
    ),
    "shared text": (lambda: jm.fit(NEURON, V, SPACE, shared="nka.j"), TypeError, "as ['nka.j']"),
    "no method": (
        lambda: jm.fit(NEURON, V, SPACE, method="newton"),
        ValueError,
        "method must be 'lm'",
    ),
    "no starts": (lambda: jm.fit(NEURON, V, SPACE, starts=0), ValueError, "starts must be"),
    "half a begin": (
        lambda: jm.fit(NEURON, V, SPACE, begin={"nka.j": [1.0, 1.0]}),
        ValueError,
        "begin lacks leak_K.g",
    ),
    "a protocol without times": (
        lambda: jm.fit(NEURON, V, SPACE, protocol=jm.Protocol([jm.Step(1.0, {"nka.j": 0.0})])),
        ValueError,
        "a fit with protocol needs times",
    ),
    "times that do not fit": (
        lambda: jm.fit(NEURON, V, SPACE, times=[0.0, 1.0]),
        ValueError,
        "with 2 times, not (2,)",
    ),
    "a level": (lambda: jm.fit(NEURON, V, SPACE, level=95), ValueError, "level must be a number"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_fitted_is_refused_in_one_sentence(case):
    call, error, text = REFUSED[case]
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value.args[0])
    assert text in message and "\n" not in message, message


@pytest.mark.slow
def test_labels_of_recordings_come_with_the_fit():
    table = {
        "cell": ["a", "b"],
        "V (mV)": [-72.0, -71.4],
        "c.Na (mM)": [14.0, 15.0],
        "family": ["Sst", "Vip"],
    }
    data = jm.read_recordings(table, NEURON, sd={"V": 0.5, "c.Na": 0.3})
    found = jm.fit(NEURON, data, SPACE, starts=2)
    assert found.family.dims == ("cell",) and found.family.values.tolist() == ["Sst", "Vip"]
    assert found.cell.values.tolist() == ["a", "b"]


def test_another_course_does_not_resume_a_fit():
    from jaxmembrane.fitting.problem import make_job

    block = jm.Protocol([jm.Step(0.0, {"nka.j": 0.0})])
    target = jm.Target("V", [[-70.0, -60.0]], 0.5)
    told = [
        make_job(NEURON, [target], SPACE, times=times, protocol=protocol, rtol=rtol).decides
        for times, protocol, rtol in (
            ([0.0, 60.0], block, 1e-6),
            ([0.0, 61.0], block, 1e-6),
            ([0.0, 60.0], None, 1e-6),
            ([0.0, 60.0], block, 1e-5),
        )
    ]
    assert all(a != b for i, a in enumerate(told) for b in told[:i])
