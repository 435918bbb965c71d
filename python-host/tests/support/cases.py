"""Random cases with heavy ties: few distinct numbers, few values, few devices."""

from hypothesis import strategies as st

from offermatch import Offer, Requirement, Settings, Task

DIMENSIONS = ("slots", "memory")
ATTRIBUTES = ("zone", "gpu")

quantity = st.one_of(st.integers(0, 4), st.integers(0, 4), st.sampled_from([2**53 + 1, 2**63, 2**64 - 1]))
value = st.sampled_from(["a", "b", "c"])
requirement = st.builds(
    Requirement, st.sampled_from([*ATTRIBUTES, "nowhere"]), st.lists(value, max_size=2).map(tuple), st.booleans()
)
# (whole devices, share): at most one of them.
devices = st.sampled_from([(0, 0), (0, 0), (1, 0), (2, 0), (0, 1), (0, 400), (0, 500), (0, 999)])


@st.composite
def tasks(draw, most=8):
    rows = []
    for number in range(draw(st.integers(0, most))):
        whole, share = draw(devices)
        demand = {name: draw(quantity) for name in DIMENSIONS if draw(st.integers(0, 5))}
        requirements = tuple(draw(st.lists(requirement, max_size=2)))
        rows.append(Task(f"task-{number}", demand, requirements, whole, share))
    return rows


@st.composite
def offer(draw, name):
    available = {dimension: draw(quantity) for dimension in DIMENSIONS}
    capacity = {"slots": min(2**64 - 1, available["slots"] + 3)} if draw(st.booleans()) else None
    attributes = {attribute: draw(st.one_of(st.none(), value)) for attribute in ATTRIBUTES}
    free = draw(st.one_of(st.integers(0, 2), st.lists(st.sampled_from([0, 400, 500, 1000]), max_size=3)))
    return Offer(name, available, capacity, attributes, free)


@st.composite
def offers(draw, most=8, prefix="offer"):
    return [draw(offer(f"{prefix}-{number}")) for number in range(draw(st.integers(0, most)))]


weight = st.sampled_from([0.0, 0.1, 1.0, 3.7])
pool_settings = st.builds(
    Settings,
    st.sampled_from(["exclusive", "shared"]),
    st.sampled_from([0.0, 0.5, 1.0, 31.0, 1e300]),
    st.one_of(st.none(), st.fixed_dictionaries({}, optional={"slots": weight, "memory": weight, "devices": weight})),
    st.one_of(st.none(), st.fixed_dictionaries({}, optional={"slots": st.sampled_from([0, 3]), "devices": st.just(7)})),
)


@st.composite
def changes(draw, names, round_number):
    """Names removed, offers changed, offers added."""
    picked = draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    cut = draw(st.integers(0, len(picked)))
    changed = [draw(offer(name)) for name in picked[cut:]]
    return {"removed": picked[:cut], "changed": changed, "added": draw(offers(most=2, prefix=f"new-{round_number}"))}
