"""The page of a day, opened in a real Chromium that reaches no network."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from offermatch.scheduler.day.figures import BINS
from offermatch.scheduler.day.report import page
from offermatch.scheduler.day.run import compare
from offermatch.scheduler.day.workload import generated

SIDES = ("talk", "loop", "component", "component-improved")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--no-first-run",
    # Nothing has an address: what the page asked for would fail, and be told.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--enable-logging=stderr",
)


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    figures, _ = compare(generated(3000, 8, seed=3, hours=4.0), loop_seconds_per_pair=1e-4, component_seconds_per_pair=1e-8)
    path = tmp_path_factory.mktemp("page") / "day.html"
    path.write_text(page(figures), encoding="utf-8")
    return path


def opened(path, profile, *settings):
    """Return the page's document after it was shown, and what it told the console."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("there is no chromium: run 'make chromium'")
    command = [chromium, *QUIET, *settings, f"--user-data-dir={profile}", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


class Document(HTMLParser):
    """Elements with their attributes, and the text of titles and headings."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.stack, self.texts = [], [], {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.stack.append(tag)

    def handle_endtag(self, tag):
        while self.stack and self.stack.pop() != tag:
            pass

    def handle_data(self, data):
        if self.stack:
            self.texts.setdefault(self.stack[-1], []).append(data.strip())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def test_the_page_shows_every_series_and_tells_the_console_nothing(html, tmp_path):
    shown, console = opened(html, tmp_path)
    assert console == []
    document = Document(shown)
    assert document.texts["h1"] == ["4 hours of a cluster: a generated day, seed 3"]
    assert document.texts["title"][0] == "offermatch: 4 hours of a cluster: a generated day, seed 3"
    titles = [one for one in document.texts["text"] if "in use" in one or "cycle" in one]
    assert {"CPUs in use", "Memory in use", "Length of a cycle"} <= set(titles)
    assert len(document.all("svg")) == 6
    # Of each plot one path a side, all of finite numbers, and as long as the day.
    paths = [one["d"] for one in document.all("path")]
    assert len(paths) == 6 * len(SIDES)
    for path in paths:
        points = re.findall(r"[ML](\S+) (\S+)", path)
        assert len(points) > BINS / 3
        assert " ".join(f"{x} {y}" for x, y in points) == re.sub("[ML]", "", path)
        assert all(0 <= float(x) <= 860 and 0 <= float(y) <= 270 for x, y in points)
    assert {one["class"] for one in document.all("g")} == set(SIDES)


def test_the_page_asks_for_nothing_and_runs_nothing(html):
    text = html.read_text()
    document = Document(text)
    policy = [one["content"] for one in document.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert not {"script", "link", "img", "iframe", "object", "a"} & {name for name, _ in document.elements}
    asked = {name for _, attributes in document.elements for name in attributes} & {"src", "href", "xlink:href", "srcset"}
    assert asked == set()
    assert "url(" not in text
    assert "@import" not in text


MEASURE = """<script>
const found = [...document.querySelectorAll('svg path')].map(one => one.getTotalLength());
const clipped = [...document.querySelectorAll('svg text')].filter(one => {
  const inner = one.getBoundingClientRect(), outer = one.ownerSVGElement.getBoundingClientRect();
  return inner.left < outer.left - 1 || inner.right > outer.right + 1;
}).map(one => one.textContent);
document.body.dataset.shortest = Math.min(...found);
document.body.dataset.clipped = clipped.join('|');
document.body.dataset.wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
document.body.dataset.back = getComputedStyle(document.body).backgroundColor;
document.body.dataset.paper = getComputedStyle(document.querySelector('svg .paper')).fill;
</script></body>"""


@pytest.mark.parametrize(("scheme", "back"), [(0, "rgb(15, 23, 42)"), (1, "rgb(255, 255, 255)")])
@pytest.mark.parametrize("width", [400, 1200])
def test_lines_are_drawn_texts_are_whole_and_colours_follow_the_reader(html, tmp_path, scheme, back, width):
    asking = tmp_path / "asking.html"
    text = html.read_text().replace("style-src", "script-src 'unsafe-inline'; style-src", 1)
    asking.write_text(text.replace("</body>", MEASURE))
    settings = f"--blink-settings=preferredColorScheme={scheme}", f"--window-size={width},900"
    shown, console = opened(asking, tmp_path / "profile", *settings)
    assert console == []
    body = Document(shown).all("body")[0]
    assert float(body["data-shortest"]) > 300
    assert body["data-clipped"] == ""
    assert body["data-wide"] == "false"
    assert (body["data-back"], body["data-paper"]) == (back, back)


def test_a_page_that_asks_or_throws_would_be_caught(html, tmp_path):
    wrong = tmp_path / "wrong.html"
    wrong.write_text(html.read_text().replace("</body>", '<img src="http://example.com/a.png"><script>1</script></body>'))
    _, console = opened(wrong, tmp_path / "profile")
    assert any("example.com" in line for line in console)
    assert any("script" in line for line in console)
