"""Pictures of analyses and fits: bars, points and matrices are the numbers of their datasets."""

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm

pytest.importorskip("matplotlib")

from pictures import looked_at, words

pytestmark = pytest.mark.oracle

LONG = ["leak_Na.g", "leak_K.g", "leak_Cl.g", "nka.j_max", "nka.K_Na", "nka.K_K", "kcc2.g"]
LONG += ["nkcc1.k", "bath.K", "bath.Na", "cytosol.X", "membrane.L_w"]
UNITS = {"V": "mV", "volume": "um^3", "c[Na]": "mM", "flux[nka]": "amol/um^2/s"}
FLAGS = "pending stable unstable no_steady_state not_converged nonfinite invalid volume_bound"
BY = ("output", "parameter")


def result(names=LONG, outputs=tuple(UNITS), **variables):
    """A result as the analyses give it, its variables by (dims, values)."""
    coords = {
        "output": list(outputs),
        "units": ("output", [UNITS[name] for name in outputs]),
        "parameter": names,
    }
    return xr.Dataset(variables, coords, {"confidence": 0.95, "blocks": 64})


def sobol(names=LONG, outputs=tuple(UNITS), excluded=0):
    rng, shape = np.random.default_rng(1), (len(outputs), len(names))
    total = rng.random(shape) ** 3
    first = total * rng.random(shape)
    second = rng.normal(0.0, 0.05, (*shape, len(names)))
    return result(
        names,
        outputs,
        S1=(BY, first),
        S1_conf=(BY, 0.1 * first),
        ST=(BY, total),
        ST_conf=(BY, 0.1 * total),
        S2=((*BY, "other"), second + second.transpose(0, 2, 1)),
        excluded=("output", np.full(len(outputs), excluded)),
    )


def morris(sigma=0.5):
    mu = np.random.default_rng(2).random((4, 12)) ** 2
    return result(
        mu_star=(BY, mu),
        sigma=(BY, sigma * mu),
        mu_star_conf=(BY, 0.1 * mu),
        excluded=("output", np.zeros(4, int)),
    )


def local(rows=None):
    rng = np.random.default_rng(3)
    shape, dims = ((), ()) if rows is None else ((rows,), ("sample",))
    elasticity = rng.normal(0.0, 0.5, (*shape, 4, 12))
    elasticity[..., 0, 0] = 12.0
    status = np.zeros(shape, np.int8)
    if rows:
        status[:3] = 2
        elasticity[:3] = np.nan
    ds = result(elasticity=((*dims, *BY), elasticity), status=(dims, status))
    ds["status"].attrs = {"flag_values": list(range(-1, 7)), "flag_meanings": FLAGS}
    return ds


def dgsm():
    rng = np.random.default_rng(4)
    bound = rng.random((4, 12))
    values = np.sort(10.0 ** -(8.0 * rng.random((4, 12))))[:, ::-1]
    vectors = np.stack([np.linalg.qr(rng.normal(size=(12, 12)))[0] for _ in UNITS])
    return result(
        bound=(BY, bound),
        bound_conf=(BY, 0.1 * bound),
        eigenvalue=(("output", "rank"), values),
        eigenvalue_low=(("output", "rank"), 0.8 * values),
        eigenvalue_high=(("output", "rank"), 1.2 * values),
        eigenvector=(("output", "rank", "parameter"), vectors),
        excluded=("output", np.zeros(4, int)),
    )


def drawn_matrix(ax):
    return np.ma.filled(ax.images[0].get_array().astype(float), np.nan)


def test_sobol_draws_both_indices_of_every_parameter_with_intervals():
    res = sobol(excluded=3)
    ax = looked_at(jm.plot.sobol(res, "volume"))
    series = [c for c in ax.containers if hasattr(c, "patches")]
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    assert len(series) == 2 and all(len(bars) == 12 for bars in series)
    one = res.sel(output="volume", parameter=names)
    for bars, of in zip(series, ("S1", "ST"), strict=True):
        assert_array_equal([bar.get_width() for bar in bars], one[of].values)
        segments = bars.errorbar.lines[2][0].get_segments()
        ends = np.array([segment[:, 0] for segment in segments])
        assert_allclose(np.diff(ends)[:, 0], 2.0 * one[f"{of}_conf"].values)
    assert (np.diff(one.ST.values) >= 0.0).all()  # the largest on top
    assert words(ax.get_legend()) == ["first order, S1", "total, ST"]
    assert ax.get_xlabel() == "share of the variance of volume"
    assert ax.get_title("left") == "95% intervals; 3 blocks with a failed row left out"


