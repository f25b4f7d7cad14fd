"""--bigkeys, --memkeys and --hotkeys: every key is looked at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from .scan import Progress, ScanError, Walk, guarded
from .session import Session, complain, write
from .words import quoted

HOT_MAX = 16
_TOLD_EVERY = 1_000_000  # keys
_HEAD = b"""
# Scanning the entire keyspace to find %s keys as well as
# average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec
# per 100 SCAN commands (not usually needed).

"""


@dataclass
class Kind:
    """What was seen of the keys of one type."""

    name: str
    command: bytes  # that tells the size; b"" for types of modules
    unit: str
    biggest: int = 0
    biggest_key: bytes = b""  # in quotes
    count: int = 0
    total: int = 0


def _kinds() -> dict[str, Kind]:
    """In the order of redis-cli's report."""
    rows = [
        Kind("list", b"LLEN", "items"),
        Kind("hash", b"HLEN", "fields"),
        Kind("string", b"STRLEN", "bytes"),
        Kind("stream", b"XLEN", "entries"),
        Kind("set", b"SCARD", "members"),
        Kind("zset", b"ZCARD", "members"),
    ]
    return {kind.name: kind for kind in rows}


class Look(ABC):
    """One run over all keys, with a summary at the end.

    Attributes:
        keys: how many were looked at.
        percent: how far that was when the batch at hand began.
    """

    sought = b""  # what kind of keys, for the head

    def __init__(self, session: Session) -> None:
        self.walk = Walk(session)
        self.keys = 0
        self.percent = 0.0

    def run(self) -> None:
        total = self.walk.total()
        write(_HEAD % self.sought)
        progress = Progress(total, with_output=True)
        for keys in self.walk:
            self.percent = 100 * self.keys / total if total else 0.0
            self._batch(keys, progress)
            progress(self.keys)
        progress.clear()
        cut = self._mark() if self.walk.is_cut else b""
        write(b"\n-------- summary -------\n\n" + cut)
        write(b"Sampled %d keys in the keyspace!\n" % self.keys)
        self._report()

    def _mark(self) -> bytes:
        return b"[%05.2f%%] " % self.percent

    @abstractmethod
    def _batch(self, keys: list[bytes], progress: Progress) -> None:
        """Looks at some keys and counts them; clears `progress` before it prints."""

    @abstractmethod
    def _report(self) -> None:
        """The rest of the summary."""


