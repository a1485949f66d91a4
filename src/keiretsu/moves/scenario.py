"""A scenario: a named list of moves, read from plain tables, checked as a whole, applied to a world."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keiretsu.case.record import ScenarioText
from keiretsu.errors import MoveError, Problem
from keiretsu.market.world import World
from keiretsu.moves.arguments import read_arguments
from keiretsu.moves.contradictions import between, make_moves
from keiretsu.moves.move import STATUSES, Move
from keiretsu.moves.registry import MOVE_TYPES

SCENARIO_KEYS: Mapping[str, str] = {
    "name": "name of the scenario; the file's name when not stated",
    "title": "title in tables",
    "question": "the question it answers",
    "status": f"how far it has got: {', '.join(STATUSES)}",
    "source": "where it comes from",
    "extends": "names of scenarios whose moves come before its own",
    "moves": "the moves, in order",
}


@dataclass(frozen=True)
class Scenario:
    """A named list of moves, in the order in which they are made. `moves` hold those of the scenarios it extends first."""

    name: str
    title: str
    question: str
    moves: tuple[Move, ...]
    status: str = ""
    source: str = ""
    extends: tuple[str, ...] = ()
    place: str = "a scenario made in Python"

    def apply(self, world: World) -> World:
        """The world with all moves made that hold on its date; those that do not are noted in `World.notes`.

        Raises
        ------
        MoveError
            With every problem of every move, and every contradiction between moves.
        """
        changed, problems = make_moves(world, self.moves_at(world))
        if self.moves and not self.moves_at(world):
            next_step = "change start and end, or the date of the case"
            problems.append(Problem("no move of the scenario holds on the world's date", self.place, str(world.date), "one move at least", next_step))
        if problems:
            raise MoveError(problems)
        left_out = (move for move in self.moves if not move.in_force(world.date))
        notes = tuple(f"{self.name}: {move.label} does not hold on {world.date} and is left out" for move in left_out)
        return changed.replace(name=self.name, notes=(*changed.notes, *notes))

    def problems(self, world: World) -> list[Problem]:
        """Everything that keeps the scenario from being applied; empty when nothing does."""
        return make_moves(world, self.moves_at(world))[1]

    def moves_at(self, world: World) -> tuple[Move, ...]:
        """Moves that hold on the world's date."""
        return tuple(move for move in self.moves if move.in_force(world.date))

    def certain(self) -> Scenario:
        """The scenario without the moves that are not certain."""
        return dataclasses.replace(self, moves=tuple(move for move in self.moves if move.probability == 1.0))

    def drawn(self, rng: np.random.Generator) -> Scenario:
        """The scenario with each uncertain move in it or not, by its probability; one uniform number for each move, so that draws stay aligned."""
        chance = rng.uniform(size=len(self.moves))
        return dataclasses.replace(self, moves=tuple(move for move, u in zip(self.moves, chance, strict=True) if u < move.probability))


def parse_scenarios(texts: Sequence[ScenarioText | Mapping[str, object]]) -> dict[str, Scenario]:
    """Scenarios by name, in order, from what a case says; plain dicts with the keys of `SCENARIO_KEYS` do as well.

    Raises
    ------
    MoveError
        With every unknown type or argument, missing argument, wrong kind or unit, of all scenarios together, with file and position.
    """
    problems: list[Problem] = []
    own = [_read(text, problems) for text in texts]
    by_name = {scenario.name: scenario for scenario in own}
    names = [scenario.name for scenario in own]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems += [Problem("two scenarios have one name", by_name[name].place, name, "another name") for name in twice]
    for scenario in own:
        unknown = (name for name in scenario.extends if name not in by_name)
        problems += [Problem("extends an unknown scenario", scenario.place, name, f"one of {', '.join(by_name)}") for name in unknown]
        if scenario.name in _reach(scenario.name, by_name):
            problems.append(Problem("a scenario extends itself", scenario.place, " -> ".join((scenario.name, *scenario.extends)), "no circle"))
    if problems:
        raise MoveError(problems)
    composed = {name: dataclasses.replace(scenario, moves=_composed(scenario, by_name)) for name, scenario in by_name.items()}
    problems = [problem for scenario in composed.values() for problem in between(scenario.moves)]
    if problems:
        raise MoveError(list(dict.fromkeys(problems)))
    return composed


