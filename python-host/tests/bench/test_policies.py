"""What the policies place is measured on the same tasks and offers, in the order that was asked for."""

import json

from offermatch import policies as shipped
from offermatch.bench import policies
from offermatch.cli.main import run
from offermatch.sample import parse_sample


def test_every_policy_has_a_row_in_both_modes(capsys):
    assert run(["bench", "policies", "--sample", "uniform:60x40", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["mode"], row["policy"]) for row in rows] == [
        (mode, name) for mode in ("exclusive", "shared") for name in shipped.names()
    ]
    assert all(row["opened"] == row["placed"] for row in rows if row["mode"] == "exclusive")
    assert all(0 < row["opened"] < row["placed"] for row in rows if row["mode"] == "shared")


def test_without_devices_strand_opens_what_first_fit_opens():
    for text in ("uniform:2000x2000", "realistic:2000x2000"):
        found = policies.policies([parse_sample(text)], ["first-fit", "best-fit", "strand"], "given")["rows"]
        opened = {row["policy"]: row["opened"] for row in found if row["mode"] == "shared"}
        assert opened["strand"] == opened["first-fit"] < opened["best-fit"]


def test_the_largest_first_opens_fewer_by_first_fit(capsys):
    def opened(order):
        options = ["--sample", "uniform:2000x2000", "--policy", "first-fit", "--order", order, "--json"]
        assert run(["bench", "policies", *options]) == 0
        return json.loads(capsys.readouterr().out)["rows"][1]["opened"]

    assert opened("size") < opened("given")
    assert "placed" in policies.table(policies.policies([parse_sample("ties:20x20")], ["first-fit"], "size"))


def test_policies_that_prefer_untouched_offers_open_fewer_where_used_ones_come_first(capsys):
    def opened(*options):
        names = [argument for name in shipped.names() for argument in ("--policy", name)]
        assert run(["bench", "policies", "--sample", "realistic:600x600", *names, *options, "--json"]) == 0
        rows = json.loads(capsys.readouterr().out)["rows"]
        assert all(row["placed"] == 600 for row in rows if row["mode"] == "shared")
        return {row["policy"]: row["opened"] for row in rows if row["mode"] == "shared"}

    as_it_comes, used_first = opened(), opened("--used-first")
    # They fill the roomiest offers; those that pack open the smallest, in which little room is left.
    assert all(used_first[name] < as_it_comes["first-fit"] < as_it_comes[name] for name in ("dot-product", "worst-fit"))
    found = policies.policies([parse_sample("ties:20x20")], ["first-fit"], "given", used_first=True)
    assert "used offers first" in policies.table(found)
