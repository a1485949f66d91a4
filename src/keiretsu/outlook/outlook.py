"""A case's years ahead, compiled: one base year and one plan for each scenario, ready to be run for any values of the uncertain inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from keiretsu.errors import InputError, NotSettled, Problem
from keiretsu.market.world import World
from keiretsu.moves.scenario import Scenario
from keiretsu.numerics.kept import Kept
from keiretsu.outlook.arrays import BaseYear, Guide, Plan, Reproduced, Year
from keiretsu.outlook.base_year import one_charge
from keiretsu.outlook.bends import with_bends
from keiretsu.outlook.events import Branch, branches_of
from keiretsu.outlook.facts import OutlookFacts, central_values
from keiretsu.outlook.fleet_years import NO_SLOTS, Slots, slots_of
from keiretsu.outlook.inputs import EVENT, LAUNCH_INPUTS
from keiretsu.outlook.path import LaunchValues, differs, launch_values, nothing_to_follow, path_and_guide
from keiretsu.outlook.plan import base_year_arrays, plan_of
from keiretsu.outlook.planned import planned_utilities
from keiretsu.outlook.quota_years import Filled, with_quotas
from keiretsu.outlook.quotas import quotas_of
from keiretsu.outlook.roster import Roster, Storyline, beginning, roster_of, storyline
from keiretsu.outlook.sellers import with_sellers
from keiretsu.outlook.shared import Shared, content_of_array
from keiretsu.ownership.look_through import owners_look_through
from keiretsu.supply.pricing import PricingOptions

BASELINE = "baseline"
NO_EVENTS: Mapping[str, Scenario] = {}
PRICING = PricingOptions(tolerance_eur=1e-4, relative=1e-8)  # a tenth of a thousandth of a euro: far below what any draw is known to
SHARES_REPRODUCED = 1e-10  # log points: a draw that reproduces the base year less well is an error


@dataclass(frozen=True, eq=False)
class Outlook:
    """Everything a path needs, by scenario.

    Attributes
    ----------
    plans
        Arrays by scenario name, the baseline first.
    claims
        What each outside owner gets of a euro of each firm's profit, by scenario: (T, O, F).
    ruled
        Makers under fleet rules, the K slots of `FleetYears`.
    following
        What `follows` has found, by the names of the two plans.
    events, branches, branch_plans
        Events that may happen whatever is decided; which plan a scenario has when some do; those plans, whose `claims` stand under the same names.
    """

    world: World
    facts: OutlookFacts
    roster: Roster
    stories: Mapping[str, Storyline]
    base: BaseYear
    plans: Mapping[str, Plan]
    owners: tuple[str, ...]
    claims: Mapping[str, np.ndarray]
    options: PricingOptions = PRICING
    ruled: Slots = NO_SLOTS
    events: tuple[str, ...] = ()
    branches: Mapping[Branch, str] = field(default_factory=lambda: dict[Branch, str]())
    branch_plans: Mapping[str, Plan] = field(default_factory=lambda: dict[str, Plan]())
    following: dict[tuple[str, str], np.ndarray] = field(default_factory=lambda: dict[tuple[str, str], np.ndarray]())

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Names, the baseline first."""
        return tuple(self.plans)

    @property
    def spare(self) -> int:
        """Length of the arrays of launches."""
        return max(len(self.roster.launched), 1)

    def central(self) -> dict[str, float]:
        """Every input, those of launches included, at its central value."""
        own = {
            f"{kind}:{product}": self.facts.central.get(f"{kind}:{product}", of.neutral)
            for product in self.roster.launched
            for kind, of in LAUNCH_INPUTS.items()
        }
        return central_values(self.facts) | own | {f"event:{name}": EVENT.neutral for name in self.events}

    def branch(self, scenario: str, values: Mapping[str, float]) -> str:
        """Name of the plan that a scenario has under these values, its own or that of a branch in which events happen."""
        happening = frozenset(name for name in self.events if values[f"event:{name}"] > 0.5)
        return self.branches[scenario, happening] if happening else scenario

    def plan(self, scenario: str, values: Mapping[str, float]) -> Plan:
        """Arrays of a scenario under these values."""
        name = self.branch(scenario, values)
        return self.plans[name] if name in self.plans else self.branch_plans[name]

    def arrays(self, values: Mapping[str, float]) -> tuple[dict[str, Array], LaunchValues]:
        """Values as the arrays that `path` takes: those of no launch by name, those of launches side by side."""
        plain = {name: jnp.asarray(float(value)) for name, value in values.items() if ":" not in name}
        return plain, launch_values(dict(values), self.roster.launched, self.spare)


