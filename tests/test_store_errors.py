import errno
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from test_store import FIXED, PRINT, SCHEMA, VARIABLES, content, opened, rows_of, swept
from zarr.storage import LocalStore

from jaxmembrane.store import FingerprintMismatch, Schema, StoreError, Variable, open_store, summary
from jaxmembrane.verify import verify


def sentence(error):
    """The message of an error, which must be one line with an end."""
    text = str(error.value)
    assert len(text) > 30 and "\n" not in text
    return text


@pytest.mark.parametrize(
    "change, said",
    [
        ({"V": None}, "V is missing: a chunk has bath.K, V"),
        ({"step": np.zeros(4)}, "step is not in the store, did you mean steps"),
        ({"V": np.zeros(3)}, r"V of rows 0 to 3 is float64 of shape (3,), but .* shape (4,)"),
        ({"c": np.zeros((4, 2))}, r"of shape (4, 2), but the store holds float32 of shape (4, 3)"),
        ({"steps": np.zeros(4)}, "steps of rows 0 to 3 is float64"),
        ({"status": np.full(4, -1)}, "status -1 is none of a finished row: [0, 3]"),
    ],
)
def test_a_wrong_chunk_is_refused_before_anything_is_written(tmp_path, change, said):
    store = opened(tmp_path / "a.zarr")
    before = content(tmp_path)
    data = {k: v for k, v in {**rows_of(store.chunks[0]), **change}.items() if v is not None}
    with pytest.raises(ValueError) as error:
        store.write(store.chunks[0], data)
    assert all(part in sentence(error) for part in said.split(" .* "))
    assert content(tmp_path) == before


@pytest.mark.parametrize(
    "change, said",
    [
        (
            {"fixed parameter": {"bath.K": 4, "T": 310}},
            "parameter bath.K is 3.5 in the store and 4 in",
        ),
        ({"outputs": ["V"]}, 'outputs is nothing in the store and ["V"] in this call'),
        ({"extendable": False}, "extendable is true in the store and false in this call"),
        ({k: 1 for k in "abcde"}, "; c is nothing in the store and 1 in this call and 2 more: use"),
        ({"versions": {"jax": "0.12.0", "platform": "cpu"}}, "--allow-version-change"),
        ({"versions": {}, "law": "ghk"}, "law is nothing in the store"),
        ({"law": "x" * 500}, "x ... in this call"),
    ],
)
def test_the_store_of_another_run_is_refused(tmp_path, change, said):
    swept(tmp_path / "a.zarr")
    before = content(tmp_path)
    with pytest.raises(FingerprintMismatch) as error:
        opened(tmp_path / "a.zarr", 20, fingerprint={**PRINT, **change})
    assert said in sentence(error) and len(sentence(error)) < 700
    assert content(tmp_path) == before
    if list(change) == ["versions"]:
        assert 'versions jax is "0.10.2" in the store and "0.12.0" in this call' in sentence(error)
        opened(tmp_path / "a.zarr", fingerprint={**PRINT, **change}, allow_version_change=True)


def test_the_same_run_is_not_another(tmp_path):
    odd = {"nan": float("nan"), "tuple": (1, 2), "whole": 4}
    opened(tmp_path / "a.zarr", fingerprint=odd)
    same = {"whole": 4.0, "tuple": [1, 2], "nan": float("nan")}
    opened(tmp_path / "a.zarr", schema=Schema(VARIABLES, SCHEMA.labels), fingerprint=same)


def test_a_number_of_rows_that_does_not_fit(tmp_path):
    swept(tmp_path / "a.zarr")
    with pytest.raises(ValueError, match="holds 10 rows and this call asks for 9: ask for 10 or"):
        opened(tmp_path / "a.zarr", 9)
    latin = {**PRINT, "extendable": False}
    opened(tmp_path / "b.zarr", fingerprint=latin)
    with pytest.raises(ValueError, match="fixed size and this call asks for 11: ask for 10, or"):
        opened(tmp_path / "b.zarr", 11, fingerprint=latin)
    with pytest.raises(ValueError, match="at least 1, but n=0, chunk=4"):
        opened(tmp_path / "c.zarr", 0)


@pytest.mark.parametrize(
    "name", ["a/b", "", "two words", ".hidden", "status", "manifest", "V", "T"]
)
def test_names_that_cannot_be(name):
    with pytest.raises(ValueError, match=r"cannot name an array|is taken in this store"):
        Schema((*VARIABLES, Variable(name)), SCHEMA.labels, FIXED)
    with pytest.raises(ValueError, match="c has a dimension 'species' without labels"):
        Schema(VARIABLES)


def in_the_way(path):
    path.write_text("a file")


