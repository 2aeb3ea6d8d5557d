"""Recorded ion substitutions: what each resolves, and where one fixed permeability ratio fails.

    python experiments/recorded_substitutions/run.py [--out DIR] [--rows N]

Published potentials of three preparations are fitted: Ehrlich ascites tumour cells in K, Na, Cl and
Ba; canine Purkinje fibres and barley roots in several K. Each is fitted with growing sets of its
data, all in one call, and a sample of the parameters that the data leave says how much each datum
resolved; `--rows` is the size of those samples. README.md tells what was assumed.

fits.png: data, fits and 95 % bands. resolved.png: what is left of each parameter. one_ratio.png:
what the data ask for where one ratio fails. results.md: all of it in numbers.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from pictures import Outcome, draw_fits, draw_ratios, draw_resolved
from preparations import barley, ehrlich, purkinje
from report import report, slopes
from told import KEPT, bands, fitted

import jaxmembrane as jm

HERE = Path(__file__).resolve().parent
ROWS, LEAST = 1000, 32 * len(KEPT)
POINTS = 30
REACH = {"Purkinje": (1.0, 20.0), "barley": (0.08, 50.0)}
"""K outside over which curves are drawn, mM."""


def outcome_of(preparation, rows: int) -> Outcome:
    """Fit a preparation, and see what the data leave."""
    begun = time.perf_counter()
    fits = fitted(preparation)
    low, high = REACH.get(preparation.key, (1.0, 1.0))
    K_o = np.geomspace(low, high, POINTS) if high > low else np.empty(0)
    scale = preparation.given.get("activity coefficient", 1.0)
    walked = [name for name in preparation.fits if not name.startswith("the same")]
    left = bands(preparation, fits.sel(cell=walked), rows, scale * K_o)
    print(f"{preparation.title}: {time.perf_counter() - begun:.1f} s")
    return Outcome(preparation, fits, left, K_o)


def run(out: Path, rows: int) -> None:
    """Fit, tell, draw."""
    if rows < LEAST:
        raise ValueError(f"--rows must be at least {LEAST} for quantiles to mean much, not {rows}")
    jm.configure()
    out.mkdir(parents=True, exist_ok=True)
    outcomes = [outcome_of(make(), rows) for make in (ehrlich, purkinje, barley)]
    text = report(outcomes, rows)
    (out / "results.md").write_text(text, encoding="utf-8")
    print(text)
    draw_fits(outcomes, out / "fits.png")
    draw_resolved(outcomes, out / "resolved.png")
    draw_ratios(outcomes, slopes(outcomes[2].preparation), out / "one_ratio.png")
    for name in ("results.md", "fits.png", "resolved.png", "one_ratio.png"):
        print(f"written: {out / name}")


def main() -> None:
    """Read the arguments; a user's mistake is one line."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE / "out", help="folder for the results")
    parser.add_argument("--rows", type=int, default=ROWS, help="draws for each band (1,000)")
    arguments = parser.parse_args()
    try:
        run(arguments.out, arguments.rows)
    except (OSError, ValueError) as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
