"""Conformance: the cases of tests/conformance, a matcher's answers to them, and the level it reaches.

    cases as data, generated cases ──> answers ──> audit (the contract) ──> comparison (the reference) ──> Report

docs/conformance.md has the format of the cases and the meaning of the levels.
"""

from offermatch.conformance.report import Failure, Finding, GroupReport, Level, Report
from offermatch.conformance.suite import Group, Skips, Suite

__all__ = ["Failure", "Finding", "Group", "GroupReport", "Level", "Report", "Skips", "Suite"]
