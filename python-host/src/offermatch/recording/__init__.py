"""Cycles on disk, to be answered anew."""
