"""Single numbers that a path comes to: what sensitivity is asked of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import equinox as eqx
import jax.numpy as jnp
import xarray as xr
from jaxtyping import Array, Float

from keiretsu.errors import InputError, Problem
from keiretsu.outlook.arrays import Year
from keiretsu.outlook.outlook import Outlook
from keiretsu.typing import Scalar

What = Literal["value", "profit", "units", "electric units", "battery gwh", "electric share", "surplus", "co2", "pack price"]
BY_FIRM = {
    "value": "firm_profit",
    "profit": "firm_profit",
    "units": "firm_units",
    "electric units": "firm_electric_units",
    "battery gwh": "firm_battery_gwh",
}
OF_ALL = ("electric share", "surplus", "co2", "pack price")
UNITS = {
    "value": "EUR of 2023, operating margin of all years at the start of the first",
    "profit": "EUR a year, last year",
    "units": "cars a year, last year",
    "electric units": "cars a year, last year",
    "battery gwh": "GWh a year, last year",
    "electric share": "share of cars sold, last year",
    "surplus": "EUR a year, last year",
    "co2": "t over the lives of the cars of the last year",
    "pack price": "EUR/kWh, last year",
}


@dataclass(frozen=True)
class Measure:
    """One output of a path. `firm` is an index into the roster's firms, -1 for outputs of all markets; `rate` discounts a value (real, a year)."""

    text: str
    what: What
    firm: int
    rate: float

    def of(self, years: Year) -> Scalar:
        """The number, from a path's arrays."""
        if self.what == "value":
            t = jnp.arange(years.firm_profit.shape[0]) + 0.5
            return (years.firm_profit[:, self.firm] / (1.0 + self.rate) ** t).sum()
        if self.what in BY_FIRM:
            return getattr(years, BY_FIRM[self.what])[-1, self.firm]
        if self.what == "electric share":
            return years.electric_units[-1].sum() / years.units_all[-1].sum()
        return {"surplus": years.surplus, "co2": years.co2_t, "pack price": years.pack_price[:, None]}[self.what][-1].sum()

    def of_data(self, data: xr.Dataset) -> xr.DataArray:
        """The same number in every scenario and draw of an ensemble."""
        if self.what == "value":
            t = xr.DataArray(range(data.sizes["year"]), dims="year", coords={"year": data["year"]}) + 0.5
            return (data["firm_profit_eur"].isel(firm=self.firm) / (1.0 + self.rate) ** t).sum("year")
        last = data.isel(year=-1)
        if self.what in BY_FIRM:
            return last[{"firm_profit": "firm_profit_eur"}.get(BY_FIRM[self.what], BY_FIRM[self.what])].isel(firm=self.firm)
        if self.what == "electric share":
            return last["electric_units"].sum("market") / last["units_all"].sum("market")
        if self.what == "pack price":
            return last["pack_price_eur_kwh"]
        return last[{"surplus": "surplus_eur", "co2": "co2_t"}[self.what]].sum("market")


class YearlyWeights(eqx.Module):
    """A weighted sum over years and firms: what a change of any yearly figure is worth, so that slopes of money follow from those of the years. (T, F) each"""

    text: str = eqx.field(static=True)
    profit: Float[Array, "T F"]
    revenue: Float[Array, "T F"]
    units: Float[Array, "T F"]

    def of(self, years: Year) -> Scalar:
        """The number, from a path's arrays."""
        return (self.profit * years.firm_profit).sum() + (self.revenue * years.firm_revenue).sum() + (self.units * years.firm_units).sum()


def measure_named(text: str, outlook: Outlook, rate: float) -> Measure:
    """``Nissan value``, ``Ampere units``, ``electric share``, ``pack price``, ...

    Raises
    ------
    InputError
        For an output or a company that is not there.
    """
    wanted = text.strip().lower()
    if wanted in OF_ALL:
        return Measure(text, wanted, -1, rate)  # type: ignore[arg-type]
    for number, firm in enumerate(outlook.roster.firms):
        for what in BY_FIRM:
            if wanted == f"{firm.lower()} {what}":
                return Measure(text, what, number, rate)  # type: ignore[arg-type]
    choices = f"a company and one of {', '.join(BY_FIRM)}; or {', '.join(OF_ALL)}"
    raise InputError(Problem("no such output", "--of", text, choices, f"companies: {', '.join(outlook.roster.firms)}"))
