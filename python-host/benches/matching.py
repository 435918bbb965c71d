"""The Python host's calls, one by one, by pyperf: in processes of their own, with their spread.

``python python-host/benches/matching.py`` measures (``--fast`` for a first look, ``-o FILE`` to keep the figures, which
``pyperf compare_to`` compares with those of another version); ``offermatch bench`` and ``offermatch-host bench`` compare
with everything else.
"""

import pyperf

from offermatch import Matcher, ReferenceMatcher
from offermatch.sample import parse_sample
from offermatch.tables.input import offer_columns, task_columns

SAMPLES = ("uniform:200x200", "uniform:20000x20000")


def main() -> None:
    """Measure what the command line asks for."""
    runner = pyperf.Runner()
    matcher = Matcher.load()
    runner.bench_func("load, cached", Matcher.load)
    for text in SAMPLES:
        tasks, offers = parse_sample(text).rows()
        columns = task_columns(tasks), offer_columns(offers)
        runner.bench_func(f"match {text} from dataclasses", matcher.match, tasks, offers)
        runner.bench_func(f"match {text} from columns", matcher.match, *columns)
    small = parse_sample(SAMPLES[0]).rows()
    runner.bench_func(f"match {SAMPLES[0]} by the reference matcher", ReferenceMatcher().match, *small)
    with matcher.open(columns[1]) as pool:
        runner.bench_func("assign no task to an open pool", pool.assign, [])


if __name__ == "__main__":
    main()
