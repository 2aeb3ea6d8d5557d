"""Bounds and active subspaces from derivatives: closed forms, coverage, and a study of a cell."""

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm

dgsm = jm.sensitivity.dgsm

# Of each axis: its distribution, whether its natural coordinate is ln p, variance, constant.
KINDS = {
    "u": (jm.Uniform(1.0, 4.0), False, 9.0 / 12.0, 12.0 / np.pi**2),
    "l": (jm.LogUniform(0.5, 8.0), True, np.log(16.0) ** 2 / 12.0, 12.0 / np.pi**2),
    "n": (jm.Normal(-1.0, 0.7), False, 0.49, 1.0),
    "g": (jm.LogNormal(2.0, 0.4), True, 0.16, 1.0),
}
SPACE = jm.Space({name: kind[0] for name, kind in KINDS.items()})
VARIANCE = np.array([kind[2] for kind in KINDS.values()])
CONSTANT = np.array([kind[3] for kind in KINDS.values()])


def natural(design):
    """Natural coordinates of the rows, and their derivatives by the parameters."""
    columns, _ = design.rows(0, design.n)
    z = {k: np.log(x) if KINDS[k][1] else x for k, x in columns.items()}
    slope = {k: 1.0 / x if KINDS[k][1] else np.ones_like(x) for k, x in columns.items()}
    return np.stack([*z.values()], -1), np.stack([*slope.values()], -1)


def linear(design, weights):
    """An output that is linear in the natural coordinates, with its derivatives."""
    z, slope = natural(design)
    return z @ weights, slope * weights


# ---------------------------------------------------------------- closed forms


@pytest.mark.parametrize("kind", ["sobol", "random", "latin"])
def test_a_linear_output(kind):
    design = getattr(SPACE, kind)(4096, seed=2)
    weights = np.array([1.0, -2.0, 3.0, 0.0])
    found = dgsm({"y": linear(design, weights)}, design).sel(output="y")
    assert_allclose(found.dgsm, weights**2, rtol=1e-12)
    assert_allclose(found.dgsm_conf, 0.0, atol=1e-12)
    total = weights**2 * VARIANCE / (weights**2 @ VARIANCE)  # total indices, exactly
    assert_allclose(found.bound * found.variance, CONSTANT * weights**2 * VARIANCE, rtol=1e-12)
    assert_allclose(
        found.bound, CONSTANT * total, rtol={"sobol": 0.01, "latin": 0.03, "random": 0.1}[kind]
    )
    # Gaussian axes reach the bound; uniform ones stay 18 % below it.
    assert (np.abs(found.bound - CONSTANT * total) <= 2.0 * found.bound_conf + 1e-12).all()
    assert list(found.natural.values) == ["u", "ln l", "n", "ln g"]
    assert found.excluded == 0


def test_the_active_subspace_of_a_ridge_is_one_direction():
    design = SPACE.sobol(4096, seed=2)
    z, slope = natural(design)
    direction = np.array([0.5, -0.5, 0.1, 0.7])
    direction /= np.linalg.norm(direction)
    weights = direction / np.sqrt(VARIANCE)  # along it in standard deviations
    s = z @ weights
    found = dgsm({"y": (np.sin(s), np.cos(s)[:, None] * slope * weights)}, design).sel(output="y")
    assert_allclose(found.eigenvalue, [np.mean(np.cos(s) ** 2), 0.0, 0.0, 0.0], atol=1e-12)
    assert_allclose(found.eigenvector[0], direction, atol=1e-10)
    assert found.eigenvalue_low[0] < found.eigenvalue[0] < found.eigenvalue_high[0]
    vectors = found.eigenvector.values
    assert_allclose(vectors @ vectors.T, np.eye(4), atol=1e-12)
    largest = np.abs(vectors).argmax(axis=1)
    assert (np.take_along_axis(vectors, largest[:, None], 1) > 0.0).all()


def test_a_product_has_the_measures_of_its_integrals():
    space = jm.Space({"a": jm.Uniform(0.0, 1.0), "b": jm.Uniform(0.0, 2.0), "c": jm.Normal(0, 1)})
    design = space.sobol(2**15, seed=4)
    a, b, c = design.rows(0, design.n)[0].values()
    slopes = np.stack([b * (1 + c), a * (1 + c), a * b], axis=-1)
    found = dgsm({"y": (a * b * (1 + c), slopes)}, design).sel(output="y")
    # <a^2> = 1/3, <b^2> = 4/3, <(1 + c)^2> = 2, <a> = 1/2, <b> = 1
    measure = np.array([8.0 / 3.0, 2.0 / 3.0, 4.0 / 9.0])
    variance = 8.0 / 9.0 - 0.25
    total = np.array([8.0 / 3.0 / 12.0, 2.0 / 3.0 * 4.0 / 12.0, 4.0 / 9.0]) / variance
    bound = measure * np.array([1.0 / np.pi**2, 4.0 / np.pi**2, 1.0]) / variance
    assert_allclose(found.dgsm, measure, rtol=2e-3)
    assert_allclose(found.bound, bound, rtol=2e-3)
    assert_allclose(found.variance, variance, rtol=2e-3)
    assert (found.bound > total - 1e-3).all()
    sd = np.array([1.0, 2.0, np.sqrt(12.0)]) / np.sqrt(12.0)
    assert_allclose(found.eigenvalue.sum(), measure @ sd**2, rtol=2e-3)


