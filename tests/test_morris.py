"""Elementary effects: linear models, SALib, groups, intervals, failed rows and stored sweeps."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

import jaxmembrane as jm
from jaxmembrane.sensitivity import morris

UNIT = jm.Uniform(0.0, 1.0)
SPACE = jm.Space({"a": jm.Uniform(-2.0, 2.0), "b": jm.LogUniform(1.0, 100.0), "c": UNIT, "d": UNIT})


def curved(a, b, c, d):
    return a**3 + np.log(b) * (1.0 + c) + 0.1 * d


def of(design, function=curved):
    return function(*design.rows(0, design.n)[0].values())


def quiet(*args, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return morris(*args, **more)


def test_effects_of_what_is_linear_in_the_quantiles_are_its_slopes():
    design = SPACE.morris(25, 3)
    y = of(design, lambda a, b, c, d: 3.0 * a - np.log(b) + 5.0 * c)
    found = quiet({"y": y}, design).sel(output="y")
    slopes = np.array([12.0, -np.log(100.0), 5.0, 0.0])
    assert_allclose(found.mu, slopes, atol=1e-12)
    assert_allclose(found.mu_star, abs(slopes), atol=1e-12)
    for name in ("sigma", "mu_star_conf"):
        assert_allclose(found[name], 0.0, atol=1e-12)
    assert (found.excluded == 0).all()


def test_effects_of_gaussian_axes_are_for_the_whole_of_their_quantiles():
    space = jm.Space({"n": jm.Normal(5.0, 2.0), "c": jm.Choice([1.0, 4.0]), "u": UNIT})
    design = space.morris(4000, 1)
    found = quiet({"y": of(design, lambda n, c, u: n + c + u)}, design).sel(output="y")
    low, high = 0.31863936, 1.15034938  # Gaussian quantiles of 5/8 and 7/8
    assert_allclose(found.mu, [2.0 * (low + high) / 0.5, 3.0 / 0.5, 1.0], rtol=1e-7)
    assert_allclose(found.sigma, 0.0, atol=1e-6)


def test_moments_follow_from_the_levels():
    """Of a product, an effect is the other factor; of a square, the sum of both ends."""
    design = jm.Space({"a": UNIT, "b": UNIT}).morris(20_000, 2, levels=6)
    found = quiet({"y": of(design, lambda a, b: a * b + b**2)}, design).sel(output="y")
    level = np.arange(6) / 5.0
    assert_allclose(found.mu, [0.5, 0.5 + 1.0], atol=0.01)
    assert_allclose(found.sigma[0], level.std(), atol=0.01)
    ends = (level + (level + 0.6) % 1.2).std()
    assert_allclose(found.sigma[1], np.hypot(level.std(), ends), atol=0.01)
    assert_allclose(found.mu, found.mu_star, rtol=1e-12)


@pytest.mark.oracle
@pytest.mark.parametrize("levels", [4, 10])
@pytest.mark.parametrize("groups", [None, {"both": ["a", "c"], "rest": ["b", "d"]}])
def test_effects_equal_those_of_salib(levels, groups):
    analyze = pytest.importorskip("SALib.analyze.morris").analyze
    design = SPACE.morris(60, 7, levels=levels, groups=groups)
    x, y = np.stack(list(design.rows(0, design.n)[0].values()), axis=1), of(design)
    problem = {"num_vars": 4, "names": list("abcd"), "bounds": [[-2, 2], [1, 100], [0, 1], [0, 1]]}
    problem |= {"groups": ["both", "rest", "both", "rest"]} if groups else {}
    theirs = analyze(problem, x, y, num_levels=levels, num_resamples=2000, seed=1)
    ours = quiet({"y": y}, design, resamples=2000).sel(output="y")
    assert ours.parameter.values.tolist() == list(theirs["names"])
    for name in ("mu_star",) if groups else ("mu", "mu_star", "sigma"):
        assert_allclose(ours[name], np.array(theirs[name], float), rtol=1e-10, atol=1e-10)
    wide = np.array(theirs["mu_star_conf"], float)
    assert_allclose(ours.mu_star_conf, wide, rtol=0.1, atol=1e-10)


def test_a_group_of_several_axes_has_mu_star_alone():
    design = SPACE.morris(50, 1, groups={"both": ["a", "c"]})
    found = quiet({"y": of(design)}, design).sel(output="y")
    assert found.parameter.values.tolist() == ["both", "b", "d"]
    assert np.isfinite(found.mu_star).all() and np.isfinite(found.mu_star_conf).all()
    for name in ("mu", "sigma"):
        assert np.isnan(found[name]).values.tolist() == [True, False, False]


def test_intervals_hold_as_often_as_they_say():
    space = jm.Space({"a": UNIT, "b": UNIT, "c": UNIT})

    def product(a, b, c):
        return a * (1.0 + b) * (2.0 + c)

    # All trajectories of four levels: the means that the intervals are about.
    q = np.stack(np.meshgrid(*[np.arange(4) / 3.0] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    exact = []
    for i in range(3):
        end = q.copy()
        end[:, i] = (end[:, i] * 3 + 2) % 4 / 3
        exact.append(np.mean(abs(product(*end.T) - product(*q.T)) * 1.5))
    held = []
    for seed in range(200):
        design = space.morris(40, seed)
        one = quiet({"y": of(design, product)}, design, resamples=200).isel(output=0)
        held.append(abs(one.mu_star - exact).values <= one.mu_star_conf.values)
    assert 0.90 <= np.mean(held) <= 0.98


def test_failed_rows_cost_their_trajectory_and_are_told():
    design = SPACE.morris(100, 1)
    y = of(design)
    broken = y.copy()
    broken[[7, 8, 400]] = np.nan, np.inf, np.nan
    with pytest.warns(UserWarning, match="of 100 blocks, .* left out: 2 of broken$"):
        found = morris({"y": y, "broken": broken}, design)
    assert found.excluded.values.tolist() == [0, 2]
    kept = np.delete(np.arange(100), [1, 80])
    effects = []
    for k in kept:
        rows = design.rows(5 * k, 5 * k + 5)[0]
        level = np.stack([rows["a"] / 4, np.log(rows["b"]) / np.log(100), rows["c"], rows["d"]])
        step = np.diff(level, axis=1)
        size = np.diff(y[5 * k : 5 * k + 5])
        effects.append([size[np.argmax(abs(s))] / s[np.argmax(abs(s))] for s in step])
    mean = np.mean(np.abs(effects), axis=0)
    assert_allclose(found.mu_star.sel(output="broken"), mean, rtol=1e-9)
    assert_allclose(found.mu.sel(output="broken"), np.mean(effects, axis=0), rtol=1e-9)
    spread = np.std(effects, axis=0, ddof=1)
    assert_allclose(found.sigma.sel(output="broken"), spread, rtol=1e-9, atol=1e-13)
    assert (abs(found.mu_star[0] - found.mu_star[1]) <= found.mu_star_conf[0]).all()


def test_an_output_that_does_not_vary_has_no_effects():
    design = SPACE.morris(10)
    found = quiet({"y": np.ones(design.n, "float32")}, design)
    for name in ("mu", "mu_star", "sigma", "mu_star_conf"):
        assert (found[name] == 0.0).all()
        assert found[name].attrs["long_name"] and found[name].attrs["units"]


def test_what_cannot_be_analysed_is_refused_in_one_sentence():
    design = SPACE.morris(8)
    y = of(design)
    cases = [
        (lambda: morris({"y": y}), r"arrays need their design, as morris\("),
        (
            lambda: morris({"y": y}, SPACE.saltelli(8)),
            r"that Space.morris\(\) makes, but these are",
        ),
        (lambda: morris({"y": y[1:]}, design), "a number for each of the 40 rows"),
        (
            lambda: morris({"y": y[:5]}, SPACE.morris(1)),
            "two or more whole blocks of rows, but of 1",
        ),
        (lambda: morris({"y": y}, design, confidence=0.0), "confidence must be between 0 and 1"),
    ]
    for call, words in cases:
        with pytest.raises(ValueError, match=words) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_a_stored_sweep_is_screened_interrupted_resumed_and_extended(tmp_path):
    path = tmp_path / "m.zarr"
    space = jm.Space(
        {
            "nka.j": jm.LogUniform(50.0, 200.0),
            "bath.K": jm.Normal(4.0, 0.5),
            ("leak_Na.g", "leak_Cl.g"): jm.LogUniform(0.1, 0.4),
            "membrane.C_m": jm.Uniform(0.01, 0.02),
        }
    )

    def swept(n, where=None, **more):
        usual = {"outputs": ["V", "volume", "c"], "tile": 128, "chunk": 128, "progress": False}
        return jm.sweep(jm.zoo.neuron(), space.morris(n, 3), where, **usual | more)

    swept(60, path, shard="2/2")
    with pytest.warns(UserWarning, match="^172 of 300 rows are pending, and 35 of 60 blocks"):
        part = morris(jm.open_store(path))
    assert (part.excluded == 35).all()
    swept(60, path)
    found = quiet(jm.open_store(path))
    star = found.mu_star.sel(output="volume")
    assert star.parameter[star.argmax("parameter")] == "leak_Na.g"
    assert star.sel(parameter="membrane.C_m") < 1e-2 * star.max()
    assert (found.mu.sel(output="V", parameter="bath.K") > 0).all()
    swept(90, path)
    longer = quiet(jm.open_store(path))
    assert longer.identical(quiet(swept(90)))
    assert longer.attrs["blocks"] == 90
