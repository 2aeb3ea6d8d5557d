"""Pictures of sweeps and of one cell: they show what the data hold, and nothing drops silently."""

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm
from jaxmembrane.labelled import Labelled
from jaxmembrane.steady import Rest

pytest.importorskip("matplotlib")

from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.figure import Figure
from pictures import looked_at, words

pytestmark = pytest.mark.oracle

CELL = jm.zoo.neuron()
AXES = {"nka.j": jm.LogUniform(3.0, 300.0), "bath.K": jm.Uniform(2.0, 60.0)}
SOME = ["bath.K < 4.0 + 0.2 * nka.j"]
NONE = ["bath.K < 1.0"]


def rests(design, **more):
    return jm.sweep(CELL, design, outputs=["V", "volume", "c", "reversal"], **more).load()


@pytest.fixture(scope="module")
def rows():
    return rests(jm.Space(AXES, where=SOME).sobol(300, seed=1))


@pytest.fixture(scope="module")
def grid():
    return rests(jm.Space(AXES, where=SOME).grid(9))


TIMES = np.linspace(0.0, 600.0, 7)


@pytest.fixture(scope="module")
def courses(rows):
    """Courses that end early where a row has no rest, each a little later than the one before."""
    one = rows.drop_vars(["volume", "reversal", "residual"])
    shift = xr.DataArray(TIMES, coords={"time": TIMES}, dims="time") * 0.01
    shift["time"].attrs = {"units": "s", "long_name": "time since the protocol began"}
    one["V"] = (-70.0 + one["nka.j"] / 100.0 + shift).assign_attrs(rows.V.attrs)
    one["c"] = (15.0 + one.c.species.str.len() + one["bath.K"] * shift).assign_attrs(rows.c.attrs)
    lost = one.status > 1
    reached = ~lost | (one.time < (one.sample % 6) * 100.0 + 50.0)
    one["V"], one["c"] = (one[name].where(reached) for name in ("V", "c"))
    one["status"] = one.status.where(~lost, 6).astype("int8").assign_attrs(rows.status.attrs)
    return one


def failed(ds):
    return int((ds.status.values > 1).sum())


def test_pairs_show_every_row_and_cross_the_failed_ones(rows):
    axes = looked_at(jm.plot.pairs(rows, "V"))
    assert axes.shape == (2, 2) and isinstance(axes[0, 0], Axes)
    good = rows.status.values == 0
    points = axes[0, 0].collections[0]
    expected = np.stack([rows["nka.j"].values, rows["bath.K"].values], axis=1)[good]
    assert_array_equal(points.get_offsets(), expected)
    assert_array_equal(points.get_array(), rows.V.values[good])
    crosses = axes[0, 0].lines[0]
    assert_array_equal(crosses.get_xdata(), rows["nka.j"].values[~good])
    assert_array_equal(crosses.get_ydata(), rows["bath.K"].values[~good])
    count = failed(rows)
    assert 0 < count < 300
    assert axes[0, 0].get_title("left").split() == (
        f"{count} of 300 rows without a value: {count} invalid (crosses)".split()
    )


def test_pairs_name_their_axes_with_units_and_scale_them_as_the_design_does(rows):
    axes = jm.plot.pairs(rows, "volume")
    assert axes[1, 0].get_xlabel() == "nka.j\n(amol/µm²/s)"
    assert axes[0, 0].get_ylabel() == "bath.K\n(mM)"
    assert axes[1, 1].get_xlabel() == "bath.K\n(mM)"
    assert axes[1, 0].get_ylabel() == "volume\n(µm³)"
    assert [ax.get_xscale() for ax in axes[1]] == ["log", "linear"]
    assert axes[0, 0].get_yscale() == "linear"
    assert axes[0, 0].figure.axes[-1].get_ylabel() == "water volume\nvolume (µm³)"


