"""One tree of errors: every refusal of the program is a `KeiretsuError` with a name, a place and a next step.

A message says what is wrong, where (market, maker, product, file, row), the value seen, the value wanted and what to do next.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


class KeiretsuError(Exception):
    """Anything the program refuses to do or could not finish. It travels whole from a worker process to the one that asked."""

    def __reduce__(self) -> tuple[object, ...]:
        return _as_it_was, (type(self), self.args, self.__dict__)


def _as_it_was(kind: type[KeiretsuError], said: tuple[object, ...], known: dict[str, object]) -> KeiretsuError:
    error = kind.__new__(kind, *said)
    error.__dict__.update(known)
    return error


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input: where it stands, what was seen, what is wanted."""

    what: str
    where: str = ""
    seen: str = ""
    wanted: str = ""
    next_step: str = ""

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.seen:
            parts.append(f"seen {self.seen}")
        if self.wanted:
            parts.append(f"wanted {self.wanted}")
        if self.next_step:
            parts.append(self.next_step)
        return "; ".join(parts)


class InputError(KeiretsuError):
    """Inputs that cannot be used; carries every problem found, not only the first."""

    def __init__(self, problems: Sequence[Problem] | Problem | str) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        if isinstance(problems, Problem):
            problems = (problems,)
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def at(self, place: str) -> Self:
        """The same error with a place in front of where each problem stands."""
        return type(self)([dataclasses.replace(one, where=f"{place}, {one.where}" if one.where else place) for one in self.problems])


class CaseError(InputError):
    """A case folder that does not describe a usable case."""


class OwnershipError(InputError):
    """Stakes, votes or control that cannot be made into profit weights."""


class DemandError(InputError):
    """Preferences or choice data that define no demand system."""


class PricingError(InputError):
    """Prices or costs asked for where no first-order condition defines them."""


class PolicyError(InputError):
    """Taxes, incentives, tariffs or CO2 rules that contradict themselves or each other."""


class MoveError(InputError):
    """A move that cannot be applied to this world, or contradicts another one of the same scenario."""


class ValuationError(InputError):
    """Money inputs for which no value is defined."""


class NegativeEquity(ValuationError):
    """A company that is expected to be worth less than it owes: a share of it has no price."""


class NoRateOfReturn(ValuationError):
    """Flows that have no single internal rate of return."""


class NotSettled(KeiretsuError):
    """An iteration that ended without meeting its tolerance: never a number, always this error."""

    def __init__(self, what: str, *, where: str, residual: float, unit: str, iterations: int, next_step: str) -> None:
        self.what, self.where, self.residual, self.unit, self.iterations = what, where, residual, unit, iterations
        super().__init__(f"{where}: {what} did not settle: residual {residual:.3g} {unit} after {iterations} iterations; {next_step}")


class PricesNotSettled(NotSettled):
    """Prices of a market did not reach a point where every first-order condition holds."""


class InversionNotSettled(NotSettled):
    """No mean utilities were found that reproduce the observed shares."""


class NoPureEquilibrium(KeiretsuError):
    """Best responses cycle at a notch; carries the cycle, the largest gain from deviating on it, and where the least is to be gained (zero: not looked for)."""

    def __init__(self, where: str, cycle: Sequence[str], gain_eur: float, least_eur: float = 0.0) -> None:
        self.where, self.cycle, self.gain_eur, self.least_eur = where, tuple(cycle), gain_eur, least_eur
        least = f"{least_eur:,.0f}" if least_eur >= 100 else f"{least_eur:.2g}"
        nearest = f"; where it is least, EUR {least}: --nearly above that takes this state for an equilibrium" if least_eur else ""
        super().__init__(
            f"{where}: no equilibrium in pure strategies was found; best responses cycle through {' -> '.join(cycle)}; largest gain from deviating EUR {gain_eur:,.0f} a year{nearest}"
        )
