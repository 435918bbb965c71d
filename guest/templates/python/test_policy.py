"""The policy, by hand."""

import unittest

from policy import score
from rows import Offer, Ranking, Task


class ItLooksAtTheDimensionWithMostLeft(unittest.TestCase):
    """Two dimensions: the first offer leaves 1 of 8 and 7 of 8, the second 4 of 8 in both."""

    def test_score(self) -> None:
        """The second wins."""
        ranking, task = Ranking([1.0, 1.0, 1.0], [8, 8, 1]), Task([1, 1], 0, [])
        uneven, even = (Offer(free, [8, 8], [], [], []) for free in ([2, 8], [5, 5]))
        self.assertEqual(score(ranking, task, uneven), 0.875)
        self.assertEqual(score(ranking, task, even), 0.5)


if __name__ == "__main__":
    unittest.main()
