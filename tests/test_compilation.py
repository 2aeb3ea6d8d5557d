"""What compiles anew, and what must not."""

import logging

import jax
import numpy as np
import pytest

import jaxmembrane as jm
from jaxmembrane.kinetics.thermodynamic import ohmic


def own_law(s, p):
    return ohmic(s, p)


def potassium_cell(g=0.7, X_o=59.0):
    """A small cell that no other test compiles, built anew at each call."""
    own = jm.Transporter("own", "K_i <-> K_o", own_law, {"g": jm.Param(g, "pS/um^2")})
    return jm.Cell(
        [own, jm.leak(jm.Cl)], {"bath.K": 119.0, "bath.X": X_o, "bath.z_X": 0.0}, source="tests"
    )


@pytest.fixture
def compiled(caplog):
    """Searches for a rest that JAX compiles, in order."""
    with jax.log_compiles(), caplog.at_level(logging.WARNING):

        def names():
            lines = [record.getMessage() for record in caplog.records]
            caplog.clear()
            return [x for x in lines if x.startswith("Compiling") and "tier" in x]

        yield names


def rest(cell, params, **options):
    return jm.steady_state(cell, params, outputs=("V",), **options)


def test_a_parameters_value_and_a_rebuilt_cell_compile_nothing(compiled):
    K = np.linspace(100.0, 140.0, 5)
    first = potassium_cell()
    rest(first, {"bath.K": K})
    assert len(compiled()) == 1
    # Another value, another parameter, another way to write the same shape.
    rest(first, {"bath.K": K + 1.0})
    rest(first, {"own.g": K, "T": 300.0})
    rest(first, {"bath.K": list(K), "cytosol.z_X": -1})
    rest(first, {"bath.K": np.float32(K)})
    again = potassium_cell()
    assert again == first and hash(again) == hash(first) and again is not first
    rest(again, {"bath.K": K})
    assert compiled() == []
    # Nor does another question, or a course from there.
    jm.steady_state(first, {"bath.K": K}, outputs=("c", "flux"))
    jm.simulate(first, {"bath.K": K}, times=[0.0, 1.0], outputs=("V",))
    assert compiled() == []


def test_what_is_structure_compiles_anew(compiled):
    K = np.linspace(100.0, 140.0, 5)
    cell = potassium_cell()
    rest(cell, {"bath.K": K})
    compiled()
    rest(cell, {"bath.K": K[:3]})
    assert len(compiled()) == 1
    rest(cell, {"bath.K": K[:3]}, start={"V": -1.0})
    assert len(compiled()) == 1
    rest(cell, {"bath.K": K[:3]}, start={"V": -7.0})
    assert compiled() == []


def test_gradients_compile_once_for_all_values(caplog):
    cell = potassium_cell()
    slope = jax.jit(jax.grad(lambda K: rest(cell, {"bath.K": K}).V))
    slope(119.0)
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        slope(120.0)
        slope(121.5)
    assert [r for r in caplog.records if r.getMessage().startswith("Compiling")] == []
