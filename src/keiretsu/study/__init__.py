"""The only place that knows the whole order: case, world, markets, scenarios, comparison, report's inputs."""
