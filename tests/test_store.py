import doctest
import json
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr
from zarr.storage import LocalStore

from jaxmembrane import store as store_module
from jaxmembrane.store import Schema, Store, StoreError, Variable, open_store, summary
from jaxmembrane.verify import verify

MM = {"units": "mM", "long_name": "concentration"}
FIXED = {"T": (310.0, {"units": "K"}), "cytosol.z_X": (-0.85, {})}
FLAGS = {"converged": 0, "no_steady_state": 3}
VARIABLES = (
    Variable("bath.K", attrs=MM, coordinate=True),
    Variable("V", attrs={"units": "mV", "long_name": "potential"}),
    Variable("c", ("species",), "float32", MM),
    Variable("steps", dtype="int32"),
)
SCHEMA = Schema(VARIABLES, {"species": ("Na", "K", "Cl")}, FIXED, {"title": "a study"}, FLAGS)
PRINT = {
    "extendable": True,
    "fixed parameter": {"bath.K": 3.5, "T": 310.0},
    "versions": {"jax": "0.10.2", "platform": "cpu"},
}


def opened(path, n=10, chunk=4, schema=SCHEMA, fingerprint=PRINT, **more):
    return Store.create_or_open(
        path, schema, n=n, chunk=chunk, fingerprint=fingerprint, provenance={"at": 1}, **more
    )


def rows_of(chunk):
    """What a sweep computes for a chunk: row 5 fails, all else depends on the row alone."""
    row = np.arange(chunk.start, chunk.stop)
    V = np.where(row == 5, np.nan, -70.0 - row)
    c = row[:, None] + np.float32([0.0, 0.5, 0.25])
    status = np.where(row == 5, 3, 0)
    return {"bath.K": 2.0 + row, "V": V, "c": c.astype("f4"), "steps": row, "status": status}


def swept(path, n=10, **more):
    """The sweep command: make or open the store and compute what is pending."""
    store = opened(path, n, **more)
    for chunk in store.pending():
        store.write(chunk, rows_of(chunk))
    return store


def content(path):
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}


# ---------------------------------------------------------------- writing and reading


@pytest.mark.parametrize("kept", [True, False])
def test_round_trip(tmp_path, kept):
    ds = swept(tmp_path / "a.zarr" if kept else None).dataset()
    assert set(ds.coords) == {"sample", "species", "bath.K", "T", "cytosol.z_X"}
    assert list(ds.data_vars) == ["V", "c", "steps", "status"]
    row = np.arange(10)
    np.testing.assert_array_equal(ds.V, np.where(row == 5, np.nan, -70.0 - row))
    np.testing.assert_array_equal(ds.c.sel(species="K"), row + 0.5)
    np.testing.assert_array_equal(ds["bath.K"], 2.0 + row)
    assert ds["bath.K"].dtype == np.float64 and ds.c.dtype == np.float32
    assert ds.steps.dtype == np.int32 and ds.status.dtype == np.int8
    assert ds.sample.dtype == np.int64 and ds.sample.values.tolist() == row.tolist()
    assert ds["bath.K"].attrs == {**MM, "role": "swept"}
    assert ds["T"].item() == 310.0 and ds["T"].attrs == {"units": "K", "role": "fixed"}
    assert ds.status.attrs["flag_values"] == [-1, 0, 3]
    assert ds.status.attrs["flag_meanings"] == "pending converged no_steady_state"
    assert ds.attrs["title"] == "a study" and json.loads(ds.attrs["provenance"]) == {"at": 1}


@pytest.mark.parametrize("done", [0, 1, 3])
def test_plain_xarray_reads_the_same(tmp_path, done):
    store = opened(tmp_path / "a.zarr")
    for chunk in store.chunks[:done]:
        store.write(chunk, rows_of(chunk))
    plain = xr.open_zarr(tmp_path / "a.zarr", consolidated=False, chunks=None)
    ours = open_store(tmp_path / "a.zarr")
    assert not ours.V.variable._in_memory and not ours.c.variable._in_memory
    xr.testing.assert_identical(plain.load(), ours.load())
    assert "_FillValue" not in {**ours.status.attrs, **ours.status.encoding}
    xr.open_datatree(tmp_path / "a.zarr", engine="zarr", consolidated=False, chunks=None)


def test_files_on_disk(tmp_path):
    store = opened(path := tmp_path / "a.zarr")
    for block in range(3):
        assert (path / f"status/c/{block}").exists() and not (path / f"V/c/{block}").exists()
    empty = {"bath.K": [np.nan] * 4, "V": [np.nan] * 4, "c": np.full((4, 3), np.nan)}
    nothing = {"steps": np.zeros(4, int), "status": np.zeros(4, int)}
    store.write(store.chunks[0], {**empty, **nothing})
    pickle.loads(pickle.dumps(store)).write(store.chunks[1], {**empty, **nothing})
    names = ["bath.K/c/0", "V/c/0", "c/c/0/0", "steps/c/0", "V/c/1", "c/c/1/0", "steps/c/1"]
    assert [name for name in names if not (path / name).exists()] == []
    for about in path.glob("*/zarr.json"):
        if json.loads(about.read_text())["node_type"] == "array":
            assert json.loads(about.read_text())["codecs"][-1]["name"] == "crc32c"


