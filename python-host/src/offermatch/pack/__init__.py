"""Offline packing: as few offers as can be found for all tasks. Not a matcher."""
