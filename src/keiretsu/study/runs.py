"""Runs over years and draws that survive: prepared from a case, computed piece by piece into a folder, continued after any interruption ([12])."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from keiretsu.case import Case, load_case
from keiretsu.errors import NotSettled
from keiretsu.market.build import build_world
from keiretsu.market.consumers import with_at_most
from keiretsu.market.world import World
from keiretsu.moves.scenario import Scenario, parse_scenarios
from keiretsu.numerics.kept import sources_hash
from keiretsu.outlook.case_facts import facts_of, last_year
from keiretsu.outlook.ensemble import BLOCK, Ensemble, assembled, values_of
from keiretsu.outlook.events import events_of
from keiretsu.outlook.outlook import BASELINE, Outlook, build
from keiretsu.outlook.pieces import Piece, groups_of, pieces_of, run_group
from keiretsu.outlook.uncertain import REPLICATES, Draws, draws_of, uncertain_of
from keiretsu.study.run import chosen_scenarios
from keiretsu.study.storage import PIECES, RunError, finished, held, load_piece, open_run, read_manifest, refuse_other_run, save_piece
from keiretsu.valuation.alliances import seatings_needed
from keiretsu.valuation.cooperation import Cooperation, partners_of, scenario_of

OnStep = Callable[[int, int, str], None]
Work = tuple[Piece, Sequence[Mapping[str, float]]]
Result = tuple[Piece, Mapping[str, np.ndarray] | NotSettled]
FORMAT = 1
CONSUMERS = 80  # of each market in the years ahead, when nobody says how many; docs/decisions/0004 shows what more of them change

__all__ = ["Prepared", "RunError", "Threads", "YearsAhead", "list_runs", "prepare", "resume", "run_years"]


@dataclass(frozen=True)
class YearsAhead:
    """What is asked of the years ahead.

    Attributes
    ----------
    draws
        Draws of the uncertain inputs, a multiple of 8; 0 for central cases alone.
    until
        Last year; 0 for the one that the case states.
    scenarios
        Scenarios beside the baseline; empty for all of the case.
    drawn
        Those of them that are drawn; empty for all. The others have their central case alone.
    block
        Draws in one piece.
    products
        Whether products are kept draw by draw (large); totals, firms and owners always are.
    partners
        Partners every seating of whom is simulated too, central case alone, under the name of `keiretsu.valuation.cooperation.name_of`.
    consumers
        Consumer draws in each market; 0 for those of the case. Fewer are quicker; every draw reproduces the base year all the same.
    """

    draws: int = 0
    seed: int = 20240327
    until: int = 0
    scenarios: tuple[str, ...] = ()
    drawn: tuple[str, ...] = ()
    block: int = BLOCK
    products: bool = True
    consumers: int = 0
    partners: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Prepared:
    """A run ready to be computed: the compiled outlook, its draws, its pieces, and what it is."""

    outlook: Outlook
    draws: Draws
    pieces: tuple[Piece, ...]
    products: bool
    manifest: Mapping[str, object]


class Executor(Protocol):
    """Where pieces are computed, `at_once` of them at the same time by this process; results come back in any order."""

    @property
    def at_once(self) -> int: ...

    def compute(self, outlook: Outlook, work: Sequence[Work], products: bool) -> Iterator[tuple[Piece, Mapping[str, np.ndarray]]]:
        """Results of all the work, each as soon as it is there."""
        ...


@dataclass(frozen=True)
class Threads:
    """Pieces in threads of this process."""

    count: int

    @property
    def at_once(self) -> int:
        """See `Executor`."""
        return self.count

    def compute(self, outlook: Outlook, work: Sequence[Work], products: bool) -> Iterator[tuple[Piece, Mapping[str, np.ndarray]]]:
        """See `Executor`."""
        with ThreadPoolExecutor(self.count) as pool:
            waiting = [pool.submit(computed, outlook, group, products) for group in groups_of_work(work)]
            try:
                for done in as_completed(waiting):
                    yield from or_raised(done.result())
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def groups_of_work(work: Sequence[Work]) -> list[Sequence[Work]]:
    """Work on the same draws together: one solution of the baseline serves it."""
    values = dict(work)
    return [[(piece, values[piece]) for piece in group] for group in groups_of([piece for piece, _ in work])]


def computed(outlook: Outlook, group: Sequence[Work], products: bool) -> list[Result]:
    """A group's pieces, each with its arrays or with why it has none."""
    return list(run_group(outlook, [piece for piece, _ in group], group[0][1], products))


