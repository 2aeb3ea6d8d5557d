"""Chloride: a ramp of KCC2, the switch of WNK and SPAK, and what GABA does then.

    python experiments/chloride/run.py [--out DIR] [--rows N]

Three parts, all with one neuron: the published one with an NKCC1 and GABA-A receptors that are
silent until they are asked for. A published ramp of KCC2 (kcc2_ramp.png); chloride of a population
whose kinases WNK and SPAK slow KCC2 and speed NKCC1, at rest and in time (wnk_switch.png); and
GABA-A receptors that open for five seconds, which hyperpolarise a mature cell and depolarise an
immature one (gaba_response.png). results.md holds the numbers beside published ones.
"""

import argparse
import sys
import time
from pathlib import Path

import gaba_response
import kcc2_ramp
import wnk_switch

import jaxmembrane as jm

HERE = Path(__file__).resolve().parent
ROWS, LEAST = 4000, 64


def run(out: Path, rows: int) -> None:
    """Compute, tell, draw."""
    if rows < LEAST:
        raise ValueError(f"--rows must be at least {LEAST} for quantiles to mean much, not {rows}")
    jm.configure()
    out.mkdir(parents=True, exist_ok=True)
    lines, pictures = ["# Chloride", ""], []
    for part, compute in (
        (kcc2_ramp, kcc2_ramp.follow),
        (wnk_switch, lambda: wnk_switch.sweep(rows)),
        (gaba_response, lambda: gaba_response.follow(rows)),
    ):
        begun = time.perf_counter()
        found = compute()
        took = f"Computed in {time.perf_counter() - begun:.0f} s, with compilation."
        lines += [*part.report(found), "", took, ""]
        pictures.append(out / f"{part.__name__}.png")
        part.draw(found, pictures[-1])
        print(f"written: {pictures[-1]}")
    text = "\n".join(lines)
    (out / "results.md").write_text(text)
    print(text)
    print(f"written: {out / 'results.md'}")


def main() -> None:
    """Read the arguments; a user's mistake is one line."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE / "out", help="folder for the results")
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of each sweep (4,000)")
    arguments = parser.parse_args()
    try:
        run(arguments.out, arguments.rows)
    except (OSError, ValueError) as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
