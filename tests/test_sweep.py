import jax
import numpy as np
import pytest

import jaxmembrane as jm
from jaxmembrane.engine import Engine
from jaxmembrane.rest import STATUS
from jaxmembrane.store import Store

TILE = 1024
ROWS = 12 * TILE + 300
NAMES = ["nka.j", "bath.K", "bath.Cl"]


def make_cell(pump="constant", **nominal):
    leaks = [jm.leak(s, law="ohmic", g=g) for s, g in ((jm.Na, 0.2), (jm.K, 0.7), (jm.Cl, 0.2))]
    return jm.Cell([*leaks, jm.na_k_atpase(law=pump)], {"cytosol.X": 3e5, **nominal}, source="here")


def make_space(**changes):
    """Nearly every row has a rest; beyond a pump of 0.33 some have none, and few are rejected."""
    axes = {"nka.j": jm.LogUniform(0.05, 0.35), "bath.K": jm.Uniform(2.0, 8.0)}
    derive = {"bath.Cl": "bath.Na + bath.K - bath.X"}
    return jm.Space(**{"axes": axes, "derive": derive, "where": ["bath.K < 7.99"]} | changes)


CELL, SPACE = make_cell(), make_space()


def swept(path=None, n=ROWS, cell=CELL, design=None, **more):
    """The sweep that all tests vary; one structure and one tile, so that it compiles once."""
    design = SPACE.sobol(n, seed=7) if design is None else design
    return jm.sweep(cell, design, path, **{"outputs": ["V", "volume"], "tile": TILE} | more)


def assert_same(found, wanted):
    """Every variable bit for bit, and every attribute but provenance."""
    assert dict(found.sizes) == dict(wanted.sizes)
    assert list(found.variables) == list(wanted.variables)
    for name, one in found.variables.items():
        other = wanted.variables[name]
        assert (one.dtype, one.dims, one.attrs) == (other.dtype, other.dims, other.attrs), name
        assert one.values.tolist() == other.values.tolist() or (
            one.values.tobytes() == other.values.tobytes()
        ), name
    assert found.attrs.keys() == wanted.attrs.keys()
    for name in found.attrs.keys() - {"provenance"}:
        assert found.attrs[name] == wanted.attrs[name], name


@pytest.fixture(scope="module")
def whole():
    return swept(devices=jax.local_devices()[:1]).load()


@pytest.fixture
def counted(monkeypatch):
    """Rows that the engine computes, by device."""
    rows, run_one = {}, Engine._run_one

    def counting(self, device, tile):
        rows[device] = rows.get(device, 0) + len(next(iter(tile.lanes.values())))
        return run_one(self, device, tile)

    monkeypatch.setattr(Engine, "_run_one", counting)
    return rows


# ---------------------------------------------------------------- the same bits


def test_what_the_rows_are(whole):
    status = whole.status.values
    assert set(np.unique(status)) == {0, STATUS["no_steady_state"], STATUS["invalid"]}
    assert 10 < (status == 2).sum() < ROWS / 20
    np.testing.assert_array_equal(status == STATUS["invalid"], whole["bath.K"].values >= 7.99)
    for name in ("V", "volume", "residual"):
        np.testing.assert_array_equal(np.isfinite(whole[name]), status == 0)
    np.testing.assert_array_equal(whole["bath.Cl"], 145.0 + whole["bath.K"].values - 29.5)
    rows = np.flatnonzero(status == 0)[:50]
    params = {name: whole[name].values[rows] for name in NAMES}
    rest = jm.steady_state(CELL, params, outputs=["V", "volume"])
    np.testing.assert_allclose(whole.V.values[rows], rest.V, rtol=1e-10)
    np.testing.assert_allclose(whole.volume.values[rows], rest.volume, rtol=1e-10)


@pytest.mark.parametrize("tiles", [1, 3, 12])
def test_chunks_do_not_matter(tmp_path, whole, tiles):
    path = tmp_path / "a.zarr"
    chunks = {"chunk": tiles * TILE - 7}  # rounded up to whole tiles
    assert_same(swept(path, **chunks).load(), whole)
    store = Store.open(path)
    assert {c.stop - c.start for c in store.chunks[:-1]} == {tiles * TILE}
    assert jm.verify(path).pending == 0


def test_devices_do_not_matter(counted, whole):
    one, other = jax.local_devices()
    assert_same(swept(devices=[other]).load(), whole)
    assert counted == {other: ROWS}
    counted.clear()
    assert_same(swept().load(), whole)  # both are compiled for, so that both join
    assert counted.keys() == {one, other} and min(counted.values()) >= 3 * TILE


