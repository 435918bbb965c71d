"""Every mistake in a table or a setting has its code, its place and its remedy."""

import pytest

from offermatch import InputError, Offer, OfferColumns, Requirement, Settings, Task, TaskColumns, is_in

TASK, OFFER = Task("t", {"cpu": 1}), Offer("o", {"cpu": 2})


def refused(code, place, call):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.code == code
    assert place in str(caught.value)
    assert caught.value.hint, "an error says what to do about it"


@pytest.mark.parametrize(
    ("tasks", "offers", "code", "place"),
    [
        ([Task("t", {"cpu": -1})], [OFFER], "quantity-negative", "tasks, row 0 (t), demand.cpu"),
        ([TASK, Task("u", {"cpu": "0.0005"})], [OFFER], "quantity-fractional", "tasks, row 1 (u), demand.cpu"),
        ([TASK, TASK], [OFFER], "duplicate-name", "tasks, row 1 (t), name"),
        ([TASK], [OFFER, OFFER], "duplicate-name", "offers, row 1 (o), name"),
        ([Task("", {"cpu": 1})], [OFFER], "missing-column", "tasks, row 0, name"),
        ([Task(None, {"cpu": 1})], [OFFER], "missing-column", "tasks, row 0, name"),
        ([Task(5.5, {"cpu": 1})], [OFFER], "file-malformed", "tasks, row 0, name"),
        ([object()], [OFFER], "missing-column", "tasks, row 0, name"),
        ([{"demand": {}}], [OFFER], "missing-column", "tasks, row 0, name"),
        ([{"name": "t", "need": {}}], [OFFER], "unknown-column", "tasks, row 0 (t)"),
        ([{"name": "t", "demand": 5}], [OFFER], "file-malformed", "tasks, row 0 (t), demand"),
        ([Task("t", 5)], [OFFER], "file-malformed", "tasks, row 0 (t), demand"),
        ([TASK, Task("u", {"gpu": 0})], [OFFER], "unknown-dimension", "tasks, row 1 (u), demand.gpu"),
        ([TASK], [Offer("o", {"cpu": 2}, {"cpu": 1})], "capacity-exceeded", "offers, row 0 (o), available.cpu"),
        ([TASK], [Offer("o", {}, attributes={"zone": 5})], "file-malformed", "offers, row 0 (o), attributes.zone"),
        ([Task("t", device_share=1000)], [OFFER], "devices-malformed", "tasks, row 0 (t), device_share"),
        ([Task("t", devices=1, device_share=5)], [OFFER], "devices-malformed", "tasks, row 0 (t), devices"),
        ([Task("t", devices=2**40)], [OFFER], "devices-malformed", "tasks, row 0 (t), devices"),
        ([Task("t", devices=-1)], [OFFER], "quantity-negative", "tasks, row 0 (t), devices"),
        ([Task("t", devices=True)], [OFFER], "quantity-malformed", "tasks, row 0 (t), devices"),
        ([TASK], [Offer("o", {"cpu": 2}, devices=[1001])], "devices-malformed", "offers, row 0 (o), devices"),
        ([TASK], [Offer("o", {"cpu": 2}, devices=2**40)], "devices-malformed", "offers, row 0 (o), devices"),
    ],
)
def test_bad_rows(matcher, tasks, offers, code, place):
    refused(code, place, lambda: matcher.match(tasks, offers))


@pytest.mark.parametrize(
    ("requirement", "code"),
    [
        ({"in": ["a"]}, "missing-column"),
        ({"attribute": "zone"}, "missing-column"),
        ({"attribute": "zone", "in": ["a"], "not_in": ["b"]}, "unknown-column"),
        ({"attribute": "zone", "is": ["a"]}, "unknown-column"),
        ({"attribute": "zone", "in": "a"}, "file-malformed"),
        ({"attribute": "zone", "in": [1]}, "file-malformed"),
        ("zone", "file-malformed"),
    ],
)
def test_bad_requirements(packed, requirement, code):
    rows = [{"name": "t", "requirements": [requirement]}]
    refused(code, "tasks, row 0 (t), requirements.0", lambda: packed.match(rows, [OFFER]))


@pytest.mark.parametrize(
    "settings",
    [
        {"mode": "greedy"},
        {"max_score": float("nan")},
        {"max_score": -1.0},
        {"max_score": "31"},
        {"units": {"cpu": "furlongs"}},
        {"units": {"gpu": "count"}},
        {"weights": {"cpu": float("inf")}},
        {"weights": {"cpu": -1.0}},
        {"weights": {"gpu": 1.0}},
        {"scales": {"cpu": -1}},
        {"scales": {"cpu": 0.0015}},
        {"scales": {"gpu": 1}},
    ],
)
def test_bad_settings(matcher, settings):
    with pytest.raises(InputError) as caught:
        matcher.match([TASK], [OFFER], **settings)
    assert caught.value.code == "setting-malformed"


def test_columns_of_different_lengths():
    refused("column-length", "demand.cpu", lambda: TaskColumns.build(["a", "b"], {"cpu": [1]}))
    refused("column-length", "devices", lambda: TaskColumns.build(["a"], {"cpu": [1]}, devices=[1, 2]))
    refused("column-length", "zone", lambda: OfferColumns.build(["a"], {"cpu": [1]}, attributes={"zone": []}))
    refused("column-length", "capacity", lambda: OfferColumns.build(["a"], {"cpu": [1]}, capacity={"cpu": []}))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"removed": ["nobody"]}, "row-unknown"),
        ({"changed": [Offer("nobody", {"cpu": 1})]}, "row-unknown"),
        ({"removed": ["a", "a"]}, "row-repeated"),
        ({"removed": ["a"], "changed": [Offer("a", {"cpu": 1})]}, "row-repeated"),
        ({"changed": [Offer("a", {"cpu": 1}), Offer("a", {"cpu": 1})]}, "row-repeated"),
        ({"added": [Offer("a", {"cpu": 1})]}, "duplicate-name"),
        ({"added": [Offer("c", {"gpu": 1})]}, "unknown-dimension"),
        ({"added": [Offer("c", {"cpu": 1}, attributes={"zone": "x"})]}, "unknown-attribute"),
        ({"changed": [Offer("a", {"cpu": -1})]}, "quantity-negative"),
    ],
)
def test_a_refused_update_leaves_the_pool_as_it_was(matcher, change, code):
    with matcher.open([Offer("a", {"cpu": 1}), Offer("b", {"cpu": 2})]) as pool:
        with pytest.raises(InputError) as caught:
            pool.update(**change)
        assert caught.value.code == code
        assert len(pool) == 2
        assert pool.assign([Task("t", {"cpu": 1})]).offer_names == ["a"]


def test_a_dimension_the_pool_was_not_opened_with(matcher):
    with matcher.open([OFFER]) as pool:
        refused("unknown-dimension", "tasks, row 0 (t)", lambda: pool.assign([Task("t", {"gpu": 1})]))
        assert len(pool.assign([TASK])) == 1


def test_one_text_is_one_value():
    assert Requirement("zone", "abc") == is_in("zone", "abc")
    assert Settings() == Settings()
