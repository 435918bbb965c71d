"""The stages of a cycle, in order."""

STAGES = [
    "collect_reports",
    "get_resource_offers_from_cluster",
    "get_processable_tasks",
    "order_tasks",
    "match_tasks_to_offers",
    "claim_tasks",
    "prepare_payloads",
    "launch_tasks",
]
