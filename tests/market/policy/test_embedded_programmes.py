"""The embedded case's programmes and pools can be read, compiled and cleared of contradictions."""

from __future__ import annotations

import datetime as dt
import tomllib
from importlib import resources

import pytest

from keiretsu.market.policy.parsing import parse_programmes
from keiretsu.market.policy.parsing_pools import parse_pools
from keiretsu.market.policy.programmes import Incentive, in_force
from keiretsu.market.pools import FleetRule, Pool
from keiretsu.units import ExchangeRate

RATES = {code: ExchangeRate(code, per_eur, "case.toml") for code, per_eur in (("NOK", 11.425), ("SEK", 11.479), ("USD", 1.0813), ("GBP", 0.8698))}


def read(file: str) -> dict:
    return tomllib.loads(resources.files("keiretsu.case.cases.ampere").joinpath(file).read_text("utf-8"))


@pytest.fixture(scope="module")
def programmes():
    return parse_programmes(read("programmes.toml")["programmes"], RATES, "programmes.toml")


def test_what_is_in_force_on_the_day_of_the_story(programmes):
    def ids(market):
        return {p.scope.id for p in in_force(programmes, market, dt.date(2024, 3, 27))}

    assert ids("FR") == {"fr_bonus", "eu_duty", "eu_duty_japan"}
    assert ids("DE") == {"de_company_bev", "de_company_phev", "de_company_ice", "eu_duty", "eu_duty_japan"}
    assert ids("NO") == {"no_vat_bev", "no_weight_tax_bev"}
    assert ids("IN") == {"in_gst_bev", "in_duty"}
    assert ids("SE") == {"eu_duty", "eu_duty_japan"}


def test_what_makers_paid_themselves_is_marked(programmes):
    own = {p.scope.id for p in programmes if isinstance(p, Incentive) and p.funded_by == "maker"}
    assert own == {"de_makers_share_low", "de_makers_share_high"}


def test_pools_name_each_brand_once_and_targets_fall():
    records = parse_pools(read("pools.toml")["pools"], RATES, "pools.toml")
    targets = [r.target.grams for r in records if isinstance(r, FleetRule) and r.id == "eu_co2"]
    assert targets == sorted(targets, reverse=True)
    assert {p.id for p in records if isinstance(p, Pool) and "Nissan" in p.makers} == {"nissan_byd", "uk_allowances"}