def build(
    world: World,
    scenarios: Mapping[str, Scenario],
    facts: OutlookFacts,
    options: PricingOptions = PRICING,
    events: Mapping[str, Scenario] = NO_EVENTS,
    drawn: Sequence[str] = (),
) -> Outlook:
    """Compile the baseline and `scenarios` of a world over the years of `facts`; with `events`, also their branches in scenarios that are `drawn`.

    Raises
    ------
    MoveError, OwnershipError, DemandError
        Whatever a scenario cannot do in this world.
    """
    if BASELINE in scenarios:
        raise InputError(Problem("a scenario may not be called baseline", "outlook", BASELINE, "another name"))
    begun = beginning(world, facts)
    stories = {BASELINE: storyline(begun, BASELINE, None, facts)}
    stories |= {name: storyline(begun, name, scenario, facts) for name, scenario in scenarios.items()}
    own = tuple(stories)
    changed = branches_of([name for name in own if not drawn or name in (BASELINE, *drawn)], scenarios, events)
    branches = {key: of if isinstance(of, str) else f"{key[0]} with {', '.join(sorted(key[1]))}" for key, of in changed.items()}
    stories |= {branches[key]: storyline(begun, branches[key], of, facts) for key, of in changed.items() if not isinstance(of, str)}
    roster = roster_of(world, list(stories.values()))
    base, shape = base_year_arrays(world, roster, facts)
    spare = max([len(story.lineage) for story in stories.values()] + [1])
    planned = planned_utilities(world, roster, stories[BASELINE], base, facts)
    shared = begun.shared
    ruled = slots_of(list(stories.values()), roster, facts.years, shared)
    bent = {name: plan_of(world, roster, story, facts, base, shape, spare, planned, ruled, shared) for name, story in stories.items()}
    plans = with_bends(bent, shared)
    base, plans = one_charge(base, plans)
    plans = with_sellers(base, plans)
    owners, claims = _claims(stories, roster, shape.firms, shared)
    other = {name: plan for name, plan in plans.items() if name not in own}
    mine = {name: plans[name] for name in own}
    return Outlook(world, facts, roster, stories, base, mine, owners, claims, options, ruled, tuple(events), branches, other)


def run(outlook: Outlook, scenario: str, values: Mapping[str, float]) -> tuple[Reproduced, Year]:
    """One path: every year of one scenario under given values, as arrays.

    Raises
    ------
    NotSettled
        When the base year is not reproduced, some year's prices did not settle, or a tariff quota that is exceeded could not be filled.
    """
    filled = run_filled(outlook, scenario, values)
    return filled.found, filled.years


def run_filled(outlook: Outlook, scenario: str, values: Mapping[str, float]) -> Filled:
    """As `run`, with what tariff quotas come to."""
    return filled_by(outlook, scenario, values, guide_of(outlook, scenario, values))


def filled_by(outlook: Outlook, scenario: str, values: Mapping[str, float], guide: Guide) -> Filled:
    """As `run_filled`, from what `guide` says."""
    first = solved(outlook, scenario, values, guide)
    return in_force(outlook, scenario, values, guide, (first[0], first[1]), f"scenario {scenario}")


def in_force(outlook: Outlook, scenario: str, values: Mapping[str, float], guide: Guide, first: tuple[Reproduced, Year], where: str) -> Filled:
    """The path `first` of a scenario with its tariff quotas in force.

    Raises
    ------
    NotSettled
        As of `run`.
    """

    def again(plan: Plan) -> tuple[Reproduced, Year]:
        found, years, _ = compiled(outlook.base, plan, *outlook.arrays(values), outlook.options, guide)
        return jax.device_get((found, years))

    require_settled(*first, where, outlook.facts.years)
    filled = with_quotas(quotas_of(outlook, outlook.branch(scenario, values)), outlook.plan(scenario, values), first, again, where)
    require_settled(filled.found, filled.years, where, outlook.facts.years)
    return filled


