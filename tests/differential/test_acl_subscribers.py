"""Rules that change under subscribers: redis-server and we close the same connections."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.doors import SocketBackend
from tools.resp import Conn, Push, ReplyError, encode

EXAMPLES = int(os.environ.get("RP_DIFF_EXAMPLES", "150"))

NAMES = ["ch", "ch1", "ch*", "*", "", "news.x", "news.?", "c?"]
WORDS = [
    "resetchannels",
    "allchannels",
    "reset",
    "clearselectors",
    "off",
    "-subscribe",
    "allcommands",
    "(&ch +@all)",
    "(&ch* +@all)",
    "(+@all)",
    "(allchannels -@all)",
    "(&news.? +get)",
]
CHANGE = st.lists(
    st.one_of(st.sampled_from(NAMES).map("&".__add__), st.sampled_from(WORDS)), max_size=5
)
VERBS = ["SUBSCRIBE", "SUBSCRIBE", "PSUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE"]
# What one client says.
SAYS = st.lists(st.tuples(st.sampled_from(VERBS), st.sampled_from(NAMES)), max_size=4)
START = [("&ch", "&news.?"), ("allchannels",), ("&ch*", "&c?"), ("(&ch* +@all)", "&ch")]


@pytest.fixture(scope="module")
def backends_of_both(
    reference: Any, other: tuple[str, Any, int]
) -> Iterator[tuple[SocketBackend, SocketBackend, int]]:
    name, backend, protocol = other
    if not isinstance(backend, SocketBackend):
        pytest.skip(f"{name}: in-process clients have no connection to close")
    yield reference, backend, protocol
    for side in (reference, backend):
        with side.connect() as admin:
            admin.call("ACL", "DELUSER", "u")


def received(client: Conn) -> tuple[bool, list[Any]]:
    """(was it closed, what it got): two questions, as the first may overtake the closing."""
    got: list[Any] = []
    try:
        for _ in range(2):
            client.send(encode("PING"))
            while True:
                reply = client.read()
                if isinstance(reply, ReplyError) or reply in ("PONG", [b"pong", b""]):
                    break  # an error: it may not even do this any more
                got.append(list(reply) if isinstance(reply, Push) else reply)
    except (EOFError, ConnectionError):
        return True, sorted(got, key=repr)
    return False, sorted(got, key=repr)  # patterns have no order among them


def outcome(
    backend: SocketBackend,
    protocol: int,
    start: tuple[str, ...],
    says: list[list[tuple[str, str]]],
    changes: list[list[str]],
) -> list[Any]:
    """What becomes of clients of one user whose rules change, one entry for each."""
    with ExitStack() as stack:
        admin = stack.enter_context(backend.connect())
        rules = ("reset", "on", "nopass", "+@all", "resetchannels", *start)
        assert admin.call("ACL", "SETUSER", "u", *rules) == "OK"
        clients = []
        for commands in says:
            client = stack.enter_context(backend.connect())
            assert not isinstance(client.call("HELLO", protocol, "AUTH", "u", "x"), ReplyError)
            for command in commands:
                client.call(*command)
            clients.append(client)
        words = [encode("ACL", "SETUSER", "u", *change) for change in changes]
        words += [encode("PUBLISH", name, "late") for name in ("ch", "ch1", "news.x")]
        admin.send(b"".join(words))
        replies = [admin.read() for _ in words]
        # A closed client may be counted by a PUBLISH for a moment.
        return [replies[: len(changes)], [received(client) for client in clients]]


@pytest.mark.timeout(300)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.sampled_from(START),
    st.lists(SAYS, min_size=1, max_size=4),
    st.lists(CHANGE, min_size=1, max_size=2),
)
def test_the_same_subscribers_are_closed(
    backends_of_both: tuple[SocketBackend, SocketBackend, int],
    start: tuple[str, ...],
    says: list[list[tuple[str, str]]],
    changes: list[list[str]],
) -> None:
    theirs, ours, protocol = backends_of_both
    assert outcome(ours, protocol, start, says, changes) == outcome(
        theirs, protocol, start, says, changes
    )