def test_shards_do_not_matter(tmp_path, counted, whole):
    path = tmp_path / "a.zarr"
    first = swept(path, chunk=TILE, shard="1/2").load()
    assert sum(counted.values()) == 6 * TILE + 300  # chunks 0, 2, ... 12
    np.testing.assert_array_equal(first.status == -1, np.arange(ROWS) // TILE % 2 == 1)
    assert np.isnan(first.V.where(first.status == -1, drop=True)).all()
    assert_same(swept(path, chunk=TILE, shard=(2, 2)).load(), whole)
    assert sum(counted.values()) == ROWS


def test_the_setting_of_jax_does_not_matter_and_is_left(whole):
    jax.config.update("jax_enable_x64", False)
    try:
        found = swept(cell=make_cell(), n=3 * TILE).load()
        assert not jax.config.jax_enable_x64
        assert found.V.dtype == np.float64
    finally:
        jax.config.update("jax_enable_x64", True)
    swept(n=10, precision="float32").load()
    assert jax.config.jax_enable_x64
    for name in ("V", "volume", "status", *NAMES):
        assert found[name].values.tobytes() == whole[name].values[: 3 * TILE].tobytes()


def test_a_poisoned_row_changes_no_other(whole):
    n, poisoned = 2 * TILE, [0, 5, 700, 1023, 2047]
    rows = {name: whole[name].values[:n].copy() for name in NAMES}
    rows["bath.Cl"][poisoned] = -1.0
    rows["nka.j"][poisoned[:2]] = 1e300
    found, others = swept(design=jm.table(rows)).load(), np.ones(n, bool)
    others[poisoned] = False
    others &= whole.status.values[:n] != STATUS["invalid"]  # a table rejects nothing
    np.testing.assert_array_equal(found.status.values[poisoned], STATUS["invalid"])
    assert np.isnan(found.V.values[poisoned]).all()
    np.testing.assert_array_equal(found["bath.Cl"].values[poisoned], -1.0)
    for name in ("V", "volume", "status", "steps", "residual"):
        bits = found[name].values[others].tobytes()
        assert bits == whole[name].values[:n][others].tobytes(), name


def test_a_derived_value_that_is_not_finite_is_invalid():
    derive = {"bath.Cl": "120 + log(bath.K - 5)"}
    found = swept(design=make_space(derive=derive, where=()).sobol(200, seed=1)).load()
    bad = found["bath.K"].values <= 5.0
    assert 50 < bad.sum() < 150
    np.testing.assert_array_equal(found.status == STATUS["invalid"], bad)
    np.testing.assert_array_equal(np.isnan(found.V), bad | (found.status.values == 2))


# ---------------------------------------------------------------- resuming and adding rows


def stamps(path):
    """Inode and time of every file of the chunks that are done."""
    store = Store.open(path)
    pending = {(c.segment, c.block.start) for c in store.pending()}
    found = {}
    for chunk in store.chunks:
        if (chunk.segment, chunk.block.start) in pending:
            continue
        segment = store.segments[chunk.segment]
        at = chunk.block.start // segment.arrays["status"].chunks[0]
        for name in segment.arrays:
            (file,) = segment.root.root.glob(f"{name}/c/{at}")
            found[file] = file.stat().st_ino, file.stat().st_mtime_ns
    return found


class Killed(BaseException):
    pass


@pytest.mark.parametrize("moment", [0, 1, 5, 12])
def test_a_broken_sweep_goes_on_where_it_stopped(tmp_path, monkeypatch, counted, whole, moment):
    path, write, written = tmp_path / "a.zarr", Store.write, []

    def breaking(self, chunk, made):
        if len(written) == moment:
            raise Killed
        written.append(chunk.stop - chunk.start)
        write(self, chunk, made)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", breaking)
        with pytest.raises(Killed):
            swept(path, chunk=TILE)
    before = stamps(path)
    assert len(before) == moment * len(["V", "volume", "steps", "residual", "status", *NAMES])
    counted.clear()
    assert_same(swept(path, chunk=TILE).load(), whole)
    assert sum(counted.values()) == ROWS - sum(written)
    assert before.items() <= stamps(path).items()


def test_a_finished_store_is_only_opened(tmp_path, counted, whole):
    swept(path := tmp_path / "a.zarr", n=100)
    counted.clear()
    before = stamps(path)
    again = swept(path, n=100, chunk=5 * TILE, params={"T": CELL.nominal()["T"]}, study="other")
    assert counted == {} and stamps(path) == before
    np.testing.assert_array_equal(again.V, whole.V[:100])
    assert_same(jm.open_store(path).load(), again.load())


@pytest.mark.parametrize("steps", [(3 * TILE, ROWS), (100, 1500, 1501, 1565, ROWS)])
def test_more_rows_are_those_of_the_longer_sweep(tmp_path, counted, whole, steps):
    path, before = tmp_path / "a.zarr", {}
    for n in steps:
        ds = swept(path, n=n, chunk=2 * TILE)
        assert dict(ds.sizes) == {"sample": n}
        assert before.items() <= stamps(path).items()
        before = stamps(path)
    assert sum(counted.values()) == ROWS
    found = ds.load()
    assert_same(found.assign_attrs(design=""), whole.assign_attrs(design=""))


def test_the_design_in_the_attributes_is_that_of_all_rows(tmp_path):
    for n in (100, 200):
        ds = swept(tmp_path / "a.zarr", n=n)
    assert "100 rows" not in ds.attrs["design"]


def test_random_rows_can_be_added_too(tmp_path):
    space, path = SPACE, tmp_path / "a.zarr"
    swept(path, design=space.random(700, seed=3))
    found = swept(path, design=space.random(900, seed=3)).load()
    wanted = swept(design=space.random(900, seed=3)).load()
    assert found.V.values.tobytes() == wanted.V.values.tobytes()


@pytest.mark.parametrize("kind", ["latin", "grid", "table"])
def test_a_design_of_fixed_size_is_not_extended(tmp_path, kind):
    def design(n):
        if kind == "table":
            return jm.table(
                {"nka.j": [0.1] * n, "bath.K": np.linspace(3, 4, n), "bath.Cl": [119.0] * n}
            )
        return getattr(SPACE, kind)(n)

    before = swept(path := tmp_path / "a.zarr", design=design(8)).load()
    for n in (6, 9):
        with pytest.raises(ValueError, match=r"rows|design"):
            swept(path, design=design(n))
    assert_same(swept(path, design=design(8)).load(), before)


OTHERS = {
    "fixed parameter leak_K.g": {"params": {"leak_K.g": 0.8}},
    "fixed parameter bath.Na": {"cell": make_cell(**{"bath.Na": 140.0})},
    "design seed": {"design": SPACE.sobol(100, seed=8)},
    "design kind": {"design": SPACE.random(100, seed=7)},
    "design": {"design": make_space(where=["bath.K < 7.98"]).sobol(100, seed=7)},
    "outputs": {"outputs": ["V"]},
    "tile": {"tile": 2 * TILE},
    "precision": {"precision": "float32"},
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    swept(path := tmp_path_factory.mktemp("kept") / "a.zarr", n=100)
    return path


@pytest.mark.parametrize("said", OTHERS)
def test_the_store_of_another_run_is_refused(kept, said):
    with pytest.raises(ValueError) as caught:
        swept(kept, **{"n": 100} | OTHERS[said])
    message = str(caught.value)
    assert message.startswith(f"{kept} holds another run: {said}") and "\n" not in message
    with pytest.raises(ValueError, match="holds 100 rows and this call asks for 99"):
        swept(kept, n=99)


def test_what_differs_between_two_models_is_shown(kept):
    ghk = jm.Cell(
        [jm.leak(jm.Na, law="ghk"), *CELL.transporters[1:]], dict(CELL.overrides), source="here"
    )
    with pytest.raises(ValueError, match="holds another run: model") as caught:
        swept(kept, n=100, cell=ghk)
    assert "leak_Na" in str(caught.value) and "ghk" in str(caught.value).lower()
    sphere = jm.Cell(CELL.transporters, dict(CELL.overrides), area="sphere")
    with pytest.raises(ValueError, match=r"holds another run: model.*sphere"):
        swept(kept, n=100, cell=sphere)


def test_another_valence_is_another_model(tmp_path):
    """Two species of one name but another charge read the same in a reaction."""

    def open_only(z):
        leaks = [jm.leak(s, law="ohmic") for s in (jm.K, jm.Cl, jm.Species("Q", z))]
        design = jm.Space({"bath.K": jm.Uniform(2.0, 8.0)}).sobol(10)
        path = tmp_path / "a.zarr"
        return jm.sweep(jm.Cell(leaks), design, path, outputs=["V"], tile=TILE, shard="2/2")

    open_only(1)
    with pytest.raises(ValueError, match="holds another run"):
        open_only(2)


def test_equal_cells_and_other_numbers_compile_nothing(monkeypatch, whole):
    def refuse(*_, **__):
        raise AssertionError("compiled again")

    monkeypatch.setattr(jax.stages.Lowered, "compile", refuse)
    first = jax.local_devices()[:1]
    assert_same(swept(cell=make_cell(), devices=first).load(), whole)
    swept(n=10, params={"leak_K.g": 0.9, "T": 300.0}, devices=first)
    swept(design=make_space(where=()).latin(10), devices=first)
