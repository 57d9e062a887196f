"""One planner per operation, each pure; `regista.decide.planning` runs them."""
