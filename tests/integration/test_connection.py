"""Connection commands, inline commands, pipelines: literal replies that redis-server 7.0 proves."""

from __future__ import annotations

import re
import ssl

import pytest

from tools import resp
from tools.doors import Door
from tools.resp import ReplyError, as_dict, encode
from tools.wait import until

pytestmark = pytest.mark.tls


def test_ping_and_echo(door: Door) -> None:
    door.check(r"""
        PING                     -> +PONG
        ping                     -> +PONG
        PING "a\r\nb"            -> "a\r\nb"
        PING ""                  -> ""
        PING a b                 -> -ERR wrong number of arguments for 'ping' command
        ECHO "a\x00b"            -> "a\x00b"
        ECHO                     -> -ERR wrong number of arguments for 'echo' command
        ECHO a b                 -> -ERR wrong number of arguments for 'echo' command
    """)


def test_unknown_commands(door: Door) -> None:
    text = b"-ERR unknown command '%s', with args beginning with: %s\r\n"
    assert door.raw("nope") == text % (b"nope", b"")
    assert door.raw("nope", "a") == text % (b"nope", b"'a' ")
    assert door.raw("NoPe", "a", "b c", "") == text % (b"NoPe", b"'a' 'b c' '' ")
    assert door.raw("", "a") == text % (b"", b"'a' ")


def test_unknown_subcommands(door: Door) -> None:
    for name in ("CLIENT", "CONFIG", "COMMAND", "MEMORY", "OBJECT"):
        assert door(name, "nope") == f"ERR unknown subcommand 'nope'. Try {name} HELP."
    assert door("client", "nope", "x") == "ERR unknown subcommand 'nope'. Try CLIENT HELP."
    assert (
        door("CLIENT", "MAINT_NOTIFICATIONS", "ON")
        == "ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP."
    )


def test_hello(door: Door) -> None:
    for protocol in (2, 3, 2, 3):
        raw = door.raw("HELLO", protocol)
        assert raw.startswith(b"%7\r\n" if protocol == 3 else b"*14\r\n")
        hello = as_dict(resp.decode_bytes(raw))
        assert list(hello) == [b"server", b"version", b"proto", b"id", b"mode", b"role", b"modules"]
        assert hello[b"server"] == b"redis"
        assert hello[b"version"].startswith(b"7.0.")
        assert hello[b"proto"] == protocol
        assert hello[b"id"] == door("CLIENT", "ID")
        assert hello[b"mode"] == b"standalone"
        assert hello[b"role"] == b"master"
        assert hello[b"modules"] == []
        assert door.raw("GET", "none") == (b"_\r\n" if protocol == 3 else b"$-1\r\n")
        assert as_dict(door("HELLO"))[b"proto"] == protocol


def test_hello_errors(door: Door) -> None:
    door.check("""
        HELLO 2                  -> any
        HELLO 1                  -> -NOPROTO unsupported protocol version
        HELLO 4                  -> -NOPROTO unsupported protocol version
        HELLO 0                  -> -NOPROTO unsupported protocol version
        HELLO x                  -> -ERR Protocol version is not an integer or out of range
        HELLO ""                 -> -ERR Protocol version is not an integer or out of range
        HELLO 9223372036854775808 -> -ERR Protocol version is not an integer or out of range
        HELLO 3 nonsense         -> -ERR Syntax error in HELLO option 'nonsense'
        HELLO 3 SETNAME          -> -ERR Syntax error in HELLO option 'SETNAME'
        HELLO 3 AUTH default     -> -ERR Syntax error in HELLO option 'AUTH'
        HELLO 3 AUTH nobody x    -> -WRONGPASS invalid username-password pair or user is disabled.
        HELLO 3 SETNAME "a b"    -> -ERR Client names cannot contain spaces, newlines or special characters.
        GET none                 -> nil
        CLIENT GETNAME           -> nil
        HELLO 2 SETNAME bob      -> any
        CLIENT GETNAME           -> "bob"
        HELLO 2 AUTH default any SETNAME eve -> any
        CLIENT GETNAME           -> "eve"
    """)


def test_auth_without_a_password(door: Door) -> None:
    door.check("""
        AUTH x                   -> -ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?
        AUTH nobody x            -> -WRONGPASS invalid username-password pair or user is disabled.
        AUTH default x           -> +OK
        AUTH a b c               -> -ERR syntax error
        AUTH                     -> -ERR wrong number of arguments for 'auth' command
    """)


