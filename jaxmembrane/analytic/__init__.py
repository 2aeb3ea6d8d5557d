"""Closed forms: useful by themselves, starting points for the solver, oracles for the tests.

Potentials in mV, concentrations in mM, currents in fA/um^2, conductances in pS/um^2, permeabilities
in any one unit (only ratios count), pressures in Pa, areas in um^2, volumes in um^3, temperature in
K. Every argument may be an array.
"""

from .coupling import accumulation_limit as accumulation_limit
from .coupling import flux_ratio as flux_ratio
from .coupling import proton_motive_force as proton_motive_force
from .coupling import voltage_ratio as voltage_ratio
from .osmosis import hydraulic_conductivity as hydraulic_conductivity
from .osmosis import turgor as turgor
from .osmosis import water_flow as water_flow
from .osmosis import water_permeability as water_permeability
from .potentials import chord_potential as chord_potential
from .potentials import donnan as donnan
from .potentials import ghk_potential as ghk_potential
from .potentials import mullins_noda as mullins_noda
from .potentials import nernst as nernst
from .potentials import osmotic_pressure as osmotic_pressure
from .potentials import thermal_voltage as thermal_voltage
from .pump_leak import calibrate as calibrate
from .pump_leak import driving_forces as driving_forces
from .pump_leak import osmotic_balance as osmotic_balance
from .pump_leak import pump_leak as pump_leak
from .pump_leak import pump_range as pump_range
