"""How cells move: rates of change and their derivatives, courses, and what they have to keep."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from example_cells import CALCIUM, CYTOSOL, HCL, F, R, T, inside, of, salt
from numpy.testing import assert_allclose
from scipy.integrate import solve_ivp

import jaxmembrane as jm
from jaxmembrane.balance import Equations
from jaxmembrane.dynamics import velocity

CLAMPED = jm.Cell([*salt(), CALCIUM], area="sphere", compartment=jm.Compartment(clamped=["Na"]))
PROTONS = inside(jm.leak(jm.H), free=["H"])
NESTED = jm.Cell(
    [
        jm.Membrane("plasma", [*salt(), HCL], inside=CYTOSOL),
        jm.Membrane(
            "tonoplast",
            [*salt("_t"), jm.leak(jm.H)],
            inside=jm.Compartment("vacuole", buffered=["H"]),
            outside=CYTOSOL,
            area="sphere",
            wall=True,
        ),
    ],
    {"cytosol.beta_X": 3.0, "tonoplast.wall_volume": 100.0},
)
# One cell and two in a finite outside, whose protein binds protons as well.
OUTSIDE = jm.Compartment("outside", free=["H"], impermeant="protein")
CLOSED = jm.Cell(
    [
        jm.Membrane("first", [*salt(), HCL], inside=CYTOSOL, outside=OUTSIDE),
        jm.Membrane(
            "second", salt("_2"), inside=jm.Compartment("other"), outside=OUTSIDE, area="cylinder"
        ),
    ],
    {"cytosol.beta_X": 2.0, "outside.beta_X": 1.0, "outside.H_0": 0.3},
)


def equations(cell, params):
    return Equations(cell, {name: jnp.asarray(x) for name, x in cell.nominal(params).items()})


def speeds(cell, params, u):
    """Rates of change of the unknowns, 1/s; u has one row of lanes for each."""
    eq, u = equations(cell, params), list(u)
    made = velocity(eq, eq.state(u), eq.residual(u))
    return jnp.stack([jnp.broadcast_to(jnp.asarray(x, float), u[0].shape) for x in made])


def motion_matrix(cell, params, u):
    """Derivatives of the rates of change by the unknowns, one lane for each unknown."""
    n = len(u)
    at = jnp.broadcast_to(jnp.asarray(u)[:, None], (n, n))
    return jax.jvp(partial(speeds, cell, params), (at,), (jnp.eye(n),))[1]


def unknowns(cell, rest, row):
    """The unknowns of a rest, in the order of the equations."""
    phi = dict.fromkeys([cell.ground, *(bath.name for bath in cell.baths)], 0.0)
    for m in cell.membranes:
        phi[m.inside.name] = phi[m.outside.name] + of(rest.V, m.name)[row] * F / (R * T)
    read = {
        "c": lambda *key: np.log(of(rest.c, *key)[row]),
        "phi": lambda a: phi[a],
        "w": lambda a: np.log(of(rest.volume, a)[row]),
        "z": lambda a: of(rest.z_X, a)[row],
        "g": lambda *key: of(rest.gate, ".".join(key))[row],
    }
    return np.array([read[kind](*key) for kind, *key in equations(cell, {}).unknowns])


def assert_root(cell, params, u):
    """At a rest Newton's method takes no step; u has one row of lanes for each unknown."""
    eq = equations(cell, params)
    value, jacobian, _, _ = eq.jacobian([jnp.asarray(x) for x in u])
    lanes = np.shape(u[0])
    matrix = np.array([[np.broadcast_to(x, lanes) for x in row] for row in jacobian])
    rhs = np.array([np.broadcast_to(x, lanes) for x in value])
    step = np.linalg.solve(np.moveaxis(matrix, -1, 0), rhs.T[..., None])
    assert_allclose(step, 0.0, atol=1e-8)


def assert_modes(cell, params, rest, row, conserved=0):
    """The eigenvalues of the motion are those of the rest, and zero for what is conserved."""
    values = np.linalg.eigvals(motion_matrix(cell, params, unknowns(cell, rest, row)))
    values = values[np.argsort(abs(values))]
    assert np.all(abs(values[:conserved]) < 1e-10 * abs(values[-1]))
    assert_allclose(of(rest.rate_slowest)[row], values[conserved:].real.max(), rtol=1e-6)