@pytest.mark.sockets
def test_auth_with_a_password(door: Door) -> None:
    door.config("requirepass", "pässword")
    conn = door.socket()
    noauth = ReplyError("NOAUTH Authentication required.")
    wrong = ReplyError("WRONGPASS invalid username-password pair or user is disabled.")
    for command in (
        ("GET", "k"),
        ("SET", "k", "v"),
        ("PING",),
        ("ECHO", "x"),
        ("CLIENT", "ID"),
        ("MULTI",),
        ("DISCARD",),
        ("COMMAND",),
        ("INFO",),
        ("SELECT", "1"),
        ("SHUTDOWN", "NOSAVE"),
        ("CONFIG", "GET", "*"),
    ):
        assert conn.call(*command) == noauth, command
    assert (
        conn.call("EXEC")
        == "EXECABORT Transaction discarded because of: NOAUTH Authentication required."
    )
    assert str(conn.call("HELLO", "3")).startswith("NOAUTH HELLO must be called with the client")
    assert conn.call("nope").startswith("ERR unknown command 'nope'")
    assert conn.call("GET") == "ERR wrong number of arguments for 'get' command"
    for guess in ("", "p", "pässwor", "pässwordx", "PÄSSWORD", "pässword\0", "x" * 16000):
        assert conn.call("AUTH", guess) == wrong, guess
        assert conn.call("AUTH", "default", guess) == wrong
    assert conn.call("AUTH", "nobody", "pässword") == wrong
    assert conn.call("HELLO", "3", "AUTH", "default", "no") == wrong
    assert conn.call("RESET") == "RESET"
    assert conn.call("GET", "k") == noauth
    assert conn.call("AUTH", "pässword") == "OK"
    assert conn.call("GET", "k") is None
    assert conn.call("AUTH", "no") == wrong
    assert conn.call("GET", "k") is None, "a wrong guess does not log out"
    assert conn.call("RESET") == "RESET"
    assert conn.call("GET", "k") == noauth
    hello = conn.call("HELLO", "3", "AUTH", "default", "pässword", "SETNAME", "me")
    assert hello[b"proto"] == 3
    assert conn.call("CLIENT", "GETNAME") == b"me"
    quitter = door.socket()
    assert quitter.call("QUIT") == "OK"
    assert quitter.read_to_end() == b""


def test_reset(door: Door) -> None:
    door.check("""
        SELECT 3                 -> +OK
        CLIENT SETNAME bob       -> +OK
        HELLO 3                  -> any
        WATCH k                  -> +OK
        MULTI                    -> +OK
        SET k v                  -> +QUEUED
        RESET                    -> +RESET
        GET k                    -> nil
        CLIENT GETNAME           -> nil
        EXEC                     -> -ERR EXEC without MULTI
        SET k zero               -> +OK
        SELECT 0                 -> +OK
        GET k                    -> "zero"
        RESET x                  -> -ERR wrong number of arguments for 'reset' command
    """)


@pytest.mark.sockets
def test_quit_answers_then_closes(door: Door) -> None:
    conn = door.socket()
    conn.send(encode("SET", "k", "1") + encode("QUIT") + encode("SET", "k", "2"))
    assert conn.read_to_end() == b"+OK\r\n+OK\r\n"
    assert door("GET", "k") == b"1"


def test_client_id_and_names(door: Door) -> None:
    door.check(r"""
        CLIENT GETNAME           -> nil
        CLIENT SETNAME bob       -> +OK
        CLIENT GETNAME           -> "bob"
        B> CLIENT GETNAME        -> nil
        CLIENT SETNAME "a b"     -> -ERR Client names cannot contain spaces, newlines or special characters.
        CLIENT SETNAME "a\nb"    -> -ERR Client names cannot contain spaces, newlines or special characters.
        CLIENT SETNAME "\xff"    -> -ERR Client names cannot contain spaces, newlines or special characters.
        CLIENT GETNAME           -> "bob"
        CLIENT SETNAME "a~!"     -> +OK
        CLIENT SETNAME ""        -> +OK
        CLIENT GETNAME           -> nil
    """)
    one, two = door("CLIENT", "ID"), door.other()("CLIENT", "ID")
    assert 0 < one < two
    assert door("CLIENT", "ID") == one


