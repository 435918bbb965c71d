"""The random numbers of Go's ``math/rand``, up to Go 1.19: published experiments name a seed of it.

An additive lagged Fibonacci generator, ``x[k] = x[k - 607] + x[k - 273]`` in 64 bits. ``Seed`` fills it with the numbers of
a linear congruential generator, mixed with a table: the state of the same generator after 7.8e12 steps from a known
beginning. Go carries the table; here it is computed by jumping there, which takes a tenth of a second.

Source: ``src/math/rand/{rng,rand,gen_cooked}.go`` of Go 1.19.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, MutableSequence
from functools import cache
from typing import Any

__all__ = ["GoRandom"]

_LENGTH, _LAG = 607, 273
_WORD = 2**64 - 1
_PRIME = 2**31 - 1
_STEPS = 7_800_000_000_000
_BYTES = 18
"""Room for a sum of 607 products of two words."""


class GoRandom:
    """A generator as ``rand.Seed`` leaves it."""

    def __init__(self, seed: int) -> None:
        """Seed it."""
        mixed = zip(_filled(seed, 40, 20), _table(), strict=True)
        self._last = deque(_in_order([one ^ other for one, other in mixed]), maxlen=_LENGTH)

    def int63(self) -> int:
        """Return a number of 63 bits."""
        drawn = (self._last[0] + self._last[-_LAG]) & _WORD
        self._last.append(drawn)
        return drawn & (_WORD >> 1)

    def below(self, bound: int) -> int:
        """Return a number below a bound of up to 31 bits, as ``Intn``."""
        if bound & (bound - 1) == 0:
            return self.int63() >> 32 & (bound - 1)
        most = _PRIME - 2**31 % bound
        while (drawn := self.int63() >> 32) > most:
            pass
        return drawn % bound

    def shuffle(self, items: MutableSequence[Any]) -> None:
        """Shuffle in place, as ``Shuffle``."""
        for at in range(len(items) - 1, 0, -1):
            other = self._scaled(at + 1)
            items[at], items[other] = items[other], items[at]

    def permutation(self, count: int) -> list[int]:
        """Return the numbers below a count in some order, as ``Perm``."""
        found = [0] * count
        for at in range(count):
            other = self.below(at + 1)
            found[at] = found[other]
            found[other] = at
        return found

    def _scaled(self, bound: int) -> int:
        """Return a number below a bound by a product: D. Lemire, "Fast Random Integer Generation in an Interval", 2019."""
        product = (self.int63() >> 31) * bound
        if product & 0xFFFFFFFF < bound:
            threshold = (2**32 - bound) % bound
            while product & 0xFFFFFFFF < threshold:
                product = (self.int63() >> 31) * bound
        return product >> 32


def _filled(seed: int, first: int, second: int) -> list[int]:
    """Return a state made of three numbers a word, shifted by these many bits, of the congruential generator."""

    def numbers() -> Iterator[int]:
        drawn = seed % _PRIME or 89482311
        while True:
            drawn = 48271 * drawn % _PRIME
            yield drawn

    source = numbers()
    for _ in range(20):
        next(source)
    return [(next(source) << first ^ next(source) << second ^ next(source)) & _WORD for _ in range(_LENGTH)]


def _in_order(state: list[int]) -> list[int]:
    """Return a state, which Go walks through from position 333 down, oldest number first."""
    return [state[(333 - step) % _LENGTH] for step in range(-_LENGTH, 0)]


@cache
def _table() -> tuple[int, ...]:
    """Return the state after 7.8e12 steps from the seed 1.

    That is the product with ``x ** steps`` modulo ``x ** 607 - x ** 334 - 1``, the polynomial of the generator, by squares.
    """
    power = [1] + [0] * (_LENGTH - 1)
    for bit in f"{_STEPS:b}":
        power = _reduced(_squared(power))
        if bit == "1":
            power = _reduced([0, *power])
    numbers = _in_order(_filled(1, 20, 10))
    for _ in range(_LENGTH):
        numbers.append((numbers[-_LENGTH] + numbers[-_LAG]) & _WORD)
    state = [0] * _LENGTH
    for at in range(_LENGTH):
        window = numbers[at : at + _LENGTH]
        step = _STEPS - _LENGTH + at
        state[(333 - step) % _LENGTH] = sum(map(int.__mul__, power, window)) & _WORD
    return tuple(state)


def _squared(polynomial: list[int]) -> list[int]:
    """Return the square of a polynomial, as one product of two long numbers."""
    packed = int.from_bytes(b"".join(number.to_bytes(_BYTES, "little") for number in polynomial), "little")
    count = 2 * len(polynomial) - 1
    square = (packed * packed).to_bytes(_BYTES * (count + 1), "little")
    return [int.from_bytes(square[_BYTES * at : _BYTES * (at + 1)], "little") & _WORD for at in range(count)]


def _reduced(polynomial: list[int]) -> list[int]:
    """Return the remainder of a polynomial by that of the generator."""
    for at in range(len(polynomial) - 1, _LENGTH - 1, -1):
        polynomial[at - _LENGTH] = (polynomial[at - _LENGTH] + polynomial[at]) & _WORD
        polynomial[at - _LAG] = (polynomial[at - _LAG] + polynomial[at]) & _WORD
    return polynomial[:_LENGTH]