def parse_move(given: Mapping[str, object], place: str) -> Move:
    """One move from a table with its ``type`` and arguments.

    Raises
    ------
    MoveError
        With everything wrong with it.
    """
    problems: list[Problem] = []
    moves = _read_move(given, place, problems)
    if problems:
        raise MoveError(problems)
    return moves[0]


def _read(text: ScenarioText | Mapping[str, object], problems: list[Problem]) -> Scenario:
    if isinstance(text, ScenarioText):
        place = f"{text.file}, line {text.line}"
        given: dict[str, object] = {**text.more, "name": text.name, "title": text.title, "question": text.question}
        entries = [(entry.values, entry.place) for entry in text.moves]
    else:
        place = str(text.get("where", text.get("name", "a scenario without a name")))
        given = {key: value for key, value in text.items() if key not in ("where", "moves")}
        entries = [_placed(move, f"{place}, move {i + 1}") for i, move in enumerate(_tables(text.get("moves", ()), place, problems))]
    unknown = (key for key in given if key not in SCENARIO_KEYS)
    problems += [Problem(f"unknown key {key}", place, repr(given[key]), f"one of {', '.join(SCENARIO_KEYS)}") for key in unknown]
    no_text = (key for key in ("name", "title", "question", "status", "source") if not isinstance(given.get(key, ""), str))
    problems += [Problem(f"{key} is not a text", place, repr(given[key]), "a text") for key in no_text]
    if (status := given.get("status", "")) and status not in STATUSES:
        problems.append(Problem("unknown status", place, repr(status), f"one of {', '.join(STATUSES)}"))
    extends = given.get("extends", ())
    extends = (extends,) if isinstance(extends, str) else extends
    if not isinstance(extends, (list, tuple)) or not all(isinstance(name, str) for name in extends):
        problems.append(Problem("extends is not a list of scenarios", place, repr(extends), "a list of names"))
        extends = ()
    moves = [move for values, where in entries for move in _read_move(values, where, problems)]
    name = str(given.get("name", ""))
    if not name:
        problems.append(Problem("a scenario without a name", place, "nothing", "a name"))
    return Scenario(
        name=name,
        title=str(given.get("title", "")) or name,
        question=str(given.get("question", "")),
        moves=tuple(moves),
        status=str(given.get("status", "")),
        source=str(given.get("source", "")),
        extends=tuple(extends),
        place=place,
    )


def _read_move(given: Mapping[str, object], place: str, problems: list[Problem]) -> list[Move]:
    kind = given.get("type")
    if not isinstance(kind, str) or kind not in MOVE_TYPES:
        seen = "nothing" if kind is None else repr(kind)
        problems.append(
            Problem("unknown type of move" if kind is not None else "a move without a type", place, seen, f"one of {', '.join(MOVE_TYPES)}")
        )
        return []
    place = f"{place} ({kind})"
    values = {name: value for name, value in given.items() if name != "type"}
    read, found = read_arguments(MOVE_TYPES[kind], values, place)
    if found:
        problems += found
        return []
    move = MOVE_TYPES[kind](**read, place=place)
    problems += move.faults()
    return [move]


def _tables(moves: object, place: str, problems: list[Problem]) -> list[Mapping[str, object]]:
    if not isinstance(moves, (list, tuple)) or not all(isinstance(move, Mapping) for move in moves):
        problems.append(Problem("moves are not a list of tables", place, repr(moves)[:60], "[[moves]] headings, each with a type"))
        return []
    return list(moves)


def _placed(move: Mapping[str, object], place: str) -> tuple[Mapping[str, object], str]:
    """A move's table and its place; `ScenarioText.as_dict` says the place under ``where``."""
    return {name: value for name, value in move.items() if name != "where"}, str(move.get("where", place))


def _reach(name: str, by_name: Mapping[str, Scenario]) -> set[str]:
    """Every scenario that one extends, directly or not."""
    found: set[str] = set()
    waiting = list(by_name[name].extends)
    while waiting:
        nearest = waiting.pop()
        if nearest not in found and nearest in by_name:
            found.add(nearest)
            waiting += by_name[nearest].extends
    return found


def _composed(scenario: Scenario, by_name: Mapping[str, Scenario]) -> tuple[Move, ...]:
    """Moves of the scenarios it extends, in order, then its own; one that is reached on two ways comes once."""
    moves: dict[str, Move] = {}

    def collect(one: Scenario) -> None:
        for name in one.extends:
            collect(by_name[name])
        for i, move in enumerate(one.moves):
            moves.setdefault(f"{one.name} {i}", move)

    collect(scenario)
    return tuple(moves.values())