def test_one_output_need_not_be_named_and_several_must():
    looked_at(jm.plot.sobol(sobol(LONG[:1], ("V",))))
    with pytest.raises(ValueError, match="sobol draws one output: name one of V, volume"):
        jm.plot.sobol(sobol())
    with pytest.raises(KeyError, match=r"unknown output 'Volume'; did you mean volume\?"):
        jm.plot.morris(morris(), "Volume")


def test_an_output_that_does_not_vary_has_no_bars_and_says_so():
    res = sobol()
    ax = looked_at(jm.plot.sobol(res.assign(S1=res.S1 * np.nan, ST=res.ST * np.nan), "V"))
    assert "no index is defined: the output does not vary" in ax.get_title("left")


def test_interactions_are_the_second_order_indices():
    res = sobol()
    ax = looked_at(jm.plot.interactions(res, "c[Na]"))
    assert_array_equal(drawn_matrix(ax), res.S2.sel(output="c[Na]").values)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == LONG
    with pytest.raises(TypeError, match=r"space\.saltelli\(n, second_order=True\)"):
        jm.plot.interactions(res.drop_vars("S2"), "V")


def test_morris_draws_sizes_and_spreads_of_the_effects():
    res = morris()
    ax = looked_at(jm.plot.morris(res, "V"))
    one = res.sel(output="V", parameter=words(ax.get_legend()))
    points = [line for line in ax.lines if line.get_marker() not in ("None", "|")]
    assert_array_equal([p.get_xdata()[0] for p in points], one.mu_star.values)
    assert_array_equal([p.get_ydata()[0] for p in points], one.sigma.values)
    assert (np.diff(one.mu_star.values) <= 0.0).all()
    looks = {(p.get_color(), p.get_marker()) for p in points}
    assert len(looks) == 12
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("µ* of V (mV)", "σ of V (mV)")


def test_groups_have_bars_of_their_sizes():
    res = morris(np.nan)
    ax = looked_at(jm.plot.morris(res, "volume"))
    (bars,) = [c for c in ax.containers if hasattr(c, "patches")]
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    expected = res.mu_star.sel(output="volume", parameter=names).values
    assert_array_equal([bar.get_width() for bar in bars], expected)
    assert ax.get_xlabel() == "µ* of volume (µm³)"


def test_elasticities_of_one_cell_are_a_matrix_of_its_numbers():
    res = local()
    ax = looked_at(jm.plot.elasticities(res))
    assert_array_equal(drawn_matrix(ax), res.elasticity.values)
    assert ax.images[0].get_clim() == (-3.0, 3.0)  # one of 12 does not hide the others
    assert "12" in [text.get_text() for text in ax.texts]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == list(UNITS)


def test_elasticities_of_rows_are_medians_and_failed_rows_are_counted():
    res = local(50)
    ax = looked_at(jm.plot.elasticities(res))
    assert_allclose(drawn_matrix(ax), np.median(res.elasticity.values[3:], axis=0))
    said = "3 of 50 rows without a value: 3 no steady state"
    assert ax.get_title("left").replace("\n", " ") == said
    lost = res.isel(sample=slice(3))
    assert np.isnan(drawn_matrix(looked_at(jm.plot.elasticities(lost)))).all()


def test_dgsm_draws_bounds_and_the_subspace_its_eigenvalues():
    res = dgsm()
    ax = looked_at(jm.plot.dgsm(res, "V"))
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    (bars,) = [c for c in ax.containers if hasattr(c, "patches")]
    expected = res.bound.sel(output="V", parameter=names).values
    assert_array_equal([bar.get_width() for bar in bars], expected)
    left, right = looked_at(jm.plot.subspace(res, "V"))
    assert_array_equal(left.lines[0].get_ydata(), res.eigenvalue.sel(output="V").values)
    assert left.get_yscale() == "log"
    assert words(right.get_legend()) == ["direction 1", "direction 2"]
    names = [tick.get_text() for tick in right.get_yticklabels()]
    vector = res.eigenvector.sel(output="V", parameter=names).values[0]
    assert_array_equal([bar.get_width() for bar in right.containers[0]], vector)


