"""Sentences call companies by their names and speak in the case's money."""

# pyright: reportArgumentType=false, reportCallIssue=false
# (records made up for a test stand in for those of a solved world)

from types import SimpleNamespace

import pandas as pd

from keiretsu.study.headline import Wording, sentences

NAMES = {"a": "Alpha Motors", "d": "Delta Cars"}


def comparison():
    market = {"market": "all", "status": "both", "surplus_eur_change": -2_500_000.0}
    return SimpleNamespace(
        markets=pd.DataFrame([market]),
        price_index=pd.DataFrame({"level": ["all"], "price_change_percent": [1.5]}),
        makers=pd.DataFrame({"market": "all", "firm": ["a", "d"], "profit_eur_change": [1_000_000.0, -200_000.0]}),
        owners=pd.DataFrame({"owner": ["float of a", "d"], "claim_eur_change": [3_000_000.0, -1.0]}),
    )


def said(wording):
    (sentence,) = sentences({"merger": comparison()}, [SimpleNamespace(name="merger", title="A merger", moves=())], wording)
    return sentence


def test_companies_and_their_free_float_are_called_by_their_names():
    sentence = said(Wording(NAMES))
    assert "Alpha Motors gains EUR 1.00 m" in sentence
    assert "claims of the free float of Alpha Motors" in sentence
    assert sentence.endswith("before what was paid for them.")


def test_a_scenario_of_later_years_says_that_the_base_year_stays_as_it_is():
    still = comparison()
    still.markets["surplus_eur_change"] = 0.1  # the rounding of a solver
    still.price_index["price_change_percent"] = 1e-9
    still.makers["profit_eur_change"] = [0.2, -0.1]
    still.owners["claim_eur_change"] = [0.1, 0.0]
    (sentence,) = sentences({"merger": still}, [SimpleNamespace(name="merger", title="A merger", moves=())], Wording(NAMES))
    assert sentence == "“A merger” changes nothing in the base year."


def test_a_case_in_its_own_money_is_never_said_to_be_in_euro():
    sentence = said(Wording(NAMES, "own"))
    assert "EUR" not in sentence
    assert "1.00 m" in sentence and sentence.endswith("in the case's own money.")
