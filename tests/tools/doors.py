"""Doors: the ways into a store, behind one interface, so that one test body runs on all of them.

redis-resp2, redis-resp3 are redis-server, the reference that proves the test. tcp-resp2,
tcp-resp3, unix, tls and embedded are RustyPotato; tls is for the tests that are marked so. A door is one connection (embedded: one session);
other() opens a second one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tools import resp
from tools.certs import Authority
from tools.resp import Conn, Node
from tools.script import run_script
from tools.servers import Server, free_port
from tools.wait import until

REFERENCE = ("redis-resp2", "redis-resp3")
OURS = ("tcp-resp2", "tcp-resp3", "unix", "embedded")
TLS = ("tls",)
ALL = REFERENCE + OURS + TLS
# Debug commands are refused by default, by Redis 7.0 as by us; the tests need them.
SETTINGS: dict[str, object] = {"enable-debug-command": "yes"}


def selected(choice: str) -> tuple[str, ...]:
    """ "all", "redis", "ours", or door names with commas between."""
    groups = {"all": ALL, "redis": REFERENCE, "ours": OURS + TLS}
    names: list[str] = []
    for part in choice.split(","):
        names += groups.get(part, (part,))
    wrong = set(names) - set(ALL)
    if wrong:
        raise SystemExit(f"--doors: no such door: {', '.join(sorted(wrong))} (know {ALL})")
    return tuple(names)


class Door:
    """One connection to a store."""

    def __init__(self, backend: Backend, name: str, protocol: int) -> None:
        self.backend, self.name, self.protocol = backend, name, protocol
        self._link = backend.link(self)
        self._named: dict[str, Door] = {"A": self}
        self._others: list[Door] = []
        self._changed: dict[str, bytes] = {}

    @property
    def is_reference(self) -> bool:
        return self.name in REFERENCE

    @property
    def is_embedded(self) -> bool:
        return self.name == "embedded"

    @property
    def server(self) -> Server:
        assert isinstance(self.backend, SocketBackend), "an embedded door has no server process"
        return self.backend.server

    def node(self, *args: Any) -> tuple[bytes, Node]:
        """Runs one command: (exact reply bytes, tree)."""
        raw = self._link.raw(*args)
        self._follow_protocol(args, raw)
        return raw, resp.parse(raw)[0] if raw else Node("", None)

    def _follow_protocol(self, args: Sequence[Any], raw: bytes) -> None:
        name = resp.to_bytes(args[0]).upper() if args else b""
        if name == b"RESET" and raw == b"+RESET\r\n":
            self.protocol = 2
        elif name == b"HELLO" and len(args) > 1 and raw[:1] in b"*%":
            self.protocol = int(args[1])

    def raw(self, *args: Any) -> bytes:
        return self.node(*args)[0]

    def __call__(self, *args: Any) -> Any:
        return resp.decode(self.node(*args)[1])

    def many(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """The decoded replies of a pipeline (embedded: one by one)."""
        return self._link.many(commands)

    def check(self, script: str, **names: Any) -> None:
        """Runs a script (tools/script.py) on this door and on others it names."""
        run_script(script, names, self._named_door)

    def _named_door(self, who: str) -> Door:
        if who not in self._named:
            self._named[who] = self.other()
        return self._named[who]

    def other(self, protocol: int | None = None) -> Door:
        """A second connection to the same store, closed at the end of the test."""
        door = Door(self.backend, self.name, 2)
        door.hello(protocol or self.protocol)
        self._others.append(door)
        return door

    def hello(self, protocol: int) -> None:
        if protocol == 3:
            self("HELLO", 3)
        self.protocol = protocol

    def socket(self) -> Conn:
        """A bare connection for bytes that no client would send."""
        conn = self.backend.connect()
        self._others.append(conn)  # type: ignore[arg-type]
        return conn

    def info(self, section: str = "everything") -> dict[str, str]:
        return resp.info_fields(self("INFO", section))

    def settled_memory(self) -> int:
        """used_memory once what earlier tests left has been freed."""
        last, same = 0, 0

        def steady() -> bool:
            nonlocal last, same
            # Writing moves the epochs on, and with them what waits to be freed.
            self.many(
                [("SET", "settling", "x" * (i % 50)) for i in range(200)] + [("DEL", "settling")]
            )
            info = self.info()
            now = int(info["used_memory"])
            # Another loop frees what it retired at its own ticks, a thread what FLUSHALL took.
            pending = int(info["mem_not_counted_for_evict"]) > (64 << 10)
            pending = pending or info["lazyfree_pending_objects"] != "0"
            # A connection of the test before this one holds buffers until its loop sees it closed.
            others = int(info["connected_clients"]) > 1 + len(self._others)
            pending = pending or (others and self.name != "embedded")
            same = same + 1 if not pending and abs(now - last) < (64 << 10) else 0
            last = now
            return same >= 8

        until(steady, "used_memory stands still")
        return last

    def config(self, name: str, value: Any) -> None:
        """CONFIG SET for the length of this test."""
        if name not in self._changed:
            self._changed[name] = resp.as_dict(self("CONFIG", "GET", name))[name.encode()]
        assert self("CONFIG", "SET", name, value) == "OK"

    def restore(self) -> None:
        """Undoes config(): by this connection, or by a new one where a failed test left it odd."""
        # Backwards: one setting may have been changed under two names.
        for name, value in reversed(self._changed.items()):
            try:
                done = self._link.raw("CONFIG", "SET", name, value) == b"+OK\r\n"
            except (OSError, EOFError):
                done = False
            if not done:
                self._link.close()
                self._link = self.backend.link(self)
                assert self._link.raw("CONFIG", "SET", name, value) == b"+OK\r\n", name

    def close(self) -> None:
        for other in self._others:
            other.close()
        self._link.close()


class SocketLink:
    def __init__(self, conn: Conn) -> None:
        self.conn = conn

    def raw(self, *args: Any) -> bytes:
        return self.conn.call_raw(*args)

    def many(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        out: list[Any] = []
        for start in range(0, len(commands), 500):
            part = commands[start : start + 500]
            self.conn.send(b"".join(resp.encode(*c) for c in part))
            out += [self.conn.read() for _ in part]
        return out

    def close(self) -> None:
        self.conn.close()


class EmbeddedLink:
    """One raw session of a rustypotato.Store: raw(*args) gives the server's exact bytes."""

    def __init__(self, session: Any) -> None:
        self.session = session

    def raw(self, *args: Any) -> bytes:
        return self.session.raw(*[resp.to_bytes(a) for a in args])

    def many(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        return [resp.decode_bytes(self.raw(*c)) for c in commands]

    def close(self) -> None:
        self.session.close()


class Backend:
    """A store that lives for the whole test session."""

    def link(self, door: Door) -> SocketLink | EmbeddedLink:
        raise NotImplementedError

    def connect(self) -> Conn:
        raise NotImplementedError

    def check_alive(self) -> str | None:
        """None, or what went wrong; a dead store is replaced."""
        return None

    def close(self) -> None:
        pass


class SocketBackend(Backend):
    def __init__(self, kind: str, unix: bool, server: Server | None = None) -> None:
        self.kind, self.unix = kind, unix
        self.server = server or Server(kind, **SETTINGS).start()
        self.owned = server is None

    def link(self, door: Door) -> SocketLink:
        return SocketLink(self.connect())

    def connect(self) -> Conn:
        return self.server.connect(unix=self.unix)

    def check_alive(self) -> str | None:
        try:
            with self.connect() as conn:
                if conn.call("PING") == "PONG":
                    return None
            why = "no PONG"
        except (OSError, EOFError) as error:
            why = str(error)
        tail = (
            f"{self.kind} is gone: {why} (exit code {self.server.code()})\n"
            + self.server.log_tail()
        )
        self.server.stop()
        self.revive()
        return tail

    def revive(self) -> None:
        self.server.__init__(self.kind, **SETTINGS)  # type: ignore[misc]
        self.server.start()

    def close(self) -> None:
        if self.owned:
            self.server.stop()


class TlsBackend(SocketBackend):
    """A server of its own, met at its tls-port alone."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="rp-door-")
        authority = Authority(Path(self.folder.name))
        settings = SETTINGS | authority.settings() | {"tls-port": free_port()}
        self.start = lambda: Server("rustypotato", tls=authority.client(), **settings).start()
        super().__init__("rustypotato", unix=False, server=self.start())
        self.owned = True

    def revive(self) -> None:
        self.server = self.start()

    def close(self) -> None:
        super().close()
        self.folder.cleanup()


class EmbeddedBackend(Backend):
    def __init__(self) -> None:
        import rustypotato

        keywords = {name.replace("-", "_"): value for name, value in SETTINGS.items()}
        self.store = rustypotato.Store(**keywords)

    def link(self, door: Door) -> EmbeddedLink:
        return EmbeddedLink(self.store.session(protocol=door.protocol))

    def close(self) -> None:
        self.store.close()


class Backends:
    """Starts what the selected doors need, when first needed."""

    def __init__(self) -> None:
        self._made: dict[str, Backend] = {}

    def of(self, name: str) -> Backend:
        group = "redis" if name in REFERENCE else "tcp" if name.startswith("tcp") else name
        if group not in self._made:
            if group == "redis":
                self._made[group] = SocketBackend("redis", unix=False)
            elif group == "tcp":
                self._made[group] = SocketBackend("rustypotato", unix=False)
            elif group == "unix":
                tcp = self.of("tcp-resp2")
                assert isinstance(tcp, SocketBackend)
                self._made[group] = SocketBackend("rustypotato", unix=True, server=tcp.server)
            elif group == "tls":
                self._made[group] = TlsBackend()
            else:
                self._made[group] = EmbeddedBackend()
        return self._made[group]

    def door(self, name: str) -> Iterator[Door]:
        """One test's door: FLUSHALL before, settings restored and the store alive after."""
        backend = self.of(name)
        door = Door(backend, name, 2)
        door.hello(3 if name.endswith("resp3") else 2)
        assert door("FLUSHALL") == "OK"
        try:
            yield door
        finally:
            try:
                door.restore()
            except (OSError, EOFError):
                pass  # Then check_alive has something to say.
            trouble = backend.check_alive()
            door.close()
            assert trouble is None, trouble

    def close(self) -> None:
        for backend in reversed(list(self._made.values())):
            backend.close()