def test_pairs_of_one_parameter_are_the_output_by_it(rows):
    axes = looked_at(jm.plot.pairs(rows, "c[Na]", ["bath.K"]))
    assert axes.shape == (1, 1)
    offsets = axes[0, 0].collections[0].get_offsets()
    good = rows.status.values == 0
    assert_array_equal(offsets[:, 1], rows.c.sel(species="Na").values[good])
    assert axes[0, 0].get_ylabel() == "concentration\nc[Na] (mM)"


def test_pairs_of_twelve_parameters_with_long_names_are_readable(rows):
    names = [f"membrane.L_{k}" if k % 2 else f"nka.j_max_{k}" for k in range(12)]
    about = {"units": "amol/um^2/s", "long_name": "a parameter", "role": "swept"}
    some = rows.isel(sample=slice(30))
    values = {
        n: 10.0 ** (k - 6) * (1 + 0.1 * np.sin(np.arange(30) * k)) for k, n in enumerate(names)
    }
    some = some.assign_coords({n: ("sample", x, about) for n, x in values.items()})
    axes = looked_at(jm.plot.pairs(some, "V", names))
    assert axes.shape == (12, 12)
    assert sum(ax.axison for ax in axes.flat) == 78


def test_many_rows_are_thinned_and_it_is_said(rows):
    many = rows.isel(sample=np.arange(30_000) % 300)
    axes = jm.plot.pairs(many, "V")
    assert "every 2-th of 30,000 rows is drawn" in axes[0, 0].get_title("left").replace("\n", " ")
    drawn = len(axes[0, 0].collections[0].get_offsets()) + len(axes[0, 0].lines[0].get_xdata())
    assert drawn == 15_000


def test_what_has_no_rest_at_all_is_drawn_as_that():
    lost = rests(jm.Space(AXES, where=NONE).sobol(20))
    axes = looked_at(jm.plot.pairs(lost, "V"))
    assert "20 of 20 rows" in axes[0, 0].get_title("left")
    assert len(axes[0, 0].lines[0].get_xdata()) == 20
    ax = looked_at(jm.plot.plane(lost, "V"))
    assert not [c for c in ax.collections if isinstance(c, QuadMesh)]
    assert words(ax.get_legend()) == ["no value"]


def test_one_row_is_enough():
    one = rests(jm.Space(AXES).sobol(1))
    axes = looked_at(jm.plot.pairs(one, "V"))
    assert len(axes[1, 0].collections[0].get_offsets()) == 1
    mesh = looked_at(jm.plot.plane(one, "V")).collections[0]
    assert_array_equal(mesh.get_array().ravel(), one.V.values)


def test_the_plane_of_a_grid_shows_each_point_and_hatches_what_has_no_rest(grid):
    ax = looked_at(jm.plot.plane(grid, "V", "bath.K", "nka.j"))
    mesh, hatched = ax.collections
    assert isinstance(mesh, QuadMesh) and isinstance(hatched, PolyCollection)
    values = grid.V.transpose("nka.j", "bath.K").values
    assert_array_equal(np.ma.filled(mesh.get_array(), np.nan), values)
    lost = np.isnan(values)
    assert lost.sum() == failed(grid) > 0
    corners = np.array([path.vertices[:4] for path in hatched.get_paths()])
    (left, low), (right, high) = corners.min(axis=1).T, corners.max(axis=1).T
    y, x = (np.ravel(v) for v in np.meshgrid(grid["nka.j"], grid["bath.K"], indexing="ij"))
    within = (left < x[:, None]) & (x[:, None] < right) & (low < y[:, None]) & (y[:, None] < high)
    assert_array_equal(within.sum(axis=1), lost.ravel())
    assert hatched.get_hatch() and words(ax.get_legend()) == ["no value"]
    assert ax.get_xlabel() == "K in the bath\nbath.K (mM)"
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "log")
    assert f"{failed(grid)} of 81 rows without a value" in ax.get_title("left")