@pytest.mark.parametrize(
    ("draw", "maker"),
    [
        ("sobol", r"sobol\(\.\.\.\)"),
        ("morris", r"morris\(\.\.\.\)"),
        ("elasticities", r"local\(\.\.\.\)"),
        ("dgsm", r"dgsm\(\.\.\.\)"),
        ("subspace", r"dgsm\(\.\.\.\)"),
    ],
)
def test_another_dataset_is_told_what_makes_the_right_one(draw, maker):
    with pytest.raises(TypeError, match=rf"{draw} needs what jm\.sensitivity\.{maker} gives"):
        getattr(jm.plot, draw)(xr.Dataset())


TARGETS = {"V": "mV", "c.Na": "mM", "c.K": "mM", "c.Cl": "mM", "volume": "um^3"}


def fitted(targets=2, cells=3, conditions=4, times=0):
    """A fit as `jm.fit` gives it, of the first of the targets."""
    rng, names = np.random.default_rng(5), list(TARGETS)[:targets]
    shape = (cells, targets, conditions, *([times] if times else []))
    dims = ("cell", "target", "condition", *(["time"] if times else []))
    predicted = rng.normal(-60.0, 5.0, shape)
    sd = np.full(shape, 0.5)
    recorded = predicted + sd * rng.normal(size=shape)
    recorded[0, 0, 0] = np.nan
    correlation = np.stack([np.array([[1.0, 0.4], [0.4, 1.0]])] * cells)
    ds = xr.Dataset(
        {
            "recorded": (dims, recorded),
            "predicted": (dims, predicted),
            "sd": (dims, sd),
            "correlation": (("cell", "parameter", "other"), correlation),
            "determined": (("cell", "parameter"), np.tile([1, 0], (cells, 1))),
            "information_eigenvalue": (("cell", "rank"), np.ones((cells, 2))),
            "status": ("cell", np.array([0, 7, 3][:cells], np.int8)),
        },
        {
            "cell": ["a", "b", "c"][:cells],
            "target": names,
            "condition": [str(k) for k in range(conditions)],
            "parameter": ["leak_Cl.g", "nka.j"],
            "bath.K": (
                ("cell", "condition"),
                np.tile(np.linspace(2.0, 8.0, conditions), (cells, 1)),
                {"units": "mM", "long_name": "K in the bath"},
            ),
        },
    )
    if times:
        about = {"units": "s", "long_name": "time since the protocol began"}
        ds["time"] = ("time", np.linspace(0.0, 60.0, times), about)
    ds["target"].attrs["target_units"] = " | ".join(TARGETS[name] for name in names)
    ds["status"].attrs = {
        "flag_values": list(range(-1, 8)),
        "flag_meanings": FLAGS.replace("stable", "converged", 1) + " not_improved",
    }
    return ds


def test_a_fit_of_all_cells_is_data_over_predictions_with_residuals():
    ds = fitted()
    axes = looked_at(jm.plot.fit(ds))
    assert axes.shape == (2, 2)
    assert axes[0, 1].get_ylabel() == "recorded\nc.Na (mM)"
    assert axes[1, 1].get_xlabel() == "predicted\nc.Na (mM)"
    one = ds.isel(target=1)
    dots = next(line for line in axes[0, 1].lines if line.get_marker() == "o")
    assert_array_equal(dots.get_xdata(), one.predicted.values.ravel())
    assert_array_equal(dots.get_ydata(), one.recorded.values.ravel())
    residual = ((one.recorded - one.predicted) / one.sd).values.ravel()
    assert_allclose(axes[1, 1].lines[-1].get_ydata(), residual)
    said = "of 3 cells 1 not converged, 1 not improved; 1 of 24 values not recorded"
    assert axes[0, 0].get_title("left").replace("\n", " ") == said


def test_a_fit_of_one_cell_stands_over_its_condition():
    ds = fitted()
    axes = looked_at(jm.plot.fit(ds, "b"))
    assert axes[1, 0].get_xlabel() == "K in the bath\nbath.K (mM)"
    assert words(axes[0, 1].get_legend()) == ["predicted", "recorded"]
    line = axes[0, 0].lines[0]
    assert_array_equal(line.get_xdata(), ds["bath.K"].values[1])
    assert_array_equal(line.get_ydata(), ds.predicted.values[1, 0])
    assert axes[0, 0].get_title("left") == "cell b: not improved"


