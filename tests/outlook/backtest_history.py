"""A small made-up history: two countries, three brands, constant unless a test changes something."""

import datetime as dt

import pandas as pd

from keiretsu.outlook.backtest.known import History

YEARS = range(2019, 2025)
CARS = {"AA": 100_000.0, "BB": 50_000.0}
SOLD = {("Ada", "One"): 4000.0, ("Ada", "Two"): 2000.0, ("Bob", "Big"): 3000.0, ("Cyd", "Car"): 1000.0}
ELASTICITY = -2.0


def end_of(year: int) -> dt.date:
    return dt.date(year, 12, 31)


def registrations() -> pd.DataFrame:
    rows = [
        {"country": country, "year": year, "brand": brand, "model": model, "registrations": units * cars / 100_000, "known_on": end_of(year), "source": "t"}
        for country, cars in CARS.items() for year in YEARS for (brand, model), units in SOLD.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def all_cars() -> pd.DataFrame:
    rows = [
        {"country": country, "year": year, "brand": brand, "registrations": cars / 4, "known_on": end_of(year), "source": "t"}
        for country, cars in CARS.items() for year in YEARS for brand in ("Ada", "Bob", "Cyd", "Dot")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def launch(brand: str, model: str, month: dt.date, announced: dt.date, kind: str = "launch", price: float = 40_000.0) -> dict[str, object]:
    return {"brand": brand, "model": model, "kind": kind, "from": month, "to": month, "announced_on": announced, "countries": "",
            "price_eur": price, "replaces": "", "source": "t", "confidence": "", "note": ""}  # fmt: skip


def policy(country: str, year: int, value: float, known: dt.date, kind: str = "support", brand: str = "", model: str = "") -> dict[str, object]:
    return {"country": country, "brand": brand, "model": model, "year": year, "kind": kind, "value": value, "unit": "EUR",
            "known_on": known, "source": "t", "confidence": "", "note": ""}  # fmt: skip


def history(launches: tuple[dict[str, object], ...] = (), policies: tuple[dict[str, object], ...] = ()) -> History:
    # an old launch in every history, so that arrivals have been seen once
    old = launch("Cyd", "Car", dt.date(2020, 3, 31), dt.date(2019, 6, 1))
    return History(
        registrations=registrations(),
        all_cars=all_cars(),
        launches=pd.DataFrame([old, *launches]),
        policy=pd.DataFrame([policy("AA", 2019, 0.0, dt.date(2019, 1, 1)), policy("BB", 2019, 0.0, dt.date(2019, 1, 1)), *policies]),
        elasticities=pd.DataFrame([{"value": ELASTICITY, "weight": 1.0, "known_on": dt.date(2020, 12, 31)}]),
    )