def or_raised(results: Sequence[Result]) -> Iterator[tuple[Piece, Mapping[str, np.ndarray]]]:
    """Pieces that have arrays, and after them the first error.

    Raises
    ------
    NotSettled
        For a piece without.
    """
    why: list[NotSettled] = []
    for piece, found in results:
        if isinstance(found, NotSettled):
            why.append(found)
        else:
            yield piece, found
    if why:
        raise why[0]


def prepare(case: Case, asked: YearsAhead, world: World | None = None) -> Prepared:
    """Compile a case's years ahead. `world` saves building it again where the caller has the case's own.

    Raises
    ------
    KeiretsuError
        Whatever part of the case cannot be used.
    """
    if asked.consumers:
        case = with_at_most(case, asked.consumers)
    built = build_world(case) if world is None or asked.consumers else world
    scenarios = (*chosen_scenarios(case, asked.scenarios), *seating_scenarios(built, asked.partners))
    return prepared(case, built, scenarios, asked)


def seating_scenarios(world: World, names: Sequence[str]) -> tuple[Scenario, ...]:
    """One scenario for each seating of the partners in which somebody cooperates in the usual form; none without partners."""
    if not names:
        return ()
    partners = partners_of(world, names)
    every = (scenario_of(world, partners, seating, Cooperation()) for seating in seatings_needed([partner.name for partner in partners]))
    return tuple(one for one in every if one.moves)


def prepared(case: Case, world: World, scenarios: Iterable[Scenario], asked: YearsAhead) -> Prepared:
    """As `prepare`, for a world and scenarios that are already there."""
    facts = facts_of(case, world, asked.until or last_year(case))
    events = events_of(case.tables["uncertain"], lambda: parse_scenarios(case.scenarios)) if asked.draws else {}
    outlook = build(world, {s.name: s for s in scenarios if s.moves}, facts, events=events, drawn=asked.drawn)
    inputs, correlation = uncertain_of(case.tables, (*outlook.roster.launched, *events))
    draws = draws_of(inputs, correlation, outlook.central(), asked.draws, asked.seed) if asked.draws else no_draws(outlook)
    manifest = {
        "format": FORMAT,
        "case": case.name,
        "case_folder": case.folder,
        "case_hash": case.hash,
        "years": list(facts.years),
        "scenarios": list(outlook.scenarios),
        "asked": {**dataclasses.asdict(asked), "scenarios": list(asked.scenarios), "drawn": list(asked.drawn), "partners": list(asked.partners)},
        "pricing": dataclasses.asdict(outlook.options),
        "program": sources_hash(),
        "machine": platform.machine(),
        "versions": {name: importlib.metadata.version(name) for name in ("keiretsu", "jax", "jaxlib", "numpy", "scipy", "equinox")},
    }
    return Prepared(
        outlook, draws, pieces_of(outlook.scenarios, asked.draws, asked.block, drawn_of(outlook.scenarios, asked.drawn)), asked.products, manifest
    )


def drawn_of(scenarios: Sequence[str], asked: Sequence[str]) -> tuple[str, ...]:
    """Scenarios that are drawn: the baseline and those asked for, all of them when none is named."""
    return tuple(name for name in scenarios if not asked or name == BASELINE or name in asked)


