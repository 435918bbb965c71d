"""Random stories of one pool over row numbers, with every rule mixed: offers, tasks, groups, changes, running tasks."""

import random
from array import array

from offermatch.tables.devices import Devices
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import (
    AT_LEAST,
    AT_MOST,
    Changes,
    GroupTable,
    OfferTable,
    Requirements,
    RunningTable,
    TaskTable,
)

INFINITE = float("inf")
UNSET = float("nan")
# Few different numbers, so that offers tie, and the extremes.
QUANTITIES = (0, 1, 2, 3, 4, 8, 2**53 + 1, 2**64 - 1)
NUMBERS = (UNSET, -INFINITE, -1.5, 0.0, 0.5, 1.0, 2.0, INFINITE)


class Story:
    """One pool, and what happens to it.

    Attributes:
        shape: Of its tables.
        settings: Of the pool.
    """

    def __init__(self, seed, *, mode=None, raise_scales=True):
        """Begin with a seed."""
        self.random = random.Random(seed)
        draw = self.random
        self.shape = Shape(draw.randint(0, 3), draw.randint(1, 3), draw.randint(0, 2))
        terms = self.shape.dimensions + 1
        self.settings = SettingColumns(
            mode or draw.choice(("exclusive", "shared")),
            draw.choice((None, None, None, 0.5, 1.0, 2.0)),
            [draw.choice((0.0, 1.0, 0.5, 3.0)) for _ in range(terms)] if draw.random() < 0.3 else [],
            [draw.choice((0, 1, 5)) for _ in range(terms)] if draw.random() < 0.3 else [],
            raise_scales=raise_scales,
        )
        self.rows = 0

    def some(self, most):
        """Return a number, rather a small one."""
        return min(self.random.randint(0, most), self.random.randint(0, most))

    def offers(self, rows):
        """Return a table of new offers."""
        draw, shape = self.random, self.shape
        capacity = [array("Q", (draw.choice(QUANTITIES[:6]) for _ in range(rows))) for _ in range(shape.dimensions)]
        if draw.random() < 0.1 and shape.dimensions and rows:
            capacity[0][0] = draw.choice(QUANTITIES)
        available = [array("Q", (draw.choice((full, draw.randint(0, full))) for full in column)) for column in capacity]
        devices = [
            [draw.choice((0, 300, 500, 1000, 1000)) for _ in range(draw.choice((0, 0, 1, 2, 4)))] for _ in range(rows)
        ]
        return OfferTable(
            rows,
            available,
            capacity if draw.random() < 0.8 or available != capacity else [],
            [array("Q", (draw.randint(0, 3) for _ in range(rows))) for _ in range(shape.attributes)],
            Devices.of_rows(devices),
            [array("d", (draw.choice(NUMBERS) for _ in range(rows))) for _ in range(shape.measures)]
            if draw.random() < 0.8
            else [],
        )

    def tasks(self, *, grouped=True):
        """Return a table of tasks."""
        draw, shape = self.random, self.shape
        rows = draw.randint(0, 7)
        demand = [array("Q", (draw.choice((0, 0, 1, 1, 2, 3)) for _ in range(rows))) for _ in range(shape.dimensions)]
        devices = (
            array("Q", (draw.choice((0, 0, 300, 500, 1000, 2000)) for _ in range(rows)))
            if draw.random() < 0.5
            else array("Q")
        )
        tasks = TaskTable(rows, demand, devices, self._requirements(rows))
        if grouped and rows and draw.random() < 0.6:
            self._group(tasks)
        return tasks

    def _requirements(self, rows):
        draw, shape = self.random, self.shape
        if draw.random() < 0.3:
            return Requirements()
        found = Requirements(array("Q", [0]), value_offsets=array("Q", [0]))
        for _ in range(rows):
            for _ in range(self.some(3)):
                kind = draw.randint(0, 3) if shape.measures else draw.randint(0, 1)
                measured = kind in (AT_LEAST, AT_MOST)
                found.kinds.append(kind)
                found.subjects.append(draw.randrange(shape.measures if measured else shape.attributes))
                found.bounds.append(draw.choice(NUMBERS[1:]) if measured else 0.0)
                found.weights.append(draw.choice((INFINITE, INFINITE, 0.0, 0.25, 1.0, 1e300)))
                if not measured:
                    found.values.extend(draw.sample((1, 2, 3), draw.randint(0, 3)))
                found.value_offsets.append(len(found.values))
            found.offsets.append(len(found.kinds))
        if not found.kinds:
            return Requirements()
        if all(weight == INFINITE for weight in found.weights):
            found.weights = array("d")
        return found

    def _group(self, tasks):
        draw, shape = self.random, self.shape
        count = draw.randint(1, 3)
        tasks.group_of = array("Q", (draw.randint(0, count) for _ in range(tasks.rows)))
        groups = tasks.groups = GroupTable(count)
        groups.together = array("Q", (draw.choice((0, draw.randint(0, shape.attributes))) for _ in range(count)))
        groups.limit_offsets = array("Q", [0])
        for _ in range(count):
            for _ in range(self.some(2)):
                groups.limit_attributes.append(draw.randint(0, shape.attributes))
                groups.limit_counts.append(draw.randint(1, 2))
            groups.limit_offsets.append(len(groups.limit_attributes))
        if self.rows and draw.random() < 0.5:
            for _ in range(draw.randint(1, 3)):
                groups.occupant_groups.append(draw.randrange(count))
                groups.occupant_offers.append(draw.randrange(self.rows))
                groups.occupant_counts.append(draw.randint(0, 2))
        sizes = [list(tasks.group_of).count(group + 1) for group in range(count)]
        for group, members in zip(groups.occupant_groups, groups.occupant_counts, strict=True):
            sizes[group] += members
        groups.least = array("Q", (draw.choice((0, draw.randint(0, size), size)) for size in sizes))

    def changes(self):
        """Return changes of the offers; the story goes on after them."""
        draw = self.random
        rows = draw.sample(range(self.rows), draw.randint(0, min(self.rows, 4)))
        cut = draw.randint(0, len(rows))
        added = self.offers(self.some(2))
        changes = Changes(rows[:cut], rows[cut:], self.offers(len(rows) - cut), added)
        self.rows += added.rows
        return changes

    def running(self, opened):
        """Return tasks that run in what is not free of the offers of an opened pool, which nothing has changed."""
        draw, shape = self.random, self.shape
        rows = []
        for offer in range(opened.rows):
            full = opened.capacity or opened.available
            left = [full[at][offer] - opened.available[at][offer] for at in range(shape.dimensions)]
            used = [1000 - free for free in opened.devices.of(offer)]
            for _ in range(draw.randint(0, 3)):
                demand = [draw.choice((0, full, draw.randint(0, full))) for full in left]
                left = [full - asked for full, asked in zip(left, demand, strict=True)]
                devices = [(number, draw.choice((full, draw.randint(0, full)))) for number, full in enumerate(used) if full]
                devices = draw.sample(devices, draw.randint(0, len(devices)))
                for number, taken in devices:
                    used[number] -= taken
                rows.append((offer, draw.randint(-1, 2), draw.randint(0, 2), demand, devices))
        draw.shuffle(rows)
        table = RunningTable(
            len(rows),
            array("Q", (row[0] for row in rows)),
            array("q", (row[1] for row in rows)),
            array("Q", (row[2] for row in rows)),
            [array("Q", (row[3][at] for row in rows)) for at in range(shape.dimensions)],
            array("Q", [0]),
        )
        for row in rows:
            for number, taken in row[4]:
                table.device_numbers.append(number)
                table.device_thousandths.append(taken)
            table.device_offsets.append(len(table.device_numbers))
        return table
