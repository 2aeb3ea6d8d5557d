"""Local sensitivities: against differences, scaling identities, and the machinery of sweeps."""

import jax
import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal
from test_sweep import assert_same

import jaxmembrane as jm
from jaxmembrane.programs import resting_job
from jaxmembrane.rest import STATUS
from jaxmembrane.sensitivity.gradients import gradient_job
from jaxmembrane.store import Store

NEURON = jm.zoo.neuron()
USUAL = ["V", "volume", "c", "E", "flux"]
STRENGTHS = ["leak_Na.g", "leak_K.g", "leak_Cl.g", "kcc2.g", "nka.j"]

# Potassium and chloride alone compile soonest; an impermeant outside keeps the volume finite.
SALT = jm.Cell([jm.leak(jm.K), jm.leak(jm.Cl)], {"bath.X": 59.0, "bath.z_X": 0.0})
LINKED = ("bath.K", "bath.Cl")
AXES = {
    LINKED: jm.Uniform(110.0, 125.0),
    "bath.X": jm.LogUniform(40.0, 80.0),
    "cytosol.X": jm.Uniform(2e5, 4e5),
    "membrane.C_m": jm.Uniform(0.008, 0.02),
}
TILE = 128
ROWS = 5 * TILE + 30


def rows_of(design, store=None, **more):
    """All derivatives of that cell; one structure and one tile, so that it compiles once."""
    options = {"outputs": ["V", "volume", "c"], "tile": TILE, "chunk": TILE, "progress": False}
    return jm.sensitivity.local(SALT, design, store=store, **options | more)


@pytest.fixture(scope="module")
def near():
    return jm.sensitivity.local(NEURON, outputs=USUAL)


@pytest.fixture(scope="module")
def whole():
    return rows_of(jm.Space(AXES).sobol(ROWS, seed=3), devices=jax.local_devices()[:1]).load()


# ---------------------------------------------------------------- one cell


SHIFTS = np.array([-1.0, -0.5, 0.5, 1.0]) * 1e-3


def shifted(values_of):
    """Differences of what every parameter by itself moves, and the value where none is moved.

    Richardson's extrapolation: what is left is of fifth order in 1e-3, and rounding.
    """
    nominal = NEURON.nominal()
    rows = {name: np.full(4 * len(nominal) + 1, x) for name, x in nominal.items()}
    size = np.array([*nominal.values()])
    for k, name in enumerate(nominal):
        rows[name][4 * k : 4 * k + 4] += size[k] * SHIFTS
    y = values_of(rows)
    around = y[:-1].reshape(len(nominal), 4, -1)
    wide, narrow = ((around[:, 3 - k] - around[:, k]) / (2e-3 / 2**k) for k in (0, 1))
    return ((4.0 * narrow - wide) / 3.0).T, y[-1], size


def assert_slopes(near, slope, y, size):
    """Derivatives, to 1e-9 of the output by a relative change of the parameter; elasticities."""
    assert_allclose(near.value, y, rtol=1e-12)
    relative = slope / y[:, None]
    assert_allclose(near.derivative * size / near.value, relative, atol=1e-9)
    assert_allclose(near.elasticity, relative, atol=1e-9)
    assert abs(relative).max() > 0.9


def test_elasticities_are_those_of_differences(near):
    def values_of(rows):
        design = jm.table(rows)
        found = jm.sensitivity.local(NEURON, design, outputs=USUAL, tile=1, progress=False)
        return found.value.values

    assert list(near.parameter) == list(NEURON.parameters) and near.status == STATUS["stable"]
    assert_slopes(near, *shifted(values_of))


@pytest.mark.slow
def test_elasticities_are_those_of_differences_of_steady_states(near):
    def values_of(rows):
        rest = jm.steady_state(NEURON, rows, outputs=USUAL)
        parts = [getattr(getattr(rest, name), "values", getattr(rest, name)) for name in USUAL]
        return np.concatenate([np.reshape(x, (len(rest.status), -1)) for x in parts], axis=1)

    assert_slopes(near, *shifted(values_of))


def test_a_common_factor_of_all_transport_moves_no_potential(near):
    total = near.elasticity.sel(parameter=STRENGTHS).sum("parameter")
    assert_allclose(total.where(near.variable != "flux", drop=True), 0.0, atol=1e-11)
    assert_allclose(total.where(near.variable == "flux", drop=True), 1.0, atol=1e-11)
    assert abs(near.elasticity.sel(output="V", parameter=STRENGTHS)).max() > 0.2


def test_what_one_cell_says(near):
    assert dict(near.sizes) == {"output": 13, "parameter": 20}
    assert list(near.output[:5].values) == ["V", "volume", "c[Na]", "c[K]", "c[Cl]"]
    assert near.units.sel(output="flux[nka]") == "amol/um^2/s"
    assert near.variable.sel(output="c[K]") == "c"
    assert near.parameter_value.sel(parameter="nka.j") == near["nka.j"] == NEURON.nominal()["nka.j"]
    assert near.parameter_units.sel(parameter="bath.K") == "mM"
    for variable in near.drop_vars("status").data_vars.values():
        assert {"units", "long_name"} <= variable.attrs.keys()
    assert near.elasticity.attrs["units"] == "1"


