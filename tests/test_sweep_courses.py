"""Sweeps over time: stores with the dim time, resumed, extended, refused; and what they hold."""

from functools import partial

import jax
import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal
from test_sweep import assert_same, counted, make_cell  # noqa: F401

import jaxmembrane as jm
from jaxmembrane.protocol import Initial
from jaxmembrane.store import Store

pytestmark = pytest.mark.slow

TILE, ROWS = 128, 500
CELL = make_cell()
SPACE = jm.Space({"nka.j": jm.LogUniform(0.05, 0.3), "bath.K": jm.Uniform(2.0, 8.0)})
TIMES = (0.0, 10.0, 30.0, 60.0, 100.0, 3000.0)


# What is swept stops, comes back and climbs; so does what is fixed.
def protocol_of(plus=1.0, less=0.01):
    return jm.Protocol(
        [
            jm.Step(10.0, {"nka.j": 0.0}),
            jm.Step(60.0, {"nka.j": Initial()}),
            jm.Step(100.0, {"bath.K": Initial(plus=plus), "leak_Na.g": Initial(1.5)}, over=50.0),
            jm.Step(800.0, {"bath.K": Initial()}, over=400.0),
            *(jm.Step(1300.0 + 10.0 * i, {"nka.j": Initial(1.0 - less * i)}) for i in range(1, 9)),
        ]
    )


PROTOCOL = protocol_of()
SUMMARIES = {"top": jm.Maximum("V"), "rise": jm.TimeTo("V", -50.0), "V_50": jm.At("V", 50.0)}
SUMMARIES |= {"loaded": jm.Area("c", until=60.0)}
KEPT = ("V", "volume", "c", "flux")
NAMES = ("status", "steps", "stopped", *KEPT, *SUMMARIES, "nka.j", "bath.K")


def swept(path=None, n=ROWS, **more):
    """The sweep that all tests vary; one structure and one tile, so that it compiles once."""
    design = more.pop("design", None) or SPACE.sobol(n, seed=7)
    usual = {"times": TIMES, "protocol": PROTOCOL, "outputs": KEPT, "summaries": SUMMARIES}
    usual |= {"tile": TILE, "chunk": TILE, "devices": jax.local_devices()[:1]}
    return jm.sweep(more.pop("cell", CELL), design, path, **usual | more)


@pytest.fixture(scope="module")
def whole():
    return swept().load()


# ---------------------------------------------------------------- what is in it


def test_names_dims_units_and_coordinates(whole):
    assert set(whole.data_vars) == set(NAMES) - {"nka.j", "bath.K"}
    assert whole.V.dims == ("sample", "time") and whole.c.dims == ("sample", "time", "species")
    assert whole.top.dims == ("sample",) and whole.loaded.dims == ("sample", "species")
    assert_array_equal(whole.time, TIMES)
    assert whole.time.units == "s" and whole.stopped.units == "s" and whole.rise.units == "s"
    assert whole.loaded.units == "mM s" and whole.top.units == "mV"
    assert whole.time.dtype == np.float64 and whole.rise.dtype == np.float64
    assert (whole.status == 0).all() and (whole.stopped == TIMES[-1]).all()
    assert (whole.steps > 10).all()


def test_rows_are_the_courses_of_simulate(whole):
    """Each row washes out to its own pump, through twelve pieces in their order."""
    rows = np.array([0, 1, 77, 200, 499])
    params = {name: whole[name].values[rows] for name in ("nka.j", "bath.K")}
    found = jm.simulate(CELL, params, PROTOCOL, TIMES, outputs=KEPT, summaries=SUMMARIES)
    assert_allclose(whole.V.values[rows], found.V, rtol=0, atol=2e-4)
    assert_allclose(whole.c.values[rows], found.c.values, rtol=2e-5)
    assert_allclose(whole.volume.values[rows], found.volume, rtol=2e-5)
    for name in ("top", "V_50", "rise"):
        assert_allclose(whole[name].values[rows], found.values[name], rtol=1e-4)
    assert_allclose(whole.loaded.values[rows], found.loaded.values, rtol=1e-5)


