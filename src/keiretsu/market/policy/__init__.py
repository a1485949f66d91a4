"""Taxes, incentives and tariffs: records, the pieces they make between buyer and maker, accounts, and what they achieved ([7])."""
