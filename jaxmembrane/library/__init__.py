"""The catalogue: transporters by family, each a reaction, a law and its sources."""

from .build import Entry as Entry
from .channels import CHANNELS
from .channels import cation_channel as cation_channel
from .channels import channel as channel
from .channels import gaba_a as gaba_a
from .channels import gramicidin as gramicidin
from .channels import leak as leak
from .cotransport import COTRANSPORTERS
from .cotransport import kcc2 as kcc2
from .cotransport import nbc as nbc
from .cotransport import ncc as ncc
from .cotransport import nkcc1 as nkcc1
from .cotransport import sglt1 as sglt1
from .exchange import EXCHANGERS
from .exchange import ae as ae
from .exchange import na_h_antiporter as na_h_antiporter
from .exchange import ncx as ncx
from .exchange import nhe as nhe
from .gating import ExpLinearRate as ExpLinearRate
from .gating import ExponentialRate as ExponentialRate
from .gating import SigmoidRate as SigmoidRate
from .gating import boltzmann as boltzmann
from .gating import gate as gate
from .mitochondrial import MITOCHONDRIAL
from .mitochondrial import ant as ant
from .mitochondrial import nclx as nclx
from .primary import PRIMARY
from .primary import h_atpase as h_atpase
from .primary import light_pump as light_pump
from .primary import nadph_oxidase as nadph_oxidase
from .primary import pmca as pmca
from .primary import respiratory_chain as respiratory_chain
from .pumps import PUMPS
from .pumps import na_k_atpase as na_k_atpase
from .recording import RECORDING
from .recording import electrode as electrode
from .recording import pipette as pipette
from .regulation import atp_dependence as atp_dependence
from .regulation import inhibitor as inhibitor
from .regulation import ouabain as ouabain
from .regulation import phosphorylation as phosphorylation
from .regulation import wnk_spak as wnk_spak
from .water import WATER
from .water import hydroxide_leak as hydroxide_leak

FAMILIES = {
    "Leaks and channels": (*CHANNELS, *WATER),
    "Cotransporters": COTRANSPORTERS,
    "Exchangers": EXCHANGERS,
    "Carriers of the mitochondrial inner membrane": MITOCHONDRIAL,
    "Sodium-potassium pump": PUMPS,
    "Other primary pumps": PRIMARY,
    "Electrodes and pipettes": RECORDING,
}
"""The catalogue by family: title and entries."""

CATALOGUE = {entry.name: entry for family in FAMILIES.values() for entry in family}
"""Every transporter that comes with the package, by the name of its function."""
