"""The reference: docs/semantics.md as plain Python loops, over row numbers.

It answers exactly what a component answers, only slower: its cost is tasks x offers. It is the fallback for the day the
component cannot be loaded, and the tests compare components with it.

    pool        offers, the list, and placing one task after the other
    standing    what an offer lacks for a task, and its score
    groups      where the members of a group may go, and trials
    explain     every check that offers fail
    preemption  which running tasks have to end
"""

from offermatch.reference.pool import DESCRIPTION, Reference

__all__ = ["DESCRIPTION", "Reference"]