class Sizes(Look):
    """The biggest key of each type.

    Args:
        by_memory: MEMORY USAGE instead of the number of elements.
    """

    sought = b"biggest"

    def __init__(self, session: Session, by_memory: bool) -> None:
        super().__init__(session)
        self.by_memory = by_memory
        self.samples = session.options.samples
        self.kinds = _kinds()
        self.key_bytes = 0

    def _batch(self, keys: list[bytes], progress: Progress) -> None:
        kinds = self._types(keys)
        for key, kind, size in zip(keys, kinds, self._sizes(keys, kinds)):
            if kind is not None:
                self._add(key, kind, size, progress)

    def unit(self, kind: Kind) -> str:
        return "bytes" if self.by_memory else kind.unit

    def _types(self, keys: list[bytes]) -> list[Kind | None]:
        """None: a key that is gone."""
        kinds: list[Kind | None] = []
        for reply in self.walk.ask([[b"TYPE", key] for key in keys]):
            if reply.kind != "+":
                raise ScanError(f"TYPE returned an error: {reply.text()}")
            name = reply.text()
            known = None
            if name != "none":
                known = self.kinds.setdefault(name, Kind(name, b"", "?"))
            kinds.append(known)
        return kinds

    def _size_command(self, key: bytes, kind: Kind | None) -> list[bytes]:
        if kind is None or not (self.by_memory or kind.command):
            return []
        if not self.by_memory:
            return [kind.command, key]
        samples = [b"SAMPLES", b"%d" % self.samples] if self.samples >= 0 else []
        return [b"MEMORY", b"USAGE", key, *samples]

    def _sizes(self, keys: list[bytes], kinds: list[Kind | None]) -> list[int]:
        commands = [self._size_command(key, kind) for key, kind in zip(keys, kinds)]
        replies = iter(self.walk.ask([command for command in commands if command]))
        sizes = []
        for key, command in zip(keys, commands):
            size = 0
            if command:
                reply = next(replies)
                if reply.kind == ":":
                    size = reply.value
                else:
                    name = "MEMORY USAGE" if self.by_memory else command[0].decode()
                    shown = key.decode(errors="replace")
                    complain(f"Warning:  {name} on '{shown}' failed (may have changed type)")
            sizes.append(size)
        return sizes

    def _add(self, key: bytes, kind: Kind, size: int, progress: Progress) -> None:
        kind.count += 1
        kind.total += size
        self.keys += 1
        self.key_bytes += len(key)
        if size > kind.biggest:
            kind.biggest, kind.biggest_key = size, quoted(key)
            progress.clear()
            found = f"Biggest {kind.name:<6} found so far '".encode() + kind.biggest_key
            write(self._mark() + found + f"' with {size} {self.unit(kind)}\n".encode())
        if self.keys % _TOLD_EVERY == 0:
            progress.clear()
            write(self._mark() + b"Sampled %d keys so far\n" % self.keys)

    def _report(self) -> None:
        average = self.key_bytes / self.keys if self.keys else 0
        write(b"Total key length in bytes is %d (avg len %.2f)\n\n" % (self.key_bytes, average))
        for kind in self.kinds.values():
            if kind.biggest_key:
                found = f"Biggest {kind.name:>6} found '".encode() + kind.biggest_key
                write(found + f"' has {kind.biggest} {self.unit(kind)}\n".encode())
        write(b"\n")
        for kind in self.kinds.values():
            share = 100 * kind.count / self.keys if self.keys else 0
            average = kind.total / kind.count if kind.count else 0
            line = f"{kind.count} {kind.name}s with {kind.total} {self.unit(kind)} "
            write(f"{line}({share:05.2f}% of keys, avg size {average:.2f})\n".encode())


class Hot(Look):
    """The keys with the highest LFU counters."""

    sought = b"hot"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.best: list[tuple[int, bytes]] = []  # lowest first

    def _batch(self, keys: list[bytes], progress: Progress) -> None:
        for key, count in zip(keys, self._counts(keys)):
            self._add(key, count, progress)

    def _report(self) -> None:
        for count, key in reversed(self.best):
            write(b"hot key found with counter: %d\tkeyname: " % count + key + b"\n")

    def _counts(self, keys: list[bytes]) -> list[int]:
        counts = []
        for key, reply in zip(keys, self.walk.ask([[b"OBJECT", b"FREQ", key] for key in keys])):
            if reply.is_error:
                raise ScanError(f"Error: {reply.text()}")
            if reply.kind != ":":
                shown = quoted(key).decode()
                complain(f"Warning: OBJECT freq on '{shown}' failed (may have been deleted)")
            counts.append(reply.value if reply.kind == ":" else 0)
        return counts

    def _add(self, key: bytes, count: int, progress: Progress) -> None:
        self.keys += 1
        if count == 0 or (len(self.best) == HOT_MAX and count <= self.best[0][0]):
            return
        at = next((i for i, (other, _) in enumerate(self.best) if other >= count), len(self.best))
        self.best.insert(at, (count, quoted(key)))
        del self.best[:-HOT_MAX]
        progress.clear()
        write(
            self._mark() + b"Hot key '" + quoted(key) + b"' found so far with counter %d\n" % count
        )


def run_bigkeys(session: Session) -> int:
    return guarded(Sizes(session, by_memory=False).run)


def run_memkeys(session: Session) -> int:
    return guarded(Sizes(session, by_memory=True).run)


def run_hotkeys(session: Session) -> int:
    return guarded(Hot(session).run)
