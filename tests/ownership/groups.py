"""Registers that several tests use, with the shares of real groups typed in."""

from __future__ import annotations

import datetime as dt

import numpy as np

from keiretsu.ownership import Control, Holdings, Owner, Register, Stake

DAY = dt.date(2024, 3, 27)


def stake(holder: str, company: str, share: float, votes: float | None = None) -> Stake:
    """A stake since ever; one vote for each share unless told."""
    return Stake(holder, company, share, share if votes is None else votes)


def alliance() -> Register:
    """Renault, Nissan, Mitsubishi on 27 March 2024: the trust's 24.63 % of Nissan pays dividends to Renault and casts no votes."""
    return Register(
        companies=("Renault", "Trust", "Nissan", "Mitsubishi", "Ampere"),
        owners=(Owner("France", "state"),),
        stakes=(
            stake("France", "Renault", 0.15),
            stake("Nissan", "Renault", 0.15),
            stake("Renault", "Trust", 1.0),
            stake("Renault", "Nissan", 0.15),
            stake("Trust", "Nissan", 0.2463, 0.0),
            stake("Nissan", "Mitsubishi", 0.34),
            stake("Renault", "Ampere", 1.0),
        ),
        control=(Control("Mitsubishi", "Nissan", "de_facto", source="annual report"),),
    )


def hyundai_kia() -> Register:
    """Hyundai with 34 % of Kia and declared de facto control."""
    return Register(("Hyundai", "Kia"), stakes=(stake("Hyundai", "Kia", 0.34),), control=(Control("Kia", "Hyundai", source="group accounts"),))


def two_firms(a_in_b: float, b_in_a: float) -> Holdings:
    """Two firms that hold each other, the rest in floats."""
    stakes = tuple(s for s in (stake("A", "B", a_in_b), stake("B", "A", b_in_a)) if s.cash_flow > 0)
    return Register(("A", "B"), stakes=stakes).as_of(DAY)


def random_register(seed: int, n_firms: int, n_owners: int) -> Register:
    """Random holdings with loops, some votes neutralised; at least 5 % of each company in its float."""
    rng = np.random.default_rng(seed)
    firms, owners = [f"F{i}" for i in range(n_firms)], [f"O{i}" for i in range(n_owners)]
    stakes = []
    for company in firms:
        holders = [h for h in firms + owners if h != company and rng.random() < 0.6]
        shares = rng.dirichlet(np.ones(len(holders) + 1))[:-1] * 0.95 if holders else []
        stakes += [Stake(h, company, float(s), float(s) * float(rng.choice([0.0, 0.5, 1.0]))) for h, s in zip(holders, shares, strict=True)]
    return Register(tuple(firms), tuple(Owner(o, "fund") for o in owners), tuple(stakes))
