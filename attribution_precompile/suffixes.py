"""A suffix array over tokens. It finds the longest matches of a text in time bounded by the text's length.

pydivsufsort makes the array. The class adds each suffix's rank and a tree of minima over the common prefix lengths of
neighbours (Kasai et al. 2001). So a match that loses its first token is found again without comparing tokens that are
known to be equal, and a long repetitive text costs no more than any other (Chang and Lawler 1994, matching statistics).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

END: Final = 0
UNKNOWN: Final = -1


class SuffixArray:
    """A suffix array over a corpus of tokens. Tokens are integers above 0, and END follows each text."""

    def __init__(self, tokens: Sequence[int]) -> None:
        from pydivsufsort import divsufsort, kasai  # takes long to load, and a node seldom needs it

        count = len(tokens)
        text = np.array(tokens, dtype=np.int32)
        order = divsufsort(text) if count else text
        rank = np.empty_like(order)
        rank[order] = np.arange(count)
        # common[i] is the length of the common prefix of suffixes i - 1 and i; -1 where there is no such pair
        common = np.full(1 << count.bit_length(), -1, dtype=np.int64)
        if count:
            common[1:count] = kasai(text, order)[: count - 1]
        minima = [common]
        while len(minima[-1]) > 1:
            minima.append(np.minimum(minima[-1][0::2], minima[-1][1::2]))
        # Reading a memoryview gives Python integers and is faster than reading a numpy array.
        self._text, self._order, self._rank = (row.astype(np.int64).data for row in (text, order, rank))
        self._minima = [level.data for level in minima]

    def positions(self, low: int, high: int) -> list[int]:
        """The positions in the corpus where the suffixes of rank [low, high) begin."""
        return self._order[low:high].tolist()

    def matches(self, tokens: Sequence[int]) -> Iterator[tuple[int, int, int, int]]:
        """Yields each longest match that ends after all matches before it: first, last, and the ranks [low, high) of
        the suffixes that begin with tokens[first:last]. UNKNOWN is a token that is not in the corpus."""
        order = self._order
        low, high = 0, len(order)
        last = reached = 0
        for first in range(len(tokens)):
            if last >= first > 0:
                low, high = self._beginning_as(order[low] + 1, last - first)
            else:
                last = first
                low, high = 0, len(order)
            while last < len(tokens):
                narrowed = self._followed_by(tokens[last], low, high, last - first)
                if narrowed[0] == narrowed[1]:
                    break
                low, high = narrowed
                last += 1
            if last > reached:
                reached = last
                yield first, last, low, high
            if reached == len(tokens):
                return

    def _followed_by(self, token: int, low: int, high: int, length: int) -> tuple[int, int]:
        """The ranks of the suffixes in [low, high), which share their first `length` tokens, that continue with
        `token`.
        """
        text, order = self._text, self._order
        if low < high and text[order[low] + length] == token == text[order[high - 1] + length]:
            return low, high

        def following(position: int) -> int:
            return text[position + length]

        low = bisect_left(order, token, low, high, key=following)
        return low, bisect_right(order, token, low, high, key=following)

    def _beginning_as(self, position: int, length: int) -> tuple[int, int]:
        """The ranks of all suffixes that begin with the `length` tokens at `position`."""
        rank = self._rank[position]
        return self._last_below(rank, length), self._first_below(rank + 1, length)

    def _last_below(self, index: int, length: int) -> int:
        """The last rank up to `index` whose common prefix with the rank before is shorter than `length`."""
        minima = self._minima
        level = 0
        while minima[level][index] >= length:
            if index & 1:
                index -= 1
            else:
                index = (index >> 1) - 1
                level += 1
        while level:
            level -= 1
            index = 2 * index + 1
            if minima[level][index] >= length:
                index -= 1
        return index

    def _first_below(self, index: int, length: int) -> int:
        """The first rank from `index` on whose common prefix with the rank before is shorter than `length`."""
        minima = self._minima
        level = 0
        while minima[level][index] >= length:
            if index & 1:
                index = (index >> 1) + 1
                level += 1
            else:
                index += 1
        while level:
            level -= 1
            index = 2 * index
            if minima[level][index] >= length:
                index += 1
        return index