def test_the_plane_without_failures_has_no_hatching(grid):
    ax = looked_at(jm.plot.plane(grid.isel({"nka.j": slice(-2, None), "bath.K": slice(3)}), "V"))
    assert len(ax.collections) == 1 and ax.get_legend() is None and not ax.get_title("left")


def test_the_plane_of_scattered_rows_shows_medians_of_bins(rows):
    ax = looked_at(jm.plot.plane(rows, "volume", bins=1))
    assert [type(c) for c in ax.collections] == [PolyCollection]  # most rows have no rest
    good = rows.isel(sample=rows.status.values == 0)
    mesh = jm.plot.plane(good, "volume", bins=1).collections[0]
    assert_allclose(mesh.get_array().ravel(), np.median(good.volume.values))
    mesh = jm.plot.plane(good, "volume", bins=2).collections[0]
    x, y = np.log(good["nka.j"].values), good["bath.K"].values
    low = (x < (x.min() + x.max()) / 2) & (y < (y.min() + y.max()) / 2)
    assert_allclose(mesh.get_array().ravel()[0], np.median(good.volume.values[low]))


def test_a_grid_of_three_axes_asks_for_one_value_of_the_third(grid):
    ds = grid.drop_vars("leak_K.g").expand_dims({"leak_K.g": [0.5, 1.0]})
    with pytest.raises(ValueError, match=r"ds.isel\({'leak_K.g': 0}\)"):
        jm.plot.plane(ds, "V")
    one = jm.plot.plane(ds.isel({"leak_K.g": 0}), "V")
    assert_array_equal(
        one.collections[0].get_array(), jm.plot.plane(grid, "V").collections[0].get_array()
    )


def test_one_line_of_a_grid_is_drawn_by_the_axis_that_is_left(grid):
    axes = looked_at(jm.plot.pairs(grid.isel({"bath.K": 0}), "V"))
    assert axes.shape == (1, 1) and axes[0, 0].get_xscale() == "log"
    with pytest.raises(ValueError, match="plane needs two swept parameters, and this sweep has 1"):
        jm.plot.plane(grid.isel({"bath.K": 0}), "V")


def test_far_outliers_and_decades_do_not_hide_the_rest(rows):
    from jaxmembrane.plot.style import shades

    plain = np.linspace(1.0, 2.0, 1000)
    assert shades(plain) == (
        {"cmap": "viridis", "norm": "linear", "vmin": 1.0, "vmax": 2.0},
        "neither",
    )
    told, extend = shades(np.append(plain, 1e6))
    assert told["vmax"] < 2.1 and extend == "max"
    assert shades(np.geomspace(1.0, 1e4, 50))[0]["norm"] == "log"
    assert shades(np.geomspace(1.0, 1e4, 50) - 1.0)[0]["norm"] == "linear"


def test_bands_are_quantiles_of_the_courses(courses):
    still = courses.isel(sample=courses.status.values == 0)
    ax = looked_at(jm.plot.bands(still, "c[Na]", [0.1, 0.5, 0.9]))
    assert words(ax.get_legend()) == ["10 to 90 %", "median"]
    values = still.c.sel(species="Na").transpose("sample", "time").values
    assert_allclose(ax.lines[0].get_ydata(), np.median(values, axis=0))
    corners = ax.collections[0].get_paths()[0].vertices
    at_end = corners[corners[:, 0] == TIMES[-1], 1]
    for share, of in ((0.1, np.min), (0.9, np.max)):
        assert_allclose(of(at_end), np.quantile(values[:, -1], share))
    assert ax.get_ylabel() == "concentration\nc[Na] (mM)"
    assert ax.get_xlabel() == "time since the protocol began\ntime (s)"


def test_bands_count_courses_until_they_end_and_tell_how_many_did(courses):
    ended = failed(courses)
    ax = looked_at(jm.plot.bands(courses, "V"))
    said = f"{ended} of 300 courses ended early: {ended} volume bound"
    assert ax.get_title("left").replace("\n", " ") == said
    assert words(ax.get_legend()) == ["5 to 95 %", "25 to 75 %", "median"]
    for k in (1, 6):
        there = courses.V.isel(time=k).values
        assert_allclose(ax.lines[0].get_ydata()[k], np.median(there[np.isfinite(there)]))


