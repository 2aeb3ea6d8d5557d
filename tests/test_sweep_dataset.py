import json

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from test_sweep import CELL, NAMES, SPACE, assert_same, make_space, swept

import jaxmembrane as jm
from jaxmembrane import engine, lanes, programs, start
from jaxmembrane.balance import Equations
from jaxmembrane.modes import MODES
from jaxmembrane.rest import STATUS, Found
from jaxmembrane.steady import AVAILABLE
from jaxmembrane.store import StoreError

OUTSIDE = jm.Space({"bath.K": jm.Uniform(-1.0, 5.0)}).sobol(4)


# ---------------------------------------------------------------- what a dataset holds


@pytest.fixture
def guessed(monkeypatch):
    """Rests that are guessed instead of solved: all outputs, without a long compilation."""

    def guess(cell, given):
        params = given.params
        eq = Equations(cell, params)
        begin, n = start.guess(eq), jnp.broadcast_shapes(*(x.shape for x in params.values()))
        u = [jnp.broadcast_to(begin[key], n) for key in eq.unknowns]
        steps = jnp.zeros(n, jnp.int32)
        return Found(u, jnp.zeros(n, jnp.int8), steps, jnp.zeros(n, params["T"].dtype))

    for module in (programs, lanes):
        monkeypatch.setattr(module, "first_tier", guess)
    monkeypatch.setattr(engine, "_COMPILED", {})


def two_faces():
    face = [jm.leak(s, law="ohmic", g=0.5) for s in (jm.Na, jm.K, jm.Cl)]
    matrix = jm.Compartment("matrix", volume="rigid")
    inner = jm.Membrane(
        "inner", [jm.leak(jm.K, name="inner_K")], inside=matrix, outside=jm.Compartment()
    )
    return jm.Cell([jm.Membrane("membrane", [*face, jm.na_k_atpase(law="linear")]), inner])


@pytest.mark.parametrize("store", [None, "a.zarr"])
def test_the_contract_of_the_dataset(tmp_path, guessed, store):
    outputs = [name for name, o in AVAILABLE.items() if name not in MODES and not o.needs(CELL)]
    path = store and tmp_path / store
    space = jm.Space(
        {("leak_Na.g", "leak_K.g"): jm.LogUniform(0.1, 1.0), "bath.K": jm.Uniform(2, 8)}
    )
    ds = jm.sweep(CELL, space.sobol(70), path, outputs=outputs, tile=64, params={"bath.Na": 140.0})
    assert dict(ds.sizes) == {"sample": 70, "species": 3, "reaction": 4, "transporter": 4}
    assert ds.species.values.tolist() == ["Na", "K", "Cl"] and ds.sample.dtype == np.int64
    assert ds.reaction.values.tolist() == ["leak_Na", "leak_K", "leak_Cl", "nka"]
    swept_names = {"leak_Na.g", "leak_K.g", "bath.K"}
    assert set(ds.coords) == set(CELL.parameters) | {"sample", "species", "reaction", "transporter"}
    np.testing.assert_array_equal(ds["leak_Na.g"], ds["leak_K.g"])
    for name, param in CELL.parameters.items():
        assert ds[name].dims == (("sample",) if name in swept_names else ())
        assert ds[name].dtype == np.float64
        assert (ds[name].units, ds[name].long_name) == (param.unit, param.long_name)
    assert ds["bath.Na"].item() == 140.0 and ds["leak_Cl.g"].item() == 0.2
    dims = {"c": ("species",), "E": ("species",), "flux": ("reaction",), "dG": ("reaction",)}
    dims |= {"current": ("transporter",), "reversal": ("transporter",)}
    for name in outputs:
        assert ds[name].dims == ("sample", *dims.get(name, ())), name
        assert ds[name].long_name and ds[name].units, name
    assert ds.status.dtype == np.int8 and ds.steps.dtype == np.int32 and ds.c.dtype == np.float64
    assert "_FillValue" not in {**ds.status.attrs, **ds.status.encoding}
    meanings = dict(zip(ds.status.flag_meanings.split(), ds.status.flag_values, strict=True))
    assert meanings == STATUS
    single = jm.steady_state(CELL, {n: ds[n].values for n in swept_names} | {"bath.Na": 140.0})
    np.testing.assert_allclose(ds.E.sel(species="K"), single.E["K"], rtol=1e-6)
    assert json.loads(ds.attrs["provenance"]).keys() >= {"created", "versions", "devices", "git"}
    if path:
        plain = xr.open_zarr(path, consolidated=False, chunks=None)
        xr.testing.assert_identical(plain.load(), jm.open_store(path).load())