def test_rows_are_what_single_cells_are_and_those_without_a_rest_are_nan(near):
    names = list(NEURON.parameters)
    rows = {name: np.full(4, x) for name, x in NEURON.nominal().items()}
    rows["bath.K"][1] = -1.0
    rows["nka.j"][2], rows["bath.X"][2], rows["bath.Cl"][2] = 0.0, 0.0, 148.5
    found = jm.sensitivity.local(NEURON, jm.table(rows), outputs=USUAL, tile=1, progress=False)
    assert_array_equal(found.status, [0, STATUS["invalid"], STATUS["no_steady_state"], 0])
    for name in ("value", "derivative", "elasticity"):
        assert np.isnan(found[name][1:3]).all(), name
        for row in (0, 3):
            assert_array_equal(found[name][row], near[name])
    assert list(found.parameter) == names


def test_elasticities_where_a_parameter_or_an_output_is_zero():
    off = jm.sensitivity.local(NEURON, params={"kcc2.g": 0.0}, outputs=USUAL)
    by = off.sel(parameter="kcc2.g")
    assert by.value.sel(output="flux[kcc2]") == 0.0
    assert by.derivative.sel(output="flux[kcc2]") > 1e-4
    assert np.isnan(off.elasticity.sel(output="flux[kcc2]")).all()
    others = by.drop_sel(output=["flux[kcc2]", "flux[leak_Cl]"])
    assert_array_equal(others.elasticity, 0.0)
    assert abs(others.derivative.sel(output="V")) > 1.0


# ---------------------------------------------------------------- rows of a design


def test_linked_parameters_are_one_that_moves_both():
    h = 1e-3 * 119.0 * np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    middle = {"bath.X": 59.0, "cytosol.X": 3e5, "membrane.C_m": 0.01}
    axes = {LINKED: jm.Grid(119.0 + h), **{name: jm.Grid([x]) for name, x in middle.items()}}
    found = rows_of(jm.Space(axes).grid()).squeeze()
    assert list(found.parameter) == ["bath.K", "bath.X", "cytosol.X", "membrane.C_m"]
    y = found.value.transpose("bath.K", "output").values
    slope = (4.0 * (y[3] - y[1]) / h[3] - (y[4] - y[0]) / h[4]) / 6.0
    middle = found.isel({"bath.K": 2})
    assert_allclose(middle.derivative.sel(parameter="bath.K"), slope, rtol=1e-9)
    named = {"parameters": ["bath.Cl", "membrane.C_m", "bath.K"], "shard": "2/2"}
    both = rows_of(jm.Space(AXES).sobol(1), **named)  # of which no row is computed
    assert list(both.parameter) == ["bath.K", "membrane.C_m"]


def test_a_common_factor_of_all_concentrations_moves_none_of_the_rest(whole):
    # Capacitance stands for the charge that it needs.
    total = whole.elasticity.sum("parameter")
    assert (whole.status == 0).all()
    assert_allclose(total.sel(output=["V", "volume"]), 0.0, atol=1e-11)
    assert_allclose(total.sel(output=["c[K]", "c[Cl]"]), 1.0, atol=1e-11)


def test_derivatives_by_derived_parameters_complete_the_chain(whole):
    axes = {key: axis for key, axis in AXES.items() if key != "membrane.C_m"}
    rule = {"membrane.C_m": "0.01 * (bath.X / 59.0)**2"}
    space = jm.Space(axes, derive=rule, where=["bath.X < 79.0"])
    found = rows_of(space.sobol(ROWS, seed=3)).load()
    assert list(found.parameter) == list(whole.parameter)
    kept = found["bath.X"] < 79.0
    assert_array_equal(found.status, np.where(kept, 0, STATUS["invalid"]))
    assert np.isnan(found.elasticity[~kept]).all() and 0 < np.sum(~kept) < ROWS / 20
    # Along bath.X with its rule: rows that differ in nothing else, through values alone.
    h = 59.0 * 1e-3 * np.array([-1.0, -0.5, 0.5, 1.0, 0.0])
    fixed = {LINKED: jm.Grid([119.0]), "bath.X": jm.Grid(59.0 + h), "cytosol.X": jm.Grid([3e5])}
    line = rows_of(jm.Space(fixed, derive=rule).grid()).squeeze()
    y = line.value.transpose("bath.X", "output").values
    slope = (4.0 * (y[2] - y[1]) / h[2] - (y[3] - y[0]) / h[3]) / 6.0
    partial = line.derivative.isel({"bath.X": 4})
    by_rule = partial.sel(parameter="membrane.C_m") * 0.02 / 59.0
    assert_allclose(partial.sel(parameter="bath.X") + by_rule, slope, rtol=1e-9)
    assert abs(by_rule / slope).max() > 1e-6


