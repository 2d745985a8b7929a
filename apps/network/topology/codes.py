"""Many short texts in few bytes, looked up by text or by position."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class CodeTable:
    """Texts as one run of UTF-8 bytes; `order` sorts them by bytes.

    `blob` is uint8, `offsets` int64 with one entry more than there are texts.
    """

    blob: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    order: NDArray[np.int32]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Return the table of the texts, in the order given."""
        encoded = [text.encode() for text in texts]
        order = sorted(range(len(encoded)), key=encoded.__getitem__)
        lengths = np.fromiter((len(item) for item in encoded), np.int64, len(encoded))
        return cls.packed(b"".join(encoded), lengths, order)

    @classmethod
    def packed(
        cls, blob: bytes, lengths: NDArray[np.int64], order: Sequence[int] | None = None
    ) -> Self:
        """Return the table of texts in one run; they are sorted if no order is given."""
        offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        positions = np.arange(len(lengths)) if order is None else np.asarray(order)
        return cls(np.frombuffer(blob, np.uint8), offsets, positions.astype(np.int32))

    def __len__(self) -> int:
        return len(self.order)

    def text(self, position: int) -> str:
        """Return the text at the position."""
        return self._bytes(position).decode()

    def find(self, text: str) -> int | None:
        """Return the position of the text, or None; a binary search."""
        wanted = text.encode()
        low, high = 0, len(self.order)
        while low < high:
            middle = (low + high) // 2
            if self._bytes(int(self.order[middle])) < wanted:
                low = middle + 1
            else:
                high = middle
        if low == len(self.order):
            return None
        position = int(self.order[low])
        return position if self._bytes(position) == wanted else None

    def _bytes(self, position: int) -> bytes:
        return self.blob[self.offsets[position] : self.offsets[position + 1]].tobytes()
