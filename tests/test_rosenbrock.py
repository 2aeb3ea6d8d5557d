"""The step of the stiff integrator: its order, its stability, and the algebra below it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmembrane import rosenbrock
from jaxmembrane.linalg import factorize, substitute
from jaxmembrane.rosenbrock import ERROR_ORDER, between, step

# Nonlinear and driven in time, with the solution (exp(sin t), exp(-sin t)).
BEGIN, END = 0.3, 2.3


def driven(t, u):
    x, y = u
    return [jnp.cos(t) * x * x * y, -jnp.cos(t) * y * y * x]


def driven_jacobian(t, u):
    x, y = u
    c = jnp.cos(t)
    return [[2.0 * c * x * y, c * x * x], [-c * y * y, -2.0 * c * x * y]]


def driven_drift(t, u):
    x, y = u
    return [-jnp.sin(t) * x * x * y, jnp.sin(t) * y * y * x]


def driven_solution(t):
    return [np.exp(jnp.sin(t)), np.exp(-jnp.sin(t))]


@jax.jit
def driven_step(t, u, h):
    return step(driven, driven(t, u), driven_jacobian(t, u), driven_drift(t, u), t, u, h)


@jax.jit
def driftless_step(t, u, h):
    return step(driven, driven(t, u), driven_jacobian(t, u), None, t, u, h)


def one_step(h, at=BEGIN):
    u = driven_solution(at)
    return u, driven_step(at, u, h)


def course_error(steps, advance=driven_step):
    """Error at the end of a course of equal steps."""
    h, u = (END - BEGIN) / steps, driven_solution(BEGIN)
    for i in range(steps):
        u = advance(BEGIN + i * h, u, h).u
    return max(abs(x - y) for x, y in zip(u, driven_solution(END), strict=True))


def orders(errors):
    """Exponents of h between neighbours whose steps differ twofold."""
    return np.log2(np.array(errors[:-1]) / np.array(errors[1:]))


def test_the_method_is_of_order_5_on_a_nonlinear_driven_problem():
    errors = [course_error(n) for n in (32, 64, 128)]
    found = orders(errors)
    assert_allclose(found, 5.0, atol=0.2, err_msg=f"errors {errors}, orders {found}")


def test_the_method_without_drift_falls_below_order_3_on_it():
    """So that the test above can see a wrong drift."""
    found = orders([course_error(n, driftless_step) for n in (32, 64, 128)])
    assert (found < 2.2).all(), f"orders {found}"


def test_a_step_errs_in_order_6_and_its_estimate_in_order_5():
    own, estimated = [], []
    for h in (0.1, 0.05, 0.025):
        _, tried = one_step(h)
        exact = driven_solution(BEGIN + h)
        own.append(max(abs(x - y) for x, y in zip(tried.u, exact, strict=True)))
        estimated.append(max(abs(x) for x in tried.error))
    assert_allclose(orders(own), 6.0, atol=0.2, err_msg=f"errors {own}, orders {orders(own)}")
    message = f"estimates {estimated}, orders {orders(estimated)}"
    assert_allclose(orders(estimated), ERROR_ORDER, atol=0.2, err_msg=message)
    assert (np.array(estimated) > own).all()


def test_dense_output_is_of_order_4_or_better():
    shares = np.linspace(0.0, 1.0, 21)
    errors = []
    for h in (0.2, 0.1, 0.05):
        u, tried = one_step(h)
        exact = driven_solution(BEGIN + shares * h)
        seen = between(u, tried, shares)
        errors.append(max(np.abs(x - y).max() for x, y in zip(seen, exact, strict=True)))
    found = orders(errors)
    # A solution of order 4 errs in order 5 within one step.
    assert (found > 4.7).all(), f"errors {errors}, orders {found}"


def test_dense_output_meets_both_ends_of_a_step():
    u, tried = one_step(0.2)
    assert between(u, tried, 0.0) == u
    assert between(u, tried, 1.0) == tried.u


@jax.jit
def growth(z):
    """R(z): what a step of size one makes of u' = z u."""
    one = jnp.ones_like(z)
    return step(lambda t, u: [z * u[0]], [z], [[z]], None, 0.0, [one], 1.0).u[0]


