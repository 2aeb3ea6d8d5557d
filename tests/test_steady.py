"""The resting state: against closed forms, in every form of call, and what it refuses."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm
from jaxmembrane import analytic, constants

SHOWN = ("V", "c", "volume", "flux")
ROWS = 1024
LEAKS = [jm.leak(s, law="ohmic") for s in (jm.Na, jm.K, jm.Cl)]
GHK = jm.Cell([jm.leak(jm.Na), jm.leak(jm.K), jm.leak(jm.Cl), jm.na_k_atpase()])
NEURON = jm.zoo.neuron()


def ohmic(pump):
    cotransport = [jm.kcc2(law="log"), jm.nkcc1(law="log")]
    return jm.Cell([*LEAKS, *cotransport, jm.na_k_atpase(law=pump)])


def random_ohmic(seed):
    """Random ohmic cells: parameters but the pump's, and what the closed form takes."""
    rng = np.random.default_rng(seed)

    def log(low, high):
        return np.exp(rng.uniform(np.log(low), np.log(high), ROWS))

    taken = {
        "g_Na": log(0.01, 2),
        "g_K": log(0.05, 10),
        "g_Cl": log(0.01, 10),
        "g_KCC2": log(1e-3, 2),
        "g_NKCC1": log(1e-3, 1),
        "Na_o": log(50, 400),
        "K_o": log(1, 30),
        "Cl_o": log(50, 400),
        "X_o": log(1, 100),
        "T": rng.uniform(275, 315, ROWS),
    }
    names = {"g_Na": "leak_Na.g", "g_K": "leak_K.g", "g_Cl": "leak_Cl.g", "g_KCC2": "kcc2.g",
             "g_NKCC1": "nkcc1.g", "Na_o": "bath.Na", "K_o": "bath.K", "Cl_o": "bath.Cl",
             "X_o": "bath.X", "T": "T"}  # fmt: skip
    params = {names[key]: value for key, value in taken.items()}
    params |= {
        "cytosol.X": log(1e2, 1e7),
        "cytosol.z_X": rng.uniform(-4, 2, ROWS),
        "membrane.C_m": log(0.005, 0.02),
        "membrane.area": log(50, 5000),
    }
    upper = np.asarray(analytic.pump_range(**taken).upper)
    return params, taken, upper * rng.uniform(0.01, 0.99, ROWS)


def closed_form(current, params, taken):
    """The closed form with the charge of the membrane: its z_X less C A V / (F X), repeated."""
    X, z = params["cytosol.X"], params["cytosol.z_X"]
    stored = params["membrane.C_m"] * params["membrane.area"] / (constants.F * X)
    charge = z
    for _ in range(40):
        rest = analytic.pump_leak(current, **taken, X=X, z_X=charge)
        charge = z - stored * rest.V
    return rest


def assert_agree(rest, closed, rows):
    assert_allclose(rest.volume[rows], closed.volume[rows], rtol=1e-9)
    for species in ("Na", "K", "Cl"):
        assert_allclose(rest.c[species][rows], getattr(closed, species)[rows], rtol=1e-9)
    assert_allclose(rest.V[rows], closed.V[rows], rtol=1e-9, atol=1e-9)


def test_random_cells_with_a_constant_pump_rest_at_the_closed_form():
    params, taken, current = random_ohmic(1)
    closed = closed_form(current, params, taken)
    params["nka.j"] = current / constants.F
    rest = jm.steady_state(ohmic("constant"), params, outputs=SHOWN)
    # Sodium below 1e-300 mM is out of the range of floating-point numbers.
    rows = np.asarray((closed.eps > 1e-6) & (closed.Na > 1e-300))
    assert rows.sum() >= 1000
    assert_array_equal(rest.status[rows], 0)
    assert_agree(rest, closed, rows)


def test_random_cells_with_a_sodium_dependent_pump_rest_at_the_closed_form():
    params, taken, current = random_ohmic(2)
    # Parametric: the strength that turns at this current where the closed form's sodium is.
    sodium = closed_form(current, params, taken).Na
    with np.errstate(over="ignore", divide="ignore"):
        j = current / constants.F * np.asarray(taken["Na_o"] / sodium) ** 3
    j = np.where(j < 1e5, j, 1e2)
    rest = jm.steady_state(ohmic("cubic"), params | {"nka.j": j}, outputs=SHOWN)
    assert_array_equal(rest.status, 0)
    found = constants.F * np.asarray(rest.flux["nka"])
    closed = closed_form(found, params, taken)
    # Sodium amounts are of order one; their pump is theirs to a few ulps.
    assert_allclose(found[j != 1e2], current[j != 1e2], rtol=1e-8)
    assert_agree(rest, closed, np.asarray(closed.eps > 1e-6))


