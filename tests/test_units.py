import doctest
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxmembrane import units
from jaxmembrane.units import BASE, convert, exponents, parse, quantity

PACKAGE_UNITS = {
    "um": (1, 0, 0, 0, 0, 0),
    "s": (0, 1, 0, 0, 0, 0),
    "amol": (0, 0, 1, 0, 0, 0),
    "mV": (0, 0, 0, 1, 0, 0),
    "fC": (0, 0, 0, 0, 1, 0),
    "K": (0, 0, 0, 0, 0, 1),
    "1": (0, 0, 0, 0, 0, 0),
    "mM": (-3, 0, 1, 0, 0, 0),
    "fL": (3, 0, 0, 0, 0, 0),
    "fA": (0, -1, 0, 0, 1, 0),
    "pF": (0, 0, 0, -1, 1, 0),
    "pS": (0, -1, 0, -1, 1, 0),
    "J/mol": (0, 0, -1, 1, 1, 0),
    "J/(mol K)": (0, 0, -1, 1, 1, -1),
    "um/s": (1, -1, 0, 0, 0, 0),
    "um/s/mM": (4, -1, -1, 0, 0, 0),
    "pS/um^2": (-2, -1, 0, -1, 1, 0),
    "amol/um^2/s": (-2, -1, 1, 0, 0, 0),
    "fA/um^2": (-2, -1, 0, 0, 1, 0),
    "pF/um^2": (-2, 0, 0, -1, 1, 0),
    "1/s": (0, -1, 0, 0, 0, 0),
    "Pa": (-3, 0, 0, 1, 1, 0),
}


@pytest.mark.parametrize("unit", PACKAGE_UNITS)
def test_package_units_have_a_factor_of_exactly_one(unit):
    assert parse(unit) == (1.0, PACKAGE_UNITS[unit])
    assert exponents(unit) == PACKAGE_UNITS[unit]


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (1e-6, "cm/s", "um/s", 0.01),
        (1.0, "mS/cm2", "pS/um^2", 10.0),
        (20.0, "uS/cm^2", "pS/um^2", 0.2),
        (1.0, "S m^-2", "pS/um^2", 1.0),
        (1.0, "uF/cm2", "pF/um^2", 0.01),
        (1.0, "umol/m^2/s", "amol/um^2/s", 1.0),
        (1.0, "mol m-2 s-1", "amol/um^2/s", 1e6),
        (1.0, "pmol/cm^2/s", "amol/um^2/s", 0.01),
        (1.0, "pL", "um^3", 1000.0),
        (1.0, "ml", "cm^3", 1.0),
        (2.0, "M", "mol/L", 2.0),
        (1.0, "kcal/mol", "J/mol", 4184.0),
        (1.0, "MΩ", "mV/fA", 1e-6),
        (1.0, "Gohm", "mV/pA", 1.0),
        (1.0, "atm", "Pa", 101325.0),
        (1.0, "bar", "mbar", 1000.0),
        (1.0, "nA", "pA", 1000.0),
        (90.0, "min", "h", 1.5),
        (1.0, "kHz", "1/ms", 1.0),
        (310.0, "K", "mK", 310000.0),
        (1.0, "C", "A s", 1.0),
        (1.0, "J", "C V", 1.0),
        (1.0, "F", "C/V", 1.0),
        (1.0, "S", "ohm^-1", 1.0),
        (3, "s", "ms", 3000.0),
    ],
)
def test_convert_known_values(value, source, target, expected):
    assert convert(value, source, target) == expected


@pytest.mark.parametrize(
    "spelling",
    "um^2/s|um**2/s|um2/s|um2 s-1|µm^2.s^-1|μm²·s⁻¹| um2*s-1 |um um/s|um/s um|1 um2/s"
    "|(um^2)/(s)|um/(s/um)|(um^-2 s)^-1|1/(s um-2)".split("|"),
)
def test_spellings_of_one_unit(spelling):
    assert parse(spelling) == (1.0, (2, -1, 0, 0, 0, 0))


def test_no_symbol_can_be_read_in_two_ways():
    combined = [p + s for p, s in itertools.product(units._PREFIXES, units._PREFIXED)]
    named = ["min", "h", "atm", "mmHg"]
    assert len(set(combined + named)) == len(combined) + len(named) == len(units._SYMBOLS)


def test_convert_keeps_arrays_and_their_precision():
    array = np.array([[1.0, 2.0]], np.float32)
    converted = convert(array, "mS/cm^2", "pS/um^2")
    assert converted.dtype == np.float32
    np.testing.assert_array_equal(converted, [[10.0, 20.0]])
    np.testing.assert_array_equal(convert([1, 2], "s", "ms"), [1000.0, 2000.0])


symbols = st.sampled_from(sorted(units._SYMBOLS))
terms = st.lists(st.tuples(symbols, st.integers(-3, 3).filter(bool)), min_size=1, max_size=3)