def test_intervals_hold_what_they_say():
    space = jm.Space({"a": jm.LogNormal(1.0, 0.2), "b": jm.Normal(0.0, 1.0)})
    # <a^2>/4 with the derivative by ln a, and <2 sin^2 b>, by far the larger.
    truth = np.array([0.25 * np.exp(2.0 * 0.2**2), 1.0 - np.exp(-2.0)])
    held = []
    for seed in range(400):
        design = space.random(300, seed=seed)
        a, b = design.rows(0, design.n)[0].values()
        slopes = np.stack([np.full_like(a, 0.5), np.sqrt(2.0) * np.sin(b)], axis=-1)
        y = 0.5 * a - np.sqrt(2.0) * np.cos(b)
        found = dgsm({"y": (y, slopes)}, design, seed=seed).sel(output="y")
        low, high = found.eigenvalue_low[0], found.eigenvalue_high[0]
        held.append([*(np.abs(found.dgsm - truth) < found.dgsm_conf), low < truth[1] < high])
    assert_allclose(np.mean(held, axis=0), 0.95, atol=0.04)


# ---------------------------------------------------------------- rows that are left out


def test_failed_rows_are_left_out_counted_and_told():
    design = SPACE.sobol(5000, seed=2)
    y, slopes = linear(design, np.array([1.0, -2.0, 3.0, 0.5]))
    whole = dgsm({"y": (y, slopes)}, design)
    bad, bent = y.copy(), slopes.copy()
    bad[17] = np.nan
    bent[99, 2] = np.inf
    given = {"bad": (bad, slopes), "good": (y, slopes), "bent": (y, bent)}
    with pytest.warns(
        UserWarning, match=r"of 5000 rows.* are left out: 1 of bad, 1 of bent$"
    ) as told:
        found = dgsm(given, design)
    assert len(told) == 1 and told[0].filename == __file__
    assert_array_equal(found.excluded, [1, 0, 1])
    for name in ("bad", "bent"):
        near = found.sel(output=name)
        assert (np.abs(near.bound - whole.bound[0]) < whole.bound_conf[0]).all()
    xr.testing.assert_equal(found.sel(output="good", drop=True), whole.sel(output="y", drop=True))


def test_an_output_without_rows_is_nan_and_one_that_does_not_vary_has_no_bound():
    design = SPACE.sobol(64)
    y, slopes = linear(design, np.ones(4))
    given = {"y": (y, slopes), "lost": (y * np.nan, slopes), "still": (0.0 * y + 0.1, 0.0 * slopes)}
    with pytest.warns(UserWarning) as told:
        found = dgsm(given, design)
    words = [str(warning.message) for warning in told]
    assert "64 of lost" in words[0] and "do not vary have no bounds (NaN): still" in words[1]
    for name in ("dgsm", "bound", "eigenvalue", "eigenvector", "variance"):
        assert np.isnan(found[name].sel(output="lost")).all(), name
        assert np.isfinite(found[name].sel(output="y")).all(), name
    assert np.isnan(found.bound.sel(output="still")).all()
    assert_array_equal(found.dgsm.sel(output="still"), 0.0)
    with pytest.raises(ValueError, match="two whole rows or more, but of 64 rows 0 can be used"):
        dgsm({"lost": given["lost"]}, design)


# ---------------------------------------------------------------- cells

NEURON = jm.zoo.neuron()
AXES = {
    "leak_K.g": jm.LogUniform(0.3, 2.0),
    "nka.j": jm.LogUniform(40.0, 300.0),
    "bath.K": jm.Uniform(2.0, 8.0),
}


def rows_of(design, **more):
    options = {"outputs": ["V", "volume", "c"], "tile": 1024, "progress": False}
    return jm.sensitivity.local(NEURON, design, **options | more)


@pytest.fixture(scope="module")
def study():
    return rows_of(jm.Space(AXES).sobol(2048, seed=5)).load()


def test_bounds_of_a_neuron_hold_its_total_indices(study):
    found = dgsm(study)
    pairs = rows_of(jm.Space(AXES).saltelli(1024, seed=6))
    total = jm.sensitivity.sobol(pairs[["value", "status"]])
    assert list(total.output.values) == [f"value[{name}]" for name in found.output.values]
    assert list(total.parameter.values) == list(found.parameter.values)
    slack = total.ST_conf.values + found.bound_conf.values
    assert (found.bound.values > total.ST.values - slack).all()
    # They are close enough to rank: what decides the potential and what does not.
    assert (found.bound.values < 3.0 * total.ST.values + 0.01).all()
    assert_allclose(found.variance, total.variance, rtol=0.1)
    assert list(found.units.values) == ["mV", "um^3", "mM", "mM", "mM"]