def test_status_is_written_last_and_pending_is_what_it_says(tmp_path, monkeypatch):
    store, keys, put = opened(tmp_path / "a.zarr"), [], LocalStore.set

    async def noting(self, key, value):
        keys.append(key)
        await put(self, key, value)

    monkeypatch.setattr(LocalStore, "set", noting)
    assert [(c.index, c.start, c.stop) for c in store.chunks] == [(0, 0, 4), (1, 4, 8), (2, 8, 10)]
    store.write(store.chunks[1], rows_of(store.chunks[1]))
    assert len(keys) == 5 and keys[-1] == "status/c/1"
    assert [c.index for c in store.pending()] == [0, 2]
    store.segments[0].arrays["status"][5] = -1
    assert [c.index for c in opened(tmp_path / "a.zarr").pending()] == [0, 1, 2]


def test_threads_write_different_chunks(tmp_path):
    store = opened(tmp_path / "a.zarr", n=80)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda chunk: store.write(chunk, rows_of(chunk)), store.chunks))
    xr.testing.assert_identical(store.dataset().load(), swept(None, 80).dataset().load())
    assert store.pending() == [] and verify(tmp_path / "a.zarr").damaged == ()


# ---------------------------------------------------------------- more rows, grids


def test_more_rows_leave_the_old_ones_alone(tmp_path):
    swept(path := tmp_path / "a.zarr")
    before = content(path)
    store = swept(path, 13, chunk=2)
    assert before.items() <= content(path).items()
    assert [(c.start, c.stop, c.segment) for c in store.chunks[3:]] == [(10, 12, 1), (12, 13, 1)]
    swept(path, 20)
    whole, once = open_store(path), swept(tmp_path / "once.zarr", 20).dataset()
    assert not whole.V.variable._in_memory
    xr.testing.assert_identical(whole.load(), once.load())
    assert summary(path).n == 20 and verify(path).damaged == ()


def test_a_lost_segment_is_noticed_and_made_again(tmp_path):
    swept(path := tmp_path / "a.zarr")
    swept(path, 13)
    swept(path, 20)
    once = open_store(path).load()
    shutil.rmtree(path / "segments/000000000010")
    with pytest.raises(StoreError, match="rows 10 to 12 are missing"):
        open_store(path)
    assert verify(path).damaged == (
        ("segments/000000000010", "missing, and made again by the same sweep"),
    )
    swept(path, 20)
    xr.testing.assert_identical(open_store(path).load(), once)


@pytest.mark.parametrize("key", [
    3, -1, slice(2, 7), slice(None, None, 3), slice(8, 2, -2), slice(4, 4), [9, 0, 11], [],
])  # fmt: skip
def test_lazy_selection_over_segments(tmp_path, key):
    swept(path := tmp_path / "a.zarr")
    swept(path, 13)
    whole = open_store(path).load()
    for species in (0, [2, 0], slice(1, None)):
        part = open_store(path).isel(sample=key, species=species)
        xr.testing.assert_identical(part.load(), whole.isel(sample=key, species=species))


def grid_rows(chunk, values):
    row = np.arange(chunk.start, chunk.stop)
    swept_values = {name: of(row) for name, of in values.items()}
    c = row[:, None] + np.zeros(3)
    return {**swept_values, "V": -row, "c": c, "steps": row, "status": 0 * row}


def test_a_grid_opens_with_one_dimension_for_each_axis(tmp_path):
    values = {
        "bath.K": lambda r: 2.0 + r // 4,
        "a": lambda r: r % 4 / 2,
        "b": lambda r: r % 4 * 3.0,
    }
    linked = [Variable(name, coordinate=True) for name in ("a", "b")]
    derived = Variable("sum", coordinate=True)
    values["sum"] = lambda r: values["bath.K"](r) + values["a"](r)
    grid = (("bath.K", 3), ("a+b", 4))
    schema = Schema((*VARIABLES, *linked, derived), SCHEMA.labels, FIXED, {}, FLAGS, grid)
    store = opened(tmp_path / "g.zarr", 12, 5, schema, {"extendable": False})
    store.write(store.chunks[0], grid_rows(store.chunks[0], values))
    part = open_store(tmp_path / "g.zarr")
    np.testing.assert_array_equal(part["bath.K"], [2.0, 3.0, np.nan])
    assert part["a"].dims == ("a+b",) and int((part.status == -1).sum()) == 7
    for chunk in store.pending():
        store.write(chunk, grid_rows(chunk, values))
    ds = open_store(tmp_path / "g.zarr")
    assert not ds.V.variable._in_memory and "grid" not in ds.attrs and "sample" not in ds.coords
    assert ds.V.dims == ("bath.K", "a+b") and ds.c.dims == ("bath.K", "a+b", "species")
    assert ds["b"].values.tolist() == [0.0, 3.0, 6.0, 9.0] and ds["sum"].dims == ds.V.dims
    assert ds["bath.K"].attrs["units"] == "mM"
    part = ds.isel({"bath.K": [2, 0], "a+b": slice(1, 3)}).load()
    np.testing.assert_array_equal(part.V, [[-9, -10], [-1, -2]])
    assert ds.V.sel({"bath.K": 4.0}).values.tolist() == [-8, -9, -10, -11]


def test_examples_in_the_documentation():
    assert doctest.testmod(store_module) == (0, 5)
