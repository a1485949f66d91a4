"""Tables of what must be true, alliances, launch timing, choices and hindsight as a reader reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from keiretsu.report.errors_shown import CENTRAL, CONVENTION, amount, amount_label
from keiretsu.report.tables import Table, table_of
from keiretsu.report.wording import Label
from keiretsu.valuation.alliances import Alliance
from keiretsu.valuation.choosing import Choice
from keiretsu.valuation.cooperation import FlatSaving
from keiretsu.valuation.hindsight import Hindsight
from keiretsu.valuation.money import stated_sum
from keiretsu.valuation.must_be_true import MustBeTrue
from keiretsu.valuation.odds import in_own_unit, percent
from keiretsu.valuation.on_the_model import OnTheModel
from keiretsu.valuation.plan import BestPlan
from keiretsu.valuation.timing import LaunchTiming

ALIKE = "Every year like the base year, policy left out, cost of launching not in it; the others at the combination named above."
AHEAD = (
    "Margins of the years simulated at each maker's own real rate (7 % a year where finance.csv has none), every rule in force, cost of launching not in it; the others at "
    "the combination named above."
)
MOST_INPUTS = 12  # of a design point: the rest carries next to nothing


def must_be_true_tables(found: MustBeTrue) -> list[Table]:
    """The point in own units, and the chance in its three ways."""
    rows = []
    for name in found.points:
        for row in found.table[found.table["branch"] == name].head(MOST_INPUTS).to_dict("records"):
            there, middle = (in_own_unit(float(row[column]), str(row["unit"])) for column in ("at_point", "middle"))
            rows.append((name, found.question.words[str(row["input"])], middle, there, row["standard_deviations"], row["importance"]))
    point = pd.DataFrame(rows, columns=["branch", "input", "middle", "at_point", "standard_deviations", "importance"])
    labels = {
        "branch": _text("Events"), "input": _text("Input"), "middle": _text("Middle"), "at_point": _text("Worth nothing at"),
        "standard_deviations": Label("Away", "standard deviations", digits=2, signed=True), "importance": _percent("Part of the distance"),
    }  # fmt: skip
    chances = {
        "branch": _text("Events"), "probability": _percent("Chance of the events"), "draws": Label("Futures"), "beta": Label("Distance", digits=2),
        "first_order": _percent("Loss, from the distance"), "near": _percent("Loss, sampled near"), "near_half95": _percent("±"),
        "sampled": _percent("Loss, share of futures"), "sampled_half95": _percent("±"), "status": _text("Point"),
    }  # fmt: skip
    note = f"The polynomial explains {percent(found.held_out_r2)} of the variance of futures it has not seen."
    return [
        table_of("must_be_true", f"{found.question.decision}: the likeliest future in which it is worth nothing", point, names={}, labels=labels),
        table_of("must_be_true_chances", "How likely a loss is", found.branches, names={}, columns=list(chances), labels=chances, note=note),
    ]


def on_the_model_tables(found: OnTheModel) -> list[Table]:
    """The point in own units, the chance in its three ways, and what events change."""
    question = found.question
    rows = []
    for row in found.table.head(MOST_INPUTS).to_dict("records"):
        there, middle = (in_own_unit(float(row[column]), str(row["unit"])) for column in ("at_point", "middle"))
        rows.append((question.words[str(row["input"])], middle, there, row["standard_deviations"], row["importance"]))
    point = pd.DataFrame(rows, columns=["input", "middle", "at_point", "standard_deviations", "importance"])
    labels = {
        "input": _text("Input"), "middle": _text("Middle"), "at_point": _text("Worth nothing at"),
        "standard_deviations": Label("Away", "standard deviations", digits=2, signed=True), "importance": _percent("Part of the distance"),
    }  # fmt: skip
    chances = found.chances.assign(half95=[percent(float(half)) if pd.notna(half) else "" for half in found.chances["half95"]])
    events = found.events.assign(event=[question.words[name] for name in found.events["event"]])
    looks = f"{found.zero.evaluations} paths of the model and {found.zero.sweeps} sweeps for slopes led there; {stated_sum(found.left_eur)} are left."
    line = f"A straight line through the point explains {percent(max(found.explained, 0.0))} of what differs between futures."
    return [
        table_of("must_be_true", f"{question.decision}: the likeliest future in which it is worth nothing", point, names={}, labels=labels, note=looks),
        table_of(
            "must_be_true_chances", "How likely a loss is", chances, names={},
            labels={"how": _text("How it was found"), "loss": _percent("Loss"), "half95": _text("± (95 %)")}, note=line,
        ),
        table_of(
            "must_be_true_events", "What each event is worth at that point", events, names={},
            labels={"event": _text("Event"), "likelier": _text("Taken as"), "chance": _percent("Chance that it happens"), "turned_eur": _money("Otherwise")},
        ),
    ]  # fmt: skip


def alliance_tables(found: Alliance, names: Mapping[str, str]) -> list[Table]:
    """Coalitions, splits, who brings what, seatings; figures of a central case have no error."""
    own = [partner.name for partner in found.partners]
    parts = {f"{name} own": _amount(names.get(name, name)) for name in own}
    coalitions = {
        "coalition": _text("Who cooperates"),
        "gamma": _amount("Worth, outsiders alone"),
        "delta": _amount("Worth, outsiders together"),
        **parts,
    }
    core = "Least core" if found.core.core_is_empty else "Core"
    splits = {
        "partner": _text("Partner"), "own_eur": _whole("Earns itself"), "shapley": _amount("Shapley"), "core_low_eur": _whole(f"{core}, from"),
        "core_high_eur": _whole(f"{core}, to"), "nucleolus_eur": _whole("Nucleolus"), "nash_eur": _whole("Nash"),
    }  # fmt: skip
    brings = {"partner": _text("Partner"), "joins": _text("Joins"), "adds": _amount("Adds")}
    state = (
        f"The core is empty: every split leaves a group that would do better alone, by at least {stated_sum(found.core.subsidy)}."
        if found.core.core_is_empty
        else "Some splits leave nobody better off outside (the core)."
    )
    futures = f"{found.draws} futures. {CONVENTION}" if found.draws > 1 else CENTRAL
    same = (
        " The saving is the same for every group, so a partner is worth what its own cars save: --savings by-volume ties it to volume."
        if isinstance(found.form.saving, FlatSaving)
        else ""
    )
    note = f"{found.form.in_words()}.{same} Change of operating net present value against everybody alone, stakes as they are. {futures}"
    worth = found.coalitions.assign(
        gamma=_with_errors(found.coalitions, "gamma_"),
        delta=_with_errors(found.coalitions, "delta_"),
        **{f"{name} own": _with_errors(found.coalitions, f"{name}_", signed=True) for name in own},
    )
    shapley = found.splits.assign(shapley=_with_errors(found.splits, "shapley_"))
    adds = found.brings.assign(adds=_with_errors(found.brings, "adds_"))
    tables = [
        table_of(
            "coalitions", "What each coalition is worth to its members", worth, names={}, columns=list(coalitions), labels=coalitions, note=note
        ),
        table_of("splits", "How the worth of all together can be split", shapley, names=names, columns=list(splits), labels=splits, note=state),
        table_of("brings", "What each partner adds to the others", adds, names={}, columns=list(brings), labels=brings, note=futures),
    ]
    if len(found.seatings):
        answers = ("stable_gamma", "stable_delta", "nash_gamma", "stable_without_payments")
        said = {column: found.seatings[column].map({True: "yes", False: "no"}) for column in answers}
        shown = found.seatings.assign(total=_with_errors(found.seatings, "total_"), **said)
        seats = {
            "seating": _text("Who sits with whom"), "total": _amount("All together"), "stable_gamma": _text("Holds, some split"),
            **({"chance_stable": _percent("In futures")} if found.draws > 1 else {}), "stable_delta": _text("Holds, leavers face a block"),
            "nash_gamma": _text("Holds, equal split"), "stable_without_payments": _text("Holds, no payments"), "nash_blocked_by": _text("Equal split broken by"),
        }  # fmt: skip
        rules = (
            "Some split: those who leave share anew as they like. Equal split, no payments: those who leave keep to the same rule, so a seating may hold there "
            "that no free split holds together."
        )
        tables.append(table_of("seatings", "Which partnerships nobody would leave", shown, names={}, columns=list(seats), labels=seats, note=rules))
    return tables


def timing_tables(found: LaunchTiming, sources: pd.DataFrame, note: str = ALIKE) -> list[Table]:
    """What waiting costs, best responses, whose sales a launch takes."""
    waiting = found.waiting.assign(year=[str(year) for year in found.waiting["year"]])
    labels = {
        "launch": _text("Launch"), "player": _text("Company"), "year": _text("Year"), "value_eur": _money("Worth to it"), "total_eur": _money("Worth to all"),
        "cost_of_waiting_eur": _money("Lost against its best"), "others": _text("Others"), "best": _text("Best answer"),
    }  # fmt: skip
    cars = {name: Label(text, "cars a year") for name, text in (
        ("sells", "Sells"), ("alone_sells", "Would sell alone"), ("from_own_launches", "From own launches"), ("from_own_other", "From own cars"),
        ("from_partners_launches", "From the other's launches"), ("from_partners_other", "From the other's cars"), ("from_rivals", "From rivals"),
        ("from_nothing", "From buying nothing"),
    )}  # fmt: skip
    return [
        table_of("waiting", "What each year is worth", waiting, names={}, labels=labels, note=note),
        table_of("responses", "Best answers to each other", found.responses, names={}, labels=labels),
        table_of("cannibals", "Whose sales a launch takes", sources, names={}, labels=labels | cars),
    ]


def choice_tables(found: Choice, titles: Mapping[str, str]) -> list[Table]:
    """Moves, and what it is worth to know."""
    rows = found.moves.to_dict("records")
    shown = pd.DataFrame(
        {
            "move": [titles.get(str(row["move"]), str(row["move"])) for row in rows],
            "expected": [amount(float(row["expected_eur"]), float(row["half95_eur"]), 1e-6, signed=True) for row in rows],
            "chance_best": [row["chance_best"] for row in rows],
            "behind": [amount(float(row["behind_best_eur"]), float(row["behind_best_half95_eur"]), 1e-6) for row in rows],
            **{name: [row[name] for row in rows] for name in ("expected_regret_eur", "largest_regret_eur", "worst_tenth_eur", "chance_of_loss")},
        }
    )
    moves = {
        "move": _text("Move"), "expected": amount_label("Expected", "EUR m"), "chance_best": _percent("Best in"), "behind": amount_label("Behind the best", "EUR m"),
        "expected_regret_eur": _whole("Regret"), "largest_regret_eur": _whole("Worst regret"), "worst_tenth_eur": _whole("Worst tenth"), "chance_of_loss": _percent("Loses in"),
    }  # fmt: skip
    information = {
        "input": _text("Knowing"),
        "worth": amount_label("Is worth", "EUR m"),
        "by_chance_eur": _money("By chance alone"),
        "evpi_share": _percent("Of knowing all"),
    }
    everything = amount(found.perfect_eur, found.perfect_half95_eur, 1e-6)
    note = f"Knowing everything is worth EUR m {everything}. Futures are sorted into bins of each input; what shuffled inputs show (by chance alone) is taken off."
    known = found.information.to_dict("records")
    knowing = found.information.assign(worth=[amount(float(row["worth_eur"]), float(row["half95_eur"]), 1e-6) for row in known])
    if found.perfect_eur < 1.0:
        nothing = f"{CONVENTION} One move is best in every future: it is worth nothing to know more first."
        return [table_of("choice", "Moves side by side", shown, names={}, labels=moves, note=nothing)]
    return [
        table_of("choice", "Moves side by side", shown, names={}, labels=moves, note=CONVENTION),
        table_of(
            "information", "What it is worth to know before deciding", knowing, names={}, columns=list(information), labels=information, note=note
        ),
    ]


def plan_tables(found: BestPlan, titles: Mapping[str, str]) -> list[Table]:
    """Moves of the best plan by year; nothing to show when it is to do nothing."""
    shown = found.table.assign(
        move=[titles.get(str(name), str(name)) for name in found.table["move"]], year=[str(year) for year in found.table["year"]]
    )
    labels = {"move": _text("Move"), "year": _text("Year"), "cost_eur": _money("Costs")}
    note = f"{found.proof}, {found.valued:,} plans looked at. Values of moves are taken to add up; means over futures."
    return [table_of("plan", "The best plan under the budget", shown, names={}, labels=labels, note=note)] if len(shown) else []


def hindsight_tables(found: Hindsight) -> list[Table]:
    """What the run said beside what happened, and everything else that happened."""
    labels = {
        name: _text(name.capitalize())
        for name in ("topic", "asked", "said", "deal", "date", "parties", "kind", "status", "fact", "confidence", "source")
    }
    note = "These facts are dated after the day of the case and enter no run."
    return [
        table_of(
            "hindsight",
            "What the run said, and what happened",
            _dated(found.table),
            names={},
            columns=_columns(found.table, "deal"),
            labels=labels,
            note=note,
        ),
        table_of("hindsight_rest", "What else happened", _dated(found.rest), names={}, columns=_columns(found.rest, "deal"), labels=labels),
    ]


def _dated(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(date=[str(day) for day in frame["date"]])


def _columns(frame: pd.DataFrame, *without: str) -> Sequence[str]:
    return [str(column) for column in frame.columns if column not in without]


def _text(text: str) -> Label:
    return Label(text, kind="text")


def _money(text: str) -> Label:
    return Label(text, "EUR m", digits=1, scale=1e-6)


def _whole(text: str, *, signed: bool = False) -> Label:
    return Label(text, "EUR m", scale=1e-6, signed=signed)


def _amount(text: str) -> Label:
    return amount_label(text, "EUR m")


def _with_errors(frame: pd.DataFrame, prefix: str, *, signed: bool = False) -> list[str]:
    return [
        amount(float(mean), float(error), 1e-6, signed=signed)
        for mean, error in zip(frame[f"{prefix}eur"], frame[f"{prefix}half95_eur"], strict=True)
    ]


def _percent(text: str) -> Label:
    return Label(text, "%", digits=0, scale=100.0)
