"""Sobol indices: closed forms, intervals, SALib, failed rows; and what is refused."""

import warnings

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm
from jaxmembrane.sensitivity import sobol
from jaxmembrane.sensitivity.bootstrap import half_width, resampled

ANGLE = jm.Uniform(-np.pi, np.pi)
ANGLES = jm.Space({"a": ANGLE, "b": ANGLE, "c": ANGLE})
PAIRS = np.triu_indices(3, 1)


def ishigami(a, b, c):
    return np.sin(a) * (1.0 + 0.1 * c**4) + 7.0 * np.sin(b) ** 2


def ishigami_indices():
    """First, total and second order, from the parts of the variance."""
    both = 0.01 * np.pi**8 * 8.0 / 225.0
    one = np.array([0.5 * (1.0 + 0.1 * np.pi**4 / 5.0) ** 2, 49.0 / 8.0, 0.0])
    variance = one.sum() + both
    second = np.zeros((3, 3))
    second[0, 2] = second[2, 0] = both
    return (
        one / variance,
        (one + np.array([both, 0.0, both])) / variance,
        second / variance,
        variance,
    )


WEIGHTS = np.array([0.0, 0.5, 3.0, 9.0, 99.0, 4.5])
UNIT = jm.Space({f"x{i}": jm.Uniform(0.0, 1.0) for i in range(6)})


def g_function(design, start=0, stop=None):
    values, _ = design.rows(start, design.n if stop is None else stop)
    parts = [
        (abs(4.0 * x - 2.0) + w) / (1.0 + w) for x, w in zip(values.values(), WEIGHTS, strict=True)
    ]
    return np.prod(parts, axis=0)


def g_parts():
    """Variance by each axis alone, and in all."""
    one = 1.0 / (3.0 * (1.0 + WEIGHTS) ** 2)
    return one, np.prod(1.0 + one) - 1.0


def of(design, function=ishigami):
    return function(*design.rows(0, design.n)[0].values())