def test_bands_of_courses_that_never_began_are_empty(courses):
    lost = courses.assign(V=courses.V * np.nan, status=courses.status * 0 + 2)
    lost["status"].attrs = courses.status.attrs
    ax = looked_at(jm.plot.bands(lost, "V"))
    assert "300 of 300 courses ended early: 300 no steady state" in ax.get_title("left")


def test_a_reference_course_stands_on_top(courses):
    c = Labelled(
        np.array([[14.0, 120.0, 5.0], [20.0, 110.0, 6.0]]), (("species", ("Na", "K", "Cl")),)
    )
    one = jm.Course(CELL, np.array([0.0, 600.0]), {"c": c})
    ax = jm.plot.bands(courses, "c[K]", reference=one)
    assert words(ax.get_legend())[-1] == "reference"
    assert_array_equal(ax.lines[-1].get_ydata(), [120.0, 110.0])
    with pytest.raises(KeyError, match="unknown output of the reference 'V'"):
        jm.plot.bands(courses, "V", reference=one)
    with pytest.raises(TypeError, match=r"reference must be what jm\.simulate gave, not float"):
        jm.plot.bands(courses, "V", reference=1.0)


@pytest.mark.slow
def test_bands_of_a_sweep_and_its_reference_of_a_simulation():
    block = jm.Protocol([jm.Step(10.0, {"nka.j": 0.0})])
    design = jm.Space(AXES).sobol(16, seed=1)
    times = np.linspace(0.0, 3600.0, 13)
    given = {"protocol": block, "times": times, "outputs": ["V", "c"], "growth": 0.15}
    ds = jm.sweep(CELL, design, **given).load()
    ax = looked_at(jm.plot.bands(ds, "c[Na]", reference=jm.simulate(CELL, **given)))
    assert 0 < failed(ds) < 16
    assert f"{failed(ds)} of 16 courses ended early" in ax.get_title("left")
    assert ax.lines[0].get_ydata()[0] == np.median(ds.c.values[:, 0, 0])


def test_a_budget_is_the_fluxes_and_currents_of_the_rest_and_sums_to_zero():
    rest = jm.steady_state(CELL)
    axes = looked_at(jm.plot.budget(rest))
    (left, right), area = axes[0], float(rest.area)
    heights = {
        name: [bar.get_height() for bar in bars]
        for bars, name in zip(
            right.containers, ["leak_Na", "leak_K", "leak_Cl", "nka", "kcc2"], strict=True
        )
    }
    for name, (height,) in heights.items():
        assert height == pytest.approx(area * float(rest.current[name]), rel=1e-9, abs=1e-9)
    assert [tick.get_text() for tick in left.get_xticklabels()] == ["Na", "K", "Cl"]
    pump = area * float(rest.flux["nka"])
    parts = sorted(bar.get_height() for bars in left.containers for bar in bars)
    assert parts[-1] == pytest.approx(3.0 * pump)  # 3 Na leave by the pump
    assert_allclose(left.lines[-1].get_ydata(), 0.0, atol=1e-9 * pump)
    assert "amol/s" in left.get_ylabel() and "fA" in right.get_ylabel()
    assert words(right.get_legend()) == ["leak_Na", "leak_K", "leak_Cl", "nka", "kcc2", "sum"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["enterocyte", "neuron_mitochondrion"])
def test_every_compartment_has_a_budget_over_all_of_its_membranes(name):
    cell = jm.zoo.get(name)
    axes = looked_at(jm.plot.budget(jm.steady_state(cell, outputs=["flux", "area"])))
    assert len(axes) == len(cell.compartments)
    for left, at in zip(axes[:, 0], cell.compartments, strict=True):
        assert at.name in left.get_ylabel()
        free = [s.name for s in cell.free[at.name]]
        names = [tick.get_text() for tick in left.get_xticklabels()]
        most = max(abs(bar.get_height()) for bars in left.containers for bar in bars)
        sums = dict(zip(names, left.lines[-1].get_ydata(), strict=True))
        assert_allclose([sums[s] for s in free if s in sums], 0.0, atol=1e-6 * most)


