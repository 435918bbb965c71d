"""A scheduler around the matcher: tasks in a SQL database, offers from a cluster, one cycle after the other."""