def no_draws(outlook: Outlook) -> Draws:
    """Draws of a run that has central cases alone."""
    return Draws(pd.DataFrame(columns=list(outlook.central()), dtype=float), pd.DataFrame(dtype=float), REPLICATES)


def run_years(ready: Prepared, folder: Path, executor: Executor, on_step: OnStep) -> Ensemble:
    """Compute what is missing of a run into its folder and put it together.

    Raises
    ------
    RunError
        When the folder holds another run, is in use, is full or cannot be written.
    NotSettled
        For a path that is none; pieces computed so far stay.
    """

    def compute(missing: Sequence[Piece]) -> Iterator[tuple[Piece, Mapping[str, np.ndarray]]]:
        return executor.compute(ready.outlook, [(piece, values_of(ready.outlook, ready.draws, piece)) for piece in missing], ready.products)

    with held(folder):
        open_run(folder, ready.manifest)
        fill(folder, ready.pieces, compute, on_step)
        pieces = {piece: load_piece(folder, piece.name) for piece in ready.pieces}
    return assembled(ready.outlook, ready.draws, pieces, ready.manifest)


def fill(
    folder: Path, pieces: Sequence[Piece], compute: Callable[[Sequence[Piece]], Iterator[tuple[Piece, Mapping[str, np.ndarray]]]], on_step: OnStep
) -> None:
    """Compute the pieces that a run folder lacks and put each into it as soon as it is there."""
    there = finished(folder)
    missing = [piece for piece in pieces if piece.name not in there]
    done = len(pieces) - len(missing)
    on_step(done, len(pieces), "years ahead")
    for piece, arrays in compute(missing):
        save_piece(folder, piece.name, arrays)
        done += 1
        on_step(done, len(pieces), f"years ahead: {piece.name}")


def resume(folder: Path, executor: Executor, on_step: OnStep) -> Ensemble:
    """Go on with the run in a folder, from the case it was made from.

    Raises
    ------
    RunError
        When the case, the program or the folder is not what it was.
    """
    manifest = read_manifest(folder)
    given = asked_of(manifest)
    case = load_case(str(manifest["case_folder"]))
    if case.hash != manifest["case_hash"]:
        refuse_other_run(folder, {**manifest, "case_hash": case.hash})
    given |= {key: tuple(given[key]) for key in ("scenarios", "drawn", "partners")}
    ready = prepare(case, YearsAhead(**given))
    return run_years(ready, folder, executor, on_step)


def asked_of(manifest: Mapping[str, object]) -> dict[str, Any]:
    """What a manifest says was asked of the years ahead."""
    asked = manifest["asked"]
    assert isinstance(asked, Mapping)
    return {str(key): value for key, value in asked.items()}


def list_runs(root: Path) -> pd.DataFrame:
    """Runs under a folder: run, case, scenarios, draws, until, pieces done, pieces in all, status."""
    rows: list[dict[str, object]] = []
    for path in sorted(root.glob("**/run.json")):
        if not (path.parent / PIECES).is_dir():
            continue
        said = read_manifest(path.parent)
        asked = asked_of(said)
        every = [str(name) for name in said["scenarios"]]  # type: ignore[attr-defined]
        names = pieces_of(every, int(asked["draws"]), int(asked["block"]), drawn_of(every, asked.get("drawn", [])))
        done = len({piece.name for piece in names} & finished(path.parent))
        status = "complete" if done == len(names) else "to be resumed"
        if said["program"] != sources_hash():
            status += ", by another version"
        rows.append(
            {
                "run": str(path.parent),
                "case": said["case"],
                "scenarios": len(list(said["scenarios"])) - 1,  # type: ignore[call-overload]
                "draws": asked["draws"],
                "until": list(said["years"])[-1],  # type: ignore[call-overload]
                "done": done,
                "pieces": len(names),
                "status": status,
            }
        )
    return pd.DataFrame(rows, columns=["run", "case", "scenarios", "draws", "until", "done", "pieces", "status"])