def test_a_sodium_dependent_pump_of_any_strength_has_its_rest():
    # Parametric again: rests at chosen currents, whose strengths spread over ten decades.
    taken = {"g_Na": 0.2, "g_K": 0.7, "g_Cl": 0.2, "g_KCC2": 0.2, "g_NKCC1": 0.0664214465,
             "Na_o": 145.0, "K_o": 3.5, "Cl_o": 119.0, "X_o": 29.5, "T": 310.15}  # fmt: skip
    current = np.linspace(0.02, 0.95, ROWS) * float(analytic.pump_range(**taken).upper)
    closed = analytic.pump_leak(current, **taken, X=3e5, z_X=-0.85)
    j = current / constants.F * (145.0 / np.asarray(closed.Na)) ** 3
    assert j.max() / j.min() > 1e10
    cell = ohmic("cubic")
    params = {name: np.full(ROWS, value) for name, value in cell.nominal().items()}
    rest = jm.steady_state(cell, params | {"nka.j": j}, outputs=SHOWN)
    assert_array_equal(rest.status, 0)
    assert_allclose(rest.V, closed.V, atol=0.05)


def test_ghk_cells_without_cotransport_rest_at_the_mullins_noda_potential():
    rng = np.random.default_rng(3)
    n = 64
    strengths = {
        name: np.exp(rng.uniform(np.log(low), np.log(high), n))
        for name, (low, high) in {
            "leak_Na.P": (1e-4, 1e-2), "leak_K.P": (1e-3, 0.1), "leak_Cl.P": (1e-4, 0.1),
            "nka.j_max": (0.1, 10), "bath.K": (1, 20), "cytosol.X": (1e3, 1e6),
        }.items()
    }  # fmt: skip
    rest = jm.steady_state(GHK, strengths | {"cytosol.z_X": rng.uniform(-2, 1, n)}, outputs=SHOWN)
    V = analytic.mullins_noda(
        strengths["leak_K.P"],
        strengths["leak_Na.P"],
        rest.c["K"],
        rest.c["Na"],
        strengths["bath.K"],
        145.0,
    )
    # A weak pump in a leaky cell whose bath is not neutral may have no rest.
    assert rest.ok.sum() >= 50
    assert_allclose(rest.V[rest.ok], V[rest.ok], atol=1e-9, rtol=0)


def rest_of_neuron(params=None, **options):
    return jm.steady_state(NEURON, params, outputs=("V", "c", "volume"), **options)


def test_leading_axes_are_kept_and_broadcast_against_each_other():
    K, z = np.array([2.0, 3.5, 8.0]), np.array([-1.2, -0.85])
    rest = rest_of_neuron({"bath.K": K, "cytosol.z_X": z[:, None]})
    assert rest.V.shape == rest.status.shape == (2, 3)
    assert rest.c.values.shape == (2, 3, 3) and rest.c["K"].shape == (2, 3)
    flat = rest_of_neuron({"bath.K": np.tile(K, 2), "cytosol.z_X": np.repeat(z, 3)})
    assert_array_equal(rest.V.reshape(6), flat.V)
    assert_array_equal(rest.c.values.reshape(6, 3), flat.c.values)
    deep = rest_of_neuron({"bath.K": K.reshape(3, 1, 1), "cytosol.z_X": z[None, None, :]})
    assert deep.V.shape == (3, 1, 2)
    assert_array_equal(deep.V[:, 0, :].T, rest.V)
    assert str(rest) == "2 x 3 resting states: 6 stable"


@pytest.mark.slow
def test_a_batch_beyond_one_block_equals_its_rows():
    # 1,030 rows are padded to two blocks.
    K = np.linspace(2.0, 8.0, 1030)
    rest = jm.steady_state(NEURON, {"bath.K": K}, outputs=("V",))
    assert rest.V.shape == (1030,) and rest.ok.all()
    some = np.array([0, 1, 1023, 1024, 1028, 1029])
    assert_allclose(rest.V[some], rest_of_neuron({"bath.K": K[some]}).V, rtol=1e-13)


def test_under_jit_and_vmap_the_rest_is_the_same():
    K = np.array([2.0, 3.0, 3.5, 4.0, 5.0, 8.0])
    plain = rest_of_neuron({"bath.K": K})
    mapped = jax.jit(jax.vmap(lambda K: rest_of_neuron({"bath.K": K})))(jnp.asarray(K))
    assert_allclose(mapped.c["Cl"], plain.c["Cl"], rtol=1e-13)
    assert_array_equal(mapped.status, plain.status)


def test_a_start_shortens_the_search_and_does_not_change_its_result():
    K = np.array([2.0, 3.0, 3.5, 4.0, 5.0, 8.0])
    first = rest_of_neuron({"bath.K": K})
    again = rest_of_neuron({"bath.K": 1.01 * K}, start=first)
    apart = rest_of_neuron({"bath.K": 1.01 * K})
    assert (again.steps < apart.steps).all() and again.ok.all()
    assert_allclose(again.c.values, apart.c.values, rtol=1e-10)
    begin = {"V": -60.0, "volume": 2000.0, "Na": 20.0, "K": 120.0, "Cl": 8.0}
    named = rest_of_neuron({"bath.K": K}, start=begin)
    assert_allclose(named.V, first.V, rtol=1e-11)


