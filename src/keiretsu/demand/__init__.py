"""What people choose: utility, choice probabilities, substitution, welfare, inversion and calibration ([3]-[6])."""

from keiretsu.demand.batch import Stacked, stack, unstack
from keiretsu.demand.choice import Choice, choose, shares
from keiretsu.demand.inversion import Inversion, Settings, invert, invert_many
from keiretsu.demand.preferences import ConsumerDraws, Preferences, RandomTaste
from keiretsu.demand.substitution import (
    Diversion,
    diversion,
    elasticities,
    market_elasticity,
    model_elasticities,
    second_choice_share,
    second_choices,
    share_jacobian,
    subset_elasticity,
    subset_semi_elasticity,
)
from keiretsu.demand.tastes import Nests, Tastes, nests, plain_logit
from keiretsu.demand.utility import alpha_of, mu_of, nests_of, tastes_of
from keiretsu.demand.welfare import Cells, Surplus, surplus, surplus_change

__all__ = [
    "Cells",
    "Choice",
    "ConsumerDraws",
    "Diversion",
    "Inversion",
    "Nests",
    "Preferences",
    "RandomTaste",
    "Settings",
    "Stacked",
    "Surplus",
    "Tastes",
    "alpha_of",
    "choose",
    "diversion",
    "elasticities",
    "invert",
    "invert_many",
    "market_elasticity",
    "model_elasticities",
    "mu_of",
    "nests",
    "nests_of",
    "plain_logit",
    "second_choice_share",
    "second_choices",
    "share_jacobian",
    "shares",
    "stack",
    "subset_elasticity",
    "subset_semi_elasticity",
    "surplus",
    "surplus_change",
    "tastes_of",
    "unstack",
]
