import math

import numpy as np
import pandas as pd
import pytest

from jaxmembrane.distributions import Choice, Grid, LogNormal, LogUniform, Normal, Uniform
from jaxmembrane.space import Space, table

K = {"bath.K": Uniform(2.0, 12.0)}
DEEP = "-" * 5000 + "a"

BAD = {
    "empty space": (lambda: Space({}), "a space needs axes, such as Space({'bath.K'"),
    "no mapping": (lambda: Space([("a", 1)]), "a space needs axes"),
    "pair of numbers": (lambda: Space({"bath.K": (2, 12)}), "write Uniform(2, 12)"),
    "number": (lambda: Space({"bath.K": 3.5}), "axis 'bath.K': 3.5 is not a distribution"),
    "class": (lambda: Space({"a": Uniform}), "is not a distribution; write for example Uniform("),
    "twice, linked": (lambda: Space({"a": Grid([1]), ("b", "a"): Grid([1])}), "'a' stands in two"),
    "twice in a link": (lambda: Space({("a", "a"): Grid([1])}), "'a' stands in two axes"),
    "swept, derived": (lambda: Space(K, derive={"bath.K": "1"}), "both swept and derived"),
    "slash": (lambda: Space({"bath/K": Grid([1])}), "'bath/K' is not the name of a parameter"),
    "name, blank": (lambda: Space({"": Grid([1])}), "'' is not the name of a parameter"),
    "name, number": (lambda: Space({1: Grid([1])}), "1 is not the name of a parameter"),
    "derived name": (lambda: Space(K, derive={"a b": "1"}), "'a b' is not the name"),
    "derive no mapping": (lambda: Space(K, derive="a = 1"), "derive must be a mapping"),
    "circle": (
        lambda: Space(K, derive={"z": "a", "a": "b + 1", "b": "c", "c": "a"}),
        "derived parameters form a circle: 'a' reads 'b' reads 'c' reads 'a'",
    ),
    "itself": (lambda: Space(K, derive={"a": "a + 1"}), "form a circle: 'a' reads 'a'"),
    "syntax": (
        lambda: Space(K, derive={"a": "bath.K +"}),
        "derive['a']: 'bath.K +' cannot be read",
    ),
    "assignment": (
        lambda: Space(K, where="bath.K = 3"),
        "cannot be read (invalid syntax); a condition compares numbers with < <= > >= ==",
    ),
    "caret": (lambda: Space(K, derive={"a": "bath.K ^ 2"}), "write ** for a power"),
    "ampersand": (lambda: Space(K, where="(bath.K < 3) & (T > 1)"), "not allowed; write 'and'"),
    "tilde": (lambda: Space(K, where="~(bath.K < 3)"), "not allowed; write 'not'"),
    "modulo": (lambda: Space(K, derive={"a": "bath.K % 2"}), "'bath.K % 2' is not allowed"),
    "function": (lambda: Space(K, derive={"a": "log10(bath.K)"}), "did you mean log"),
    "import": (lambda: Space(K, derive={"a": "__import__('os')"}), "unknown function '__import__'"),
    "method": (lambda: Space(K, derive={"a": "bath.K.mean()"}), "unknown function 'bath.K.mean'"),
    "call of call": (lambda: Space(K, derive={"a": "exp(1)(2)"}), "unknown function 'exp(1)'"),
    "subscript": (lambda: Space(K, derive={"a": "bath[0]"}), "'bath[0]' is not allowed"),
    "attribute": (lambda: Space(K, derive={"a": "(1).real"}), "'1 .real' is not allowed"),
    "lambda": (lambda: Space(K, derive={"a": "lambda: 1"}), "'lambda: 1' is not allowed"),
    "text": (lambda: Space(K, derive={"a": "'x'"}), "is not allowed; allowed are numbers"),
    "True": (lambda: Space(K, derive={"a": "True"}), "'True' is not allowed"),
    "arguments": (lambda: Space(K, derive={"a": "exp(1, 2)"}), "exp takes one argument"),
    "keywords": (lambda: Space(K, derive={"a": "exp(1, out=2)"}), "exp takes one argument"),
    "one in min": (lambda: Space(K, derive={"a": "min(1)"}), "min takes two or more"),
    "star": (lambda: Space(K, derive={"a": "min(*b, 1)"}), "is not allowed"),
    "condition": (lambda: Space(K, derive={"a": "T > 1"}), "is a condition, but a number is"),
    "number as where": (lambda: Space(K, where="bath.K"), "'bath.K' is not a condition; a cond"),
    "in": (lambda: Space(K, where="bath.K in T"), "'bath.K in T' is not a condition"),
    "huge": (lambda: Space(K, derive={"a": "1e999"}), "too large for a float64"),
    "huge integer": (lambda: Space(K, derive={"a": "1" + "0" * 400}), "too large for a float64"),
    "complex": (lambda: Space(K, derive={"a": "2j"}), "'2j' is not allowed"),
    "deep": (lambda: Space(K, derive={"a": DEEP}), "derive['a']: '-----"),
    "long": (lambda: Space(K, derive={"a": "+".join("a" * 900)}), "nested more than 200 deep"),
    "rule": (lambda: Space(K, derive={"a": 3.0}), "3.0 is neither a text nor a plain function"),
    "ufunc": (lambda: Space(K, where=[np.exp]), "where[0]: <ufunc 'exp'> is neither a text"),
    "n float": (
        lambda: Space(K).sobol(1e5),
        "n must be a whole number, 1 or more, but got 100000.0; write 100000",
    ),
    "n zero": (lambda: Space(K).random(0), "n must be a whole number, 1 or more, but got 0"),
    "n bool": (lambda: Space(K).latin(True), "n must be a whole number, 1 or more, but got True"),
    "n text": (lambda: Space(K).sobol("10"), "but got '10'"),
    "n huge": (lambda: Space(K).sobol(2**32 + 1), "2^32 rows"),
    "seed": (lambda: Space(K).sobol(4, seed=-1), "seed must be a whole number, 0 or more"),
    "seed None": (lambda: Space(K).random(4, seed=None), "seed must be a whole number"),
    "dimensions": (
        lambda: Space({f"p{k}": Uniform(0, 1) for k in range(21202)}).sobol(4),
        "up to 21201 axes and 2^32 rows, not 21202 and 4; take random() instead",
    ),
    "grid, no n": (lambda: Space(K).grid(), "axis 'bath.K' has no points: give their number by n"),
    "grid, one": (lambda: Space(K).grid(1), "n must be a whole number, 2 or more"),
    "grid, normal": (lambda: Space({"a": Normal(0, 1)}).grid(3), "for a grid take Grid, Choice"),
    "grid, name": (
        lambda: Space(K).grid({"bath.k": 3}),
        "unknown axis 'bath.k'; did you mean bath.K",
    ),
    "grid, own": (lambda: Space({"a": Grid([1])}).grid({"a": 3}), "n['a']: a Grid axis takes no n"),
    "grid, size": (lambda: Space(K).grid({"bath.K": 2.5}), "n['bath.K'] must be a whole number"),
    "grid, huge": (
        lambda: Space({f"p{k}": Uniform(0, 1) for k in range(54)}).grid(2),
        "this grid would have 1.8e+16 rows",
    ),
    "rows beyond": (lambda: Space(K).sobol(10).rows(0, 11), "rows 0 to 11 are not within the 10"),
    "rows below": (lambda: Space(K).sobol(10).rows(-1, 5), "rows -1 to 5 are not within the 10"),
    "rows back": (lambda: Space(K).sobol(10).rows(5, 4), "rows 5 to 4 are not within the 10"),
    "misspelt": (
        lambda: (
            Space(K, derive={"bath.Cl": "bath.Na + bath.k"}).sobol(4).rows(0, 4, {"bath.Na": 1})
        ),
        "unknown parameter in derive['bath.Cl'], neither fixed nor swept nor derived before,"
        " 'bath.k'; did you mean bath.K",
    ),
    "misspelt in where": (lambda: Space(K, where="bath.Q < 3").sobol(4).rows(0, 4), "in where[0]"),
    "misspelt in a function": (
        lambda: Space(K, where=lambda p: p["bath.L"] < 3).sobol(4).rows(0, 4),
        "unknown parameter in a function",
    ),
    "shape": (
        lambda: Space(K, derive={"a": lambda p: p["bath.K"][:3]}).sobol(9).rows(0, 9),
        "derive['a'] must give one number for each of 64 rows, but gave an array of float64",
    ),
    "no truth": (
        lambda: Space(K, where=lambda p: p["bath.K"]).sobol(9).rows(0, 9),
        "where[0] must give one True or False for each",
    ),
    "nothing": (lambda: Space(K, derive={"a": lambda p: None}).sobol(9).rows(0, 9), "of object"),
    "inverted": (lambda: Uniform(3, 2), "Uniform(lower=3.0, upper=2.0): lower must be below upper"),
    "equal": (lambda: LogUniform(2, 2), "lower must be below upper"),
    "log of zero": (
        lambda: LogUniform(0, 2),
        "both bounds must be above zero; otherwise take Unif",
    ),
    "text bound": (lambda: Uniform("2", 3), "Uniform: lower must be a number in package units"),
    "bool bound": (lambda: Uniform(False, True), "lower must be a number"),
    "infinite": (lambda: Uniform(0, math.inf), "Uniform: upper must be finite, but got inf"),
    "nan": (lambda: Normal(math.nan, 1), "Normal: mean must be finite, but got nan"),
    "huge bound": (lambda: Uniform(0, 10**400), "upper must be finite"),
    "far bounds": (lambda: Uniform(-1.5e308, 1.5e308), "too far apart for a float64"),
    "sd": (lambda: Normal(0, 0), "Normal(mean=0.0, sd=0.0): sd must be above zero"),
    "sd tail": (lambda: Normal(0, 1e308), "sd is too large"),
    "median": (lambda: LogNormal(-1, 1), "median must be above zero"),
    "sigma": (lambda: LogNormal(1, -1), "sigma must be above zero"),
    "sigma tail": (lambda: LogNormal(1, 100), "sigma is too large"),
    "choice, empty": (
        lambda: Choice([]),
        "Choice: values must be a sequence of numbers, but got []",
    ),
    "choice, number": (lambda: Choice(3), "values must be a sequence of numbers, but got 3"),
    "choice, text": (lambda: Choice("123"), "values must be a sequence of numbers, but got '123'"),
    "choice, entry": (lambda: Choice([1, "b"]), "Choice: values[1] must be a number"),
    "grid, twice": (lambda: Grid([1, 2, 1.0]), "Grid: 1.0 stands twice in values"),
    "grid, nan": (lambda: Grid([1, math.nan]), "Grid: values[1] must be finite"),
    "table, text": (lambda: table({"a": [1.0, "x"]}), "column 'a', row 0: '1.0' is not a number"),
    "table, mixed": (lambda: table({"a": np.array([1, "x"], object)}), "column 'a', row 1: 'x' is"),
    "table, bool": (lambda: table({"a": [True, False]}), "column 'a', row 0: True is not a number"),
    "table, NA": (
        lambda: table(pd.DataFrame({"a": pd.array([1, None], dtype="Int64")})),
        "column 'a', row 1: ",
    ),
    "table, nan": (lambda: table({"a": [1.0, math.nan]}), "column 'a', row 1: nan is not a finite"),
    "table, lengths": (lambda: table({"a": [1.0], "b": [1.0, 2.0]}), "lengths {'a': 1, 'b': 2}"),
    "table, no columns": (lambda: table({}), "a table needs columns"),
    "table, a list": (lambda: table([1.0, 2.0]), "a table needs columns"),
    "table, no rows": (lambda: table({"a": []}), "a table needs at least one row"),
    "table, name": (lambda: table(pd.DataFrame([[1.0]])), "0 is not the name of a parameter"),
    "table, twice": (
        lambda: table(pd.DataFrame([[1.0, 2.0]], columns=["a", "a"])),
        "column 'a' stands twice in the table",
    ),
    "table, matrix": (lambda: table({"a": np.ones((2, 2))}), "must have one dimension, but has 2"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_one_sentence(case):
    call, message = BAD[case]
    with pytest.raises((ValueError, TypeError, KeyError, IndexError)) as caught:
        call()
    text = str(caught.value)
    assert message in text
    assert "\n" not in text
    if isinstance(caught.value, KeyError):
        assert text.startswith("unknown"), "a plain KeyError prints its sentence in quotes"