def quiet(*args, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return sobol(*args, **more)


# ---------------------------------------------------------------- closed forms


def test_ishigami_lies_within_the_intervals():
    design = ANGLES.saltelli(2048, 1, second_order=True)
    found = quiet({"y": of(design)}, design).sel(output="y")
    first, total, second, variance = ishigami_indices()
    for name, exact in (("S1", first), ("ST", total)):
        assert (abs(found[name] - exact) <= found[f"{name}_conf"]).all(), name
        assert (found[f"{name}_conf"] < 0.1).all()
    assert (abs(found.S2 - second).values[PAIRS] <= found.S2_conf.values[PAIRS]).all()
    assert_array_equal(found.S2, found.S2.T)
    assert np.isnan(np.diag(found.S2)).all() and np.isnan(np.diag(found.S2_conf)).all()
    assert_allclose(found["mean"], 3.5, atol=0.01)
    assert_allclose(found.variance, variance, rtol=0.01)


def test_sobols_g_function_lies_within_the_intervals():
    design = UNIT.saltelli(4096, 2, second_order=True)
    found = quiet({"y": g_function(design)}, design).isel(output=0)
    one, variance = g_parts()
    total = one * (1.0 + variance) / (1.0 + one) / variance
    assert (abs(found.S1 - one / variance) <= found.S1_conf).all()
    assert (abs(found.ST - total) <= found.ST_conf).all()
    off = ~np.eye(6, dtype=bool)
    assert (abs(found.S2 - np.outer(one, one) / variance) <= found.S2_conf).values[off].all()


def test_groups_have_the_indices_of_their_product():
    groups = {"strong": ["x1", "x0"], "weak": ["x3", "x5", "x4"]}
    design = UNIT.saltelli(4096, 3, second_order=True, groups=groups)
    assert design.n == 4096 * 8
    found = quiet({"y": g_function(design)}, design).isel(output=0)
    assert found.parameter.values.tolist() == ["strong", "x2", "weak"]
    one, variance = g_parts()
    part = np.array([np.prod(1.0 + one[i]) - 1.0 for i in ([0, 1], [2], [3, 4, 5])])
    total = part * (1.0 + variance) / (1.0 + part) / variance
    assert (abs(found.S1 - part / variance) <= found.S1_conf).all()
    assert (abs(found.ST - total) <= found.ST_conf).all()
    assert_allclose(found.S1, part / variance, atol=0.01)
    assert_allclose(found.ST, total, atol=0.01)
    assert_allclose(found.S2.values[PAIRS], np.outer(part, part)[PAIRS] / variance, atol=0.02)


def test_the_share_of_a_linear_model_by_a_linked_axis_and_gaussians():
    axes = {("a", "b"): jm.Normal(1.0, 0.5), "c": jm.Normal(0.0, 1.0), "d": jm.LogUniform(1, 10)}
    design = jm.Space(axes).saltelli(4096, 1)
    found = quiet({"y": of(design, lambda a, b, c, d: a + b + c + 0.0 * d)}, design)
    assert found.parameter.values.tolist() == ["a", "c", "d"]
    assert_allclose(found.S1[0], [0.5, 0.5, 0.0], atol=0.01)
    assert_allclose(found.ST[0], [0.5, 0.5, 0.0], atol=0.01)


# ---------------------------------------------------------------- intervals


def hits(blocks_of, seeds=300, n=512):
    """How often the closed form of each index lies within its interval."""
    first, total, second, _ = ishigami_indices()
    found = []
    for seed in range(seeds):
        design = ANGLES.saltelli(n, seed, second_order=True)
        one = quiet({"y": blocks_of(design, seed)}, design, seed=seed).isel(output=0)
        held = [abs(one.S1 - first) <= one.S1_conf, abs(one.ST - total) <= one.ST_conf]
        held.append((abs(one.S2 - second) <= one.S2_conf).values[PAIRS])
        found.append(np.concatenate(held))
    return np.mean(found, axis=0)


def independent(design, seed):
    """The model at independent points, in blocks as those of the design."""
    width = design.source.width
    points = np.random.default_rng(seed).random((design.n // width, 1, 6))
    from_b = design.source._from_b()
    cube = np.where(from_b, points[..., 3:], points[..., :3]).reshape(-1, 3)
    return ishigami(*(np.pi * (2.0 * cube - 1.0)).T)


def test_intervals_of_independent_blocks_hold_as_often_as_they_say():
    held = hits(independent)
    assert 0.90 <= held.min() and held.max() <= 0.98 and 0.93 <= held.mean() <= 0.97


def test_intervals_of_sobol_points_hold_at_least_as_often():
    held = hits(lambda design, seed: of(design))
    assert held.min() >= 0.88 and held.mean() >= 0.96


def test_the_bootstrap_resamples_with_replacement():
    values = np.random.default_rng(0).standard_normal((2, 5000))
    means = resampled(lambda start, stop: values[:, start:stop], 5000, 800, 1)
    assert means.shape == (801, 2)
    assert_allclose(means[0], values.mean(axis=1), rtol=1e-12)
    assert_allclose(means[1:].std(axis=0), values.std(axis=1) / np.sqrt(5000), rtol=0.1)
    assert_allclose(half_width(means[1:], 0.95), 1.96 * means[1:].std(axis=0), rtol=0.01)
    ones = resampled(lambda start, stop: np.ones((1, stop - start)), 5000, 50, 1)
    assert_array_equal(ones, 1.0)
    again = resampled(lambda start, stop: values[:, start:stop], 5000, 800, 1)
    assert_array_equal(again, means)


# ---------------------------------------------------------------- SALib


@pytest.mark.oracle
@pytest.mark.parametrize("second", [False, True])
@pytest.mark.parametrize("groups", [None, {"both": ["a", "b"]}])
def test_indices_equal_those_of_salib(second, groups):
    analyze = pytest.importorskip("SALib.analyze.sobol").analyze
    design = ANGLES.saltelli(500, 4, second_order=second, groups=groups)
    y = 40.0 + of(design)
    problem = {"num_vars": 3, "names": list("abc"), "bounds": [[-np.pi, np.pi]] * 3}
    problem |= {"groups": ["both", "both", "c"]} if groups else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = analyze(problem, y, calc_second_order=second, num_resamples=400, seed=1)
    ours = quiet({"y": y}, design, resamples=400).sel(output="y")
    for name in ("S1", "ST", *(["S2"] if second else [])):
        upper = np.triu_indices(len(ours.parameter), 1) if name == "S2" else slice(None)
        assert_allclose(ours[name].values[upper], theirs[name][upper], rtol=0, atol=1e-10)
        wide = theirs[f"{name}_conf"][upper]
        assert_allclose(ours[f"{name}_conf"].values[upper], wide, rtol=0.25)


# ---------------------------------------------------------------- rows left out


def test_one_failed_row_costs_its_block_and_is_told():
    design = ANGLES.saltelli(1000, 5)
    y = of(design)
    broken = np.where(np.arange(design.n) == 2222, np.nan, y)
    clean = quiet({"y": y}, design)
    with pytest.warns(UserWarning, match=r"of 1000 blocks, .* left out: 1 of broken$"):
        found = sobol({"y": y, "broken": broken}, design)
    assert found.excluded.values.tolist() == [0, 1]
    for name in ("S1", "ST"):
        moved = abs(found[name].sel(output="broken") - clean[name].sel(output="y"))
        assert (moved < clean[f"{name}_conf"].sel(output="y")).all()
        assert_array_equal(found[name].sel(output="y"), clean[name].sel(output="y"))
        assert (moved > 0).all()
    dropped = np.delete(y.reshape(1000, 5), 2222 // 5, axis=0)
    a_and_b = dropped[:, [0, -1]]
    assert_allclose(found.variance.sel(output="broken"), a_and_b.var(), rtol=1e-12)


def test_rows_are_told_by_their_number():
    design = ANGLES.saltelli(300, 5)
    made = xr.Dataset(
        {"y": ("sample", of(design))}, {"sample": np.arange(design.n), "a": ("sample", of(design))}
    )
    whole = quiet(made, design)
    mixed = made.isel(sample=np.random.default_rng(0).permutation(design.n))
    assert quiet(mixed, design).drop_attrs().identical(whole.drop_attrs())
    with pytest.warns(UserWarning, match="missing or failed .* 1 of y"):
        fewer = sobol(made.isel(sample=slice(4, None)), design)
    assert fewer.excluded == 1 and fewer.attrs["blocks"] == 300
    with pytest.raises(ValueError, match="'sample' must number the rows of the design, each once"):
        sobol(xr.concat([made, made], "sample"), design)


def test_an_output_that_does_not_vary_has_no_indices():
    design = ANGLES.saltelli(64, 1)
    flat = 0.1 + np.zeros(design.n)
    flat[::7] = np.nextafter(0.1, 1.0)
    with pytest.warns(UserWarning, match=r"do not vary have no indices \(NaN\): flat, none$"):
        found = sobol({"y": of(design), "flat": flat, "none": np.zeros(design.n, int)}, design)
    assert np.isfinite(found.S1.sel(output="y")).all()
    for name in ("S1", "S1_conf", "ST", "ST_conf"):
        assert np.isnan(found[name].sel(output=["flat", "none"])).all()
    assert_allclose(found["mean"][1:], [0.1, 0.0], rtol=1e-12)
    assert found.variance.values[1:].tolist() == [0.0, 0.0]


def test_an_output_without_whole_blocks_does_not_hide_the_others():
    design = ANGLES.saltelli(64, 1)
    with pytest.warns(UserWarning, match="left out: 64 of lost"):
        found = sobol({"y": of(design), "lost": np.full(design.n, np.nan)}, design)
    assert np.isfinite(found.S1[0]).all() and np.isnan(found.S1[1]).all()
    assert found.excluded.values.tolist() == [0, 64]


def test_intervals_follow_confidence_and_seed():
    design = ANGLES.saltelli(256, 1)
    y = {"y": of(design)}
    one, two = quiet(y, design), quiet(y, design, confidence=0.6826894921370859)
    assert_allclose(one.S1_conf / two.S1_conf, 1.959964, rtol=1e-6)
    assert (quiet(y, design, seed=1).S1_conf != one.S1_conf).all()
    assert quiet(y, design).identical(one)


# ---------------------------------------------------------------- refused


def test_what_cannot_be_analysed_is_refused_in_one_sentence():
    design = ANGLES.saltelli(16)
    y = of(design)
    cases = [
        (lambda: sobol({"y": y}), "arrays need their design, as sobol"),
        (
            lambda: sobol({"y": y}, ANGLES.sobol(80)),
            r"Space.saltelli\(\) makes, but these are of a",
        ),
        (lambda: sobol({"y": y[:-1]}, design), "'y' must hold a number for each of the 80 rows"),
        (lambda: sobol({"y": ["a"] * 80}, design), "'y' must hold a number for each"),
        (lambda: sobol({}, design), "sobol needs data with rows of the design"),
        (lambda: sobol(xr.Dataset({"y": ("sample", y)})), "does not say which design its rows are"),
        (lambda: sobol(xr.Dataset({"y": ("row", y)}), design), "along the dim 'sample'"),
        (lambda: sobol({"y": y}, design, confidence=95), "confidence must be between 0 and 1"),
        (
            lambda: sobol({"y": y}, design, resamples=1),
            "resamples must be a whole number, 2 or more",
        ),
        (lambda: sobol({"y": y}, design, seed=-1), "seed must be a whole number"),
        (lambda: sobol({"y": y[:5]}, ANGLES.saltelli(1)), "two or more whole blocks of rows"),
        (lambda: sobol(xr.Dataset({"y": ("sample", ["a"] * 80)}), design), "needs numeric outputs"),
    ]
    for call, words in cases:
        with pytest.raises(ValueError, match=words) as caught:
            call()
        assert "\n" not in str(caught.value)
    with pytest.raises(TypeError, match="a dataset of a sweep, or a mapping of arrays"):
        sobol(y, design)
    with pytest.raises(TypeError, match=r"design must be what Space.saltelli\(\) makes, not Space"):
        sobol({"y": y}, ANGLES)