def test_a_stored_study_says_the_same_and_pending_rows_are_told(tmp_path, study):
    path, design = tmp_path / "g.zarr", jm.Space(AXES).sobol(2048, seed=5)
    rows_of(design, store=path, chunk=1024, shard="1/2")
    with pytest.warns(UserWarning, match="1024 of 2048 rows are pending and left out") as told:
        half = dgsm(jm.open_store(path))
    assert len(told) == 1
    assert_array_equal(half.excluded, 1024)
    xr.testing.assert_equal(
        half.drop_vars("excluded"), dgsm(study.isel(sample=slice(1024))).drop_vars("excluded")
    )
    rows_of(design, store=path, chunk=1024)
    xr.testing.assert_identical(dgsm(jm.open_store(path)), dgsm(study))
    some = dgsm(study.sel(parameter=["bath.K"], output=["V"]))
    assert_allclose(some.bound, dgsm(study).bound.sel(parameter=["bath.K"], output=["V"]))


def test_float32_is_near(study):
    found = rows_of(jm.Space(AXES).sobol(2048, seed=5), precision="float32").load()
    for name in ("value", "derivative", "elasticity"):
        assert found[name].dtype == np.float32
    assert_array_equal(found.status, study.status)
    assert_allclose(found.elasticity, study.elasticity, atol=1e-3)
    assert_allclose(dgsm(found).bound, dgsm(study).bound, rtol=1e-3)


def test_derivatives_by_natural_coordinates_are_elasticities_of_logarithmic_axes(study):
    found, logs = dgsm(study), ["leak_K.g", "nka.j"]
    by_log = (study.elasticity * study.value).sel(parameter=logs)
    assert_allclose(found.dgsm.sel(parameter=logs), (by_log**2).mean("sample"), rtol=1e-10)
    by_mM = study.derivative.sel(parameter="bath.K")
    assert_allclose(found.dgsm.sel(parameter="bath.K"), (by_mM**2).mean("sample"), rtol=1e-10)


def test_resamples_come_from_the_seed(study):
    one, two = dgsm(study, seed=1), dgsm(study, seed=1)
    xr.testing.assert_identical(one, two)
    other = dgsm(study, seed=2, confidence=0.5)
    assert_array_equal(other.bound, one.bound)
    assert (other.bound_conf < 0.6 * one.bound_conf).all()


# ---------------------------------------------------------------- what is refused


def test_designs_that_are_no_sample_of_independent_axes(study):
    def arrays(design):
        size = design.n, len(design.axes)
        return {"y": (np.zeros(size[0]), np.zeros(size))}

    space = {"a": jm.Uniform(0.0, 1.0), "b": jm.Uniform(0.0, 1.0)}
    grid = jm.Space(space).grid(3)
    with pytest.raises(ValueError, match=r"as Space.sobol, random or latin do.*grid design"):
        dgsm(arrays(grid), grid)
    table = jm.table({"a": [1.0, 2.0]})
    with pytest.raises(ValueError, match="table design"):
        dgsm(arrays(table), table)
    choice = jm.Space(space | {"c": jm.Choice([1.0, 2.0])}).sobol(4)
    with pytest.raises(ValueError, match="c has no derivative over a Choice: dgsm needs Uniform"):
        dgsm(arrays(choice), choice)
    for more in ({"derive": {"d": "a + b"}}, {"where": "a < b"}):
        ruled = jm.Space(space, **more).sobol(4)
        with pytest.raises(ValueError, match="take derive= and where= out"):
            dgsm(arrays(ruled), ruled)


def test_data_without_what_is_needed(study):
    design = SPACE.sobol(8)
    y, slopes = linear(design, np.ones(4))
    with pytest.raises(ValueError, match=r"dgsm needs derivatives, as jm\.sensitivity\.local"):
        dgsm(study.drop_vars("derivative"))
    with pytest.raises(ValueError, match="need the dim 'output'"):
        dgsm(study.sel(output="V"))
    with pytest.raises(ValueError, match="arrays need their design"):
        dgsm({"y": (y, slopes)})
    with pytest.raises(ValueError, match=r"'y' must be a pair of values \(8,\) and derivatives"):
        dgsm({"y": (y, slopes[:, :3])}, design)
    with pytest.raises(ValueError, match="'y' must be a pair"):
        dgsm({"y": y}, design)
    with pytest.raises(ValueError, match="needs an output at least"):
        dgsm({}, design)
    with pytest.raises(TypeError, match="design must be what Space"):
        dgsm({"y": (y, slopes)}, SPACE)
    with pytest.raises(TypeError, match="not ndarray"):
        dgsm(y, design)
    with pytest.raises(ValueError, match="confidence must be between 0 and 1"):
        dgsm(study, confidence=95)
    moved = rows_of(jm.Space(AXES).sobol(2048, seed=5), parameters=["leak_K.g", "T"], shard="2/2")
    with pytest.raises(ValueError, match="T is no axis of this design: leave it out"):
        dgsm(moved)