def test_dims_of_a_cell_with_two_membranes(guessed):
    space = jm.Space({"bath.K": jm.Uniform(2.0, 8.0)})
    ds = jm.sweep(two_faces(), space.sobol(20), tile=64)
    assert ds.V.dims == ("sample", "membrane") and ds.volume.dims == ("sample", "compartment")
    assert ds.c.dims == ("sample", "compartment", "species")
    assert ds.E.dims == ("sample", "membrane", "species")
    assert ds.membrane.values.tolist() == ["membrane", "inner"]
    assert ds.compartment.values.tolist() == ["cytosol", "matrix"]
    assert np.isnan(ds.c.sel(compartment="matrix", species="Na")).all()
    assert (ds.c.sel(compartment="matrix", species="K") > 0).all()


def test_a_grid_is_unstacked(tmp_path):
    axes = {"nka.j": jm.LogUniform(0.05, 0.3), "bath.K": jm.Choice([8.0, 3.5, 7.0])}
    space = make_space(axes=axes)
    found = [swept(p, design=space.grid(n=50)).load() for p in (None, tmp_path / "a.zarr")]
    assert_same(*found)
    ds = found[1]
    assert dict(ds.sizes) == {"nka.j": 50, "bath.K": 3} and ds.V.dims == ("nka.j", "bath.K")
    assert ds["nka.j"].dims == ("nka.j",) and ds["bath.K"].values.tolist() == [8.0, 3.5, 7.0]
    assert ds["bath.Cl"].dims == ("bath.K",)
    np.testing.assert_array_equal(np.isnan(ds.V), ds.status > 1)
    assert (ds.status.sel({"bath.K": 8.0}) == STATUS["invalid"]).all()
    assert (ds.status.sel({"bath.K": 3.5}) == STATUS["stable"]).all()
    at = ds.isel({"nka.j": 17}).sel({"bath.K": 3.5})
    row = {name: [float(at[name])] for name in NAMES}
    assert swept(design=jm.table(row)).V.item() == at.V.item()


# ---------------------------------------------------------------- calls that are refused


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        ({"cell": "neuron"}, TypeError, "needs a jm.Cell"),
        ({"design": SPACE}, TypeError, "needs a design"),
        ({"design": jm.table({"bath.k": [3.0]})}, KeyError, "bath.K"),
        ({"design": OUTSIDE}, ValueError, "bath.K must be"),
        ({"outputs": ["V", "volumes"]}, KeyError, "volume"),
        ({"params": {"leak_K.G": 1.0}}, KeyError, "leak_K.g"),
        ({"params": {"leak_K.g": -1.0}}, ValueError, "leak_K.g must be"),
        ({"params": {"bath.K": 3.0}}, ValueError, "bath.K is both"),
        ({"params": {"leak_K.g": np.array([1.0, 2.0])}}, (TypeError, ValueError), "leak_K.g"),
        ({"params": {"leak_K.g": np.float64(-1.0)}}, ValueError, "leak_K.g must be"),
        ({"tile": 0}, ValueError, "tile must be"),
        ({"tile": 1.5}, ValueError, "tile must be"),
        ({"chunk": 0}, ValueError, "chunk must be"),
        ({"chunk": True}, ValueError, "chunk must be"),
        ({"shard": "0/2"}, ValueError, "shard must be k/n"),
        ({"shard": "3/2"}, ValueError, "shard must be k/n"),
        ({"shard": "two"}, ValueError, "shard must be k/n"),
        ({"executor": object()}, ValueError, "executor must be None"),
        ({"precision": "f32"}, ValueError, "precision must be"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_makes_nothing(tmp_path, change, kind, said):
    with pytest.raises(kind) as caught:
        swept(path := tmp_path / "a.zarr", **{"n": 10} | change)
    assert said in str(caught.value) and "\n" not in str(caught.value)
    assert not path.exists()


def test_what_lies_in_the_way_is_left_alone(tmp_path):
    (path := tmp_path / "a.zarr").write_text("mine")
    with pytest.raises(StoreError, match=r"a\.zarr"):
        swept(path, n=10)
    assert path.read_text() == "mine"