def test_a_fit_of_courses_stands_over_time_with_a_colour_for_each_condition():
    axes = looked_at(jm.plot.fit(fitted(conditions=2, times=7), "b"))
    assert axes[1, 0].get_xlabel() == "time since the protocol began\ntime (s)"
    assert words(axes[0, 1].get_legend()) == ["bath.K 2 mM", "bath.K 8 mM"]
    looked_at(jm.plot.fit(fitted(conditions=2, times=7)))


def test_more_targets_than_fit_into_a_line_go_below():
    axes = looked_at(jm.plot.fit(fitted(targets=5)))
    assert axes.shape == (2, 5)
    assert axes[0, 4].get_position().y1 < axes[1, 0].get_position().y0


def test_a_fit_without_a_single_prediction_is_drawn_as_that():
    ds = fitted(cells=1)
    ds["predicted"] = ds.predicted * np.nan
    looked_at(jm.plot.fit(ds))
    looked_at(jm.plot.fit(ds, "a"))


def test_correlations_are_those_of_one_cell():
    ds = fitted()
    ax = looked_at(jm.plot.correlation(ds, "b"))
    assert_array_equal(drawn_matrix(ax), ds.correlation.values[1])
    assert ax.images[0].get_clim() == (-1.0, 1.0)
    assert "not determined: nka.j" in ax.get_title("left").replace("\n", " ")
    with pytest.raises(ValueError, match="correlation draws one of the 3 cells: name it, as 'a'"):
        jm.plot.correlation(ds)
    with pytest.raises(KeyError, match="no cell 'z' in this fit"):
        jm.plot.correlation(ds, "z")


def profiled(low=2.0):
    value = np.stack([np.geomspace(1.0, 30.0, 9)] * 2)
    rise = 2.0 * (np.log(value) - np.log(value[0, 4])) ** 2
    rise[1, 0] = np.nan
    about = {"units": "pS/um^2", "long_name": "conductance of the Cl leak"}
    both = ("cell", "point")
    variables = {
        "value": (both, value, about),
        "chi_square_rise": (both, rise),
        "low": ("cell", [low, 2.0]),
        "high": ("cell", [15.0, np.nan]),
        "estimate": ("cell", value[:, 4]),
    }
    attrs = {"parameter": "leak_Cl.g", "level": 0.95, "limit": 3.84}
    return xr.Dataset(variables, {"cell": ["a", "b"]}, attrs)


def test_profiles_are_lines_over_the_parameter_with_the_level_that_borders_intervals():
    ds = profiled()
    ax = looked_at(jm.plot.profile(ds))
    assert words(ax.get_legend()) == ["95% level", "cell a", "cell b"]
    assert ax.lines[0].get_ydata()[0] == 3.84
    assert_array_equal(ax.lines[1].get_xdata(), ds.value.values[0])
    assert_array_equal(ax.lines[1].get_ydata(), ds.chi_square_rise.values[0])
    assert ax.get_xscale() == "log"
    assert ax.get_xlabel() == "conductance of the Cl leak\nleak_Cl.g (pS/µm²)"
    assert ax.get_title("left") == "1 of 18 points without a value"


@pytest.mark.parametrize(("low", "left"), [(2.0, 2.0), (np.nan, 1.0)])
def test_the_interval_of_one_cell_is_shaded_up_to_where_it_is_known(low, left):
    ax = looked_at(jm.plot.profile(profiled(low), "a"))
    (shaded,) = ax.patches
    assert shaded.get_x() == left
    assert shaded.get_x() + shaded.get_width() == pytest.approx(15.0)
    assert words(ax.get_legend()) == ["95% level", "95% interval", "cell a"]


def test_what_is_no_fit_is_told_what_makes_one():
    for draw in (jm.plot.fit, jm.plot.correlation):
        with pytest.raises(TypeError, match=r"needs the dataset of a fit, as jm\.fit\("):
            draw(xr.Dataset())
    with pytest.raises(TypeError, match=r"jm\.profile\(cell, fitted, parameter\)"):
        jm.plot.profile(fitted())
