"""Where a probe's bytes come from."""

import os
from pathlib import Path
from typing import Protocol


class ByteSource(Protocol):
    """Random access to bytes; `core.http`'s guarded range reader is one."""

    @property
    def size(self) -> int | None:
        """Length in bytes, None when it is not known."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer only at the end."""
        ...


class BytesSource:
    """Bytes in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size: int | None = len(content)

    def read(self, offset: int, length: int) -> bytes:
        """A slice."""
        return self._content[offset : offset + length]


class FileSource:
    """A local file, held open."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self.size: int | None = os.fstat(self._file.fileno()).st_size

    def __enter__(self) -> "FileSource":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, offset: int, length: int) -> bytes:
        """Read at a place."""
        return os.pread(self._file.fileno(), length, offset)


class Reader(Protocol):
    """A source as a child may ask for it."""

    size: int | None

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`, fewer than `length` only at the source's end."""
        ...


class BudgetPassed(Exception):
    """More bytes were asked for than a probe may fetch."""


class BlockReader:
    """Reads a source in whole blocks, each once, within a budget: a demuxer's many small reads become few ranges."""

    BLOCK = 262_144

    def __init__(self, source: ByteSource, *, budget: int) -> None:
        self._source, self._budget = source, budget
        self._blocks: dict[int, bytes] = {}
        self.size = source.size
        self.bytes_read = 0

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`, fewer than `length` only at the source's end.

        Raises:
            BudgetPassed: a further block would pass the budget.
        """
        parts: list[bytes] = []
        while length > 0:
            number, start = divmod(offset, self.BLOCK)
            part = self._block(number)[start : start + length]
            if not part:
                break
            parts.append(part)
            offset, length = offset + len(part), length - len(part)
        return b"".join(parts)

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            start = number * self.BLOCK
            length = self.BLOCK if self.size is None else max(0, min(self.BLOCK, self.size - start))
            if self.bytes_read + length > self._budget:
                raise BudgetPassed
            content = self._source.read(start, length) if length else b""
            self.bytes_read += len(content)
            self._blocks[number] = content
        return self._blocks[number]


class DirectReader:
    """Hands on each read as it comes and keeps nothing: for bytes at hand, read once from end to end."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self.size = source.size

    def read(self, offset: int, length: int) -> bytes:
        """What the source gives."""
        return self._source.read(offset, length)
