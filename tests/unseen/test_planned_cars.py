"""Planned cars that come late or not at all, and the cars whose place they take."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import equinox as eqx
import numpy as np
import pytest

from keiretsu.case import load_case
from keiretsu.errors import CaseError
from keiretsu.market.build import build_world
from keiretsu.moves.scenario import parse_scenarios
from keiretsu.outlook.arrays import Reproduced
from keiretsu.outlook.case_facts import facts_of
from keiretsu.outlook.outlook import BASELINE, Outlook, build
from keiretsu.outlook.year import Draw, part_and_age

from .folders import SOUND, folder

PLANNED = (
    "product,brand,markets,like,year,price_eur,margin,segment,body,origin,battery_kwh,range_km,power_kw,mass_kg,expected_units,replaces\n"
    "Leaf 3,Nito,JP,Leaf,2024.5,20000,0.1,C,car,JP,50,400,110,1500,5000,{}\n"
)
UNCERTAIN = "input,distribution,central,low,high\ndate:Leaf 3,uniform,0,0,2\nhappens:Leaf 3,discrete,0.6,,\n"
VISITOR = {
    "type": "launch", "product": "Guest", "markets": ["JP"], "brand": "Nito", "like": "Leaf", "price_eur": 25000.0, "margin": 0.1,
    "start": dt.date(2024, 7, 1), "end": dt.date(2025, 10, 1),
}  # fmt: skip


def case_in(path: Path, replaces: str) -> Path:
    """The sound case without policy, with a planned car."""
    files = folder(path, planned_launches=PLANNED.format(replaces), uncertain=UNCERTAIN, brands="brand,maker\nNito,Nito\nToyo,Toyo\nBydo,Bydo\n")
    for name in ("programmes.toml", "pools.toml"):
        assert name in SOUND
        (files / name).unlink()
    return files


@pytest.fixture(scope="module")
def ahead(tmp_path_factory: pytest.TempPathFactory) -> Outlook:
    """Three years in which a new Leaf is to take the old one's place in the middle of the first; in a scenario another car comes for a while."""
    case = load_case(case_in(tmp_path_factory.mktemp("planned"), "Leaf"))
    guest = parse_scenarios([{"name": "guest", "title": "guest", "moves": [VISITOR]}])
    world = build_world(case)
    return build(world, guest, facts_of(case, world, 2026))


def on_sale(ahead: Outlook, scenario: str, product: str, late: float = 0.0, happens: float = 1.0) -> np.ndarray:
    """Part of each year that a car is on sale, the new Leaf being late by some years or not coming at all."""
    values = ahead.central() | {"date:Leaf 3": late, "happens:Leaf 3": happens}
    plain, launches = ahead.arrays(values)
    nothing = Reproduced(ahead.base.share, ahead.base.share, ahead.base.pack_price)  # what is on sale when does not hang on it
    draw = Draw(plain, launches.shift, launches.happens, launches.appeal, nothing, ahead.base.share)
    plan, slot = ahead.plans[scenario], ahead.roster.slots(ahead.stories[scenario])["JP", product]
    return np.array([float(part_and_age(ahead.base, eqx.tree_at(lambda p: p.year, plan, year), draw)[0][0, slot]) for year in plan.year])


def test_a_car_stays_on_sale_until_the_late_one_that_replaces_it_comes(ahead: Outlook) -> None:
    for late, new in ((0.0, [0.5, 1, 1]), (1.25, [0, 0.25, 1]), (-0.25, [0.75, 1, 1])):
        np.testing.assert_allclose(on_sale(ahead, BASELINE, "Leaf 3", late), new, atol=1e-9)
        np.testing.assert_allclose(on_sale(ahead, BASELINE, "Leaf", late), 1 - np.array(new), atol=1e-9)


def test_a_car_that_was_to_be_replaced_by_one_that_never_comes_stays(ahead: Outlook) -> None:
    np.testing.assert_array_equal(on_sale(ahead, BASELINE, "Leaf", happens=0.0), np.ones(3))
    np.testing.assert_array_equal(on_sale(ahead, BASELINE, "Leaf 3", happens=0.0), np.zeros(3))


def test_a_launch_with_an_end_is_on_sale_between_its_dates(ahead: Outlook) -> None:
    first, last = 184 / 366, 273 / 365  # of 2024 from 1 July on; of 2025 up to 1 October
    np.testing.assert_allclose(on_sale(ahead, "guest", "Guest"), [first, last, 0.0], atol=1e-9)


@pytest.mark.parametrize(("replaces", "words"), [("Lief", "not there"), ("Leaf 3", "not there")])
def test_a_planned_car_cannot_replace_what_is_not_there(replaces: str, words: str, tmp_path: Path) -> None:
    case = load_case(case_in(tmp_path, replaces))
    with pytest.raises(CaseError, match=words):
        facts_of(case, build_world(case), 2026)
