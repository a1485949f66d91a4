"""Options that several commands share mean the same everywhere and are refused alike."""

import pytest
import typer

from keiretsu.cli import options
from keiretsu.cli.app import app
from keiretsu.study.answer import DRAWS
from keiretsu.study.futures import SEED
from keiretsu.study.runs import CONSUMERS

THROUGH_YEARS = ("run", "value", "list", "whatmustbetrue", "alliances", "timing", "choose", "sensitivity")
COMMANDS = typer.main.get_command(app).commands


def option(command, name):
    return next((one for one in COMMANDS[command].params if name in one.opts), None)


@pytest.mark.parametrize("name", ["--until", "--consumers", "--rule"])
def test_every_command_that_goes_through_years_takes_the_option_with_one_default(name):
    found = [option(command, name) for command in THROUGH_YEARS]
    assert None not in found
    assert len({one.default for one in found}) == 1


@pytest.mark.parametrize("name", ["--draws", "--seed", "--on", "--workers"])
def test_every_command_that_draws_futures_says_how_many_which_and_where(name):
    assert all(option(command, name) is not None for command in THROUGH_YEARS if command != "timing")  # launches are timed at the central case
    assert all(option(command, "--seed").default == SEED for command in THROUGH_YEARS if command != "timing")


@pytest.mark.parametrize("command", [name for name in COMMANDS if option(name, "--scenario")])
def test_a_scenario_may_be_named_in_short_wherever_it_may_be_named(command):
    assert "-s" in option(command, "--scenario").opts


def test_defaults_said_by_the_help_are_those_of_the_study():
    assert (options.DRAWS, options.CONSUMERS, options.SEED) == (DRAWS, CONSUMERS, SEED)


@pytest.mark.parametrize("command", THROUGH_YEARS)
def test_years_that_cannot_be_are_refused_by_every_command_and_with_all_else_that_cannot_be(keiretsu, command):
    done = keiretsu(command, "ampere", "--until", "1999", "--consumers", "-5")
    assert done.returncode == 2
    assert "the last year lies before the base year" in done.stderr and "consumers are counted" in done.stderr


@pytest.mark.parametrize("command", [name for name in THROUGH_YEARS if name != "run"])
def test_the_base_year_has_no_years_ahead_to_ask_about(keiretsu, command):
    done = keiretsu(command, "ampere", "--until", "2023")
    assert done.returncode == 2
    assert "the base year alone has no years ahead" in done.stderr and "2024 or later" in done.stderr


def test_a_rule_that_does_not_exist_is_named_by_every_command(keiretsu):
    for command in ("value", "choose", "timing"):
        done = keiretsu(command, "ampere", "--rule", "kindness")
        assert done.returncode == 2, done.stdout
        assert "kindness" in done.stderr and "controller" in done.stderr


def test_terms_and_listings_beyond_the_years_asked_for_are_refused_before_these_are_simulated(keiretsu, monkeypatch):
    def never(*given):
        raise AssertionError("years were simulated")

    monkeypatch.setattr("keiretsu.study.futures.prepared", never)
    for words in (("value", "ampere"), ("whatmustbetrue", "ampere"), ("choose", "ampere"), ("list", "ampere")):
        done = keiretsu(*words, "--until", "2026")
        assert done.returncode == 2
        assert ("years of the listing are not simulated" if words[0] == "list" else "entry or exit outside the years simulated") in done.stderr
        assert "2024 to 2026" in done.stderr
