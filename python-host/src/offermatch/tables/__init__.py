"""Rows, frames and columns become the tables that cross to a matcher."""
