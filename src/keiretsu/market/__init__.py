"""From facts to markets in equilibrium: builds the world, solves each market and area, keeps the accounts ([8], [10])."""
