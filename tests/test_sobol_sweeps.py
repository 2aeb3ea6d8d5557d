"""Sobol indices of sweeps: what a result holds, stores, courses, the cost of millions of rows."""

import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal
from test_sweep import make_cell

import jaxmembrane as jm
from jaxmembrane.sensitivity import sobol


def quiet(*args, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return sobol(*args, **more)


def test_outputs_have_labels_variables_and_units():
    unit = jm.Uniform(0.0, 1.0)
    design = jm.Space({"a": unit, "b": unit, "c": unit}).saltelli(32, 1, second_order=True)
    y = design.rows(0, design.n)[0]["a"]
    rows = xr.Dataset(
        {
            "status": ("sample", np.zeros(design.n, "int8")),
            "steps": ("sample", np.arange(design.n)),
            "V": ("sample", y, {"units": "mV"}),
            "c": (("sample", "time", "species"), y[:, None, None] + [[[1.0, 2.0]] * 3] * 1,
                  {"units": "mM"}),
            "who": ("sample", np.array(["x"] * design.n)),
            "area": ("species", [1.0, 2.0]),
        },
        {
            "sample": np.arange(design.n),
            "species": ["Na", "K"],
            "time": ("time", [0.0, 0.5, 60.0], {"units": "s"}),
        },
    )  # fmt: skip
    found = quiet(rows, design, resamples=20, seed=3, confidence=0.9)
    times = ["0 s", "0.5 s", "60 s"]
    labels = ["V", *(f"c[{species}, {t}]" for species in ("Na", "K") for t in times)]
    assert found.output.values.tolist() == labels
    assert found["variable"].values.tolist() == ["V"] + 6 * ["c"]
    assert found["units"].values.tolist() == ["mV"] + 6 * ["mM"]
    assert_allclose(found["mean"][4] - found["mean"][1], 1.0)
    assert found.S2.dims == ("output", "parameter", "other")
    assert found.parameter.values.tolist() == found.other.values.tolist() == ["a", "b", "c"]
    kept = {"method": "sobol", "blocks": 32, "resamples": 20, "seed": 3, "confidence": 0.9}
    assert kept.items() <= found.attrs.items() and found.attrs["title"]
    for name, variable in found.data_vars.items():
        assert variable.attrs["long_name"] and variable.attrs["units"], name
    assert found.S1.attrs["units"] == "1" and found.excluded.dtype.kind == "i"
    narrow = quiet({"V": y.astype("float32")}, design)
    assert_allclose(narrow.S1[0], found.S1[0], atol=1e-4)


NEURON = jm.Space(
    {
        "nka.j": jm.LogUniform(50.0, 200.0),
        "bath.K": jm.Uniform(2.0, 8.0),
        "leak_K.g": jm.LogUniform(0.35, 1.4),
        ("leak_Na.g", "leak_Cl.g"): jm.LogUniform(0.1, 0.4),
    },
    where="bath.K < 7.95",
)


def swept(n=64, path=None, seed=1, design=None, **more):
    """One structure and one tile, so that it compiles once."""
    usual = {"outputs": ["V", "volume", "c"], "tile": 128, "chunk": 128, "progress": False}
    return jm.sweep(jm.zoo.neuron(), design or NEURON.saltelli(n, seed), path, **usual | more)


def test_a_stored_sweep_is_analysed_interrupted_resumed_and_extended(tmp_path):
    path = tmp_path / "s.zarr"
    swept(64, path, shard="1/2")
    with pytest.warns(UserWarning) as said:
        part = sobol(jm.open_store(path))
    texts = [str(one.message) for one in said]
    pending = int((jm.open_store(path).status == -1).sum())
    assert texts[0].startswith(f"{pending} of 384 rows are pending, and ")
    assert texts[0].endswith("blocks are left out for that; the same sweep again computes them")
    assert Path(said[0].filename) == Path(__file__)
    assert 20 <= part.excluded[0] < 50
    swept(64, path)
    rows = jm.open_store(path)
    lost = len(np.unique(rows.sample.values[(rows.status > 1).values] // 6))
    assert 0 < lost < 10
    with pytest.warns(UserWarning, match=f"of 64 blocks, .* left out: {lost} of V, {lost} of vol"):
        found = sobol(rows)
    assert found.output.values.tolist() == ["V", "volume", "c[Na]", "c[K]", "c[Cl]"]
    assert found["units"].values.tolist() == ["mV", "um^3", "mM", "mM", "mM"]
    assert (found.excluded == lost).all()
    assert found.parameter.values.tolist() == ["nka.j", "bath.K", "leak_K.g", "leak_Na.g"]
    # At rest a constant pump takes part in the potential by the volume alone.
    assert found.ST.sel(output="V", parameter="nka.j") < 0.01
    assert found.ST.sel(output="V").sum() > 0.9
    swept(128, path)
    with pytest.warns(UserWarning, match="of 128 blocks"):
        longer = sobol(jm.open_store(path))
    with pytest.warns(UserWarning, match="of 128 blocks"):
        fresh = sobol(swept(128))
    assert longer.identical(fresh)
    assert (longer.ST_conf < found.ST_conf).mean() > 0.7
    with pytest.warns(UserWarning, match="of 64 blocks"):
        again = sobol(jm.open_store(path).isel(sample=slice(0, 384)))
    assert again.identical(found)
    with pytest.raises(ValueError, match="design seed is 1 in the store and 2 in this call"):
        swept(128, path, seed=2)
    with pytest.raises(ValueError, match="the design given is not the one"):
        sobol(jm.open_store(path), NEURON.saltelli(64, 2))


@pytest.mark.slow
def test_courses_are_analysed_at_every_time_and_by_their_summaries():
    axes = {"nka.j": jm.LogUniform(0.05, 0.3), "bath.K": jm.Uniform(2.0, 8.0)}
    design = jm.Space(axes).saltelli(16)
    rows = jm.sweep(
        make_cell(),
        design,
        times=[0.0, 60.0],
        protocol=jm.Protocol([jm.Step(10.0, {"nka.j": 0.0})]),
        outputs=["V", "c"],
        summaries={"top": jm.Maximum("V"), "late": jm.TimeTo("V", 100.0)},
        tile=64,
        chunk=64,
    )
    with pytest.warns(UserWarning, match="of 16 blocks, .* left out: 16 of late$"):
        found = sobol(rows)
    species = [f"c[{name}, {t}]" for name in ("Na", "K", "Cl") for t in ("0 s", "60 s")]
    labels = found.output.values.tolist()
    assert sorted(labels) == sorted(["V[0 s]", "V[60 s]", *species, "top", "late"])
    assert found["units"].sel(output=["V[60 s]", "c[Na, 60 s]", "late"]).values.tolist() == [
        "mV", "mM", "s",
    ]  # fmt: skip
    good = found.sel(output=[label for label in labels if label != "late"])
    assert (good.excluded == 0).all() and np.isfinite(good.ST).all()
    one = sobol({"y": rows.V.sel(time=60.0).values}, design).S1[0]
    assert_array_equal(one, found.S1.sel(output="V[60 s]"))


def test_a_sweep_of_another_design_is_refused():
    rows = swept(design=NEURON.sobol(100))
    with pytest.raises(ValueError, match=r"Space.saltelli\(\) makes, but these are of a sobol"):
        sobol(rows)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory as Linux tells it")
def test_the_analysis_of_seven_million_rows_takes_seconds_and_little_memory():
    """Bounds that hold on a busy machine; two cores take 0.8 s and 110 MB above the data."""
    space = jm.Space({f"x{i}": jm.Uniform(0.0, 1.0) for i in range(12)})
    design = space.saltelli(2**18, 1, second_order=True)
    assert design.n == 2**18 * 26 == 6_815_744
    y, size = np.empty(design.n), 2**18
    for start in range(0, design.n, size):
        x, _ = design.rows(start, start + size)
        y[start : start + size] = sum(
            (1 + i) * column for i, column in enumerate(x.values())
        ) + 12.0 * (x["x0"] - 0.5) * (x["x11"] - 0.5)
    peak = memory = int(Path("/proc/self/statm").read_text().split()[1]) * 4096
    done = threading.Event()

    def watch():
        nonlocal peak
        while not done.wait(0.01):
            peak = max(peak, int(Path("/proc/self/statm").read_text().split()[1]) * 4096)

    watcher = threading.Thread(target=watch)
    watcher.start()
    begun = time.perf_counter()
    found = quiet({"y": y}, design).isel(output=0)
    took = time.perf_counter() - begun
    done.set()
    watcher.join()
    print(f"{took:.2f} s, {(peak - memory) / 2**20:.0f} MiB above the data")
    assert took < 10.0 and peak - memory < 2e9
    linear = np.arange(1.0, 13.0) ** 2 / 12.0
    assert_allclose(found.S1, linear / (linear.sum() + 1.0), atol=5e-4)
    assert_allclose(found.S2[0, 11], 1.0 / (linear.sum() + 1.0), atol=5e-4)
