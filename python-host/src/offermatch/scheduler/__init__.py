"""A scheduler around the matcher: tasks in a SQL database, offers from a cluster, one cycle after the other.

Needs ``offermatch[scheduler]``, and ``offermatch[postgresql]`` for a store on PostgreSQL. The clusters below
``offermatch.scheduler.cluster`` need neither.
"""