@given(terms, st.sampled_from([" ", "*", "."]), st.sampled_from(["^", "**", ""]))
def test_a_product_has_the_product_of_the_factors(parts, times, power):
    factor, powers = parse(times.join(f"{symbol}{power}{k}" for symbol, k in parts))
    logs = [k * math.log(parse(symbol)[0]) for symbol, k in parts]
    assert math.log(factor) == pytest.approx(math.fsum(logs), abs=1e-9)
    expected = np.sum([k * np.array(exponents(symbol)) for symbol, k in parts], axis=0)
    assert powers == tuple(expected)


@given(
    st.floats(1e-9, 1e9),
    st.sampled_from(["", "n", "u", "m", "k"]),
    st.sampled_from(["", "n", "u", "m", "k"]),
    st.sampled_from(["S/cm^2", "mol/m^2/s", "m/s", "M", "V", "J/mol"]),
)
def test_round_trips(value, prefix, other, unit):
    there = convert(value, prefix + unit, other + unit)
    assert convert(there, other + unit, prefix + unit) == pytest.approx(value, rel=4e-16)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (3.5, 3.5),
        (3, 3.0),
        (np.float64(2.0), 2.0),
        ("3.5", 3.5),
        (" -.5e1 ", -5.0),
        ("2 mS/cm2", 20.0),
        ("2mS/cm2", 20.0),
        ("20 uS/cm^2", 0.2),
        ("1e-3 S/cm^2", 10.0),
    ],
)
def test_quantity(entry, expected):
    assert quantity(entry, "pS/um^2", "[cell] leak_K.g") == expected
    assert type(quantity(entry, "pS/um^2", "[cell] leak_K.g")) is float


BAD_UNITS = {
    "mv": "unknown unit 'mv' (did you mean 'mV'?)",
    "um/sec": "unit 'um/sec': unknown unit 'sec' (did you mean 's'?)",
    "mols": "did you mean 'mol",
    "litre": "did you mean 'L'?",
    "xyzzy": "known are m, s, mol",
    "degC": "has an offset; write temperatures in K",
    "°C": "has an offset; write temperatures in K",
    "10 um": "has the number '10' in it; write the number before the unit",
    "1e-6 cm/s": "has the number '1e-6' in it",
    "um^0.5": "between 1 and 12",
    "um^400": "the power 400 is not between 1 and 12",
    "um//s": "nothing stands before '/'",
    "/s": "nothing stands before '/'",
    "um/": "something is missing",
    "(um": "something is missing",
    "()": "nothing stands before ')'",
    "um)": "nothing stands before ')'",
    "um^": "'^' has no meaning",
    "L_w": "'_' has no meaning",
    "": "write '1' for a number without a unit",
    "  ": "write '1' for a number without a unit",
    "Tm12 Tm12 Tm12 Tm12": "too large or too small for a float64",
}


@pytest.mark.parametrize("unit", BAD_UNITS)
def test_bad_units_are_refused_by_name(unit):
    with pytest.raises(ValueError) as caught:
        parse(unit)
    assert BAD_UNITS[unit] in str(caught.value)


@pytest.mark.parametrize("unit", [None, 3.0, ["um"], b"um"])
def test_a_unit_is_text(unit):
    with pytest.raises(TypeError, match="a unit is a text such as 'pS/um\\^2', but got"):
        exponents(unit)


def test_a_difference_in_dimension_names_both_units():
    with pytest.raises(ValueError) as caught:
        convert(1.0, "mS/cm^2", "um/s")
    assert str(caught.value) == (
        "cannot convert 'mS/cm^2' to 'um/s': the first is [um^-2 s^-1 mV^-1 fC]"
        " and the second [um s^-1]"
    )
    with pytest.raises(ValueError, match="the second a pure number"):
        convert(1.0, "mM", "1")


@pytest.mark.parametrize("value", ["1.0", None, True, ["a"], np.array([True])])
def test_convert_needs_numbers(value):
    with pytest.raises(TypeError, match="needs a number or an array of numbers"):
        convert(value, "s", "ms")


BAD_QUANTITIES = [
    ("2 mS", "'2 mS': cannot convert 'mS' to 'pS/um^2'"),
    ("2 mv", "did you mean 'mV'?"),
    ("3,5", "does not begin with a number"),
    ("1_000", "does not begin with a number"),
    ("1.2.3", "does not begin with a number"),
    ("two", "does not begin with a number"),
    ("", "does not begin with a number"),
    ("nan", "does not begin with a number"),
    ("1e999", "is not a finite number"),
    (math.inf, "is not a finite number"),
    (math.nan, "is not a finite number"),
    (True, "is not a quantity"),
    (None, "is not a quantity"),
    ([2.0], "is not a quantity"),
]


@pytest.mark.parametrize(("entry", "message"), BAD_QUANTITIES)
def test_bad_quantities_say_where_what_and_what_would_be_right(entry, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        quantity(entry, "pS/um^2", "study.toml, line 3, leak_K.g")
    text = str(caught.value)
    assert text.startswith("study.toml, line 3, leak_K.g: ")
    assert message in text
    assert text.endswith("write a number in pS/um^2 or a text such as '1.5 pS/um^2'")


def test_base_units_are_the_ones_of_the_package():
    for place, base in enumerate(BASE):
        assert exponents(base)[place] == 1


def test_examples_in_docstrings():
    assert doctest.testmod(units).failed == 0
