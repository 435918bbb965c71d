"""Pools that live: rows of offers that were removed are used again, and nobody can tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offermatch import InputError, Offer, ReferenceMatcher, Task, is_in

SCALES = {"gpu": 100}


class Model:
    """What a pool is by docs/semantics.md: a list of offers, by name."""

    def __init__(self, matcher, mode):
        self.matcher, self.mode, self.offers = matcher, mode, []

    def at(self, name):
        return next((at for at, offer in enumerate(self.offers) if offer.name == name), None)

    def remove(self, name):
        at = self.at(name)
        if at is not None:
            last = self.offers.pop()
            if at < len(self.offers):
                self.offers[at] = last

    def put(self, offer):
        at = self.at(offer.name)
        if at is None:
            self.offers.append(offer)
        else:
            self.offers[at] = offer

    def assign(self, tasks):
        found = self.matcher.match(tasks, self.offers, mode=self.mode, scales=SCALES, dimensions=("gpu",))
        for task, name in zip(found.task_rows, found.offer_names, strict=True):
            if self.mode == "exclusive":
                self.remove(name)
            else:
                at = self.at(name)
                offer = self.offers[at]
                left = offer.available["gpu"] - tasks[task].demand["gpu"]
                self.offers[at] = Offer(name, {"gpu": left}, {"gpu": 100}, offer.attributes)
        return found.assignments


NAMES = st.integers(0, 11).map("o{}".format)
STEPS = st.lists(
    st.tuples(
        st.lists(NAMES, unique=True, max_size=6),
        st.lists(
            st.tuples(NAMES, st.integers(0, 9), st.sampled_from([None, "a", "b", "c"])),
            max_size=8,
            unique_by=lambda one: one[0],
        ),
        st.lists(st.tuples(st.integers(0, 5), st.sampled_from([None, "a", "b", "c", "d"])), max_size=4),
    ),
    max_size=12,
)


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
@pytest.mark.parametrize("name", ["packed", "reference"])
@given(steps=STEPS)
def test_a_pool_is_a_list_of_offers_whatever_rows_it_uses(name, mode, steps, component_of):
    matcher = component_of(name)
    model = Model(ReferenceMatcher(), mode)
    used = set()
    with matcher.open([], mode=mode, scales=SCALES, dimensions=("gpu",), attributes=("zone",)) as pool:
        for number, (removed, put, asked) in enumerate(steps):
            gone = [one for one in removed if one in used]
            offers = [Offer(one, {"gpu": free}, {"gpu": 100}, {"zone": zone}) for one, free, zone in put]
            pool.update(removed=gone, added=[offer for offer in offers if offer.name in gone])
            for one in gone:
                model.remove(one)
            for offer in offers:
                if offer.name in gone:
                    model.put(offer)
            rest = [offer for offer in offers if offer.name not in gone]
            pool.upsert(rest)
            for offer in rest:
                if model.at(offer.name) is not None:
                    model.put(offer)
            for offer in rest:
                if model.at(offer.name) is None:
                    model.put(offer)
            used = {offer.name for offer in model.offers}
            assert {f"o{at}" for at in range(12) if pool.is_listed(f"o{at}")} == used
            tasks = [
                Task(f"t{number}-{at}", {"gpu": size}, [is_in("zone", zone)] if zone else [])
                for at, (size, zone) in enumerate(asked)
            ]
            assert pool.assign(tasks).assignments == model.assign(tasks)
            used = {offer.name for offer in model.offers}
            assert len(pool) == len(used)


def test_rows_follow_the_offers_that_are_there(packed):
    def cluster(cycle):
        return [Offer(f"s{cycle}-{at}", {"gpu": 4}, attributes={"host": f"s{cycle}-{at}"}) for at in range(50)]

    with packed.open(cluster(0), mode="shared") as pool:
        for cycle in range(1, 200):
            pool.update(removed=[f"s{cycle - 1}-{at}" for at in range(50)], added=cluster(cycle))
            answer = pool.assign([Task("t", {"gpu": 1}, [is_in("host", f"s{cycle}-49")])])
            assert answer.offer_names == [f"s{cycle}-49"]
        assert len(pool) == 50
        assert len(pool.offer_names) == len(answer.all_offer_names) == 100
        # Those of the rows, and of the offers that come.
        assert pool._catalog.values <= 151
        assert len(pool._ledger._tables) == 2


def test_an_answer_keeps_the_names_of_its_time(packed):
    with packed.open([Offer("a", {"gpu": 4})], mode="shared") as pool:
        answer = pool.assign([Task("t", {"gpu": 1})])
        pool.update(removed=["a"])
        pool.update(added=[Offer("b", {"gpu": 4})])
        assert (answer.offer_names, pool.assign([Task("t", {"gpu": 1})]).offer_names) == (["a"], ["b"])


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
def test_a_server_that_returns_under_its_name_is_put_back(matcher, mode):
    with matcher.open([Offer("a", {"gpu": 1}), Offer("b", {"gpu": 9})], mode=mode) as pool:
        assert pool.assign([Task("t", {"gpu": 1})]).offer_names == ["a"]
        if mode == "shared":
            pool.update(removed=["a"])
        assert not pool.is_listed("a")
        pool.update(added=[Offer("a", {"gpu": 2})])
        assert pool.is_listed("a")
        assert pool.assign([Task("u", {"gpu": 2})]).offer_names == ["a"]
        with pytest.raises(InputError) as caught:
            pool.update(added=[Offer("b", {"gpu": 2})])
        assert (caught.value.code, "upsert" in caught.value.hint) == ("duplicate-name", True)
        pool.update(removed=["b"], added=[Offer("b", {"gpu": 3}), Offer("c", {"gpu": 3})])
        pool.upsert([Offer("c", {"gpu": 0}), Offer("d", {"gpu": 3})])
        assert pool.assign([Task("v", {"gpu": 3}), Task("w", {"gpu": 3})]).offer_names == ["b", "d"]


def test_an_update_leaves_out_bad_offers(packed):
    with packed.open([Offer("a", {"gpu": 1})]) as pool:
        left = pool.update(
            changed=[Offer("a", {"gpu": -1})], added=[Offer("b", {"gpu": 2}), Offer("c", {"gpu": "x"})], bad_rows="leave-out"
        )
        assert [(one.table, one.name, one.error.code) for one in left] == [
            ("changed offers", "a", "quantity-negative"),
            ("added offers", "c", "quantity-malformed"),
        ]
        assert len(pool) == 2
        assert [
            one.name for one in pool.upsert([Offer("d", {"gpu": -1}), Offer("a", {"gpu": 5})], bad_rows="leave-out")
        ] == ["d"]
        assert pool.assign([Task("t", {"gpu": 5})]).offer_names == ["a"]


def test_a_pool_tells_what_is_left_and_which_devices_were_given(matcher):
    offers = [
        Offer("a", {"gpu": 4}, {"gpu": 5}, {"zone": "x"}, devices=[300, 1000, 500]),
        Offer("b", {"gpu": 9}, devices=2),
        Offer("c", {"gpu": 1}),
    ]
    tasks = [
        Task("share", {"gpu": 1}, device_share=400),
        Task("whole", {"gpu": 1}, devices=1),
        Task("none", {"gpu": 1}, [is_in("zone", "x")]),
        Task("both", {"gpu": 1}, devices=2),
    ]
    with matcher.open(offers, mode="shared") as pool:
        answer = pool.assign(tasks)
        assert dict(zip(answer.task_names, answer.devices, strict=True)) == {
            "share": (2,),
            "whole": (1,),
            "none": (),
            "both": (0, 1),
        }
        pool.update(removed=["c"], added=[Offer("d", {"gpu": 2}, {"gpu": 3}, {"zone": "y"}, [700])])
        left = pool.offers()
        assert left.names == ["a", "b", "d"]
        assert left.available["gpu"].tolist() == [1, 8, 2]
        assert left.capacity["gpu"].tolist() == [5, 9, 3]
        assert left.attributes == {"zone": ["x", None, "y"]}
        assert [left.devices.of(row) for row in range(3)] == [[300, 0, 100], [0, 0], [700]]
        # What it tells can be matched, or be another pool.
        again = [Task(f"t{at}", {"gpu": 1}) for at in range(20)]
        assert matcher.match(again, left, mode="shared", scales={"gpu": 9}).assignments == pool.assign(again).assignments


def test_a_pool_in_exclusive_mode_tells_of_those_that_are_left(matcher):
    with matcher.open([Offer("a", {"gpu": 4}), Offer("b", {"gpu": 9}, devices=1)]) as pool:
        assert pool.assign([Task("t", {"gpu": 1}, devices=1)]).devices == [(0,)]
        assert pool.offers().names == ["a"]