def assert_course_ends_at_rest(cell, params, rest, row, start=None):
    """The motion from nearby, by an integrator that knows nothing of the package, ends at rest.

    Last of all at the slowest rate. Gives the course.
    """
    end, slowest = unknowns(cell, rest, row), float(of(rest.rate_slowest)[row])
    if start is None:
        start = end + 0.1 * np.random.default_rng(0).normal(size=end.size)
    rates = jax.jit(lambda u: speeds(cell, params, u[:, None])[:, 0])
    matrix = jax.jit(lambda u: motion_matrix(cell, params, u))
    found = solve_ivp(
        lambda t, u: np.asarray(rates(u)),
        (0.0, -25.0 / slowest),
        start,
        method="Radau",
        jac=lambda t, u: np.asarray(matrix(u)),
        rtol=1e-9,
        atol=1e-11,
        dense_output=True,
    )
    assert found.success
    assert_allclose(found.y[:, -1], end, rtol=1e-7, atol=1e-7)
    early, late = (np.linalg.norm(found.sol(-x / slowest) - end) for x in (9.0, 11.0))
    assert np.log(late / early) == pytest.approx(-2.0, rel=1e-2)
    return found


def anywhere(eq, lanes):
    """States around a usual one, in lanes."""
    usual = {"H": 5e-5, "phi": -2.0, "w": np.log(900.0), "z": -0.9, "g": 0.4}
    rng, u = np.random.default_rng(3), []
    for kind, *key in eq.unknowns:
        middle = np.log(usual.get(key[-1], 20.0)) if kind == "c" else usual[kind]
        u.append(jnp.asarray(middle + 0.2 * rng.normal(size=lanes)))
    return u


def contents(eq, u):
    """Amounts by compartment and species, charge of impermeants, volumes and membranes' charge."""
    state = eq.state(u)
    held = {a.name: jnp.zeros_like(u[0]) for a in eq.cell.compartments}
    for m in eq.cell.membranes:
        V = (state.phi[m.inside.name] - state.phi.get(m.outside.name, 0.0)) * eq.RT / eq.F
        charge = eq.params[f"{m.name}.C_m"] * state.area[m.name] * V
        for owner, sign in ((m.inside.name, 1.0), (m.outside.name, -1.0)):
            if owner in held:
                held[owner] = held[owner] + sign * charge
    n = {key: c * state.volume[key[0]] for key, c in state.c.items() if key[0] in held}
    X = {a: z * eq.params[f"{a}.X"] for a, z in state.z.items()}
    return n, X, dict(state.volume), held


def inflows(eq, u):
    """What fluxes add to each compartment's species, amol/s, and water flows to its volume."""
    state = eq.state(u)
    flux, n, w = eq.turnovers(state), {}, {}
    for m in eq.cell.membranes:
        sides = ((m.inside.name, "i", 1.0), (m.outside.name, "o", -1.0))
        force = eq.osmolarity(m.inside.name, state) - eq.osmolarity(m.outside.name, state)
        force = force - eq.turgor(m, state) / eq.RT if m.wall else force
        flow = eq.params[f"{m.name}.L_w"] * state.area[m.name] * force
        for a, side, sign in sides:
            w[a] = w.get(a, 0.0) + sign * flow
            for leg in (leg for t in m.transporters for leg in t.legs):
                turnover = state.area[m.name] * flux[leg.name]
                for s in leg.reaction.species:
                    n[a, s] = n.get((a, s), 0.0) + leg.reaction.change(s, side) * turnover
    return n, w


def assert_determined(cell, carry_all):
    """As many rows as unknowns, and none that follows from the others."""
    params = {name: jnp.asarray(x) for name, x in cell.nominal().items()}
    eq = Equations(cell, params, carry_all)
    value, jacobian, _, _ = eq.jacobian([x[0] for x in anywhere(eq, 1)])
    assert len(value) == len(set(eq.rows)) == len(eq.unknowns)
    matrix = np.array(jacobian, float)
    matrix /= abs(matrix).max(axis=1, keepdims=True)
    matrix /= abs(matrix).max(axis=0, keepdims=True)
    assert np.linalg.svd(matrix, compute_uv=False)[-1] > 1e-12
