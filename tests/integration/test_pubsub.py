"""Publish/subscribe: sessions that redis-server 7.0 answers with the same bytes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tools.doors import Door
from tools.resp import Conn, encode
from tools.servers import Server
from tools.wait import until

ONLY = "only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"


class Talk:
    """A bare connection: lines go out, and exactly the given bytes must come back."""

    def __init__(self, door: Door) -> None:
        self.conn: Conn = door.socket()
        self.mark = b">" if door.protocol == 3 else b"*"
        self.null = b"_\r\n" if door.protocol == 3 else b"$-1\r\n"
        if door.protocol == 3:
            self.conn.send(encode("HELLO", "3"))
            self.conn.read_raw()

    def send(self, *lines: str) -> None:
        self.conn.send(b"".join(encode(*line.split(" ")) for line in lines))

    def expect(self, *parts: bytes) -> None:
        wanted = b"".join(parts)
        got = b""
        while len(got) < len(wanted) and wanted.startswith(got):
            got += self.conn.read_raw()
        assert got == wanted

    def push(self, *words: str | int | None) -> bytes:
        out = self.mark + b"%d\r\n" % len(words)
        for word in words:
            if word is None:
                out += self.null
            elif isinstance(word, int):
                out += b":%d\r\n" % word
            else:
                out += b"$%d\r\n%s\r\n" % (len(word), word.encode())
        return out


@pytest.mark.sockets
def test_subscribe_publish_unsubscribe(door: Door) -> None:
    t = Talk(door)
    t.send("SUBSCRIBE a b a")
    t.expect(t.push("subscribe", "a", 1), t.push("subscribe", "b", 2), t.push("subscribe", "a", 2))
    assert door("PUBLISH", "a", "hello") == 1
    assert door("PUBLISH", "c", "nobody") == 0
    t.expect(t.push("message", "a", "hello"))
    t.send("PSUBSCRIBE a* ?")
    t.expect(t.push("psubscribe", "a*", 3), t.push("psubscribe", "?", 4))
    assert door("PUBLISH", "a", "x") == 3
    t.expect(t.push("message", "a", "x"))
    both = {t.push("pmessage", "a*", "a", "x"), t.push("pmessage", "?", "a", "x")}
    assert {t.conn.read_raw(), t.conn.read_raw()} == both
    t.send("UNSUBSCRIBE a", "UNSUBSCRIBE nosuch", "UNSUBSCRIBE", "UNSUBSCRIBE")
    t.expect(
        t.push("unsubscribe", "a", 3),
        t.push("unsubscribe", "nosuch", 3),
        t.push("unsubscribe", "b", 2),
        t.push("unsubscribe", None, 2),
    )
    t.send("PUNSUBSCRIBE a* ?", "PUNSUBSCRIBE")
    t.expect(
        t.push("punsubscribe", "a*", 1),
        t.push("punsubscribe", "?", 0),
        t.push("punsubscribe", None, 0),
    )
    assert door("PUBLISH", "a", "x") == 0


@pytest.mark.sockets
def test_shard_channels_are_other_channels(door: Door) -> None:
    t = Talk(door)
    t.send("SUBSCRIBE a", "SSUBSCRIBE a s")
    t.expect(
        t.push("subscribe", "a", 1), t.push("ssubscribe", "a", 1), t.push("ssubscribe", "s", 2)
    )
    assert door("PUBLISH", "a", "m") == 1
    assert door("SPUBLISH", "a", "n") == 1
    assert door("SPUBLISH", "s", "o") == 1
    t.expect(
        t.push("message", "a", "m"), t.push("smessage", "a", "n"), t.push("smessage", "s", "o")
    )
    assert door("PUBSUB", "SHARDNUMSUB", "a", "x") == [b"a", 1, b"x", 0]
    assert sorted(door("PUBSUB", "SHARDCHANNELS")) == [b"a", b"s"]
    assert door("PUBSUB", "SHARDCHANNELS", "s*") == [b"s"]
    t.send("SUNSUBSCRIBE s q", "SUNSUBSCRIBE", "SUNSUBSCRIBE")
    t.expect(
        t.push("sunsubscribe", "s", 1),
        t.push("sunsubscribe", "q", 1),
        t.push("sunsubscribe", "a", 0),
        t.push("sunsubscribe", None, 0),
    )


@pytest.mark.sockets
def test_questions_about_subscriptions(door: Door) -> None:
    t = Talk(door)
    t.send("SUBSCRIBE one two", "PSUBSCRIBE t*")
    for _ in range(3):
        t.conn.read_raw()
    assert sorted(door("PUBSUB", "CHANNELS")) == [b"one", b"two"]
    assert door("PUBSUB", "CHANNELS", "t*") == [b"two"]
    assert door("PUBSUB", "NUMSUB") == []
    assert door("PUBSUB", "NUMSUB", "two", "three") == [b"two", 1, b"three", 0]
    assert door("PUBSUB", "NUMPAT") == 1
    info = door.info("stats")
    assert (info["pubsub_channels"], info["pubsub_patterns"]) == ("2", "1")
    t.conn.close()
    until(lambda: door("PUBSUB", "CHANNELS") == [], "a closed subscriber is forgotten")
    assert door("PUBSUB", "NUMPAT") == 0


def test_errors(door: Door) -> None:
    door.check("""
        SUBSCRIBE                -> -ERR wrong number of arguments for 'subscribe' command
        PUBLISH a                -> -ERR wrong number of arguments for 'publish' command
        SPUBLISH a               -> -ERR wrong number of arguments for 'spublish' command
        PUBSUB                   -> -ERR wrong number of arguments for 'pubsub' command
        PUBSUB foo               -> -ERR unknown subcommand 'foo'. Try PUBSUB HELP.
        PUBSUB NUMPAT x          -> -ERR wrong number of arguments for 'pubsub|numpat' command
        PUBSUB CHANNELS a b      -> -ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP.
        PUBLISH a x              -> :0
        SPUBLISH a x             -> :0
        MULTI                    -> +OK
        PUBLISH a x              -> +QUEUED
        EXEC                     -> [:0]
    """)


@pytest.mark.sockets
@pytest.mark.resp2
def test_a_resp2_subscriber_may_do_little_else(door: Door) -> None:
    t = Talk(door)
    t.send(
        "SUBSCRIBE a", "GET k", "CLIENT LIST", "GET", "NOSUCH", "MULTI", "EXEC", "PING", "PING x"
    )
    t.expect(
        t.push("subscribe", "a", 1),
        f"-ERR Can't execute 'get': {ONLY}\r\n".encode(),
        f"-ERR Can't execute 'client|list': {ONLY}\r\n".encode(),
        b"-ERR wrong number of arguments for 'get' command\r\n",
        b"-ERR unknown command 'NOSUCH', with args beginning with: \r\n",
        f"-ERR Can't execute 'multi': {ONLY}\r\n".encode(),
        f"-EXECABORT Transaction discarded because of: Can't execute 'exec': {ONLY}\r\n".encode(),
        b"*2\r\n$4\r\npong\r\n$0\r\n\r\n",
        b"*2\r\n$4\r\npong\r\n$1\r\nx\r\n",
    )
    t.send("UNSUBSCRIBE", "GET k", "SUBSCRIBE b", "RESET", "GET k", "SUBSCRIBE b", "QUIT")
    t.expect(
        t.push("unsubscribe", "a", 0),
        b"$-1\r\n",
        t.push("subscribe", "b", 1),
        b"+RESET\r\n$-1\r\n",
        t.push("subscribe", "b", 1),
        b"+OK\r\n",
    )
    with pytest.raises(EOFError):
        t.conn.read_raw()


@pytest.mark.sockets
def test_messages_to_oneself_stand_in_front_of_the_reply(door: Door) -> None:
    t = Talk(door)
    if door.protocol == 3:
        t.send("SUBSCRIBE a", "PUBLISH a hi", "PING", "MULTI", "PUBLISH a x", "PUBLISH a y", "EXEC")
        t.expect(
            t.push("subscribe", "a", 1),
            t.push("message", "a", "hi"),
            b":1\r\n+PONG\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n",
            t.push("message", "a", "x"),
            b":1\r\n",
            t.push("message", "a", "y"),
            b":1\r\n",
        )
    other = Talk(door)
    other.send("MULTI", "SUBSCRIBE b c", "PUBLISH b m", "UNSUBSCRIBE b", "EXEC")
    out = b"+OK\r\n" + 3 * b"+QUEUED\r\n" + b"*3\r\n" + other.push("subscribe", "b", 1)
    out += other.push("subscribe", "c", 2) + other.push("message", "b", "m") + b":1\r\n"
    other.send("PING")
    data = b""
    out += other.push("unsubscribe", "b", 1)
    out += b"+PONG\r\n" if door.protocol == 3 else b"*2\r\n$4\r\npong\r\n$0\r\n\r\n"
    while len(data) < len(out):
        piece = other.conn.sock.recv(1 << 16)
        assert piece
        data += piece
    assert data == out


@pytest.mark.sockets
def test_client_reply_off_keeps_back_replies_and_no_messages(door: Door) -> None:
    t = Talk(door)
    t.send("CLIENT REPLY OFF", "SUBSCRIBE a", "PUBLISH a x", "PING", "CLIENT REPLY ON", "PING")
    if door.protocol == 3:
        t.expect(t.push("subscribe", "a", 1), t.push("message", "a", "x"), b"+OK\r\n+PONG\r\n")
    else:
        t.expect(t.push("subscribe", "a", 1))
        assert door("PUBLISH", "a", "y") == 1
        t.expect(t.push("message", "a", "y"))
    skip = Talk(door)
    skip.send("CLIENT REPLY SKIP", "SUBSCRIBE a b")
    skip.expect(skip.push("subscribe", "a", 1), skip.push("subscribe", "b", 2))


@pytest.mark.sockets
def test_subscribers_are_a_type_of_clients(door: Door) -> None:
    t = Talk(door)
    t.send("CLIENT SETNAME listener", "SUBSCRIBE a b", "PSUBSCRIBE p", "SSUBSCRIBE s")
    for _ in range(5):
        t.conn.read_raw()
    lines = door("CLIENT", "LIST", "TYPE", "pubsub").decode().splitlines()
    assert len(lines) == 1
    fields = dict(word.partition("=")[::2] for word in lines[0].split())
    assert fields["name"] == "listener"
    assert "P" in fields["flags"]
    assert (fields["sub"], fields["psub"], fields["ssub"]) == ("2", "1", "1")
    assert b"name=listener" not in door("CLIENT", "LIST", "TYPE", "normal")
    assert door("CLIENT", "KILL", "TYPE", "pubsub") == 1
    with pytest.raises((EOFError, ConnectionError)):
        t.conn.read_raw()
    until(lambda: door("PUBSUB", "NUMSUB", "a") == [b"a", 0], "it is forgotten")


@pytest.mark.sockets
def test_monitor_shows_what_runs_and_no_secrets(door: Door) -> None:
    watcher, t = Talk(door), Talk(door)
    watcher.send("MONITOR")
    watcher.expect(b"+OK\r\n")
    t.conn.send(encode("SET", 'a"\\\n\t\x00\xff\a\b\r', "x y"))
    t.send("CONFIG GET port", "AUTH secret", "HELLO 2 AUTH default secret", "SELECT 9", "GET k")
    t.send("NOSUCH x", "GET", "MULTI", "PING", "EXEC", "MULTI", "NOSUCH", "EXEC", "ECHO end")
    seen: list[str] = []
    while not seen or not seen[-1].endswith('"ECHO" "end"'):
        seen.append(watcher.conn.read_raw().decode("latin-1").rstrip("\r\n"))
    shown = [line.partition("] ")[2] for line in seen]
    assert shown == [
        '"SET" "a\\"\\\\\\n\\t\\x00\\xc3\\xbf\\a\\b\\r" "x y"',
        '"AUTH" "(redacted)"',
        '"HELLO" "2" "AUTH" "(redacted)" "(redacted)"',
        '"SELECT" "9"',
        '"GET" "k"',
        '"MULTI"',
        '"PING"',
        '"EXEC"',
        '"MULTI"',
        '"EXEC"',
        '"ECHO" "end"',
    ]
    stamp, _, where = seen[0].partition(" [")
    assert stamp.startswith("+1") and len(stamp.partition(".")[2]) == 6
    place = where.partition("]")[0]
    assert place.startswith("0 unix:/" if door.name == "unix" else "0 127.0.0.1:")
    assert " [9 " in seen[4]
    watcher.send("GET k", "PING", "RESET", "GET k")
    watcher.expect(b"-ERR Replica can't interact with the keyspace\r\n")
    assert watcher.conn.read_raw() == b"+PONG\r\n"
    assert watcher.conn.read_raw().endswith(b'"PING"\r\n')
    watcher.expect(b"+RESET\r\n$-1\r\n")


@pytest.mark.sockets
def test_a_subscriber_that_does_not_read_is_cut_off(private: Callable[..., Server]) -> None:
    server = private(client_output_buffer_limit="pubsub 1mb 0 0")
    with server.connect() as slow, server.connect() as publisher:
        slow.send(encode("SUBSCRIBE", "a"))
        slow.read_raw()
        text = "x" * 100_000
        sent = 0
        while publisher.call("PUBLISH", "a", text) == 1:
            sent += 1
            assert sent < 1000
        assert b"overcoming of output buffer limits" in server.log_path.read_bytes()
