"""Pictures of what the package returns: sweeps, fits, sensitivities, and the budget of one cell.

Every function takes the dataset that another one gives, labels its axes with meaning, name and
unit, says how many rows have no value, and returns matplotlib's Axes: one, or an array where there
are several panels. ``ax.figure.savefig("picture.png")`` saves what is drawn. Without ``ax=`` the
figure is a new one, that pyplot knows nothing of and need not close.
"""

from .budget import budget as budget
from .courses import bands as bands
from .fits import correlation as correlation
from .fits import fit as fit
from .fits import profile as profile
from .gradients import dgsm as dgsm
from .gradients import elasticities as elasticities
from .gradients import subspace as subspace
from .indices import interactions as interactions
from .indices import morris as morris
from .indices import sobol as sobol
from .sweeps import pairs as pairs
from .sweeps import plane as plane