@pytest.mark.ours("CLIENT SETINFO came with Redis 7.2")
def test_client_setinfo(door: Door) -> None:
    door.check("""
        CLIENT SETINFO LIB-NAME redis-py -> +OK
        CLIENT SETINFO lib-ver 8.0.0     -> +OK
    """)
    assert door("CLIENT", "SETINFO", "nonsense", "x").startswith("ERR ")
    assert door("CLIENT", "SETINFO", "LIB-NAME", "a b").startswith("ERR ")
    line = door("CLIENT", "INFO")
    assert b"lib-name=redis-py" in line and b"lib-ver=8.0.0" in line


FIELDS = [
    "id",
    "addr",
    "laddr",
    "fd",
    "name",
    "age",
    "idle",
    "flags",
    "db",
    "sub",
    "psub",
    "ssub",
    "multi",
    "qbuf",
    "qbuf-free",
    "argv-mem",
    "multi-mem",
    "rbs",
    "rbp",
    "obl",
    "oll",
    "omem",
    "tot-mem",
    "events",
    "cmd",
    "user",
    "redir",
    "resp",
]


def fields_of(line: bytes) -> dict[str, str]:
    return dict(part.partition("=")[::2] for part in line.decode().strip().split(" "))


def text_of(reply: object) -> bytes:
    """CLIENT LIST is a bulk in RESP2 and a verbatim string in RESP3: decoded alike."""
    assert isinstance(reply, bytes)
    return reply


@pytest.mark.sockets
def test_client_info_and_list(door: Door) -> None:
    door("CLIENT", "SETNAME", "lister")
    door("SELECT", "2")
    raw = door.raw("CLIENT", "INFO")
    assert raw.startswith(b"=" if door.protocol == 3 else b"$")
    info = fields_of(text_of(resp.decode_bytes(raw)))
    if door.is_reference:
        assert list(info) == FIELDS
    assert set(info) >= set(FIELDS), "clients parse these fields"
    assert info["id"] == str(door("CLIENT", "ID"))
    assert (info["name"], info["db"], info["flags"], info["multi"]) == (
        "lister",
        "2",
        "U" if door.name == "unix" else "N",
        "-1",
    )
    assert (info["cmd"], info["user"], info["resp"]) == (
        "client|info",
        "default",
        str(door.protocol),
    )
    other = door.other()
    assert other("PING") == "PONG"  # Before that it may wait to be accepted.
    lines = text_of(door("CLIENT", "LIST")).splitlines()
    ids = {int(fields_of(line)["id"]) for line in lines}
    assert {door("CLIENT", "ID"), other("CLIENT", "ID")} <= ids
    assert text_of(door("CLIENT", "LIST", "TYPE", "normal")).count(b"\n") == len(lines)
    mine = text_of(door("CLIENT", "LIST", "ID", door("CLIENT", "ID"), 999999999))
    assert mine.count(b"\n") == 1 and b"name=lister" in mine
    for kind in ("replica", "master", "pubsub"):
        assert text_of(door("CLIENT", "LIST", "TYPE", kind)) == b""
    door.check("""
        CLIENT LIST TYPE nope    -> -ERR Unknown client type 'nope'
        CLIENT LIST nope         -> -ERR syntax error
        CLIENT LIST ID           -> -ERR syntax error
        CLIENT LIST ID x         -> -ERR Invalid client ID
        CLIENT INFO x            -> -ERR wrong number of arguments for 'client|info' command
    """)


@pytest.mark.sockets
def test_client_list_shows_queued_commands_and_watches(door: Door) -> None:
    other = door.other()
    ident = other("CLIENT", "ID")
    other("WATCH", "k")
    other("MULTI")
    other("GET", "k")
    info = fields_of(text_of(door("CLIENT", "LIST", "ID", ident)))
    assert info["multi"] == "1"
    assert "x" in info["flags"]
    door("SET", "k", "v")
    info = fields_of(text_of(door("CLIENT", "LIST", "ID", ident)))
    assert "d" in info["flags"], "a watched key was changed"


