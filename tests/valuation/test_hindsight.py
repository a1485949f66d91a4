"""What happened later stands beside what was said, and never feeds a run."""

import datetime as dt
import tempfile
from pathlib import Path

import pandas as pd
import pytest

from keiretsu.case import load_case
from keiretsu.errors import ValuationError
from keiretsu.market.build import build_world
from keiretsu.valuation.hindsight import SAID_NOTHING, known_on, what_happened
from tests.valuation.small_world import CASE, FILES

DAY = dt.date(2024, 3, 27)
DEALS = (
    "id,date,parties,kind,status,amount,currency,fact\n"
    "x1,2023-07-26,Ares / Boreas,equity,committed,600000000,EUR,Ares commits to a stake\n"
    "x2,2025-03-31,Ares / Boreas,equity,abandoned,0,EUR,Ares is released\n"
    "x3,2025-02-13,Ares / Chronos,merger,abandoned,,,Talks end\n"
    "x4,2026-02-17,Ares,product launch,completed,,,A seven-seater comes\n"
)


def folder_with(deals):
    folder = Path(tempfile.mkdtemp())
    for name, text in {"case.toml": CASE, **FILES, "deals.csv": deals}.items():
        (folder / name).write_text(text)
    return folder


def topics(*rows):
    return pd.DataFrame(rows, columns=["topic", "asked", "deals", "answer"])


def test_what_happened_stands_beside_what_the_run_said_in_order_of_dates():
    deals = load_case(folder_with(DEALS)).deals
    asked = topics(("the stake", "Will it pay?", "x2", "stake"), ("the seven-seater", "When?", "x4", "timing"))
    found = what_happened(deals, asked, DAY, {"stake": "It loses in one future of two."})
    assert list(found.table["deal"]) == ["x2", "x4"]
    assert list(found.table["said"]) == ["It loses in one future of two.", SAID_NOTHING]
    assert list(found.rest["deal"]) == ["x3"]  # what no topic asks for is not hidden
    assert "given up: the stake" in found.sentence and "carried out: the seven-seater" in found.sentence


def test_what_happened_later_never_feeds_a_run():
    with_later, without = load_case(folder_with(DEALS)), load_case(folder_with("\n".join(DEALS.split("\n")[:2]) + "\n"))
    assert list(known_on(with_later.deals, DAY)["id"]) == list(without.deals["id"]) == ["x1"]
    a, b = build_world(with_later), build_world(without)
    pd.testing.assert_frame_equal(a.products, b.products)
    assert a.register == b.register


def test_a_topic_about_what_was_already_known_is_refused():
    deals = load_case(folder_with(DEALS)).deals
    with pytest.raises(ValuationError) as error:
        what_happened(deals, topics(("the stake", "?", "x1; x9", "stake")), DAY, {})
    assert "so no hindsight" in str(error.value) and "no such deal" in str(error.value)


def test_a_ledger_without_later_deals_says_so():
    deals = load_case(folder_with("\n".join(DEALS.split("\n")[:2]) + "\n")).deals
    found = what_happened(deals, topics(), DAY, {})
    assert found.table.empty and "Nothing in the ledger after 27 March 2024" in found.sentence
