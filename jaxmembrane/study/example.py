"""What study files look like, as `jaxmembrane sweep --help` and the like show them."""

SWEEP = """\b
A study file:
  [cell]
  zoo = "neuron"                    # or build = "module:function", which returns a jm.Cell
  parameters = {bath.Na = 140.0, membrane.C_m = "1 uF/cm2"}  # package units, or with a unit
  [space]
  nka.j = {loguniform = [30, 300]}  # uniform, loguniform, normal, lognormal, choice, grid
  "leak_Na.g, leak_Cl.g" = {uniform = ["0.01 mS/cm2", "0.03 mS/cm2"]}  # one number for both
  derive = {bath.Cl = "bath.Na + bath.K - 29.5"}
  where = ["nka.j < 2000 * leak_Na.g"]
  [design]                          # or table = "rows.csv" alone, and no [space]
  kind = "sobol"                    # random, latin; grid, with points = 5; saltelli, morris
  rows = 100_000
  seed = 1
  [outputs]                         # may be left out: names = ["V"], precision, chunk
  [protocol]                        # for time courses instead of rests
  times = {to = "2 h", points = 61}  # or a list: [0, 60, "1 h"]
  [[protocol.interventions]]        # any of jm.interventions, with its arguments
  name = "ouabain"
  dose = "1 mM"
  lasting = "30 min"
  [[protocol.steps]]
  at = "1 h"
  change = {bath.K = 8.0}
"""

SENSITIVITY = """\b
A study file:
  [cell]
  zoo = "neuron"                    # or build, and parameters, as for a sweep
  [space]
  nka.j = {loguniform = [30, 300]}  # as for a sweep
  leak_Na.g = {loguniform = [0.1, 0.3]}
  leak_Cl.g = {loguniform = [0.1, 0.3]}
  [design]
  kind = "saltelli"                 # Sobol indices; best a power of two of blocks
  blocks = 1024                     # of rows: axes or groups + 2, of second order twice as many
  seed = 1
  second_order = true               # may be left out: pairs of parameters as well
  groups = {leaks = ["leak_Na.g", "leak_Cl.g"]}  # may be left out: what moves as one
  # kind = "morris"                 # elementary effects: blocks, seed, levels = 4, groups
  # kind = "sobol"                  # derivatives of every row: rows, seed; random, latin
  [sensitivity]                     # may be left out: confidence, seed, resamples of the
  resamples = 200                   # bootstrap; parameters = ["nka.j"] of derivatives
  [outputs]                         # may be left out: precision, chunk
  names = ["V", "volume"]
"""

FIT = """\b
A study file:
  [cell]
  zoo = "neuron"                    # or build, and parameters, as for a sweep
  [free]                            # bounds: uniform, loguniform; priors: normal, lognormal
  leak_K.g = {loguniform = ["0.01 mS/cm2", "1 mS/cm2"]}
  nka.j = {lognormal = [100, 1.0]}
  [targets]                         # columns of the data; sd: a number, a share or a column
  V_rest = {target = "V", unit = "mV", sd = 1.0}
  Na_in = {target = "c.Na", unit = "mM", sd = "10 %"}
  [data]                            # what the other columns are; `bath.K (mM)` says it itself
  columns = {cell_id = "cell", K_out = "bath.K (mM)"}
  labels = ["family"]               # may be left out
  [fit]                             # may be left out: starts, seed, level, turns,
  starts = 16                       # method = "lm" or "adam", shared = ["nka.j"]
  [protocol]                        # for courses, at the times of the data's column time (s)
  [[protocol.interventions]]
  name = "pump_block"
"""