@pytest.mark.sockets
def test_client_kill(door: Door) -> None:
    door.check("""
        CLIENT KILL 1.2.3.4:5    -> -ERR No such client
        CLIENT KILL ID 99999999  -> :0
        CLIENT KILL ID 0         -> -ERR client-id should be greater than 0
        CLIENT KILL ID x         -> -ERR client-id should be greater than 0
        CLIENT KILL TYPE nope    -> -ERR Unknown client type 'nope'
        CLIENT KILL USER nobody  -> -ERR No such user 'nobody'
        CLIENT KILL SKIPME maybe -> -ERR syntax error
        CLIENT KILL a b c        -> -ERR syntax error
        CLIENT KILL ADDR 1.2.3.4:5 SKIPME no -> :0
        CLIENT KILL              -> -ERR wrong number of arguments for 'client|kill' command
    """)
    one, two = door.socket(), door.socket()
    first, second = one.call("CLIENT", "ID"), two.call("CLIENT", "ID")
    assert door("CLIENT", "KILL", "ID", first) == 1
    assert one.read_to_end() == b""
    assert two.call("PING") == "PONG"
    assert door("CLIENT", "KILL", "ID", second, "SKIPME", "yes", "TYPE", "normal") == 1
    assert two.read_to_end() == b""
    assert door("CLIENT", "KILL", "ID", door("CLIENT", "ID")) == 0, "skips itself by default"
    until(lambda: door("CLIENT", "LIST", "ID", first) == b"", "the killed client is gone")


@pytest.mark.sockets
def test_client_kill_by_address(door: Door) -> None:
    if door.name == "unix":
        pytest.skip("unix sockets all have one address")
    conn = door.socket()
    address = "{}:{}".format(*conn.sock.getsockname())
    assert conn.call("PING") == "PONG"
    assert door("CLIENT", "KILL", address) == "OK"
    assert conn.read_to_end() == b""
    conn = door.socket()
    address = "{}:{}".format(*conn.sock.getsockname())
    assert conn.call("PING") == "PONG"
    assert door("CLIENT", "KILL", "ADDR", address) == 1
    assert conn.read_to_end() == b""


@pytest.mark.sockets
def test_client_kill_of_oneself_answers_first(door: Door) -> None:
    conn = door.socket()
    ident = conn.call("CLIENT", "ID")
    conn.send(encode("CLIENT", "KILL", "ID", ident, "SKIPME", "no") + encode("SET", "k", "v"))
    assert conn.read_to_end() == b":1\r\n"
    assert door("GET", "k") is None


@pytest.mark.sockets
def test_client_kill_of_oneself_inside_multi(door: Door) -> None:
    conn = door.socket()
    ident = conn.call("CLIENT", "ID")
    conn.send(
        encode("MULTI")
        + encode("SET", "k", "1")
        + encode("CLIENT", "KILL", "ID", ident, "SKIPME", "no")
        + encode("SET", "after", "1")
        + encode("EXEC")
        + encode("SET", "never", "1")
    )
    out = conn.read_to_end()
    assert out.startswith(b"+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+OK\r\n:1\r\n")
    door.check("""
        MGET k after never       -> ["1", "1", nil]
    """)


@pytest.mark.sockets
def test_client_reply(door: Door) -> None:
    conn = door.socket()
    conn.send(
        encode("CLIENT", "REPLY", "OFF")
        + encode("SET", "k", "1")
        + encode("nope")
        + encode("PING")
        + encode("CLIENT", "REPLY", "ON")
        + encode("GET", "k")
    )
    assert conn.read_raw() == b"+OK\r\n"
    assert conn.read_raw() == b"$1\r\n1\r\n"
    conn.send(encode("CLIENT", "REPLY", "SKIP") + encode("PING", "skipped") + encode("PING"))
    assert conn.read_raw() == b"+PONG\r\n"
    assert conn.call("CLIENT", "REPLY", "x") == "ERR syntax error"
    assert conn.call("CLIENT", "REPLY", "ON") == "OK"


@pytest.mark.sockets
def test_client_pause_all(door: Door) -> None:
    door.check("""
        CLIENT PAUSE x           -> -ERR timeout is not an integer or out of range
        CLIENT PAUSE -1          -> -ERR timeout is negative
        CLIENT PAUSE 1 nope      -> -ERR CLIENT PAUSE mode must be WRITE or ALL
        CLIENT PAUSE             -> -ERR wrong number of arguments for 'client|pause' command
    """)
    other = door.socket()
    assert door("CLIENT", "PAUSE", "300") == "OK"
    other.send(encode("GET", "k"))
    assert other.silent_for(0.1)
    assert other.read_raw() == b"$-1\r\n", "served when the pause ends"


