"""Words of a contract for the states of the domain."""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Generic, TypeVar

from apps.core.errors import Invalid

S = TypeVar("S", bound=Enum)


class UnknownWord(Invalid):
    """The contract has no such word."""


class Vocabulary(Generic[S]):
    """One contract's words for the states of one domain enum.

    Each state has exactly one word, and every state has one: a state that the domain gains
    breaks each contract that has no word for it, at start.
    """

    def __init__(self, states: type[S], words: Mapping[str, Iterable[S]]) -> None:
        self._states_of = {word: frozenset(meant) for word, meant in words.items()}
        self._word_of = {s: w for w, meant in self._states_of.items() for s in meant}
        said_twice = sum(map(len, self._states_of.values())) != len(self._word_of)
        unsaid = set(states) - set(self._word_of)
        if said_twice or unsaid:
            raise ValueError(f"{states.__name__}: unsaid {unsaid}, said twice {said_twice}")

    @property
    def words(self) -> list[str]:
        """Return the contract's words, as it lists them."""
        return list(self._states_of)

    def say(self, state: S) -> str:
        """Return the contract's word for the state."""
        return self._word_of[state]

    def mean(self, word: str) -> frozenset[S]:
        """Return the states that the word stands for. Raises UnknownWord."""
        try:
            return self._states_of[word]
        except KeyError:
            raise UnknownWord(
                f"Unknown status {word!r}.",
                fields={"field": "status", "allowed_values": self.words},
            ) from None
