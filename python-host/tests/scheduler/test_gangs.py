"""Groups of tasks in the scheduler: members begin together, stay within their rules across cycles, and fail together."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journal import JournalCluster, starts
from offermatch import Group, InputError, Offer, ReferenceMatcher, at_least, at_most, is_in, not_in, prefer
from offermatch.cli.main import run
from offermatch.scheduler.cluster.abc import Launched
from offermatch.scheduler.cluster.simulated import SimulatedCluster
from offermatch.scheduler.loop import Scheduler
from offermatch.scheduler.queues import Queue
from offermatch.scheduler.store import Store
from offermatch.scheduler.submission import Submission, read_submissions
from offermatch.scheduler.why import why
from schedulers import scheduler


def gang(number, least=None, *, name="gang", cpu=1, prefix="g", first=0, together=None, limits=None, seconds=5, **columns):
    group = Group(name, number if least is None else least, together, limits or {})
    payload = {"seconds": seconds}
    return [
        Submission(f"{prefix}{at}", {"cpu": cpu}, group=group, payload=payload, **columns)
        for at in range(first, first + number)
    ]


def servers(*cpu, **attributes):
    return [Offer(f"s{at}", {"cpu": number}, attributes=attributes) for at, number in enumerate(cpu)]


def states(store, *names):
    return [store.shown(name).state for name in names]


def where(store, *names):
    return [store.shown(name).columns["offer"] for name in names]


# ---- what the store keeps ----------------------------------------------------------------------------------------------


def test_rules_come_back_as_they_were_submitted(store):
    asked = [is_in("zone", "a", "b"), not_in("gpu", "T4"), at_least("memory", 40e9), at_most("price", float("inf"))]
    wished = [prefer(is_in("zone", "a"), 0.5), prefer(at_most("price", 0.1), 2)]
    group = Group("gang", 2, "rack", {"zone": 2, "offer": 1})
    rows = [Submission("a", {"cpu": 1}, asked, preferences=wished, group=group), Submission("b", {"cpu": 1}, group="gang")]
    store.submit([*rows, Submission("c")])
    found = store.processable(10)
    assert [tuple(row) for row in found.columns.requirements] == [tuple(asked), (), ()]
    assert [tuple(row) for row in found.columns.preferences] == [tuple(wished), (), ()]
    (state,) = found.groups.values()
    assert (state.name, state.least, state.together, state.at_most) == ("gang", 2, "rack", {"zone": 2, "offer": 1})
    assert (state.needed, state.counts) == (2, {"ready": 2})
    assert found.group_of == [state.id, state.id, 0]
    assert found.picked([2, 0]).group_of == [0, state.id]


@pytest.mark.parametrize("form", ["json", "csv"])
def test_rules_are_read_from_files(store, tmp_path, form):
    path = tmp_path / f"tasks.{form}"
    if form == "json":
        group = {"name": "gang", "least": 2, "together": "rack", "at_most": {"offer": 1}}
        first = {"name": "a", "demand": {"cpu": 1}, "group": group, "fails_together": True}
        first |= {"requirements": [{"measure": "memory", "at_least": 4}]}
        first |= {"preferences": [{"attribute": "zone", "in": ["a"], "weight": 0.5}]}
        path.write_text(json.dumps([first, {"name": "b", "demand": {"cpu": 1}, "group": "gang"}]))
    else:
        header = "name,demand.cpu,group,group.least,group.together,group.at_most.offer,at_least.memory,fails_together"
        path.write_text(f"{header},prefers.zone,prefers_weight.zone\na,1,gang,2,rack,1,4,true,a,0.5\nb,1,gang,,,,,,,\n")
    rows = read_submissions(path)
    store.submit(rows)
    found = store.processable(10)
    (state,) = found.groups.values()
    assert (state.least, state.together, state.at_most, state.fails_together) == (2, "rack", {"offer": 1}, True)
    assert [tuple(row) for row in found.columns.requirements] == [(at_least("memory", 4),), ()]
    assert [tuple(row) for row in found.columns.preferences] == [(prefer(is_in("zone", "a"), 0.5),), ()]


@pytest.mark.parametrize(
    ("rows", "code", "words"),
    [
        ([Submission("x", fails_together=True)], "group-malformed", "in no group"),
        ([Submission("x", group="g", fails_together="yes")], "setting-malformed", "'yes'"),
        ([Submission("x", group=Group("g", 2)), Submission("y", group="g", needs=["x"])], "group-malformed", "'x'"),
        ([Submission("x", group=Group("g" * 600))], "group-malformed", "512"),
        ([Submission("x", group=Group("old", 3))], "group-malformed", "least 2"),
        ([Submission("x", group="old", priority=3)], "group-malformed", "priority 0"),
        ([Submission("x", group="old", queue="other")], "group-malformed", "queue default"),
    ],
)
def test_a_group_that_cannot_be_is_refused_and_stores_nothing(store, rows, code, words):
    store.set_queues([Queue("other")])
    store.submit(gang(2, name="old", prefix="old"))
    with pytest.raises(InputError) as caught:
        store.submit(rows)
    assert caught.value.code == code
    assert words in f"{caught.value.message} {caught.value.hint}"
    assert store.counts() == {"ready": 2}


def test_a_name_whose_tasks_have_ended_may_be_used_again(store):
    cluster = SimulatedCluster(servers(4))
    for life, least in (("a", 2), ("b", 3)):
        store.submit(gang(3, least, prefix=life), at=cluster.now())
        with scheduler(store, cluster) as loop:
            loop.run(until_idle=True)
    assert store.counts() == {"done": 6}
    store.submit(gang(1, 2, prefix="c"), at=cluster.now())
    with scheduler(store, cluster) as loop:
        assert loop.cycle().refusals == {"gang-incomplete": 1}
    assert states(store, "c0") == ["ready"], "those of the group before count for nothing"


# ---- beginning together ------------------------------------------------------------------------------------------------


def test_all_begin_or_none(store):
    cluster = SimulatedCluster(servers(4))
    store.submit([Submission("long", {"cpu": 2}, payload={"seconds": 10})], at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        store.submit([*gang(4), Submission("small", {"cpu": 1}, payload={"seconds": 1})], at=cluster.now())
        cycle = loop.cycle()
        assert (cycle.placed, cycle.launched) == (1, 1)
        assert states(store, "g0", "g1", "g2", "g3", "small") == ["ready"] * 4 + ["running"]
        lines = why(store, "g1", cluster.now())
        assert lines[-1] == "it is in the group gang (least 4): 4 more have to begin at once, 4 ready"
        while not loop.cycle().launched:
            cluster.wait(1)
        begins = {store.shown(f"g{at}").history[-1].at for at in range(4)}
        assert len(begins) == 1


def test_offers_without_the_attribute_are_told(store):
    cluster = SimulatedCluster([Offer("s1", {"cpu": 4}), Offer("s2", {"cpu": 4})])
    store.submit(gang(2, together="rack"), at=cluster.now())
    with scheduler(store, cluster) as loop:
        assert loop.cycle().placed == 0
        lines = why(store, "g0", cluster.now())
        assert any("of which 2 have no rack" in line for line in lines), lines


def test_offers_of_another_place_are_told(store):
    cluster = SimulatedCluster([Offer(f"s{at}", {"cpu": 1}, attributes={"rack": f"r{at}"}) for at in range(2)])
    store.submit(gang(1, 0, together="rack", prefix="m", name="many", seconds=50), at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        store.submit([Submission("later", {"cpu": 1}, group="many")], at=cluster.now())
        cluster.wait(1)
        assert loop.cycle().placed == 0
        lines = why(store, "later", cluster.now())
        assert any("1 have another rack than the members of its group that run, or none" in line for line in lines), lines


def test_a_group_that_arrives_in_parts_waits_for_as_many_as_it_needs(store):
    cluster = SimulatedCluster(servers(8))
    store.submit(gang(2, 3), at=cluster.now())
    with scheduler(store, cluster) as loop:
        cycle = loop.cycle()
        assert (cycle.placed, cycle.refusals) == (0, {"gang-incomplete": 2})
        assert why(store, "g0", cluster.now())[0] == (
            "its group gang needs 3 members to begin at once, and 2 are ready: it waits for 1 more to be submitted"
        )
        store.submit([Submission("late", {"cpu": 1}, group="gang")], at=cluster.now())
        assert loop.cycle().launched == 3


def test_a_member_that_needs_something_is_waited_for(store):
    cluster = SimulatedCluster(servers(8))
    rows = [Submission("before", {"cpu": 1}, payload={"seconds": 3}), *gang(1, 2)]
    store.submit([*rows, Submission("after", {"cpu": 1}, group="gang", needs=["before"])], at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        assert states(store, "g0", "after") == ["ready", "pending"]
        assert "after (pending)" in why(store, "g0", cluster.now())[0]
        cluster.wait(4)
        loop.cycle()
    assert states(store, "g0", "after") == ["running", "running"]


def test_a_page_cuts_no_gang(store):
    cluster = SimulatedCluster(servers(8))
    store.submit([Submission("one", {"cpu": 1}), *gang(6)], at=cluster.now())
    with scheduler(store, cluster, most_tasks=3) as loop:
        assert loop.cycle().launched == 7


def test_a_part_of_the_launches_cuts_no_gang(store, monkeypatch):
    from offermatch.scheduler import stages

    monkeypatch.setattr(stages, "TOGETHER", 2)
    cluster = SimulatedCluster(servers(16))
    rows = [row for at in range(3) for row in gang(3, name=f"gang{at}", prefix=f"g{at}-")]
    store.submit([Submission("first", {"cpu": 1}), *rows, Submission("last", {"cpu": 1})], at=cluster.now())
    with scheduler(store, cluster) as loop:
        assert loop.cycle().launched == 11


def test_a_larger_gang_than_the_cluster_is_told_of_each_member_first(store):
    cluster = SimulatedCluster(servers(4, 4))
    store.submit([Submission("large", {"cpu": 5}), *gang(9), Submission("later", {"cpu": 5})], at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
    first, *others = (why(store, f"g{at}", cluster.now()) for at in range(9))
    assert "even with nothing running" in first[0]
    assert "8 of the 9" in first[0]
    assert first[1] == "1 ready task is before it in the queue default"
    assert others == [first] * 8
    # No order of tasks helps those that can never run.
    assert "it can never run there" in why(store, "later", cluster.now())[0]


def test_before_a_member_of_a_gang_is_what_is_before_its_first(store):
    cluster = SimulatedCluster(servers(4), seconds=1e6)
    store.submit([Submission("runs", {"cpu": 2}), Submission("waits", {"cpu": 3})], at=cluster.now())
    store.submit(gang(3), at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
    now = cluster.now()
    assert {why(store, f"g{at}", now)[0] for at in range(3)} == {"1 ready task is before it in the queue default"}


def test_of_a_gang_with_more_members_than_it_needs_none_is_too_many(store):
    cluster = SimulatedCluster(servers(4), seconds=1e6)
    store.submit([Submission("runs", {"cpu": 3}, priority=1), *gang(6, 2)], at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
    assert not [line for at in range(6) for line in why(store, f"g{at}", cluster.now()) if "nothing running" in line]


def test_lists_and_reasons_name_queue_and_group(store, store_url, capsys):
    cluster = SimulatedCluster(servers(1, 1, 1, rack="r"))
    store.set_queues([Queue("q")])
    store.submit([Submission("alone", {"cpu": 2}), *gang(3, 2, together="rack", limits={"offer": 1}, queue="q", priority=4)])
    with scheduler(store, cluster) as loop:
        loop.cycle()
    here = ("--store", store_url)
    assert run(["tasks", "list", *here]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {" ".join(line.split()[:5]) for line in lines[2:6]} == {
        *(f"g{at} running 4 q gang" for at in range(3)),
        "alone ready 0 default it",
    }
    assert lines[-1] == "group gang: least 2, together on rack, at most 1 on one offer"
    assert run(["tasks", "list", "--json", *here]) == 0
    found = {row["name"]: row for row in json.loads(capsys.readouterr().out)["tasks"]}
    rules = {"least": 2, "together": "rack", "at_most": {"offer": 1}, "fails_together": False}
    assert (found["g0"]["queue"], found["g0"]["group"]) == ("q", {"name": "gang", **rules})
    assert (found["alone"]["queue"], found["alone"]["group"]) == ("default", None)
    assert run(["tasks", "why", "g0", *here]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "it is in the queue q, with priority 4",
        "it is in the group gang (least 2, together on rack, at most 1 on one offer): 3 running",
    ]
    assert run(["tasks", "show", "g0", *here]) == 0
    assert "group     gang: least 2, together on rack, at most 1 on one offer\n" in capsys.readouterr().out
    listed = {row.name: row for row in store.listed()}
    assert (listed["g1"].queue, listed["g1"].group.counts) == ("q", {"running": 3})


class Refusing(SimulatedCluster):
    """Refuses the first launch of some tasks."""

    refused = ()

    def launch(self, launches):
        left = [one for one in launches if one.task not in self.refused]
        taken = {one.key: one for one in super().launch(left)}
        answers = [taken.get(one.key) or Launched(one.key, "offer-full", "so it says") for one in launches]
        self.refused = ()
        return answers


def test_what_started_of_a_gang_that_did_not_start_whole_ends_and_costs_nothing(store):
    cluster = Refusing(servers(8))
    store.submit(gang(4, retries=0), at=cluster.now())
    cluster.refused = ("g2",)
    with scheduler(store, cluster) as loop:
        assert loop.cycle().launched == 3
        loop.cycle()
        loop.cycle()
        shown = store.shown("g0")
        reasons = [change.reason for change in shown.history if change.reason]
        assert reasons == ["only 3 of the 4 members that its group gang needs were started"]
        assert (shown.columns["failures"], shown.columns["losses"]) == (0, 0)
        cluster.wait(1)
        loop.run(until_idle=True)
    assert store.counts() == {"done": 4}


def test_an_input_that_is_missing_keeps_the_others_from_starting(store, tmp_path):
    class Without(SimulatedCluster):
        def fetch(self, inputs, *, concurrency):
            from offermatch.scheduler.cluster.abc import Fetched

            return [Fetched(name, reason="it is not there") for name in inputs]

    cluster = Without(servers(8))
    rows = gang(3)
    rows[1] = Submission("g1", {"cpu": 1}, group=rows[1].group, inputs=["x"], retries=0)
    store.submit(rows, at=cluster.now())
    with scheduler(store, cluster) as loop:
        cycle = loop.cycle()
    assert (cycle.launched, cycle.refusals) == (0, {"input-missing": 1, "gang-incomplete": 2})
    assert states(store, "g0", "g1", "g2") == ["ready", "failed", "ready"]
    assert "1 has failed" in why(store, "g0", cluster.now())[0]


def test_a_member_that_is_tried_again_joins_those_that_run(store):
    cluster = SimulatedCluster(servers(4, 4))
    store.submit(gang(4, seconds=100), at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        lost = store.shown("g2").columns["offer"]
        assert lost == "s0"
        store.cordon(["s0"], "broken", drain=True)
        loop.cycle()
        loop.cycle()
        assert where(store, "g0", "g1", "g2", "g3") == ["s1"] * 4


# ---- rules across cycles -----------------------------------------------------------------------------------------------


def racks(number, cpu=2):
    return [Offer(f"s{at}", {"cpu": cpu}, attributes={"rack": f"r{at // 2}"}) for at in range(number)]


def test_at_most_counts_those_that_run(store):
    cluster = SimulatedCluster(servers(8, 8))
    store.submit(gang(2, 0, limits={"offer": 1}, seconds=50), at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        assert sorted(where(store, "g0", "g1")) == ["s0", "s1"]
        store.submit([Submission("third", {"cpu": 1}, group="gang")], at=cluster.now())
        assert loop.cycle().placed == 0
        lines = why(store, "third", cluster.now())
        assert any("at most 1 an offer" in line for line in lines), lines
        cluster.wait(60)
        assert loop.cycle().placed == 1


def test_together_binds_those_that_come_later_also_beside_a_cordoned_place(store):
    cluster = SimulatedCluster(racks(4))
    store.submit(gang(1, 0, together="rack", seconds=50), at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        assert where(store, "g0") == ["s0"]
        store.cordon(["s0"])
        rows = [Submission(f"late{at}", {"cpu": 1}, group="gang") for at in range(3)]
        store.submit([*rows, Submission("nothing", group="gang")], at=cluster.now())
        loop.cycle()
    assert where(store, "late0", "late1", "late2", "nothing") == ["s1", "s1", None, "s1"]


def test_two_schedulers_that_place_members_at_once_break_no_limit(store_url):
    cluster = SimulatedCluster(servers(8, 8))
    with Store(store_url) as store, Store(store_url) as other:
        store.submit(gang(2, 0, limits={"offer": 1}, seconds=50), at=cluster.now())
        found = store.processable(10)
        (state,) = found.groups.values()
        lease, second = store.lease(60), other.lease(60)
        from offermatch.scheduler.gangs import Gangs

        joining = Gangs.among(found).joining(found.ids)
        assert len(store.claim(lease, found.ids[:1], ["s0"], joining=joining)) == 1
        assert other.claim(second, found.ids[1:], ["s0"], joining=joining) == []
        later = Gangs.among(other.processable(10)).joining(found.ids)
        assert later.claims == {state.id: 1}
        assert len(other.claim(second, found.ids[1:], ["s1"], joining=later)) == 1


# ---- failing together --------------------------------------------------------------------------------------------------


def test_a_failed_attempt_has_all_tried_again_together(store):
    cluster = SimulatedCluster(servers(8))
    rows = gang(3, seconds=20, retries=1, fails_together=True)
    rows[1] = Submission("g1", {"cpu": 1}, group="gang", payload={"seconds": 2, "fails": "once"}, retries=1)
    store.submit(rows, at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        cluster.wait(3)
        loop.cycle()
        assert states(store, "g1") == ["ready"]
        loop.cycle()
        shown = store.shown("g0")
        assert shown.state == "ready"
        assert shown.columns["reason"] == "its group gang fails together, and an attempt at g1 failed"
        assert shown.columns["failures"] == 0
        cluster.wait(3)
        assert loop.cycle().launched == 3


def test_one_that_fails_for_good_takes_all_with_it_and_a_retry_brings_all_back(store):
    cluster = SimulatedCluster(servers(8))
    rows = gang(3, seconds=20, retries=0, fails_together=True)
    rows[1] = Submission("g1", {"cpu": 1}, group="gang", payload={"seconds": 2, "fails": "always"}, retries=0)
    store.submit([*rows, Submission("next", {"cpu": 1}, needs=["g0"])], at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.run(until_idle=True)
    assert states(store, "g0", "g1", "g2", "next") == ["cancelled", "failed", "cancelled", "cancelled"]
    assert store.shown("g2").columns["reason"] == "its group gang fails together, and g1 failed or was cancelled"
    store.retry(["g1"])
    assert states(store, "g0", "g1", "g2") == ["ready", "ready", "ready"]


def test_cancelling_one_that_waits_cancels_all_of_a_group_that_fails_together(store):
    store.submit(gang(3, fails_together=True))
    store.cancel(["g2"])
    assert store.counts() == {"cancelled": 3}


# ---- quotas and held room ----------------------------------------------------------------------------------------------


def test_a_quota_splits_no_gang(store):
    cluster = SimulatedCluster(servers(16))
    store.set_queues([Queue("q", quota={"cpu": 5000})])
    store.submit([Submission("one", {"cpu": 2}, queue="q", payload={"seconds": 20})], at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        store.submit([*gang(4, queue="q"), *gang(3, 2, name="part", prefix="p", queue="q")], at=cluster.now())
        cycle = loop.cycle()
        assert (cycle.launched, cycle.refusals) == (3, {"over-quota": 4})
        assert states(store, "g0", "p0", "p1", "p2") == ["ready", "running", "running", "running"]
        assert any("the quota of the queue q" in line and "its gang" in line for line in why(store, "g0", cluster.now()))


def test_a_gang_that_its_quota_never_holds_is_refused(store):
    store.set_queues([Queue("q", quota={"cpu": 3000})])
    with pytest.raises(InputError) as caught:
        store.submit(gang(4, queue="q"))
    assert caught.value.code == "over-quota"
    assert "4 members" in caught.value.message


def test_room_is_held_for_a_gang_as_one(store):
    cluster = SimulatedCluster(servers(4, 4))
    small = [Submission(f"small{at}", {"cpu": 1}, priority=-5, payload={"seconds": 5 + at * 7 % 4}) for at in range(400)]
    store.submit(small, at=cluster.now())
    with scheduler(store, cluster, reserve_after=10.0) as loop:
        for _ in range(5):
            loop.cycle()
            cluster.wait(1)
        store.submit(gang(4, cpu=2, seconds=1, priority=1000), at=cluster.now())
        submitted = cluster.now()
        for _ in range(60):
            if states(store, "g0") != ["ready"]:
                break
            loop.cycle()
            cluster.wait(1)
    assert states(store, "g0", "g1", "g2", "g3") == ["running"] * 4
    assert cluster.now() <= submitted + 25
    assert store.reservations() == {}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 4), st.booleans(), st.integers(0, 2)), min_size=1, max_size=6),
    st.lists(st.integers(1, 4), min_size=2, max_size=6),
    st.randoms(use_true_random=False),
)
def test_never_fewer_than_it_needs_run_and_never_more_than_it_may(tmp_path_factory, groups, sizes, draw):
    """Whatever is drawn: at the end of no cycle is a gang that has not started whole partly running for long."""
    path = tmp_path_factory.mktemp("gangs") / "tasks.db"
    cluster = SimulatedCluster(
        [Offer(f"s{at}", {"cpu": cpu}, attributes={"rack": f"r{at % 2}"}) for at, cpu in enumerate(sizes)]
    )
    rows = []
    for number, (size, least, together, limit) in enumerate(groups):
        group = Group(f"g{number}", min(least, size), "rack" if together else None, {"offer": limit} if limit else {})
        rows += [
            Submission(f"t{number}-{at}", {"cpu": draw.randint(0, 2)}, group=group, payload={"seconds": draw.randint(1, 4)})
            for at in range(size)
        ]
    draw.shuffle(rows)
    with Store(f"sqlite:///{path}") as store, scheduler(store, cluster) as loop:
        cut = draw.randint(0, len(rows))
        store.submit(rows[:cut], at=cluster.now())
        for step in range(12):
            if step == 3:
                store.submit(rows[cut:], at=cluster.now())
            assert not (cycle := loop.cycle()).error, cycle.message
            for number, (size, least, together, limit) in enumerate(groups):
                shown = [one for at in range(size) if (one := _shown(store, f"t{number}-{at}"))]
                held = [one.columns["offer"] for one in shown if one.state in ("claimed", "running")]
                done = sum(one.state == "done" for one in shown)
                assert not held or len(held) + done >= min(least, size)
                if together:
                    assert len({int(offer[1:]) % 2 for offer in held}) <= 1
                if limit:
                    assert all(held.count(offer) <= limit for offer in held)
            cluster.wait(1)


def _shown(store, name):
    from offermatch.errors import StoreError

    try:
        return store.shown(name)
    except StoreError:
        return None


def test_a_matcher_that_serves_no_groups_is_refused_by_name_and_the_others_go_on(store):
    class Before(ReferenceMatcher):
        def __init__(self):
            from dataclasses import replace

            super().__init__()
            self.description = replace(self.description, rules=("measures",))

    cluster = SimulatedCluster(servers(8))
    wish = [prefer(is_in("zone", "a"), 1)]
    store.submit([*gang(2), Submission("wish", {"cpu": 1}, preferences=wish), Submission("plain", {"cpu": 1})])
    with Scheduler(store, cluster, Before(), interval=1.0) as loop:
        cycle = loop.cycle()
    assert (cycle.launched, cycle.refusals, cycle.error) == (1, {"rule-unserved": 3}, "")
    assert any("does not serve groups" in line for line in why(store, "g0", cluster.now()))
    assert any("does not serve preferences" in line for line in why(store, "wish", cluster.now()))


def test_a_crash_before_anything_was_sent_starts_the_gang_once(store, store_url, tmp_path):
    journal = tmp_path / "journal.db"
    cluster = JournalCluster(journal, servers=4)
    store.submit(gang(3, seconds=0))
    lease = store.lease(0.01)
    found = store.processable(10)
    store.claim(lease, found.ids, ["server-0", "server-1", "server-2"])
    import time

    time.sleep(0.05)
    settings = __import__("offermatch").Settings("exclusive")
    with Scheduler(store, cluster, ReferenceMatcher(), interval=0.01, settings=settings) as loop:
        loop.run(until_idle=True)
    assert store.counts() == {"done": 3}
    assert set(starts(journal).values()) == {1}