@pytest.mark.sockets
def test_client_pause_write_lets_reads_pass_and_unpause_ends_it(door: Door) -> None:
    reader, writer = door.socket(), door.socket()
    assert door("CLIENT", "PAUSE", "60000", "WRITE") == "OK"
    try:
        assert reader.call("GET", "k") is None
        writer.send(encode("SET", "k", "v"))
        assert writer.silent_for(0.1)
        assert reader.call("GET", "k") is None
    finally:
        assert door("CLIENT", "UNPAUSE") == "OK"
    assert writer.read_raw() == b"+OK\r\n"
    assert reader.call("GET", "k") == b"v"
    assert door("CLIENT", "UNPAUSE") == "OK"


def test_client_no_evict(door: Door) -> None:
    door.check("""
        CLIENT NO-EVICT on       -> +OK
        CLIENT NO-EVICT OFF      -> +OK
        CLIENT NO-EVICT nope     -> -ERR syntax error
        CLIENT NO-EVICT          -> -ERR wrong number of arguments for 'client|no-evict' command
    """)


@pytest.mark.parametrize("name", ["CLIENT", "CONFIG", "COMMAND", "MEMORY", "OBJECT", "DEBUG"])
def test_help(door: Door, name: str) -> None:
    lines = door(name, "HELP")
    assert lines[0] == f"{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"
    assert lines[-2:] == ["HELP", "    Prints this help."] or "HELP" in lines
    assert all(isinstance(line, str) and "\n" not in line for line in lines)


INLINE = [
    (b"PING\r\n", b"+PONG\r\n"),
    (b"PING\n", b"+PONG\r\n"),
    (b"  PING  \r\n", b"+PONG\r\n"),
    (b"\r\nPING\r\n", b"+PONG\r\n"),
    (b"\n\n\r\n  \r\nPING\r\n", b"+PONG\r\n"),
    (b'SET k "a b"\r\nGET k\r\n', b"+OK\r\n$3\r\na b\r\n"),
    (b"SET k 'a b'\r\nGET k\r\n", b"+OK\r\n$3\r\na b\r\n"),
    (b'SET k "\\x41\\n\\"\\\\\\q"\r\nGET k\r\n', b'+OK\r\n$5\r\nA\n"\\q\r\n'),
    (b"SET k 'it\\'s \\n'\r\nGET k\r\n", b"+OK\r\n$7\r\nit's \\n\r\n"),
    (b'SET k ""\r\nGET k\r\n', b"+OK\r\n$0\r\n\r\n"),
    (b"SET\tk\tv\r\nGET\tk\r\n", b"+OK\r\n$1\r\nv\r\n"),
    (b"echo caf\xc3\xa9\r\n", b"$5\r\ncaf\xc3\xa9\r\n"),
    (b"ECHO a\x00b\r\nPING\r\n", None),
]


@pytest.mark.sockets
@pytest.mark.parametrize(("sent", "reply"), INLINE)
def test_inline_commands(door: Door, sent: bytes, reply: bytes | None) -> None:
    conn = door.socket()
    conn.send(sent)
    conn.end()
    got = conn.read_to_end()
    if reply is not None:
        assert got == reply
    else:
        assert got == b"" or got.endswith(b"\r\n")


@pytest.mark.sockets
def test_inline_and_multibulk_mixed(door: Door) -> None:
    conn = door.socket()
    conn.send(
        b"SET k 1\r\n"
        + encode("INCR", "k")
        + b"INCR k\n"
        + encode("GET", "k")
        + b"\r\n"
        + b"GET k\r\n"
    )
    assert [conn.read() for _ in range(5)] == ["OK", 2, 3, b"3", b"3"]


@pytest.mark.sockets
def test_100000_commands_in_one_packet(door: Door) -> None:
    conn = door.socket()
    count = 100_000
    conn.send_while_reading(encode("INCR", "n") * count)
    got = b"".join(conn.read_raw() for _ in range(count))
    assert got == b"".join(b":%d\r\n" % i for i in range(1, count + 1))


@pytest.mark.sockets
def test_a_pipeline_of_different_commands_keeps_order(door: Door) -> None:
    conn = door.socket()
    batch, want = [], []
    for i in range(2000):
        batch += [
            encode("SET", f"k{i % 7}", i),
            encode("GET", f"k{i % 7}"),
            encode("nope"),
            encode("ECHO", i),
        ]
        want += [
            b"+OK\r\n",
            b"$%d\r\n%d\r\n" % (len(str(i)), i),
            b"-ERR unknown command 'nope', with args beginning with: \r\n",
            b"$%d\r\n%d\r\n" % (len(str(i)), i),
        ]
    conn.send(b"".join(batch))
    assert b"".join(conn.read_raw() for _ in want) == b"".join(want)