# ---------------------------------------------------------------- stores


def test_what_was_stopped_goes_on_with_the_same_bits(tmp_path, whole, monkeypatch):
    design, path, write, done = (
        jm.Space(AXES).sobol(ROWS, seed=3),
        tmp_path / "g.zarr",
        Store.write,
        [],
    )

    def stopping(self, chunk, data):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(chunk.index)
        write(self, chunk, data)

    monkeypatch.setattr(Store, "write", stopping)
    with pytest.raises(KeyboardInterrupt):
        rows_of(design, path)
    monkeypatch.setattr(Store, "write", write)
    pending = jm.open_store(path).load()
    assert int((pending.status == -1).sum()) == ROWS - 2 * TILE
    assert np.isnan(pending.derivative[pending.status == -1]).all()
    assert_same(rows_of(design, path).load(), whole)
    assert_same(jm.open_store(path).load(), whole)
    assert jm.verify(path).pending == 0
    plain = xr.open_zarr(path, consolidated=False)
    assert plain.units.sel(output="c[K]") == "mM"


def test_shards_and_more_rows_give_the_same_bits(tmp_path, whole):
    path = tmp_path / "g.zarr"
    rows_of(jm.Space(AXES).sobol(2 * TILE, seed=3), path)
    for shard in ("2/2", "1/2"):
        found = rows_of(jm.Space(AXES).sobol(ROWS, seed=3), path, shard=shard)
    assert_same(found.load(), whole)


def test_another_question_is_another_store(tmp_path):
    path, design = tmp_path / "g.zarr", jm.Space(AXES).sobol(10)
    rows_of(design, path, shard="2/2")  # makes the store, and computes nothing
    with pytest.raises(ValueError, match=r"derivatives by.*sweep into another path"):
        rows_of(design, path, shard="2/2", parameters=["bath.X"])
    with pytest.raises(ValueError, match="derivatives of"):
        rows_of(design, path, shard="2/2", outputs=["V"])
    with pytest.raises(ValueError, match="another run"):
        jm.sweep(SALT, design, path, outputs=["V"], tile=TILE)


def test_tiles_of_many_derivatives_are_narrower():
    axes = tuple((name,) for name in NEURON.parameters)
    job = gradient_job(NEURON, NEURON.nominal(), tuple(USUAL), axes)
    values = 13 * (1 + 2 * 20) + 3
    assert job.tile(131072) * values <= 2**23 < (job.tile(131072) + 256) * values
    assert resting_job(NEURON, {}, ("V",)).tile(131072) == 131072


def test_labels_name_compartments_and_membranes_where_there_are_several():
    matrix = jm.Compartment("matrix", volume="rigid")
    cytosol = jm.Compartment("cytosol")
    inner = jm.Membrane("inner", [jm.leak(jm.K, name="inner_K")], inside=matrix, outside=cytosol)
    plasma = jm.Membrane("plasma", [jm.leak(jm.K), jm.leak(jm.Cl)], inside=cytosol)
    job = gradient_job(jm.Cell([plasma, inner]), {}, ("V", "c", "atp_rate"), (("T",), LINKED))
    contents = [f"c[{at}, {s}]" for at in ("cytosol", "matrix") for s in ("K", "Cl")]
    assert job.labels == {
        "output": ("V[plasma]", "V[inner]", *contents, "atp_rate"),
        "parameter": ("T", "bath.K"),
    }


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"parameters": ["nka.jj"]}, KeyError, "did you mean nka.j"),
        ({"parameters": "nka.j"}, ValueError, "sequence of names"),
        ({"parameters": []}, ValueError, "sequence of names"),
        ({"outputs": ["W"]}, KeyError, "unknown output 'W'"),
        ({"outputs": ["V", "rate_slowest"]}, ValueError, "'rate_slowest' has no derivative"),
        ({"outputs": ["status"]}, ValueError, "one output at least"),
        ({"params": {"bath.K": [2.0, 4.0]}}, ValueError, "must be one number"),
        ({"params": {"bath.K": -1.0}}, ValueError, "bath.K must be"),
        ({"params": {"bath.k": 1.0}}, KeyError, "did you mean bath.K"),
        ({"times": [0.0]}, TypeError, "unknown option of local 'times'"),
        ({"design": {"bath.K": [1.0]}}, TypeError, "local needs a design"),
        ({"precision": "float16"}, ValueError, "precision must be"),
        (
            {"design": jm.Space({"nka.jj": jm.Uniform(1.0, 2.0)}).sobol(4)},
            KeyError,
            "did you mean nka.j",
        ),
    ],
)
def test_errors_say_what_would_be_right(arguments, error, words):
    with pytest.raises(error, match=words) as caught:
        jm.sensitivity.local(NEURON, **arguments)
    assert "\n" not in str(caught.value)


def test_only_cells_have_a_rest():
    with pytest.raises(TypeError, match=r"local needs a jm\.Cell, not str"):
        jm.sensitivity.local("neuron")