def test_a_row_that_had_no_rest_starts_afresh():
    K = np.array([2.0, 3.0, -3.5, 4.0, 5.0, 8.0])
    failed = rest_of_neuron({"bath.K": K})
    assert_array_equal(failed.status, [0, 0, 5, 0, 0, 0])
    rest = rest_of_neuron({"bath.K": np.abs(K)}, start=failed)
    assert_array_equal(rest.status, 0)


def test_only_the_outputs_that_were_asked_for_are_there():
    rest = jm.steady_state(NEURON, {"bath.K": np.full(6, 3.5)}, outputs=["V", "c", "volume"])
    assert set(rest.values) == {"V", "c", "volume", "status", "steps", "residual"}
    with pytest.raises(AttributeError, match="this rest has no output 'E'; it has V, c,"):
        _ = rest.E
    with pytest.raises(KeyError, match="unknown species 'Ca'; did you mean"):
        rest.c["Ca"]


def test_float32_is_accurate_enough_for_a_consumer_gpu():
    rng = np.random.default_rng(4)
    params = {
        "nka.j": 103.6 * 10 ** rng.uniform(-2, 2, 6), "bath.K": rng.uniform(1, 20, 6),
        "cytosol.z_X": rng.uniform(-2, 0, 6), "cytosol.X": 10 ** rng.uniform(4, 6.5, 6),
    }  # fmt: skip
    exact, single = rest_of_neuron(params), rest_of_neuron(params, precision="float32")
    assert single.V.dtype == single.c.values.dtype == jnp.float32
    assert_array_equal(single.status, 0)
    assert_allclose(single.V, exact.V, rtol=0, atol=0.01)
    assert_allclose(single.volume, exact.volume, rtol=1e-4)
    assert_allclose(single.c.values, exact.c.values, rtol=1e-4)


def test_without_64_bits_the_default_precision_is_refused():
    code = "import jaxmembrane as jm; jm.steady_state(jm.zoo.neuron())"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "RuntimeError: JAX computes in 32 bits here; set jax.config.update" in ran.stderr
    assert "or ask for precision='float32'" in ran.stderr


@pytest.mark.parametrize(
    ("given", "error", "sentence"),
    [
        ({"cell": "neuron"}, TypeError, "steady_state needs a jm.Cell, not str"),
        ({"params": {"bath.k": 3.0}}, KeyError, "unknown parameter 'bath.k'; did you mean"),
        ({"params": {"bath.K": "3 mM"}}, ValueError,
         "parameter bath.K must be a real number in mM, not '3 mM'"),
        ({"params": {"bath.K": -3.0}}, ValueError,
         "parameter bath.K must be a finite number, zero or more, not -3 mM"),
        ({"params": {"T": float("nan")}}, ValueError, "parameter T must be a finite number above"),
        ({"params": {"T": np.zeros(2), "bath.K": np.zeros(3)}}, ValueError,
         r"shapes that broadcast, not bath.K \(3,\), T \(2,\)|not T \(2,\), bath.K \(3,\)"),
        ({"params": {"bath.K": ["a"]}}, ValueError, "bath.K must be a real number in mM"),
        ({"params": {"bath.K": np.array([3.0 + 1.0j])}}, ValueError, "must be a real number"),
        ({"params": [1.0]}, TypeError, "params must be a mapping"),
        ({"outputs": "V"}, TypeError, r"outputs must be a sequence of names, as \['V', 'volume'\]"),
        ({"outputs": ["Vm"]}, KeyError, "unknown output 'Vm'; did you mean V"),
        ({"precision": "double"}, ValueError, "must be 'float64' or 'float32', not 'double'"),
        ({"start": {"Nq": 3.0}}, KeyError, "start.*'Nq'; did you mean Na"),
        ({"start": {"flux": 3.0}}, KeyError, "start.*'flux'"),
        ({"start": {"V": np.zeros(3)}, "params": {"T": np.full(2, 300.0)}}, ValueError,
         r"start V \(3,\)"),
        ({"start": {"Na": -3.0}}, ValueError, "start Na must be a finite number above zero"),
        ({"start": [1.0]}, TypeError, "start must be"),
    ],
)  # fmt: skip
def test_a_bad_argument_is_refused_in_one_sentence(given, error, sentence):
    given = {"cell": NEURON, "outputs": ("V", "c", "volume")} | given
    with pytest.raises(error, match=sentence):
        jm.steady_state(given.pop("cell"), given.pop("params", None), **given)