@pytest.mark.sockets
def test_one_byte_at_a_time(door: Door) -> None:
    conn = door.socket()
    payload = (
        encode("SET", "key", "va\r\nlue")
        + encode("GET", "key")
        + b"PING\r\n"
        + b"\r\n"
        + b"*0\r\n"
        + encode("MGET", "key", "none")
    )
    for i in range(len(payload)):
        conn.send(payload[i : i + 1])
    want = b"+OK\r\n$7\r\nva\r\nlue\r\n+PONG\r\n*2\r\n$7\r\nva\r\nlue\r\n$-1\r\n"
    got = b"".join(conn.read_raw() for _ in range(4))
    assert got == want


@pytest.mark.sockets
def test_every_way_to_cut_a_command_in_two(door: Door) -> None:
    conn = door.socket()
    payload = encode("SET", "k", "x" * 20) + encode("STRLEN", "k") + b"INCR n\r\n"
    for cut in range(1, len(payload)):
        conn.send(payload[:cut])
        conn.send(payload[cut:])
        assert [conn.read(), conn.read(), conn.read()] == ["OK", 20, cut], cut


@pytest.mark.sockets
def test_commands_before_a_half_close_are_all_answered(door: Door) -> None:
    conn = door.socket()
    conn.send(encode("INCR", "n") * 5000)
    conn.end()
    assert conn.read_to_end() == b"".join(b":%d\r\n" % i for i in range(1, 5001))


@pytest.mark.sockets
@pytest.mark.ours("Redis drops what the socket did not take at once when it reads the end")
def test_large_reply_after_half_close(door: Door) -> None:
    value = b"x" * (8 << 20)
    door("SET", "big", value)
    conn = door.socket()
    conn.send(encode("GET", "big") + encode("PING"))
    conn.end()
    assert conn.read_to_end() == b"$%d\r\n%s\r\n+PONG\r\n" % (len(value), value)


@pytest.mark.sockets
def test_many_connections_come_and_go(door: Door) -> None:
    conns = [door.socket() for _ in range(200)]
    for i, conn in enumerate(conns):
        conn.send(encode("SET", f"c{i}", i) + encode("CLIENT", "ID"))
    ids = set()
    for conn in conns:
        assert conn.read() == "OK"
        ids.add(conn.read())
        conn.close()
    assert len(ids) == len(conns)
    assert door("DBSIZE") == 200
    until(
        lambda: (
            int(re.search(r"connected_clients:(\d+)", door("INFO", "clients").decode()).group(1))
            < 50
        ),
        "closed connections are forgotten",
    )


@pytest.mark.sockets
def test_maxclients(door: Door) -> None:
    door.config("maxclients", "20")
    conns, refused = [], 0
    for _ in range(40):
        try:
            conn = door.socket()
            conn.send_quietly(encode("PING"))
            reply = conn.read()
        except (ConnectionResetError, EOFError, ssl.SSLEOFError):  # with TLS it cannot be told
            reply = "ERR max number of clients reached"
        if reply == "PONG":
            conns.append(conn)
        else:
            assert reply == "ERR max number of clients reached"
            refused += 1
    assert refused >= 20 and len(conns) >= 5
    for conn in conns:
        assert conn.call("PING") == "PONG"
        conn.close()
    until(lambda: _answers(door), "room again")


def _answers(door: Door) -> bool:
    try:
        with door.backend.connect() as conn:
            conn.send_quietly(encode("PING"))
            return conn.read() == "PONG"
    except (ConnectionResetError, EOFError, ssl.SSLEOFError):
        return False


@pytest.mark.sockets
def test_timeout_closes_idle_clients(door: Door) -> None:
    idle = door.socket()
    assert idle.call("PING") == "PONG"
    door.config("timeout", "1")
    other = door.socket()
    until(lambda: other.call("PING") == "PONG" and _closed(idle), "the idle client is closed", 10)


def _closed(conn: resp.Conn) -> bool:
    conn.sock.settimeout(0.05)
    try:
        return conn.sock.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True
