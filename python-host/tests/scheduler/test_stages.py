"""Steps of a cycle on their own."""

import logging
from types import SimpleNamespace

from offermatch import Offer
from offermatch.scheduler.stages import get_resource_offers_from_cluster


def test_an_offer_that_cannot_be_used_is_left_out_and_logged(caplog):
    offers = [Offer("a", {"gpu": 1}), Offer("b", {"gpu": -1}), Offer("a", {"gpu": 2}), Offer("c", {"gpu": 3})]
    offers += [Offer(f"bad-{at}", {"gpu": "x"}) for at in range(20)]
    with caplog.at_level(logging.WARNING):
        found = get_resource_offers_from_cluster(SimpleNamespace(offers=lambda: offers))
    assert found.names == ["a", "c"]
    assert found.available["gpu"].tolist() == [1, 3]
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 11
    assert "[quantity-negative]: offers, row 1 (b), available.gpu: -1 is below 0" in lines[0]
    assert lines[-1] == "12 more offers are left out"
