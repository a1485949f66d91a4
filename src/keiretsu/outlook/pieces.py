"""The unit of work of an ensemble: one scenario for one block of draws, arrays in and arrays out ([12]).

A piece depends on nothing but the outlook, the draws' values and its own name, so pieces may be computed in any order, by any number of workers, and
again. Every scenario's path starts its years from those of the baseline under the same values, so pieces of the same draws go together (`groups_of`): one baseline
serves them all. On a processor the draws of a block follow one another through one compiled path; on an accelerator they go side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from keiretsu.errors import NotSettled
from keiretsu.outlook.arrays import BaseYear, Guide, Plan, Reproduced, Year
from keiretsu.outlook.outlook import BASELINE, Outlook, follows, in_force, led_by, solved
from keiretsu.outlook.path import nothing_to_follow, path_and_guide
from keiretsu.outlook.quotas import CARS_BEYOND, QUOTA_PRICE, any_quota
from keiretsu.outlook.side_gains import with_gains
from keiretsu.supply.pricing import PricingOptions

Path: TypeAlias = tuple[Reproduced, Year, Guide]

CENTRAL = -1  # block number of a scenario's central case
TOGETHER = 8  # central cases that one solution of the baseline serves

# Fields of `Year` that are kept, with the name and unit they are known by outside.
BY_PRODUCT: Mapping[str, tuple[str, str]] = {"units": ("units", "cars/yr"), "price": ("price_eur", "EUR"), "margin": ("margin_eur", "EUR")}
BY_FIRM: Mapping[str, tuple[str, str]] = {
    "firm_profit": ("firm_profit_eur", "EUR/yr"),
    "firm_units": ("firm_units", "cars/yr"),
    "firm_electric_units": ("firm_electric_units", "cars/yr"),
    "firm_battery_gwh": ("firm_battery_gwh", "GWh/yr"),
    "firm_revenue": ("firm_revenue_eur", "EUR/yr"),
}
BY_MARKET: Mapping[str, tuple[str, str]] = {
    "surplus": ("surplus_eur", "EUR/yr"),
    "government": ("government_eur", "EUR/yr"),
    "units_all": ("units_all", "cars/yr"),
    "electric_units": ("electric_units", "cars/yr"),
    "co2_t": ("co2_t", "t over the cars' lives"),
    "chargers": ("chargers", "points"),
    "potential": ("potential", "buyers/yr"),
    "at_break": ("prices_at_a_break", "models"),
    "unsettled_sides": ("unsettled_sides", "models"),
    "side_gain": ("side_gain_eur", "EUR/yr"),
}
# The same of `FleetYear`, when some scenario has a fleet rule: by maker under a rule, and by firm.
BY_RULED: Mapping[str, tuple[str, str]] = {
    "rules.price": ("fleet_price_eur", "EUR per g/km and car, or per missing electric car"),
    "rules.balance": ("fleet_balance", "g/km x cars above target, or missing electric cars"),
    "rules.pays": ("fleet_pays_eur", "EUR/yr"),
    "rules.left_over": (
        "fleet_left_over",
        "g/km x cars below target, or electric cars above it, that a pool has to spare at the end of averaged years",
    ),
}
BY_RULED_FIRM: Mapping[str, tuple[str, str]] = {"rules.firm_pays": ("firm_fleet_pays_eur", "EUR/yr")}
BY_YEAR: Mapping[str, tuple[str, str]] = {"pack_price": ("pack_price_eur_kwh", "EUR/kWh"), "battery_gwh": ("battery_gwh", "GWh/yr")}


@dataclass(frozen=True, order=True)
class Piece:
    """One scenario and one block of draws; block `CENTRAL` is its central case."""

    scenario: str
    block: int
    draws: tuple[int, ...]

    @property
    def name(self) -> str:
        """``nissan_stake-0003``, or ``nissan_stake-central``."""
        return f"{self.scenario}-{'central' if self.block == CENTRAL else f'{self.block:04d}'}"


def pieces_of(scenarios: Sequence[str], draws: int, block: int, drawn: Sequence[str]) -> tuple[Piece, ...]:
    """Central cases of all scenarios first, then block by block through those that are drawn: an unfinished run has the same draws of each."""
    central = [Piece(name, CENTRAL, ()) for name in scenarios]
    blocks = range(-(-draws // block)) if draws else range(0)
    rest = [Piece(name, b, tuple(range(b * block, min((b + 1) * block, draws)))) for b in blocks for name in drawn]
    return (*central, *rest)


def groups_of(pieces: Sequence[Piece]) -> tuple[tuple[Piece, ...], ...]:
    """Pieces of the same draws together, in their order; of central cases no more than `TOGETHER`."""
    found: list[tuple[Piece, ...]] = []
    for block, some in groupby(pieces, key=lambda piece: piece.block):
        same = tuple(some)
        size = TOGETHER if block == CENTRAL else len(same)
        found += [same[at : at + size] for at in range(0, len(same), size)]
    return tuple(found)


def run_piece(outlook: Outlook, piece: Piece, values: Sequence[Mapping[str, float]], products: bool) -> dict[str, np.ndarray]:
    """Every kept field of the piece's draws, (draws, T, ...), names as in `Year`; product fields in single precision and only on request.

    `values` has one mapping for each draw of the piece, and one for a central case.

    Raises
    ------
    NotSettled
        Naming scenario, draw and year.
    """
    ((_, found),) = run_group(outlook, [piece], values, products)
    if isinstance(found, NotSettled):
        raise found
    return found


def run_group(
    outlook: Outlook, group: Sequence[Piece], values: Sequence[Mapping[str, float]], products: bool
) -> Iterator[tuple[Piece, dict[str, np.ndarray] | NotSettled]]:
    """As `run_piece` for pieces of the same draws, one after the other, each with its arrays or with why it has none."""
    baseline: list[Path] = []

    def alone(scenario: str) -> list[Guide]:
        return [nothing_to_follow(outlook.plan(scenario, one)) for one in values]

    for piece in group:
        guides = alone(piece.scenario)
        led = any(follows(outlook, piece.scenario, one).any() for one in values)
        if not baseline and (led or piece.scenario == BASELINE):
            baseline = _paths(outlook, BASELINE, values, alone(BASELINE))
        if led:
            guides = [led_by(outlook, piece.scenario, one, guide) for one, (_, _, guide) in zip(values, baseline, strict=True)]
        paths = baseline if piece.scenario == BASELINE else _paths(outlook, piece.scenario, values, guides)
        yield piece, _kept_or_why(outlook, piece, values, paths, guides, products)


def _kept_or_why(
    outlook: Outlook, piece: Piece, values: Sequence[Mapping[str, float]], paths: Sequence[Path], guides: Sequence[Guide], products: bool
) -> dict[str, np.ndarray] | NotSettled:
    """The kept fields of paths that are solved, with tariff quotas in force."""
    kept = [*(BY_PRODUCT if products else ()), *BY_FIRM, *BY_MARKET, *BY_YEAR, *((*BY_RULED, *BY_RULED_FIRM) if outlook.ruled.makers else ())]
    numbers = piece.draws or (CENTRAL,)
    rows: list[dict[str, np.ndarray]] = []
    quotas, facts = any_quota(outlook), [outlook.world.markets[name] for name in outlook.roster.rows]
    for number, (found, years, _), given, guide in zip(numbers, paths, values, guides, strict=True):
        where = f"scenario {piece.scenario}, {'central case' if number == CENTRAL else f'draw {number}'}"
        try:
            filled = in_force(outlook, piece.scenario, given, guide, (found, years), where)
        except NotSettled as error:
            return error
        said = with_gains(outlook.base, filled.plan, outlook.arrays(given), (filled.found, filled.years), facts, outlook.options)
        rows.append({name: np.asarray(attrgetter(name)(said)) for name in kept})
        if quotas:
            rows[-1] |= {CARS_BEYOND[0]: filled.beyond, QUOTA_PRICE[0]: filled.price_eur}
    joined = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return {name: array.astype(np.float32) if name in BY_PRODUCT else array for name, array in joined.items()}


def _paths(outlook: Outlook, scenario: str, values: Sequence[Mapping[str, float]], guides: Sequence[Guide]) -> list[Path]:
    """Paths with what they say to others, which stays where it was computed."""
    if jax.default_backend() == "cpu":
        return [_fetched(solved(outlook, scenario, one, guide)) for one, guide in zip(values, guides, strict=True)]
    base, plans = outlook.base, [outlook.plan(scenario, one) for one in values]
    arrays = [(*outlook.arrays(one), guide) for one, guide in zip(values, guides, strict=True)]
    every: dict[int, Path] = {}
    for plan in {id(plan): plan for plan in plans}.values():  # draws in which different events happen have plans of their own
        rows = [i for i, mine in enumerate(plans) if mine is plan]
        together = _side_by_side(base, plan, jax.tree.map(lambda *leaves: jnp.stack(leaves), *[arrays[i] for i in rows]), outlook.options)
        every |= {i: _fetched(jax.tree.map(lambda leaf, k=k: leaf[k], together)) for k, i in enumerate(rows)}
    return [every[i] for i in range(len(arrays))]


def _fetched(path: Path) -> Path:
    found, years, guide = path
    return *jax.device_get((found, years)), guide


@eqx.filter_jit
def _side_by_side(base: BaseYear, plan: Plan, together: tuple[Any, ...], options: PricingOptions) -> Path:
    return jax.vmap(lambda values, launches, guide: path_and_guide(base, plan, values, launches, options, guide))(*together)