def test_a_pump_that_is_washed_out_is_the_row_s_own(whole):
    ds = swept(n=64, protocol=protocol_of(0.0, 0.0), times=[*TIMES[:-1], 1e6]).load()
    assert (ds.status == 0).all()
    pump = ds.flux.sel(reaction="nka").values
    assert_array_equal(pump[:, [1, 2]], 0.0)
    for at in (0, 3, 4, 5):
        assert_array_equal(pump[:, at], ds["nka.j"])
    assert_array_equal(whole.flux.sel(reaction="nka")[:, -1], 0.92 * whole["nka.j"])


def test_both_ways_of_opening_a_store_agree(tmp_path, whole):
    path = tmp_path / "a.zarr"
    assert_same(swept(path).load(), whole)
    ours = jm.open_store(path).load()
    theirs = xr.open_zarr(path, consolidated=False).load()
    assert_same(ours, whole)
    assert set(ours.variables) == set(theirs.variables)
    for name, x in ours.variables.items():
        other = theirs.variables[name]
        assert (x.dims, x.dtype) == (other.dims, other.dtype), name
        assert_array_equal(x.values, other.values)
    assert theirs.time.dtype == np.float64 and theirs.time.units == "s"
    assert set(theirs.coords) == set(ours.coords)


def test_summaries_alone_have_no_dim_time(whole):
    ds = swept(n=100, outputs=None).load()
    assert set(ds.data_vars) == {"status", "steps", "stopped", *SUMMARIES}
    assert "time" not in ds.dims and "time" not in ds.coords
    for name in (*SUMMARIES, "steps"):
        assert_allclose(ds[name], whole[name][:100], rtol=1e-6)


def test_grids_have_an_axis_for_each_parameter_before_time():
    ds = swept(design=SPACE.grid({"nka.j": 3, "bath.K": 4})).load()
    assert ds.V.dims == ("nka.j", "bath.K", "time") and ds.V.shape == (3, 4, len(TIMES))
    assert ds.c.dims == ("nka.j", "bath.K", "time", "species")
    assert ds.top.dims == ("nka.j", "bath.K") and ds["nka.j"].dims == ("nka.j",)
    one = {"nka.j": ds["nka.j"].values[2], "bath.K": ds["bath.K"].values[1]}
    row = swept(design=jm.table({n: [x] for n, x in one.items()})).load()
    assert_array_equal(ds.V[2, 1], row.V[0])
    assert_array_equal(ds.c[2, 1], row.c[0])


@pytest.mark.slow
def test_courses_in_float32(whole):
    ds = swept(n=100, precision="float32").load()
    assert ds.V.dtype == np.float32 and ds.top.dtype == np.float32
    assert jax.config.jax_enable_x64
    assert (ds.status == 0).all(), np.unique(ds.status, return_counts=True)
    ours = whole.isel(sample=slice(0, 100))
    assert_allclose(ds.V, ours.V, rtol=0, atol=0.01)
    assert_allclose(ds.c, ours.c, rtol=3e-4)
    assert_allclose(ds.top, ours.top, rtol=0, atol=0.01)
    assert float(ds.steps.max()) < 10 * float(ours.steps.max())


def test_a_row_that_the_protocol_makes_invalid_says_so():
    """Three mM of potassium cannot be taken from a bath of two."""
    ds = swept(n=64, protocol=protocol_of(-3.0), max_steps=2000).load()
    negative = ds["bath.K"].values < 3.0
    assert 5 < negative.sum() < 60
    assert_array_equal(ds.status.values[~negative], 0)
    assert_array_equal(ds.status.values[negative], 5)


# ---------------------------------------------------------------- resumed, shared, extended


class Killed(BaseException):
    pass


def test_a_sweep_that_is_killed_half_way_goes_on(tmp_path, monkeypatch, counted, whole):  # noqa: F811
    path, write, written = tmp_path / "a.zarr", Store.write, []

    def breaking(self, chunk, made):
        if len(written) == 2:
            raise Killed
        written.append(chunk.stop - chunk.start)
        write(self, chunk, made)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", breaking)
        with pytest.raises(Killed):
            swept(path)
    half = jm.open_store(path).load()
    assert (half.status == -1).sum() == ROWS - sum(written)
    assert np.isnan(half.V.values[half.status.values == -1]).all()
    counted.clear()
    assert_same(swept(path).load(), whole)
    assert sum(counted.values()) == ROWS - sum(written)
    assert jm.verify(path).pending == 0


