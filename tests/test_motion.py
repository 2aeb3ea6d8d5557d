"""How cells move: amounts, charges and volumes change as fluxes say, potentials with them."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from example_cells import BUFFERED, PROTEIN, F
from motion import (
    CLAMPED,
    CLOSED,
    NESTED,
    PROTONS,
    anywhere,
    contents,
    equations,
    inflows,
    motion_matrix,
    speeds,
)
from numpy.testing import assert_allclose

from jaxmembrane.dynamics import time_jacobian


def test_a_potential_that_follows_from_charge_alone_moves_with_the_ions():
    # Protons alone: no ion follows from charge, so that the potential does.
    given = {"cytosol.X": 10.0, "cytosol.z_X": -0.5, "bath.H": 40.0}
    eq = equations(PROTONS, given)
    u = [jnp.asarray(x) for x in (3.8, 0.0, -1.0)]
    for _ in range(12):
        value, jacobian, _, _ = eq.jacobian(u)
        step = np.linalg.solve(np.array(jacobian, float), np.array(value, float))
        u = [x - dx for x, dx in zip(u, np.clip(step, -1.0, 1.0), strict=True)]
    assert max(abs(x) for x in eq.residual(u)) < 1e-9
    expected = np.linalg.eigvals(motion_matrix(PROTONS, given, jnp.stack(u)))
    expected = expected[np.argsort(abs(expected))]
    matrix = np.array(time_jacobian(eq, u, eq.jacobian(u)[1]), float)
    assert_allclose(np.sort(np.linalg.eigvals(matrix)), np.sort(expected[1:]), rtol=1e-6)


MOVING = {
    "protein": PROTEIN,
    "buffered": BUFFERED,
    "clamped": CLAMPED,
    "protons": PROTONS,
    "nested": NESTED,
    "closed": CLOSED,
}


@pytest.mark.parametrize("cell", MOVING.values(), ids=MOVING)
def test_amounts_charges_and_volumes_change_as_fluxes_say(cell):
    eq = equations(cell, {})
    u = anywhere(eq, 5)
    speed = list(speeds(cell, {}, u))
    _, (n, X, w, charge) = jax.jvp(partial(contents, eq), (u,), (speed,))
    entered, grown = inflows(eq, u)
    size = max(float(abs(x).max()) for x in entered.values())
    for a in cell.compartments:
        assert_allclose(w[a.name], grown[a.name], rtol=1e-10)
        carried = 0.0
        for s in cell.contents[a.name]:
            J = entered.get((a.name, s), 0.0)
            if a.kind(s.name) == "clamped":
                # A supply brings what a growing volume needs, with its charge.
                carried = carried + s.z * n[a.name, s.name]
                continue
            carried = carried + s.z * J
            bound = X[a.name] if s.name == "H" and a.impermeant == "protein" else 0.0
            if a.kind(s.name) == "free":
                assert_allclose(n[a.name, s.name] + bound, J, atol=1e-10 * size)
        # In a closed cell the outermost charge is that of all others.
        assert_allclose(charge[a.name] / F, carried, atol=1e-10 * size)


def test_what_pools_say_is_conserved_does_not_change():
    eq = equations(CLOSED, {})
    u = anywhere(eq, 5)
    rows = [j for j, row in enumerate(eq.rows) if row[0] == "p"]
    assert len(rows) == len(CLOSED.pools) == 4
    _, change = jax.jvp(eq.residual, (u,), (list(speeds(CLOSED, {}, u)),))
    size = max(float(abs(x).max()) for x in inflows(eq, u)[0].values())
    for j in rows:
        assert_allclose(change[j], 0.0, atol=1e-10 * size, err_msg=str(eq.rows[j]))