@pytest.mark.parametrize("z", [-1e8, -1e12, -1e16])
def test_what_is_infinitely_fast_is_gone_after_one_step(z):
    # R falls as 1/z; roundings of the stages are left.
    assert abs(growth(z)) < 20.0 / abs(z) + 1e-13


def test_the_imaginary_axis_does_not_grow():
    """With R(z) -> 0 far away, and poles to the right, this is L-stability."""
    y = np.concatenate([np.linspace(0.0, 20.0, 4001), np.geomspace(20.0, 1e8, 2000)])
    assert max(abs(growth(1j * y))) <= 1.0 + 1e-14


def test_a_step_is_the_exponential_to_order_6():
    """One more than the method has on nonlinear problems."""
    found = orders([abs(growth(z) - np.exp(z)) for z in (0.8j, 0.4j, 0.2j)])
    assert_allclose(found, 7.0, atol=0.1, err_msg=f"orders {found}")


@jax.jit
def pulled_step(rate, t, u, h):
    def pulled(t, u):
        return [-rate * (u[0] - jnp.cos(t)) - jnp.sin(t)]

    drift = [-rate * jnp.sin(t) - jnp.cos(t)]
    return step(pulled, pulled(t, u), [[-rate]], drift, t, u, h)


def followed(rate, steps, begin):
    """Error at the end of Prothero and Robinson's u' = -rate (u - cos t) - sin t."""
    h, u = 2.0 / steps, [begin]
    for i in range(steps):
        u = pulled_step(rate, i * h, u, h).u
    return abs(u[0] - np.cos(2.0))


@pytest.mark.parametrize("rate", [1e4, 1e6, 1e8, 1e10])
def test_a_stiff_problem_is_followed_with_steps_far_above_its_time_constant(rate):
    # The error of a stiffly accurate method falls with the rate, down to roundings.
    assert followed(rate, 20, 1.0) < 5e-6 / rate + 1e-14
    # Wherever it begins: the distance of ten is gone at once.
    assert followed(rate, 20, 11.0) < 5e-6 / rate + 1e-14


def ramp_foot(rate):
    """Error of dense output, and its estimate, as u' = -rate (u - t) is pulled from rest."""
    still, one = jnp.zeros_like(rate), jnp.ones_like(rate)

    def pulled(t, u):
        return [-rate * (u[0] - t)]

    tried = step(pulled, [still], [[-rate]], [rate], 0.0, [still], 1.0)
    shares = np.linspace(0.0, 1.0, 51)[:, None]
    exact = shares * one + np.expm1(-rate * shares) / rate
    return abs(between([still], tried, shares)[0] - exact).max(0), abs(tried.error[0])


def test_the_estimate_sees_the_lag_of_a_fast_variable_at_the_foot_of_a_ramp(monkeypatch):
    """It is gone where the step ends: only dense output bears it, as 0.9 / rate."""
    rates = jnp.geomspace(1e2, 1e8, 13)
    error, estimate = ramp_foot(rates)
    assert (error > 0.5 / rates).all()
    assert (error < 2.1 * estimate).all(), f"{error / estimate}"
    monkeypatch.setattr(rosenbrock, "_SECOND", (0.0,) * 8)
    same, by_last_stage = ramp_foot(rates)
    assert_allclose(same, error, rtol=1e-9)
    # The last stage falls as the square of the rate: it sees the end alone.
    assert (error > 0.05 * rates * by_last_stage).all(), f"{error / by_last_stage}"


def test_factors_solve_as_numpy_does():
    rng = np.random.default_rng(0)
    for n in range(1, 8):
        matrix = rng.normal(size=(n, n, 5)) + 4.0 * n * np.eye(n)[..., None]
        rhs = rng.normal(size=(n, 5))
        found = substitute(factorize(list(matrix)), list(rhs))
        expected = np.linalg.solve(np.moveaxis(matrix, -1, 0), rhs.T[..., None])[..., 0].T
        assert_allclose(np.stack(found), expected, rtol=1e-12, atol=1e-14)


def test_factors_hold_for_more_than_one_right_hand_side():
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(5, 5)) + 10.0 * np.eye(5)
    lu = factorize(matrix.tolist())
    kept = [list(row) for row in lu]
    for column in rng.normal(size=(3, 5)):
        assert_allclose(substitute(lu, column), np.linalg.solve(matrix, column), rtol=1e-12)
    assert lu == kept
