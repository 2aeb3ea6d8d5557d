"""Protocols: what they refuse, and the pieces that jumps, ramps and pulses make."""

from math import inf, nan

import numpy as np
import pytest
from numpy.testing import assert_allclose

import jaxmembrane as jm
from jaxmembrane.naming import UnknownName
from jaxmembrane.protocol import Initial, Protocol

DECLARED = jm.zoo.neuron().parameters


def at(protocol, name, initial, t):
    """The value at a time within its piece."""
    begins = 0.0
    for end, first, last in zip(protocol.ends, *protocol.values(name, initial), strict=True):
        if t < end:
            return first if end == inf else first + (t - begins) / (end - begins) * (last - first)
        begins = end
    raise AssertionError("the last piece has no end")


@pytest.mark.parametrize("time", [-1.0, nan, inf, "1", None, True, 1 + 0j])
@pytest.mark.parametrize("which", ["at", "over"])
def test_a_time_that_is_none_is_refused(which, time):
    times = {"at": 1.0, "over": 0.0} | {which: time}
    with pytest.raises(ValueError, match=f"{which} of a step must be a time in s, zero or more"):
        jm.Step(changes={"nka.j": 0.0}, **times)


@pytest.mark.parametrize("changes", [{}, None, "nka.j", [("nka.j", 0.0)]])
def test_a_step_that_changes_nothing_is_refused(changes):
    with pytest.raises(ValueError, match="a step must change parameters, as in jm"):
        jm.Step(1.0, changes)


def test_what_is_no_step_is_refused():
    with pytest.raises(TypeError, match=r"made of jm.Step objects, not \(1.0, "):
        jm.Protocol([(1.0, {"nka.j": 0.0})])


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ((10.0, 20.0), (15.0, 0.0), "from 10 to 30 s and from 15 to 15 s"),
        ((10.0, 20.0), (5.0, 6.0), "from 5 to 11 s and from 10 to 30 s"),
        ((10.0, 0.0), (10.0, 0.0), "from 10 to 10 s and from 10 to 10 s"),
        ((10.0, 0.0), (10.0, 5.0), "from 10 to 10 s and from 10 to 15 s"),
        ((10.0, 5.0), (10.0, 0.0), "from 10 to 15 s and from 10 to 10 s"),
    ],
)
def test_two_steps_of_one_parameter_at_once_are_refused(one, other, said):
    steps = [jm.Step(t, {"nka.j": 1.0}, over) for t, over in (one, other)]
    with pytest.raises(ValueError, match=f"nka.j is changed by two steps at once: {said}"):
        jm.Protocol(steps)
    with pytest.raises(ValueError, match="two steps at once"):
        jm.Protocol(steps[:1]) + jm.Protocol(steps[1:])
    # Of different parameters they may.
    jm.Protocol([steps[0], jm.Step(other[0], {"bath.K": 1.0}, other[1])])


def test_a_long_ramp_may_not_hide_a_step_behind_another():
    steps = [jm.Step(t, {"nka.j": 1.0}, over) for t, over in ((0.0, 100.0), (10.0, 0.0), (50.0, 0))]
    with pytest.raises(ValueError, match="from 0 to 100 s and from 10 to 10 s"):
        jm.Protocol(steps)


def test_a_step_may_begin_where_a_ramp_ends():
    both = jm.Protocol([jm.Step(1.0, {"a": 4.0}, 2.0), jm.Step(3.0, {"a": 8.0})])
    assert both.ends == [1.0, 3.0, inf]
    assert both.values("a", 2.0) == ([2.0, 2.0, 8.0], [2.0, 4.0, 8.0])


def test_ramps_may_join():
    both = jm.Protocol([jm.Step(0.0, {"a": 4.0}, 2.0), jm.Step(2.0, {"a": 0.0}, 4.0)])
    assert both.ends == [2.0, 6.0, inf]
    assert both.values("a", 2.0) == ([2.0, 4.0, 0.0], [4.0, 0.0, 0.0])


def test_an_unknown_parameter_is_named_with_the_nearest():
    protocol = jm.Protocol([jm.Step(3.0, {"nka.g": 0.0})])
    with pytest.raises(UnknownName) as told:
        protocol.check(DECLARED)
    assert str(told.value).startswith("unknown parameter in the step at 3 s: 'nka.g'; did you mean")
    assert "nka.j" in str(told.value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (-1.0, "nka.j must be a finite number, zero or more, not -1 amol/um"),
        (nan, "nka.j must be a finite number, zero or more, not nan"),
        ("0", "nka.j must be a real number in amol/um.2/s, not '0'"),
        (None, "nka.j must be a real number in amol/um.2/s, not None"),
        ([1.0, "x"], "nka.j must be a real number in amol/um.2/s, not an array"),
    ],
)
def test_a_value_outside_its_domain_is_refused_with_its_time(value, said):
    with pytest.raises(ValueError, match=f"in the step at 3 s, parameter {said}"):
        jm.Protocol([jm.Step(3.0, {"nka.j": value})]).check(DECLARED)


def test_a_protocol_of_nothing_is_one_endless_piece():
    nothing = jm.Protocol()
    assert nothing.ends == [inf] and nothing.names == () and nothing.steps == ()
    assert nothing.values("a", 5.0) == ([5.0], [5.0])
    nothing.check({})


