"""A joint venture is told by what its parents get: its own profit is mostly theirs under a new name. A merger by what the two get together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from keiretsu.case import Case, load_case, write_new_case
from keiretsu.moves.comparison import ALL
from keiretsu.report.names import names_of
from keiretsu.report.sections import who_gains
from keiretsu.study.ahead import ahead_of
from keiretsu.study.headline import OWN_MONEY, money
from keiretsu.study.run import RunOptions, run
from keiretsu.study.ventures import as_parents_see, deals_by_scenario, parties_over_years, ventures_in
from tests.study.made_up_years import made_up_years
from tests.valuation.conftest import write_case

VENTURE = """title = "A and D together"
question = "What do the parents get?"
[[moves]]
type = "joint_venture"
company = "Both"
split = { Alpha = 0.6, Delta = 0.4 }
products = { product = ["Alpha Family", "Delta Volt"] }
"""
MADE_UP = """title = "Together"
question = "?"
[[moves]]
type = "joint_venture"
company = "Electric"
split = { Parent = 0.6, Partner = 0.4 }
products = { powertrain = ["BEV"] }
"""


def test_a_venture_of_two_makers_is_told_by_what_each_of_them_gets_and_not_by_the_profit_that_moved_into_it(tmp_path: Path) -> None:
    folder = write_new_case("mine", tmp_path)
    (folder / "scenarios" / "venture.toml").write_text(VENTURE)
    results = run(load_case(str(folder)), RunOptions(scenarios=("venture",), starts=1))
    makers = results.comparisons["venture"].makers
    alone = makers[makers["market"] == ALL].set_index("firm")["profit_eur_change"]
    assert alone["Both"] > 0 > alone["Alpha"]  # what is booked elsewhere looks like a gain and a loss
    (sentence,) = (one for one in results.sentences if one.startswith("“A and D together”"))
    head, _, rest = sentence.partition(" included")
    alpha, delta = alone["Alpha"] + 0.6 * alone["Both"], alone["Delta"] + 0.4 * alone["Both"]
    assert (
        head
        == f"“A and D together”: {word(alpha, 'Alpha')} and {word(delta, 'Delta')} of operating profit a year, their parts of Both's {sum_(alone['Both'])}"
    )
    assert rest.startswith(", prices rise")
    row = results.headline.iloc[0]
    assert (row["gains_most"], row["loses_most"]) == ("Delta", "Alpha") and row["loses_most_eur_m"] == pytest.approx(alpha / 1e6)
    first = who_gains(results, names_of(results)).blocks[0]  # the page leads with the same
    assert first.id == "parents-venture" and set(first.content.data[0]["y"]) == {"Alpha", "Beta", "Gamma", "Delta", "Epsilon"}


def word(change: float, maker: str) -> str:
    return f"{maker} {'gains' if change > 0 else 'loses'} {sum_(abs(change))}"


def sum_(change: float) -> str:
    return money(change, OWN_MONEY)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("ventures")
    write_case(folder)
    (folder / "scenarios").mkdir(exist_ok=True)
    (folder / "scenarios" / "stake.toml").write_text(MADE_UP)
    return load_case(str(folder))


def test_what_parents_see_adds_up_to_what_all_makers_earn_and_leaves_others_alone(case: Case) -> None:
    made = deals_by_scenario(case)
    assert set(made) == {"stake"}
    change = made_up_years().data["firm_profit_eur"]
    change = (change.sel(scenario="stake") - change.sel(scenario="baseline")).mean(["draw", "year"]).to_series()
    seen = as_parents_see(change, ventures_in(made["stake"]))
    assert seen.to_dict() == pytest.approx({"Parent": 3e6, "Partner": 2e6, "Other": 0.0}, abs=1.0)
    assert seen.sum() == pytest.approx(change.sum())


def test_over_the_years_a_venture_is_told_by_its_parents_too(case: Case) -> None:
    futures = made_up_years()
    found = {(one.measure, one.of): one.values for one in parties_over_years(futures.data, deals_by_scenario(case), str)}
    np.testing.assert_allclose(found["profit", "Parent"].values, 3e6, rtol=1e-6)
    np.testing.assert_allclose(found["venture", "Electric"].values, 5e6, rtol=1e-6)
    (sentence,) = (one for one in ahead_of(case, futures).sentences if one.startswith("“Together”"))
    assert "Parent's operating profit changes by EUR +3" in sentence and "Partner's operating profit changes by EUR +2" in sentence
    assert sentence.index("parts of Electric's EUR +5") > sentence.index("Partner's")


def test_sentences_choose_among_the_headlines_of_a_case_so_that_another_law_does_not_speak_before_the_deals(tmp_path: Path) -> None:
    folder = write_new_case("mine", tmp_path)
    for name, share in (("quarter", "0.25"), ("small", "0.05")):
        text = (folder / "scenarios" / "quarter.toml").read_text().replace("0.25", share).replace("a quarter", f"a {name} part")
        (folder / "scenarios" / f"{name}.toml").write_text(
            f"headline = true\norder = {len(name)}\n" + text.removeprefix("headline = true\norder = 7\n")
        )
    case = load_case(str(folder))
    said = " ".join(run(case, RunOptions(starts=1)).sentences)
    assert (
        "Among the headline scenarios buyers lose most from “Alpha buys a quarter part of Delta”" in said and "Alpha takes over Delta" not in said
    )  # the merger moves prices more
    named = " ".join(run(case, RunOptions(scenarios=("quarter", "merger"), starts=1)).sentences)
    assert "Alpha takes over Delta" in named


def test_a_merger_is_told_by_what_the_two_get_together_and_then_by_a_rival_that_gains_more(tmp_path: Path) -> None:
    results = run(load_case(str(write_new_case("mine", tmp_path))), RunOptions(scenarios=("merger",), starts=1))
    makers = results.comparisons["merger"].makers
    alone = makers[makers["market"] == ALL].set_index("firm")["profit_eur_change"]
    together, beta = float(alone["Alpha"] + alone["Delta"]), float(alone["Beta"])
    assert beta > together > 0 > alone["Delta"]  # rivals gain most from a merger of substitutes
    (sentence,) = (one for one in results.sentences if one.startswith("“Alpha takes over Delta”"))
    assert sentence.startswith(
        f"“Alpha takes over Delta”: Alpha with Delta gains {sum_(together)} and Beta gains {sum_(beta)} of operating profit a year, "
    )


def test_over_the_years_a_merger_is_told_by_the_pair(tmp_path: Path) -> None:
    folder = tmp_path
    write_case(folder)
    (folder / "scenarios").mkdir(exist_ok=True)
    merger = 'title = "One"\nquestion = "?"\n[[moves]]\ntype = "merger"\nacquirer = "Parent"\ntarget = "Electric"\n'
    (folder / "scenarios" / "stake.toml").write_text(merger)
    (sentence,) = (one for one in ahead_of(load_case(str(folder)), made_up_years()).sentences if one.startswith("“One”"))
    assert "Parent with Electric's operating profit changes by EUR +5" in sentence
