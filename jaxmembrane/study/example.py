"""What a study file looks like, as `jaxmembrane sweep --help` shows it."""

EXAMPLE = """\b
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
  kind = "sobol"                    # random, latin; or grid, which has points = 5
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
