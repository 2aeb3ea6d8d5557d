"""Names that users type, and what to say when one is wrong."""

import difflib
import re
from collections.abc import Iterable


def check_name(name: str, what: str) -> None:
    """Refuse a name that could not be an owner or a parameter in ``owner.name``."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise ValueError(
            f"the name of {what} must be letters, digits and underscores, starting with a letter, "
            f"not {name!r}"
        )


def unknown(kind: str, name: object, known: Iterable[str]) -> str:
    """One sentence for a name that does not exist, with the nearest that does."""
    known = sorted(known)
    # Users forget the owner more often than they misspell it: g for leak_K.g, K for bath.K.
    near = [k for k in known if k.lower() == str(name).lower()]
    near = near or [k for k in known if str(name) in (k.rpartition(".")[2], k.partition(".")[0])]
    near = near or difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
    if near:
        return f"unknown {kind} {name!r}; did you mean {' or '.join(near[:3])}?"
    shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    return f"unknown {kind} {name!r}; there are {shown or 'none'}"


class UnknownName(KeyError):
    """A name that does not exist; its message is a whole sentence."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would print the sentence in quotes