def solved(outlook: Outlook, scenario: str, values: Mapping[str, float], guide: Guide) -> tuple[Reproduced, Year, Guide]:
    """One path, from what `guide` says, and what it says to others; settled or not."""
    return compiled(outlook.base, outlook.plan(scenario, values), *outlook.arrays(values), outlook.options, guide)


def guide_of(outlook: Outlook, scenario: str, values: Mapping[str, float]) -> Guide:
    """What a scenario's path starts its years from under these values: the baseline's, which is solved for it; nothing for the baseline's own."""
    alone = nothing_to_follow(outlook.plan(scenario, values))
    if not follows(outlook, scenario, values).any():
        return alone
    return led_by(outlook, scenario, values, solved(outlook, BASELINE, values, alone)[2])


def led_by(outlook: Outlook, scenario: str, values: Mapping[str, float], baseline: Guide) -> Guide:
    """What a scenario's path starts its years from when the `baseline`'s under the same values is known."""
    alone = nothing_to_follow(outlook.plan(scenario, values))
    if jax.tree.map(jnp.shape, alone) != jax.tree.map(jnp.shape, baseline):  # fleet rules or breakpoints in one of them alone
        return alone
    return replace(baseline, follow=baseline.follow & follows(outlook, scenario, values))


def follows(outlook: Outlook, scenario: str, values: Mapping[str, float]) -> np.ndarray:
    """Years from the first on in which a scenario's plan is not the baseline's: before, both are searched for alike and have the same bytes. (T,)"""
    names = outlook.branch(scenario, values), outlook.branch(BASELINE, values)
    if names not in outlook.following:
        found = differs(outlook.plan(scenario, values), outlook.plan(BASELINE, values))
        outlook.following[names] = np.logical_or.accumulate(found)
    return outlook.following[names]


compiled = Kept(path_and_guide)
"""`keiretsu.outlook.path.path_and_guide`, compiled; processes side by side compile it once."""


def require_settled(found: Reproduced, years: Year, where: str, labels: Sequence[int]) -> None:
    """Raise for a path that is not a path.

    Raises
    ------
    NotSettled
        Naming the year and the largest residual.
    """
    gap = float(jnp.max(found.gap))
    if not gap <= SHARES_REPRODUCED:
        raise NotSettled(
            "mean utilities that reproduce the base year",
            where=where,
            residual=gap,
            unit="log share",
            iterations=0,
            next_step="look at the draw's price sensitivity",
        )
    settled = np.asarray(years.settled)
    if settled.all():
        return
    year = int(np.flatnonzero(~settled)[0])
    residual = float(np.asarray(years.residual)[year])
    rules = residual <= PRICING.tolerance_eur  # prices did: what is left is the shadow price that they were found at
    raise NotSettled(
        "prices found, but the shadow price of a fleet rule" if rules else "prices",
        where=f"{where}, {labels[year]}",
        residual=residual,
        unit="EUR of a first-order condition" if rules else "EUR",
        iterations=int(np.asarray(years.iterations)[year].max()),
        next_step="where cars cross price thresholds balances of several pools may jump and chase each other; ask for other draws with --draws"
        if rules
        else "look at the draw's values, or raise PricingOptions.limit",
    )


def _claims(stories: Mapping[str, Storyline], roster: Roster, firms: int, shared: Shared) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    at = {name: [w.register.as_of(w.date) for w in story.worlds] for name, story in stories.items()}
    owners = tuple(dict.fromkeys(owner for holdings in at.values() for h in holdings for owner in h.owners))
    claims: dict[str, np.ndarray] = {}
    for name, story in stories.items():
        every = []
        for holdings in at[name]:
            matrix = np.zeros((len(owners), firms))
            through = owners_look_through(holdings)
            rows = [owners.index(o) for o in holdings.owners]
            for f, firm in enumerate(roster.firms):
                if firm in holdings.companies:
                    matrix[rows, f] = through[:, holdings.companies.index(firm)]
            every.append(matrix)
        contents = tuple(content_of_array(every[u]) for u in story.world_of_year)
        claims[name] = shared.once(("claims", contents), lambda every=every, story=story: np.stack([every[u] for u in story.world_of_year]))
    return owners, claims