def test_a_budget_needs_one_cell_with_a_rest():
    with pytest.raises(TypeError, match=r"jm\.steady_state\(cell\) gives"):
        jm.plot.budget(CELL)
    with pytest.raises(ValueError, match="needs flux and area among"):
        jm.plot.budget(Rest(CELL, {"status": 0}))
    nothing = {"flux": np.full(5, np.nan), "area": np.nan, "status": 2}
    with pytest.raises(ValueError, match="its search ended as no steady state"):
        jm.plot.budget(Rest(CELL, nothing))
    with pytest.raises(ValueError, match="this is a batch of 2 rests"):
        jm.plot.budget(Rest(CELL, nothing | {"status": np.array([0, 0])}))


def test_given_axes_are_drawn_on(rows):
    axes = Figure().subplots(2, 3)
    assert jm.plot.plane(rows, "V", ax=axes[0, 0]) is axes[0, 0]
    made = jm.plot.pairs(rows, "V", ax=axes[:, 1:])
    assert made[1, 1] is axes[1, 2]
    with pytest.raises(ValueError, match=r"ax must be 2 x 2 axes, as figure\.subplots\(2, 2\)"):
        jm.plot.pairs(rows, "V", ax=axes)


def test_mistakes_are_one_sentence(rows, courses):
    with pytest.raises(TypeError, match=r"pairs needs the dataset of a sweep, as jm\.sweep\("):
        jm.plot.pairs({}, "V")
    with pytest.raises(KeyError, match=r"unknown output 'volum'; did you mean volume\?"):
        jm.plot.plane(rows, "volum")
    with pytest.raises(ValueError, match=r"c has several entries: name one, as 'c\[Na\]'"):
        jm.plot.pairs(rows, "c")
    with pytest.raises(KeyError, match=r"unknown swept parameter 'bath\.Na'"):
        jm.plot.plane(rows, "V", "bath.Na")
    with pytest.raises(ValueError, match=r"two different parameters, not nka\.j twice"):
        jm.plot.plane(rows, "V", "nka.j", "nka.j")
    with pytest.raises(TypeError, match=r"bands needs the dataset of courses"):
        jm.plot.bands(rows, "V")
    with pytest.raises(ValueError, match="quantiles must be numbers from 0 to 1"):
        jm.plot.bands(courses, "V", [0.5, 95.0])


def test_a_moment_of_courses_is_an_output(courses):
    axes = jm.plot.pairs(courses, "c[Na, 300 s]", ["nka.j"])
    good = courses.status.values == 0
    expected = courses.c.sel(species="Na", time=300.0).values[good]
    assert_array_equal(axes[0, 0].collections[0].get_offsets()[:, 1], expected)


def test_values_that_are_not_finite_are_counted_though_the_row_has_a_rest(rows):
    good = rows.isel(sample=rows.status.values == 0)
    axes = jm.plot.pairs(good, "reversal[kcc2]", ["nka.j"])  # moves no charge: it has none
    n = good.sizes["sample"]
    assert f"{n} of {n} rows without a value: {n} not finite" in axes[0, 0].get_title("left")


def test_without_matplotlib_one_sentence_says_what_to_install(rows, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'jaxmembrane\[plot\]'"):
        jm.plot.pairs(rows, "V")


def test_drawing_leaves_pyplot_alone_and_importing_leaves_matplotlib_alone():
    code = (
        "import sys, io, jaxmembrane as jm;"
        "assert 'matplotlib' not in sys.modules;"
        "from jaxmembrane.plot.style import panels;"
        "panels(None)[0, 0].figure.savefig(io.BytesIO());"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
