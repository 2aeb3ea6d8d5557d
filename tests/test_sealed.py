"""Cells that are sealed to a species, or to all: what is conserved, and what follows from it."""

import jax.numpy as jnp
import numpy as np
import pytest
from example_cells import BUFFERED, CALCIUM, PROTEIN, electroneutral, inside, leaks, of, salt
from motion import (
    CLAMPED,
    CLOSED,
    NESTED,
    PROTONS,
    anywhere,
    assert_determined,
    assert_modes,
    equations,
    speeds,
)
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm

pytestmark = pytest.mark.slow

OUTSIDE = jm.Compartment("outside")
CYTOSOL, MATRIX = jm.Compartment("cytosol"), jm.Compartment("matrix", "rigid")
SEALED = {
    "closed": CLOSED,
    # Potassium, which would follow from charge, has no path, or none to the bath.
    "potassium inside": inside(*leaks(jm.Na, jm.Cl), free=["K"]),
    "potassium between": jm.Cell(
        [
            jm.Membrane("outer", leaks(jm.Na, jm.Cl), inside=CYTOSOL),
            jm.Membrane("inner", salt("_i"), inside=MATRIX, outside=CYTOSOL),
        ]
    ),
    # K - Cl is conserved where both cross together alone.
    "difference": inside(*leaks(jm.Na), electroneutral("kcc", "K_i + Cl_i <-> K_o + Cl_o")),
    "clamped": CLAMPED,
    "protons": PROTONS,
    "nested": NESTED,
    "protein": PROTEIN,
    "buffered": BUFFERED,
}


def test_what_has_no_path_is_a_pool_and_counts_as_impermeant():
    choline = jm.Species("Choline", +1)
    trapped, plain = inside(*salt(), free=[choline]), inside(*salt())
    assert [pool.parameter for pool in trapped.pools] == ["cytosol.Choline_0"]
    N, X, z = 2e4, 2e5, -0.9
    mixed = {"cytosol.X": X + N, "cytosol.z_X": (z * X + N) / (X + N)}
    eq = equations(plain, mixed)
    state = dict(zip(eq.unknowns, anywhere(eq, 4), strict=True))
    expected = dict(zip(eq.unknowns, speeds(plain, mixed, state.values()), strict=True))
    state["c", "cytosol", "Choline"] = jnp.log(N) - state["w", "cytosol"]
    given = {"cytosol.X": X, "cytosol.z_X": z, "cytosol.Choline_0": N}
    eq = equations(trapped, given)
    u = [state[key] for key in eq.unknowns]
    for key, speed in zip(eq.unknowns, speeds(trapped, given, u), strict=True):
        growth = expected["w", "cytosol"]
        assert_allclose(speed, expected.get(key, -growth), rtol=1e-9, err_msg=str(key))
    value = dict(zip(eq.rows, eq.residual(u), strict=True))
    assert_allclose(value["p", "cytosol", "Choline"], 0.0, atol=1e-9 * N)


@pytest.mark.parametrize("carry_all", [False, True], ids=["followed", "all carried"])
@pytest.mark.parametrize("cell", SEALED.values(), ids=SEALED)
def test_balances_and_pools_determine_the_state(cell, carry_all):
    assert_determined(cell, carry_all)
    owners = {(pool.owner, pool.species) for pool in cell.pools}
    assert not owners & {(a, s.name) for a, s in cell.dependent.items() if s}


def test_potassium_without_a_path_rests_in_donnan_equilibrium():
    cell, K_0 = SEALED["potassium inside"], np.array([1.0, 1e4, 2e5])
    shown = ("V", "c", "volume", "osmolarity", "E", "status")
    rest = jm.steady_state(cell, {"cytosol.K_0": K_0, "cytosol.X": 2e5}, outputs=shown)
    assert_array_equal(rest.status, 0)
    assert_allclose(of(rest.c, "K") * of(rest.volume), K_0, rtol=1e-11)
    for s in ("Na", "Cl"):
        assert_allclose(of(rest.E, s), rest.V, rtol=1e-9)
    bath = sum(cell.nominal()[f"bath.{s}"] for s in ("Na", "Cl", "X"))
    assert_allclose(of(rest.osmolarity), bath, rtol=1e-11)


def test_a_cell_with_a_conserved_difference_moves_back_to_its_rest():
    cell = SEALED["difference"]
    given = {"cytosol.Cl_0": -1e5, "cytosol.X": 2e5, "cytosol.z_X": -0.9}
    params = {name: np.full(1, x) for name, x in given.items()}
    rest = jm.steady_state(cell, params, outputs=("V", "c", "volume", "status", "rate_slowest"))
    assert_array_equal(rest.status, 0)
    assert_modes(cell, given, rest, 0, conserved=1)


def test_an_ion_that_a_supply_holds_needs_a_bath_to_close_its_circuit():
    clamped = jm.Compartment("cytosol", clamped=["K"])
    with pytest.raises(ValueError, match="bath"):
        jm.Cell([jm.Membrane("membrane", salt(), inside=clamped, outside=OUTSIDE)])
    # Supplies on both sides pass the charge round.
    both = [*salt(), CALCIUM]
    jm.Cell([jm.Membrane("membrane", both, inside=jm.Compartment("cytosol"), outside=OUTSIDE)])
