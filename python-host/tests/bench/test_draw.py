"""Pictures of figures that a benchmark wrote."""

import json

import pytest

from offermatch import InputError
from offermatch.bench.draw import draw


def row(name, mode="shared", tasks=1000, offers=1000, **figures):
    return {"name": name, "mode": mode, "tasks": tasks, "offers": offers, **figures}


FIGURES = {
    "benches": [
        {"bench": "memory", "rows": [row("memory")]},
        {"bench": "talk", "rows": [row("component, from Rust", total_ms=1.5), row("native loop", total_ms=150.0)]},
        {"bench": "kinds", "rows": [row("uniform", times_faster=40.0), row("ties", "exclusive", times_faster=3.0)]},
        {
            "bench": "growth",
            "rows": [
                row("uniform", tasks=tasks, offers=offers, total_ms=tasks / 1000)
                for tasks in (1000, 10_000, 100_000)
                for offers in (tasks, tasks // 10)
            ],
        },
    ]
}


def test_each_figure_is_drawn(tmp_path):
    (tmp_path / "figures.json").write_text(json.dumps(FIGURES))
    written = draw(tmp_path / "figures.json", tmp_path / "plots")
    assert [path.name for path in written] == [
        "talk-1000x1000.svg",
        "kinds-shared.svg",
        "kinds-exclusive.svg",
        "growth-tenth.svg",
        "growth-equal.svg",
    ]
    talk, kinds, _, _, growth = (path.read_text() for path in written)
    assert all(part in talk for part in ("component, from Rust", "1.50 ms", "150 ms"))
    assert "40x" in kinds
    assert ">1000<" in growth
    # A line over two powers of ten in both directions is the diagonal.
    points = growth.split('polyline points="')[1].split('"')[0].split()
    (x0, y0), (x1, y1), (x2, y2) = (tuple(map(float, point.split(","))) for point in points)
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert y1 - y0 == pytest.approx(y2 - y1, abs=0.2)


def test_one_benchmark_alone_is_drawn(tmp_path):
    (tmp_path / "figures.json").write_text(json.dumps(FIGURES["benches"][2]))
    assert len(draw(tmp_path / "figures.json", tmp_path)) == 2


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "file-unreadable"),
        ("{", "file-malformed"),
        ("[]", "file-malformed"),
        ('{"bench": "memory"}', "file-malformed"),
        ('{"bench": "kinds", "rows": [{}]}', "file-malformed"),
    ],
)
def test_a_file_without_a_picture_is_refused(tmp_path, content, code):
    path = tmp_path / "figures.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError) as caught:
        draw(path, tmp_path / "plots")
    assert (caught.value.code, caught.value.place) == (code, str(path))
    assert not (tmp_path / "plots").exists()