def test_shards_and_chunks_do_not_matter(tmp_path, whole):
    path = tmp_path / "a.zarr"
    first = swept(path, shard="1/2").load()
    assert 0 < (first.status == -1).sum() < ROWS
    assert_same(swept(path, shard=(2, 2)).load(), whole)
    assert_same(swept(chunk=4 * TILE).load(), whole)


def test_more_rows_are_those_of_the_longer_sweep(tmp_path, counted, whole):  # noqa: F811
    path = tmp_path / "a.zarr"
    for n in (100, 300, ROWS):
        ds = swept(path, n=n)
        assert ds.sizes["sample"] == n
    assert sum(counted.values()) == ROWS
    found = ds.load()
    assert_same(found.assign_attrs(design=""), whole.assign_attrs(design=""))


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    path = tmp_path_factory.mktemp("kept") / "a.zarr"
    swept(path, n=64)
    return path


OTHERS = {
    "protocol": {"protocol": jm.Protocol([jm.Step(10.0, {"nka.j": 0.1})])},
    "times": {"times": (*TIMES[:-1], 3001.0)},
    "summaries top": {"summaries": SUMMARIES | {"top": jm.Maximum("V", since=1.0)}},
    "limits rtol": {"rtol": 1e-7},
    "limits max_steps": {"max_steps": 1000},
    "limits growth": {"growth": 9.0},
    "outputs": {"outputs": ("V", "c")},
    "precision": {"precision": "float32"},
}


@pytest.mark.parametrize("said", OTHERS)
def test_the_store_of_another_run_is_refused_by_name(kept, said):
    with pytest.raises(ValueError, match="holds another run") as caught:
        swept(kept, **{"n": 64} | OTHERS[said])
    message = str(caught.value)
    assert message.startswith(f"{kept} holds another run: {said} is ") and "\n" not in message


def test_rests_do_not_go_on_in_a_store_of_courses(kept):
    with pytest.raises(ValueError, match="holds another run"):
        jm.sweep(CELL, SPACE.sobol(64, seed=7), kept, outputs=KEPT, tile=TILE)


# ---------------------------------------------------------------- what is refused

REFUSED = {
    "times must be increasing": {"times": [1.0, 0.5]},
    "times must be increasing numbers of seconds, zero": {"times": "now"},
    "a sweep with protocol needs times": {"times": None, "summaries": None},
    "a sweep with summaries needs times": {"times": None, "protocol": None},
    "protocol must be a jm.Protocol, not": {"protocol": [jm.Step(0.0, {"nka.j": 0.0})]},
    "the step at 1 s has 3 values": {"protocol": jm.Protocol([jm.Step(1.0, {"T": [300.0] * 3})])},
    "unknown parameter in the step at 1 s": {"protocol": jm.Protocol([jm.Step(1.0, {"nka.k": 1})])},
    "must be a finite number above zero": {"protocol": jm.Protocol([jm.Step(1.0, {"T": -1.0})])},
    "unknown output 'Vm'": {"outputs": ["Vm"]},
    "unknown output 'residual'": {"outputs": ["residual"]},
    "has the name of an output": {"summaries": {"V": jm.Maximum("V")}},
    "ends at 3000 s": {"summaries": {"late": jm.At("V", 1e4)}},
    "rtol must be a number from": {"rtol": 0.0},
    "max_steps must be a": {"max_steps": 10.5},
    "growth must be a number": {"growth": float("nan")},
    "summaries must": {"summaries": [jm.Maximum("V")]},
    "is taken|name": {"summaries": {"sample": jm.Maximum("V")}},
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_cannot_be_is_refused_in_one_sentence(said):
    with pytest.raises((ValueError, KeyError, TypeError), match=said) as caught:
        swept(n=10, **REFUSED[said])
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_other_numbers_compile_nothing(monkeypatch, whole):
    """Times, values, rtol and limits are numbers; only how many there are is structure."""

    def refuse(*_, **__):
        raise AssertionError("compiled again")

    monkeypatch.setattr(jax.stages.Lowered, "compile", refuse)
    again = partial(swept, n=10)
    again(rtol=1e-4, max_steps=500, growth=3.0)
    again(times=np.array(TIMES) * 1.5)
    again(params={"leak_K.g": 0.8})
    assert_array_equal(again().V, whole.V[:10])