def test_a_jump_at_the_start_makes_no_piece_of_its_own():
    jump = jm.Protocol([jm.Step(0.0, {"a": 1.0})])
    assert jump.ends == [inf]
    assert jump.values("a", 5.0) == ([1.0], [1.0])


def test_a_ramp_from_the_start():
    ramp = jm.Protocol([jm.Step(0.0, {"a": 1.0}, over=10.0)])
    assert ramp.ends == [10.0, inf]
    assert ramp.values("a", 5.0) == ([5.0, 1.0], [1.0, 1.0])


def test_a_pulse_goes_and_comes_back():
    pulse = jm.Protocol.pulse("bath.K", 12.0, at=60.0, lasting=30.0, back=3.5)
    assert pulse.ends == [60.0, 90.0, inf]
    assert pulse.values("bath.K", 3.5) == ([3.5, 12.0, 3.5], [3.5, 12.0, 3.5])
    with pytest.raises(ValueError, match="two steps at once"):
        jm.Protocol.pulse("bath.K", 12.0, at=60.0, lasting=0.0, back=3.5)


# A jump of one parameter within the ramp of another, and a step that changes both.
MIXED = jm.Protocol(
    [
        jm.Step(9.0, {"a": 0.0, "b": 1.0}),
        jm.Step(2.0, {"a": 10.0}, over=4.0),
        jm.Step(3.0, {"b": -1.0}),
    ]
)


def test_steps_are_in_order_of_time():
    assert [step.at for step in MIXED.steps] == [2.0, 3.0, 9.0]
    assert MIXED.names == ("a", "b")
    assert MIXED.ends == [2.0, 3.0, 6.0, 9.0, inf]


def test_a_ramp_goes_on_through_the_steps_of_others():
    first, last = MIXED.values("a", 2.0)
    assert first == [2.0, 2.0, 4.0, 10.0, 0.0] and last == [2.0, 4.0, 10.0, 10.0, 0.0]
    assert MIXED.values("b", 7.0) == ([7.0, 7.0, -1.0, -1.0, 1.0], [7.0, 7.0, -1.0, -1.0, 1.0])


def test_values_between_are_those_of_interpolation():
    t = np.array([0.0, 1.0, 2.0, 2.5, 3.0, 4.0, 5.9, 6.0, 8.0, 8.999])
    expected = np.interp(t, [2.0, 6.0], [2.0, 10.0])
    assert_allclose([at(MIXED, "a", 2.0, x) for x in t], expected, rtol=1e-14)
    assert at(MIXED, "a", 2.0, 9.0) == 0.0


def test_pieces_hold_batches():
    target, initial = np.array([1.0, 2.0]), np.array([[3.0], [4.0], [5.0]])
    ramp = jm.Protocol([jm.Step(1.0, {"a": target}, 2.0), jm.Step(2.0, {"b": 0.0})])
    first, last = ramp.values("a", initial)
    middle = 0.5 * (initial + target)
    for found, expected in zip(first, (initial, initial, middle, target), strict=True):
        assert_allclose(found, expected)
    for found, expected in zip(last, (initial, middle, target, target), strict=True):
        assert_allclose(found, expected)


def test_sums_join_the_steps_of_both():
    one, other = jm.Protocol([jm.Step(5.0, {"a": 1.0})]), jm.Protocol([jm.Step(1.0, {"b": 2.0})])
    assert one + other == other + one == jm.Protocol([*one.steps, *other.steps])
    assert (one + jm.Protocol()) == one
    with pytest.raises(TypeError):
        one + {"a": 1.0}


def test_a_value_may_be_told_from_the_initial_one():
    ramp = jm.Protocol(
        [jm.Step(1.0, {"a": Initial(0.5)}, 2.0), jm.Step(5.0, {"a": Initial(plus=-1.0)})]
    )
    for initial in (8.0, np.array([8.0, 2.0])):
        first, last = ramp.values("a", initial)
        assert_allclose(first, [initial, initial, 0.5 * initial, initial - 1.0])
        assert_allclose(last, [initial, 0.5 * initial, 0.5 * initial, initial - 1.0])
    assert ramp.final({"a": 8.0, "b": 1.0}) == {"a": 7.0, "b": 1.0}


def test_a_pulse_goes_back_to_what_each_lane_had():
    pulse = jm.Protocol.pulse("a", 12.0, at=60.0, lasting=30.0)
    initial = np.array([3.5, 5.0])
    before, during, after = pulse.values("a", initial)[0]
    assert during == 12.0
    assert_allclose([before, after], [initial, initial])


def test_initial_values_have_the_shape_of_a_batch():
    assert Initial().shape == () and Initial([0.5, 1.0]).shape == (2,)
    assert Initial(np.ones((3, 1)), plus=[1.0, 2.0]).shape == (3, 2)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Initial(-1.0), "nka.j must be a finite number, zero or more, not -103"),
        (Initial(plus=nan), "nka.j must be a finite number, zero or more, not nan"),
    ],
)
def test_a_value_told_from_the_nominal_one_must_lie_in_the_domain(value, said):
    with pytest.raises(ValueError, match=f"in the step at 3 s, parameter {said}"):
        jm.Protocol([jm.Step(3.0, {"nka.j": value})]).check(DECLARED)


def test_the_end_of_a_protocol_is_what_its_last_steps_leave():
    params = {"a": 1.0, "b": 2.0, "c": 3.0}
    assert MIXED.final(params) == {"a": 0.0, "b": 1.0, "c": 3.0}
    assert Protocol().final(params) == params
