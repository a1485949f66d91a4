"""What firms charge: wedges between buyer and maker, prices in equilibrium, marginal cost ([7]-[9])."""
