"""Markdown of what the package knows: docstrings, sources, numbers, tables."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..kinetics.gating import Rate
from ..regulation import Regulated
from ..species import Species

_REGISTERS = {
    "doi:": "https://doi.org/",
    "PMID ": "https://pubmed.ncbi.nlm.nih.gov/",
    "PMC": "https://pmc.ncbi.nlm.nih.gov/articles/PMC",
}


def linked(text: str) -> str:
    """One line of Markdown, with links where papers are named.

    Examples
    --------
    >>> linked("Goldman 1943, doi:10.1085/jgp.27.1.37.")
    'Goldman 1943, [doi:10.1085/jgp.27.1.37](https://doi.org/10.1085/jgp.27.1.37).'
    """
    return re.sub(
        r"(doi:|PMID |PMC)(?=\d)[^\s,;]+", _link, " ".join(text.replace("``", "`").split())
    )


def _link(found: re.Match[str]) -> str:
    # Some DOIs hold parentheses, some stand in them.
    named = found[0].rstrip(".")
    named = named.removesuffix(")") if named.count(")") > named.count("(") else named
    number = named.removeprefix(found[1]).replace("(", "%28").replace(")", "%29")
    return f"[{named}]({_REGISTERS[found[1]]}{number}){found[0][len(named) :]}"


def paragraphs(documented: Any) -> list[str]:
    """What a docstring says before its first section, table or example."""
    if isinstance(documented, Regulated):
        law, factor = paragraphs(documented.law), paragraphs(documented.factor)
        times = factor[0][0].lower() + factor[0][1:]
        return [f"{law[0].removesuffix('.')}, times {times}", *law[1:], *factor[1:]]
    found = []
    for block in inspect.cleandoc(documented.__doc__).split("\n\n"):
        if re.search(r"^(---|===|>>>)", block, re.MULTILINE):
            break
        found.append(linked(block))
    return found


def options(function: Callable) -> Iterator[tuple[str, str, str]]:
    """Name, type and meaning of what a function takes beside law, name and nominal values."""
    documented = inspect.getdoc(function) or ""
    section = re.search(r"\nParameters\n-+\n(.*?)(?=\n\n\w+\n-+\n|\Z)", documented, re.DOTALL)
    for part in re.split(r"\n(?=\S)", section[1]) if section else ():
        head, _, body = part.partition("\n")
        name, _, kind = head.partition(" : ")
        if not {"law", "name", "**nominal"}.issuperset(name.split(", ")):
            yield name, kind, linked(body)


def number(x: float) -> str:
    """Five digits, without the padding of exponents.

    Examples
    --------
    >>> number(103.6426966), number(2.396e8), number(1e-6)
    ('103.64', '2.396e8', '1e-6')
    """
    return re.sub(r"e([+-])0*", lambda m: "e" + m[1].strip("+"), f"{x:.5g}")


def code(*texts: str) -> str:
    """Texts as code, with commas between them."""
    return ", ".join(f"`{text}`" for text in texts)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table, and an empty one before and after it."""
    yield ""
    for row in (head, ["---"] * len(head), *rows):
        cells = (cell.replace("|", "\\|") for cell in row)
        yield f"| {' | '.join(cells)} |"
    yield ""


def call(function: Callable, given: Mapping[str, Any]) -> str:
    """A call of one of the catalogue's functions."""
    return f"jm.{function.__name__}({given_as(given)})"


def given_as(given: Mapping[str, Any]) -> str:
    """Arguments as a call has them."""
    return ", ".join(f"{key}={value(x)}" for key, x in given.items())


def value(x: Any) -> str:
    """An argument as a user writes it.

    Examples
    --------
    >>> from jaxmembrane.species import Cl, K
    >>> value((K, Cl)), value("ghk")
    ('(jm.K, jm.Cl)', '"ghk"')
    """
    if isinstance(x, tuple) and x and all(isinstance(s, Species) for s in x):
        return f"({', '.join(map(value, x))})"
    if isinstance(x, Species):
        return f"jm.{x.name}"
    if isinstance(x, Rate):
        return f"jm.{x!r}"
    return f'"{x}"' if isinstance(x, str) else repr(x)
