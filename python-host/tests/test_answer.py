"""What an answer is made into."""

import pandas
import polars
import pytest

from offermatch import InputError, Offer, Settings, Task


@pytest.fixture
def answer(packed):
    return packed.match([Task("a", {"gpu": 1}), Task("b", {"gpu": 9})], [Offer("x", {"gpu": 2})])


def test_frames_of_an_answer(answer, packed):
    assert answer.to_arrow().to_pydict() == {"task": ["a"], "offer": ["x"], "score": [0.5]}
    assert answer.to_pandas().to_dict("records") == [{"task": "a", "offer": "x", "score": 0.5}]
    assert answer.to_polars().rows() == [("a", "x", 0.5)]
    nothing = packed.match([], [])
    assert nothing.to_arrow().schema == answer.to_arrow().schema
    assert (
        nothing.to_polars().schema
        == answer.to_polars().schema
        == polars.Schema({"task": polars.String, "offer": polars.String, "score": polars.Float64})
    )
    assert (nothing.to_pandas().dtypes == answer.to_pandas().dtypes).all()


def test_the_tasks_of_a_frame_meet_their_offers(packed):
    tasks = pandas.DataFrame({"name": ["a", "b", "c"], "gpu": [1, 9, 2], "owner": ["x", "y", "z"]})
    found = packed.match(tasks, {"name": ["o", "p"], "gpu": [1, 2]}, dimensions=["gpu"])
    joined = tasks.merge(found.to_pandas(), left_on="name", right_on="task")
    assert joined[["owner", "offer"]].to_numpy().tolist() == [["x", "o"], ["z", "p"]]
    assert tasks.iloc[found.task_rows].name.tolist() == found.task_names


@pytest.mark.parametrize(("method", "library"), [("to_arrow", "pyarrow"), ("to_pandas", "pandas"), ("to_polars", "polars")])
def test_a_library_that_is_not_installed_is_named(answer, monkeypatch, method, library):
    monkeypatch.setattr("offermatch.extras.find_spec", lambda name: None)
    with pytest.raises(InputError, match=library) as caught:
        getattr(answer, method)()
    assert (caught.value.code, caught.value.hint) == ("extra-missing", "pip install 'offermatch[frames]'")


def test_an_answer_is_shown_in_one_short_line(packed):
    tasks = [Task(f"t{at}", {"gpu": at % 3}) for at in range(20_000)]
    offers = [Offer(f"o{at}", {"gpu": 1}) for at in range(5_000)]
    answer = packed.match(tasks, offers)
    assert repr(answer) == "<Answer: 5000 of 20000 tasks placed, 5000 offers, matcher 'offermatch-matcher'>"


def test_a_pool_takes_the_settings_of_match(matcher):
    offers = [Offer("x", {"gpu": 8}), Offer("y", {"gpu": 4})]
    tasks = [Task("a", {"gpu": 1}), Task("b", {"gpu": 1})]
    for options in ({"mode": "shared"}, {"max_score": 0.2}, {"weights": {"gpu": 0.5}}, {"scales": {"gpu": 2}}):
        with matcher.open(offers, **options) as pool, matcher.open(offers, Settings(**options)) as other:
            assert pool.settings == other.settings
            found = pool.assign(tasks)
            assert (
                found.assignments == other.assign(tasks).assignments == matcher.match(tasks, offers, **options).assignments
            )
    with matcher.open(offers, Settings("shared", weights={"gpu": 2.0}), mode="exclusive") as pool:
        assert pool.settings == Settings("exclusive", weights={"gpu": 2.0})


def test_a_pool_explains_what_it_does_not_place(matcher):
    with matcher.open([Offer("x", {"gpu": 2})], mode="shared") as pool:
        answer = pool.assign([Task("a", {"gpu": 1}), Task("b", {"gpu": 9})], explain=True)
        assert [found.task for found in answer.explanations] == ["b"]
        assert answer.explanations[0].by_dimension == {"gpu": 1}
