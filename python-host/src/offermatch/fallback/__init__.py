"""A matcher for the cycles that another one fails."""
