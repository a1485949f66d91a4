"""What people choose: utility, choice probabilities, substitution, welfare, inversion and calibration ([3]-[6])."""

from keiretsu.demand.batch import Stacked, stack, unstack
from keiretsu.demand.calibration import Calibration, Free, ObservedMarket, Trial, calibrate, moments_at, spread
from keiretsu.demand.choice import Choice, choose, shares
from keiretsu.demand.inversion import Inversion, Settings, invert, invert_many
from keiretsu.demand.moments import Target
from keiretsu.demand.preferences import ConsumerDraws, Preferences, RandomTaste
from keiretsu.demand.projection import Projection, draw_xi, new_delta, project, twin_delta
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
    "Calibration",
    "Cells",
    "Choice",
    "ConsumerDraws",
    "Diversion",
    "Free",
    "Inversion",
    "Nests",
    "ObservedMarket",
    "Preferences",
    "Projection",
    "RandomTaste",
    "Settings",
    "Stacked",
    "Surplus",
    "Target",
    "Tastes",
    "Trial",
    "alpha_of",
    "calibrate",
    "choose",
    "diversion",
    "draw_xi",
    "elasticities",
    "invert",
    "invert_many",
    "market_elasticity",
    "model_elasticities",
    "moments_at",
    "mu_of",
    "nests",
    "nests_of",
    "new_delta",
    "plain_logit",
    "project",
    "second_choice_share",
    "second_choices",
    "share_jacobian",
    "shares",
    "spread",
    "stack",
    "subset_elasticity",
    "subset_semi_elasticity",
    "surplus",
    "surplus_change",
    "tastes_of",
    "twin_delta",
    "unstack",
]
