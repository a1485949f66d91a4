"""Commands that show what the answer rests on: calibrate, checks, sources."""

from __future__ import annotations

from typing import Annotated

import typer

from keiretsu.cli.options import CaseName


def calibrate(case: CaseName) -> None:
    """Fit the parameters of demand to the case's targets and show fitted against target."""
    from keiretsu.case import load_case
    from keiretsu.cli import say
    from keiretsu.report.tables import table_of
    from keiretsu.study.calibration import calibrate_case

    with say.progress() as on_step:
        on_step(0, 1, "fitting demand to its targets")
        fitted = calibrate_case(load_case(case))
    figures = {name: [_digits(value) for value in fitted.parameters[name]] for name in ("shipped", "fitted", "low", "high")}
    say.show(table_of("parameters", "Parameters", fitted.parameters.assign(**figures), names={}), most=1000)
    say.show(table_of("fit", "Targets and fit", fitted.fit, names={}), most=1000)
    say.say("To run with them, write into case.toml (potential multiplies every market's):")
    for name, value in zip(fitted.parameters["parameter"], fitted.parameters["fitted"], strict=True):
        say.say(f"  {name} = {value!r}" if isinstance(value, str) else f"  {name} = {float(value):.15g}")


def _digits(value: object) -> str:
    """A parameter with its leading digits: utils for one euro are ten-thousandths."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def checks(
    case: CaseName,
    scenario: Annotated[str, typer.Option("--scenario", "-s", help="Look at this scenario; the baseline when left out.")] = "",
    starts: Annotated[int, typer.Option(min=1, help="Starting points to try in each market.")] = 5,
) -> None:
    """Check an equilibrium: other starting points, second-order conditions, and what utilities are projected on."""
    from keiretsu.case import load_case
    from keiretsu.cli import say
    from keiretsu.market.build import build_world
    from keiretsu.market.solve import solve
    from keiretsu.report.tables import table_of
    from keiretsu.report.wording import Label
    from keiretsu.study.diagnostics import second_order_table, starts_table
    from keiretsu.study.projection import projection_table, unprojected_table
    from keiretsu.study.run import chosen_scenarios

    with say.progress() as on_step:
        on_step(0, 4, "base year")
        loaded = load_case(case)
        world = build_world(loaded)
        on_step(1, 4, "equilibrium")
        changed = chosen_scenarios(loaded, (scenario,))[0].apply(world) if scenario else world
        outcome = solve(changed)
        on_step(2, 4, "starting points")
        ends = starts_table(outcome, starts, loaded.demand.seed)
        on_step(3, 4, "second-order conditions")
        maxima = second_order_table(outcome)
    named = scenario or "the baseline"
    labels = {
        "largest_distance_eur": Label("Largest distance between ends", "EUR", digits=2),
        "setters": Label("Price setters"),
        "at_maximum": Label("At a maximum"),
        "largest_curvature": Label("Largest curvature", digits=4),
        "prices": Label("Prices looked at"),
        "prices_left_out": Label("Prices left out"),
        "characteristic": Label("Characteristic", kind="text"),
        "coefficient_utils": Label("Coefficient", "utils a unit", digits=3),
        "standard_error_utils": Label("Standard error", "utils a unit", digits=3),
        "products": Label("Cars"),
        "brand_market_effects": Label("Brands by market"),
        "degrees_of_freedom": Label("Degrees of freedom"),
        "explained_within": Label("Explained within brand and market", "%", digits=0, scale=100),
        "xi_spread_utils": Label("Spread of xi", "utils", digits=2),
        "reason": Label("Reason", kind="text"),
        "seen": Label("Seen", kind="text"),
    }
    say.show(table_of("starts", f"Starting points, {named}", ends, names={}, labels=labels), most=1000)
    say.show(table_of("second_order", f"Second-order conditions, {named}", maxima, names={}, labels=labels), most=1000)
    if len(projected := projection_table(world)):
        title = "Mean utilities projected on characteristics and brands"
        say.show(table_of("projection", title, projected, names={}, labels=labels), most=1000)
    if len(refused := unprojected_table(world)):
        say.show(table_of("unprojected", "Not projected", refused, names={}, labels=labels), most=1000)
    if (maxima["at_maximum"] < maxima["setters"]).any():
        say.complain(["some price setter is not at a local maximum: these prices solve first-order conditions only"])
        raise typer.Exit(1)


def sources(
    case: CaseName,
    what: Annotated[str, typer.Argument(help="products/DE/Tesla Model Y/price, products.csv:12, or words; everything published when left out.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Show every row.")] = False,
) -> None:
    """Walk a figure back to its file, row and publication."""
    from keiretsu.case import load_case, sources_of
    from keiretsu.cli import say
    from keiretsu.report.tables import table_of
    from keiretsu.report.wording import Label

    loaded = load_case(case)
    found = sources_of(loaded, what) if what else loaded.sources
    publications = ["source", "title", "publisher", "date", "address"] + ([] if what else ["confidence", "row"])
    tables = [table_of("sources", f"Publications behind {what or loaded.title}", found.drop_duplicates("source"), names={}, columns=publications)]
    if what:
        value = [f"{value:.10g}" if isinstance(value, float) else str(value) for value in found["value"]]
        figures = found.assign(value=value, source=found.groupby(["key", "column"])["source"].transform("; ".join)).drop_duplicates(["key", "column"])
        columns = ["column", "key", "value", "unit", "row", "source", "confidence", "note"]
        tables.insert(0, table_of("sources", what, figures, names={}, columns=columns, labels={"value": Label("Value", kind="text")}))
    for table in tables:
        say.show(table, most=len(table.rows) if every else say.LINES)
