"""Where functions that compute a claim are found by its id."""

from collections.abc import Callable
from typing import Any

Compute = Callable[[], dict[str, Any]]
"""What a claim is about, computed: names of quantities to numbers, units as in the table."""

CLAIMS: dict[str, Compute] = {}


def claim(id: str) -> Callable[[Compute], Compute]:
    """Register the function that computes the claim of a row."""

    def register(compute: Compute) -> Compute:
        if id in CLAIMS:
            raise ValueError(f"claim {id} is computed twice")
        CLAIMS[id] = compute
        return compute

    return register