def foreign(path):
    (path / "sub").mkdir(parents=True)
    (path / "sub/thesis.tex").write_text("years of work")


def foreign_zarr(path):
    xr.Dataset({"x": ("t", np.arange(3))}).to_zarr(path, consolidated=False)


def newer(path):
    swept(path)
    about = json.loads((path / "zarr.json").read_text())
    about["attributes"]["jaxmembrane_store"] = 2
    (path / "zarr.json").write_text(json.dumps(about))
    for name in ("manifest", "manifest_copy"):
        (path / name / "zarr.json").write_text("a manifest of the future")


def torn(path):
    swept(path)
    for name in ("manifest", "manifest_copy"):
        (path / name / "zarr.json").write_text("")


@pytest.mark.parametrize(
    "made, said",
    [
        (in_the_way, "it is a file, not a store, so choose another path"),
        (foreign, "is not a store of jaxmembrane: choose another path"),
        (foreign_zarr, "is not a store of jaxmembrane: choose another path"),
        (newer, "by a newer jaxmembrane (store version 2, this one reads up to 1): upgrade"),
        (torn, "both manifests of"),
    ],
)
def test_what_is_no_store_is_refused_and_left_alone(tmp_path, made, said):
    made(path := tmp_path / "a.zarr")
    before = content(tmp_path)
    for use in (opened, open_store, summary, verify, lambda path: verify(path, repair=True)):
        with pytest.raises(StoreError) as error:
            use(path)
        assert said in sentence(error) and str(path) in sentence(error)
    assert content(tmp_path) == before


def test_no_store_at_all(tmp_path):
    for use in (open_store, summary, verify):
        with pytest.raises(StoreError, match="it does not exist, so choose another path"):
            use(tmp_path / "a.zarr")
    (tmp_path / "file").write_text("")
    with pytest.raises(
        StoreError, match=r"cannot make .*: (File exists|Not a directory); put that right"
    ):
        opened(tmp_path / "file/a.zarr")
    (tmp_path / "empty.zarr").mkdir()
    assert len(opened(tmp_path / "deep/er/a.zarr").pending()) == 3
    assert len(opened(tmp_path / "empty.zarr").pending()) == 3


def test_a_grid_has_as_many_rows_as_points():
    schema = Schema(VARIABLES, SCHEMA.labels, grid=(("bath.K", 3), ("T", 4)))
    with pytest.raises(ValueError, match=r"a grid of 3 bath\.K x 4 T does not have 11 rows"):
        opened(None, 11, schema=schema)


@pytest.mark.parametrize("space", [0, 1, 5, 12])
def test_a_full_disk(tmp_path, monkeypatch, space):
    """Room for so many files: making, writing and extending say so, and go on when there is."""
    whole, path, put, left = tmp_path / "whole.zarr", tmp_path / "a.zarr", LocalStore.set, [0]
    swept(whole)
    swept(whole, 13)

    async def full(self, key, value):
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left[0] -= 1
        await put(self, key, value)

    for n in (10, 13):
        monkeypatch.setattr(LocalStore, "set", full)
        left[0] = space
        with pytest.raises(StoreError) as error:
            swept(path, n)
        assert ": No space left on device; put that right and repeat" in sentence(error)
        assert str(path) in sentence(error)
        monkeypatch.setattr(LocalStore, "set", put)
        swept(path, n)
        assert list(tmp_path.rglob("*.partial")) == []
    assert content(path) == content(whole)


@pytest.fixture
def as_nobody():
    """A directory outside the tree of root, used by a user who is not root."""
    user, directory = os.geteuid(), Path(tempfile.mkdtemp())
    if not user:
        os.chown(directory, 65534, -1)
    os.seteuid(user or 65534)
    try:
        if not os.access(directory, os.W_OK | os.X_OK, effective_ids=True):
            pytest.skip("temporary files lie where another user has no way to")
        yield directory
    finally:
        os.seteuid(user)
        for path in (directory, *directory.rglob("*")):
            path.chmod(0o700)
        shutil.rmtree(directory)


def test_a_read_only_store(as_nobody):
    store = opened(path := as_nobody / "a.zarr")
    store.write(store.chunks[0], rows_of(store.chunks[0]))
    before = content(path)
    for file in sorted([*path.rglob("*"), path]):
        file.chmod(0o555)
    as_nobody.chmod(0o555)
    assert len(opened(path).pending()) == 2
    assert int((open_store(path).status == 0).sum()) == 4 and verify(path).damaged == ()
    for use in (lambda: swept(path), lambda: swept(path, 13), lambda: swept(as_nobody / "b.zarr")):
        with pytest.raises(StoreError) as error:
            use()
        assert ": Permission denied; put that right and repeat the call" in sentence(error)
    assert content(path) == before
