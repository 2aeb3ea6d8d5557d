"""The catalogue: transporters by family, each a reaction, a law and its sources."""

from .channels import channel as channel
from .channels import leak as leak
from .cotransport import kcc2 as kcc2
from .cotransport import ncc as ncc
from .cotransport import nkcc1 as nkcc1
from .pumps import na_k_atpase as na_k_atpase
