"""Files in, checked records out: companies, stakes, deals, products, markets, incomes, demand settings, targets, sources, scenarios.

Everything is read and checked at the door: a case that loads is usable, and one that does not says everything that is wrong with it.
"""
