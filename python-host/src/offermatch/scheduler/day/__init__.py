"""A day of work in virtual time: what the time of a cycle does to a cluster. docs/day.md describes it."""
