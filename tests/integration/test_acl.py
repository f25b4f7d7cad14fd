"""Users and what they may do: literal replies that redis-server 7.0 proves."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tools.doors import Door
from tools.resp import Conn, ReplyError, as_dict, encode
from tools.servers import Server
from tools.wait import until

OPEN = ("on", "nopass", "clearselectors", "allkeys", "allchannels", "+@all")
NOAUTH = ReplyError("NOAUTH Authentication required.")


def no_command(name: str) -> ReplyError:
    return ReplyError(f"NOPERM this user has no permissions to run the '{name}' command")


NO_KEY = ReplyError(
    "NOPERM this user has no permissions to access one of the keys used as arguments"
)

NO_CHANNEL = ReplyError(
    "NOPERM this user has no permissions to access one of the channels used as arguments"
)


@pytest.fixture
def acl(door: Door) -> Iterator[Door]:
    """The door, whose users are as before when the test is over."""
    yield door
    door("AUTH", "default", "any")
    assert door("ACL", "SETUSER", "default", *OPEN) == "OK"
    for user in door("ACL", "USERS"):
        if user != b"default":
            door("ACL", "DELUSER", user)
    door("ACL", "LOG", "RESET")


def as_user(door: Door, *rules: str) -> Door:
    assert door("ACL", "SETUSER", "bob", "reset", "on", ">pw", *rules) == "OK"
    bob = door.other()
    assert bob("AUTH", "bob", "pw") == "OK"
    return bob


def test_words(acl: Door) -> None:
    acl.check(r"""
        ACL WHOAMI               -> "default"
        ACL USERS                -> ["default"]
        ACL LIST                 -> ["user default on nopass ~* &* +@all"]
        ACL GETUSER nobody       -> nil
        ACL SETUSER "a b" on     -> -ERR Usernames can't contain spaces or null characters
        ACL SETUSER bob foo      -> -ERR Error in ACL SETUSER modifier 'foo': Syntax error
        ACL SETUSER bob +foo     -> -ERR Error in ACL SETUSER modifier '+foo': Unknown command or category name in ACL
        ACL SETUSER bob "(+get"  -> -ERR Unmatched parenthesis in acl selector starting at '(+get'.
        ACL USERS                -> ["default"]
        ACL SETUSER bob          -> +OK
        ACL USERS                -> ["bob", "default"]
        ACL LIST                 -> ["user bob off resetchannels -@all", "user default on nopass ~* &* +@all"]
        ACL DELUSER bob default  -> -ERR The 'default' user cannot be removed
        ACL DELUSER bob nobody   -> :1
        ACL DELUSER              -> -ERR wrong number of arguments for 'acl|deluser' command
        ACL CAT nope             -> -ERR Unknown category 'nope'
        ACL CAT a b              -> -ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP.
        ACL GENPASS x            -> -ERR value is not an integer or out of range
        ACL GENPASS 0            -> -ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096
        ACL GENPASS 4097         -> -ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096
        ACL LOG x                -> -ERR value is not an integer or out of range
        ACL LOG -1               -> []
        ACL nope                 -> -ERR unknown subcommand 'nope'. Try ACL HELP.
        ACL                      -> -ERR wrong number of arguments for 'acl' command
        ACL DRYRUN nobody get a  -> -ERR User 'nobody' not found
        ACL DRYRUN default nope  -> -ERR Command 'nope' not found
        ACL DRYRUN default get   -> -ERR wrong number of arguments for 'get' command
        ACL DRYRUN default get a -> +OK
    """)
    assert len(acl("ACL", "CAT")) == 21
    assert acl("ACL", "HELP")[0].startswith("ACL <subcommand>")


def test_generated_passwords_are_hexadecimal_and_differ(door: Door) -> None:
    first, second = door("ACL", "GENPASS"), door("ACL", "GENPASS")
    assert re.fullmatch(rb"[0-9a-f]{64}", first)
    assert first != second
    assert [len(door("ACL", "GENPASS", bits)) for bits in (1, 4, 5, 4096)] == [1, 1, 2, 1024]


def test_a_password_of_several_logs_in(acl: Door) -> None:
    acl("ACL", "SETUSER", "bob", "on", ">one", ">two", "+@all", "~*")
    other = acl.other()
    wrong = ReplyError("WRONGPASS invalid username-password pair or user is disabled.")
    assert other("AUTH", "bob", "three") == wrong
    for password in ("one", "two"):
        assert other("AUTH", "bob", password) == "OK"
    assert other("ACL", "WHOAMI") == b"bob"
    acl("ACL", "SETUSER", "bob", "<one")
    assert other("AUTH", "bob", "one") == wrong
    assert other("ACL", "WHOAMI") == b"bob", "a wrong guess does not log out"
    acl("ACL", "SETUSER", "bob", "off")
    assert other("AUTH", "bob", "two") == wrong
    assert other("SET", "k", "v") == "OK", "who is in stays in"
    assert as_dict(other("HELLO", "3", "AUTH", "default", "x", "SETNAME", "n"))[b"proto"] == 3
    assert other("ACL", "WHOAMI") == b"default"
    assert other("CLIENT", "GETNAME") == b"n"


def test_commands_and_keys_are_refused(acl: Door) -> None:
    bob = as_user(acl, "~a*", "%R~r*", "%W~w*", "+@all", "-@dangerous", "-set", "+config|get")
    bob.check(r"""
        SETEX a 10 v      -> +OK
        GET a             -> "v"
        GET r             -> nil
        GET w             -> -NOPERM this user has no permissions to access one of the keys used as arguments
        APPEND r v        -> -NOPERM this user has no permissions to access one of the keys used as arguments
        MSET a 1 wx 2     -> +OK
        MGET a b          -> -NOPERM this user has no permissions to access one of the keys used as arguments
        SET a v           -> -NOPERM this user has no permissions to run the 'set' command
        FLUSHALL          -> -NOPERM this user has no permissions to run the 'flushall' command
        CONFIG SET hz 10  -> -NOPERM this user has no permissions to run the 'config|set' command
        CLIENT LIST       -> -NOPERM this user has no permissions to run the 'client|list' command
        ACL LIST          -> -NOPERM this user has no permissions to run the 'acl|list' command
        ACL WHOAMI        -> "bob"
        GET               -> -ERR wrong number of arguments for 'get' command
        nope              -> -ERR unknown command 'nope', with args beginning with: ...
        CONFIG nope       -> -ERR unknown subcommand 'nope'. Try CONFIG HELP.
        COPY r wx         -> :0
        COPY wx r         -> -NOPERM this user has no permissions to access one of the keys used as arguments
        RESET             -> +RESET
        ACL WHOAMI        -> "default"
    """)


def test_a_transaction_with_a_refused_command_is_aborted(acl: Door) -> None:
    bob = as_user(acl, "~a", "+@all", "-set")
    bob.check(r"""
        MULTI       -> +OK
        SET a v     -> -NOPERM this user has no permissions to run the 'set' command
        GET b       -> -NOPERM this user has no permissions to access one of the keys used as arguments
        GET a       -> +QUEUED
        EXEC        -> -EXECABORT Transaction discarded because of previous errors.
        MULTI       -> +OK
        GET a       -> +QUEUED
        EXEC        -> [nil]
    """)


def test_a_transaction_is_judged_again_when_it_runs(acl: Door) -> None:
    bob = as_user(acl, "~*", "+@all")
    for command in (("MULTI",), ("SET", "a", "1"), ("APPEND", "b", "2"), ("GET", "a"), ("PING",)):
        bob(*command)
    acl("ACL", "SETUSER", "bob", "-append", "resetkeys", "~b", "~c")
    changed = (
        "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC "
        "call. This command is no longer allowed for the following reason: no permission to "
    )
    keys, command = (
        changed + "touch the specified keys",
        changed + "execute the command or subcommand",
    )
    assert bob("EXEC") == [ReplyError(keys), ReplyError(command), ReplyError(keys), "PONG"]


def test_changed_rules_hold_for_the_next_command_of_who_is_in(acl: Door) -> None:
    bob = as_user(acl, "~*", "+@all")
    assert bob("GET", "k") is None
    acl("ACL", "SETUSER", "bob", "-get")
    assert bob("GET", "k") == no_command("get")
    acl("ACL", "SETUSER", "bob", "+get", "resetkeys", "~a")
    assert bob("GET", "k") == NO_KEY
    acl("ACL", "SETUSER", "bob", "allkeys")
    assert bob("GET", "k") is None


@pytest.mark.sockets
def test_a_subscriber_whose_user_loses_the_channel_is_disconnected(acl: Door) -> None:
    acl("ACL", "SETUSER", "bob", "on", "nopass", "+@all", "resetchannels", "&news*", "&a")
    with acl.backend.connect() as bob, acl.backend.connect() as idle:
        for conn in (bob, idle):
            assert conn.call("AUTH", "bob", "x") == "OK"
            for command in (("SUBSCRIBE", "b"), ("PSUBSCRIBE", "news1"), ("PUBLISH", "b", "m")):
                assert conn.call(*command) == NO_CHANNEL, command
        bob.call("SUBSCRIBE", "news1")
        acl("ACL", "SETUSER", "bob", "-get", "&more")  # nothing lost: it stays
        assert acl("PUBLISH", "news1", "hello") == 1
        assert bob.read() == [b"message", b"news1", b"hello"]
        acl("ACL", "SETUSER", "bob", "resetchannels", "&a")
        with pytest.raises((EOFError, ConnectionResetError)):
            bob.read()
        assert idle.call("PING") == "PONG"  # it listens to nothing


def is_closed(conn: Conn) -> bool:
    """What it says is answered at most once."""
    try:
        conn.call("PING")
        conn.call("PING")
        return False
    except (EOFError, ConnectionError):
        return True


@pytest.mark.sockets
def test_subscribers_that_lose_nothing_of_theirs_stay(acl: Door) -> None:
    acl("ACL", "SETUSER", "bob", "on", "nopass", "+@all", "resetchannels", "&a*", "(&b +@all)")
    says = ("SUBSCRIBE", "ab"), ("SUBSCRIBE", "b"), ("PSUBSCRIBE", "a*"), ("SSUBSCRIBE", "a1")
    with ExitStack() as stack:
        clients = [stack.enter_context(acl.backend.connect()) for _ in says]
        for conn, command in zip(clients, says, strict=True):
            conn.call("AUTH", "bob", "x")
            assert conn.call(*command) == [command[0].lower().encode(), command[1].encode(), 1]
        gone = clients[3:] + clients[:1]
        # Literally: the pattern a* is allowed by the rule a* alone, whatever others mean.
        acl("ACL", "SETUSER", "bob", "resetchannels", "&ab", "&a?")
        assert [is_closed(conn) for conn in clients] == [False, False, True, False]
        acl("ACL", "SETUSER", "bob", "clearselectors", "&b")
        assert not is_closed(clients[1]), "the same channel by another selector"
        acl("ACL", "SETUSER", "bob", "reset")
        assert [is_closed(conn) for conn in gone] == [True, True]


@pytest.mark.sockets
def test_what_is_published_after_the_change_is_not_for_them(acl: Door) -> None:
    change = [("MULTI",), ("ACL", "SETUSER", "bob", "resetchannels"), ("PUBLISH", "a", "late")]
    wire = b"".join(encode(*command) for command in [*change, ("EXEC",)])
    for _ in range(100):  # without the rule, every tenth hears it
        acl("ACL", "SETUSER", "bob", "on", "nopass", "+@all", "&a")
        with acl.backend.connect() as bob, acl.backend.connect() as admin:
            bob.call("AUTH", "bob", "x")
            bob.call("SUBSCRIBE", "a")
            admin.send(wire)
            with pytest.raises((EOFError, ConnectionError)):
                assert bob.read() is None


@pytest.mark.ours("redis-server 7.0.15 frees the client that it still serves, and ends")
@pytest.mark.sockets
def test_who_takes_its_own_channel_away_is_told_so_and_disconnected(acl: Door) -> None:
    acl("ACL", "SETUSER", "bob", "on", "nopass", "+@all", "resetchannels", "&a")
    with acl.backend.connect() as bob:
        bob.call("HELLO", "3", "AUTH", "bob", "x")
        bob.call("SUBSCRIBE", "a")
        assert bob.call("ACL", "SETUSER", "bob", "resetchannels") == "OK"
        with pytest.raises((EOFError, ConnectionError)):
            bob.read()


@pytest.mark.once
def test_subscribers_of_the_default_user_outlive_a_reload(
    private: Callable[..., Server], tmp_path: Path
) -> None:
    path = tmp_path / "users.acl"
    path.write_text("user default on nopass ~* &* +@all\nuser bob on nopass ~* &* +@all\n")
    server = private(aclfile=str(path))
    with server.connect() as admin, server.connect() as mine, server.connect() as bob:
        mine.call("SUBSCRIBE", "a")
        bob.call("AUTH", "bob", "x")
        bob.call("SUBSCRIBE", "a")
        path.write_text(path.read_text().replace("default on nopass ~* &*", "default on nopass &b"))
        assert admin.call("ACL", "LOAD") == "OK"
        assert is_closed(bob) and not is_closed(mine)
        assert admin.call("PUBLISH", "a", "m") == NO_CHANNEL


@pytest.mark.sockets
def test_the_default_user_may_be_restricted_like_any(acl: Door) -> None:
    other = acl.other()
    acl("ACL", "SETUSER", "default", "-@all", "+acl", "+get", "resetkeys", "~a")
    assert other("SET", "a", "v") == no_command("set")
    assert other("GET", "b") == NO_KEY
    assert other("GET", "a") is None


@pytest.mark.sockets
def test_users_that_are_deleted_are_disconnected(acl: Door) -> None:
    bob = as_user(acl, "~*", "+@all")
    assert acl("ACL", "DELUSER", "bob") == 1
    with pytest.raises((EOFError, OSError)):
        bob("PING")


@pytest.mark.sockets
def test_the_default_user_off_lets_nobody_in_but_others(private: Callable[..., Server]) -> None:
    server = private()
    with server.connect() as admin, server.connect() as bob:
        admin.call("ACL", "SETUSER", "bob", "on", ">pw", "~*", "+@all")
        admin.call("ACL", "SETUSER", "default", "off")
        assert admin.call("PING") == "PONG", "who was in stays in"
        with server.connect() as late:
            assert late.call("PING") == NOAUTH
            wrong = ReplyError("WRONGPASS invalid username-password pair or user is disabled.")
            assert late.call("AUTH", "default", "x") == wrong
            assert late.call("AUTH", "bob", "pw") == "OK"
            assert late.call("PING") == "PONG"
        assert bob.call("RESET") == "RESET"
        assert bob.call("PING") == NOAUTH


@pytest.mark.sockets
def test_clients_are_listed_and_killed_by_user(acl: Door) -> None:
    bob = as_user(acl, "~*", "+@all")
    assert bob("PING") == "PONG"
    assert b" user=bob " in acl("CLIENT", "LIST")
    assert acl("CLIENT", "KILL", "USER", "nobody") == ReplyError("ERR No such user 'nobody'")
    assert acl("CLIENT", "KILL", "USER", "bob") == 1
    with pytest.raises((EOFError, OSError)):
        bob("PING")
    assert b" user=bob " not in acl("CLIENT", "LIST")


def log_of(door: Door) -> list[dict[bytes, Any]]:
    return [as_dict(e) for e in door("ACL", "LOG")]


def test_what_was_refused_is_in_the_log(acl: Door) -> None:
    acl("ACL", "LOG", "RESET")
    bob = as_user(acl, "~a", "+@all", "-set")
    bob("SET", "a", "v")
    bob("sEt", "a", "w")
    bob("MGET", "a", "zz")
    bob("MULTI")
    bob("SET", "a", "v")
    bob("DISCARD")
    bob("auth", "nobody", "secret")
    bob("HELLO", "3", "AUTH", "bob", "wrong")
    entries = log_of(acl)
    assert [
        tuple(e[k] for k in (b"count", b"reason", b"context", b"object", b"username"))
        for e in entries
    ] == [
        (1, b"auth", b"toplevel", b"HELLO", b"bob"),
        (1, b"auth", b"toplevel", b"auth", b"nobody"),
        (1, b"command", b"multi", b"set", b"bob"),
        (1, b"key", b"toplevel", b"zz", b"bob"),
        (2, b"command", b"toplevel", b"set", b"bob"),
    ]
    keys = b"count reason context object username age-seconds client-info".split()
    for entry in entries:
        assert list(entry) == keys
        assert 0 <= float(entry[b"age-seconds"]) < 60
        assert b" user=bob " in entry[b"client-info"]
        assert b"secret" not in entry[b"client-info"]
    assert b" cmd=mget " in entries[3][b"client-info"]
    assert len(acl("ACL", "LOG", "2")) == 2
    assert acl("ACL", "LOG", "RESET") == "OK"
    assert acl("ACL", "LOG") == []


def test_the_log_is_bounded(acl: Door) -> None:
    acl.config("acllog-max-len", 3)
    bob = as_user(acl, "~a", "+@all")
    for i in range(9):
        bob("GET", f"k{i}")
    assert [e[b"object"] for e in log_of(acl)] == [b"k8", b"k7", b"k6"]


def test_requirepass_is_the_password_of_the_default_user(acl: Door) -> None:
    acl.config("requirepass", "foo")
    digest = b"2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
    assert acl("ACL", "LIST") == [b"user default on #" + digest + b" ~* &* +@all"]
    acl("ACL", "SETUSER", "default", "nopass")
    assert as_dict(acl("CONFIG", "GET", "requirepass"))[b"requirepass"] == b"foo"
    assert acl("CONFIG", "SET", "requirepass", "") == "OK"
    assert acl("ACL", "LIST") == [b"user default on nopass ~* &* +@all"]


def test_new_users_may_use_the_channels_that_the_setting_says(acl: Door) -> None:
    acl.config("acl-pubsub-default", "allchannels")
    acl("ACL", "SETUSER", "bob", "(+get)")
    assert acl("ACL", "LIST")[0] == b"user bob off &* -@all (&* -@all +get)"


NO_FILE = (
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users "
    "via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis "
    "configuration file set) in order to store users in the Redis configuration."
)


def test_without_a_file_users_are_neither_saved_nor_loaded(door: Door) -> None:
    assert door("ACL", "SAVE") == NO_FILE
    assert door("ACL", "LOAD") == NO_FILE


@pytest.mark.once
def test_users_of_a_file(door: Door, private: Callable[..., Server], tmp_path: Path) -> None:
    path = tmp_path / "users.acl"
    path.write_text("user bob on >x ~a (+get ~b)\r\n\n  user default on >pw ~* &* +@all\n")
    server = private(aclfile=str(path))
    conn = server.connect()
    assert conn.call("PING") == NOAUTH
    assert conn.call("AUTH", "pw") == "OK"
    listed = conn.call("ACL", "LIST")
    assert listed[0].endswith(b" ~a resetchannels -@all (~b resetchannels -@all +get)")
    conn.call("ACL", "SETUSER", "carl", "on", "nopass", "-@all", "+get", "%R~k")
    assert conn.call("ACL", "SAVE") == "OK"
    saved = b"user carl on nopass %R~k resetchannels -@all +get"
    assert path.read_bytes() == b"".join(line + b"\n" for line in conn.call("ACL", "LIST"))
    assert saved in path.read_bytes()
    bob = server.connect()
    assert bob.call("AUTH", "bob", "x") == "OK"
    before = path.read_text()
    path.write_text("user x on >y\nfoo\nuser z +@foo +nope foo bar\nuser x\nuser y (+get\n")
    where = str(path)
    assert conn.call("ACL", "LOAD") == ReplyError(
        f"ERR {where}:2 should start with user keyword followed by the username. "
        f"{where}:3: Error in applying operation '+@foo': Unknown command or category name in ACL. "
        f"{where}:3: Error in applying operation '+nope': Unknown command or category name in ACL. "
        f"{where}:3: Syntax error. WARNING: Duplicate user 'x' found on line 4. "
        f"{where}:5: Unmatched parenthesis in selector definition."
        "WARNING: ACL errors detected, no change to the previously active ACL rules was performed"
    )
    assert conn.call("ACL", "USERS") == [b"bob", b"carl", b"default"]
    assert bob.call("GET", "b") is None, "nothing has changed"
    path.write_text(before)
    assert conn.call("ACL", "LOAD") == "OK"
    assert conn.call("ACL", "USERS") == [b"bob", b"carl", b"default"]
    with pytest.raises((EOFError, OSError)):  # as Redis: all but the default user
        bob.call("PING")
    path.unlink()
    assert conn.call("ACL", "LOAD") == ReplyError(
        f"ERR Error loading ACLs, opening file '{where}': No such file or directory"
    )


@pytest.mark.once
def test_users_of_the_configuration(
    door: Door, tmp_path: Path, private: Callable[..., Server]
) -> None:
    path = tmp_path / "c.conf"
    path.write_text(
        "# first\nuser bob on nopass ~* +@all\nhz 10\nuser carl off\nuser default on >pw ~* +@all\n"
    )
    server = private(config_file=str(path))
    with server.connect() as conn:
        assert conn.call("AUTH", "pw") == "OK"
        assert conn.call("ACL", "USERS") == [b"bob", b"carl", b"default"]
        conn.call("ACL", "DELUSER", "carl")
        conn.call("ACL", "SETUSER", "dave", "(+get", "~a)")
        assert conn.call("CONFIG", "REWRITE") == "OK"
        listed = [line.decode() for line in conn.call("ACL", "LIST")]
    lines = path.read_text().splitlines()
    assert sorted(line for line in lines if line.startswith("user ")) == listed
    assert lines[0] == "# first"
    again = private(config_file=str(path))
    with again.connect() as conn:
        conn.call("AUTH", "pw")
        assert [line.decode() for line in conn.call("ACL", "LIST")] == listed


@pytest.mark.sockets
def test_big_arguments_of_strangers_are_refused(door: Door) -> None:
    door.config("requirepass", "secret")
    for wire, text in (
        (b"*11\r\n", "multibulk"),
        (b"*2\r\n$16385\r\n", "bulk"),
    ):
        conn = door.socket()
        conn.send(wire)
        assert conn.read() == f"ERR Protocol error: unauthenticated {text} length"
    known: Conn = door.socket()
    known.call("AUTH", "secret")
    assert known.call("MSET", *["k", "v"] * 20) == "OK"
    assert known.call("SET", "k", "v" * 20000) == "OK"


@pytest.mark.once
def test_renamed_commands(door: Door, tmp_path: Path, private: Callable[..., Server]) -> None:
    path = tmp_path / "c.conf"
    path.write_text(
        'rename-command CONFIG cfg\nrename-command FLUSHALL ""\nrename-command SET put\n'
        "rename-command GET set\n"
    )
    server = private(config_file=str(path))
    with server.connect() as conn:
        unknown = "ERR unknown command 'CONFIG', with args beginning with: 'GET' 'hz' "
        assert conn.call("CONFIG", "GET", "hz") == ReplyError(unknown)
        assert conn.call("Cfg", "GET", "hz") == [b"hz", b"10"]
        assert conn.call("cfg", "nope") == "ERR unknown subcommand 'nope'. Try CFG HELP."
        assert conn.call("cfg") == "ERR wrong number of arguments for 'config' command"
        assert conn.call("FLUSHALL").startswith("ERR unknown command 'FLUSHALL'")
        assert conn.call("PUT", "k", "v") == "OK"
        assert conn.call("SET", "k") == b"v"
        assert conn.call("put", "k") == "ERR wrong number of arguments for 'set' command"
        assert conn.call("COMMAND", "INFO", "config", "flushall") in ([None, None],)
        assert conn.call("COMMAND", "INFO", "cfg")[0][0] == b"config"
        names = conn.call("COMMAND", "LIST")
        assert b"config" in names
        assert b"flushall" not in names
        assert (
            conn.call("ACL", "SETUSER", "bob", "on", "nopass", "+config|get", "+flushall") == "OK"
        )
        wrong = "ERR Error in ACL SETUSER modifier '+cfg': Unknown command or category name in ACL"
        assert conn.call("ACL", "SETUSER", "bob", "+cfg") == wrong
        assert conn.call("ACL", "DRYRUN", "bob", "cfg", "get", "x") == "OK"
        assert conn.call("ACL", "DRYRUN", "bob", "config", "get", "x") == (
            "ERR Command 'config' not found"
        )
        assert b"flushall" in conn.call("ACL", "CAT", "dangerous")
        assert conn.call("AUTH", "bob", "x") == "OK"
        assert conn.call("PUT", "k", "v") == no_command("set")


@pytest.mark.ours("Redis logs the new name and cannot read it again without that configuration")
@pytest.mark.once
def test_the_log_has_the_commands_own_names(
    door: Door, tmp_path: Path, private: Callable[..., Server]
) -> None:
    path = tmp_path / "c.conf"
    path.write_text(
        "rename-command SET put\nappendonly yes\nappendfsync always\nslowlog-log-slower-than 0\n"
    )
    server = private(config_file=str(path), dir=str(tmp_path))
    with server.connect() as conn:
        assert conn.call("PUT", "k", "v") == "OK"
        # People are shown what was sent.
        shown = [entry[3] for entry in conn.call("SLOWLOG", "GET", "-1")]
        assert [b"PUT", b"k", b"v"] in shown
        for command in (("MULTI",), ("PUT", "m", "v"), ("EXEC",)):
            conn.call(*command)
    server.signal(9)
    server.wait_exit()
    again = private(dir=str(tmp_path), appendonly="yes")
    with again.connect() as conn:
        assert conn.call("MGET", "k", "m") == [b"v", b"v"]


@pytest.mark.ours("the wording is ours")
@pytest.mark.once
def test_wrong_lines_end_the_start(door: Door, tmp_path: Path) -> None:
    path = tmp_path / "c.conf"
    for text, message in (
        ("user bob on >secret +nope\n", "line 1: 'user': '+nope': Unknown command or category"),
        ("\nuser bob on secret\n", "line 2: 'user': Syntax error"),
        ("rename-command nope x\n", "line 1: 'rename-command': there is no such command"),
        ("aclfile /nonexistent/a.acl\n", "'aclfile': Error loading ACLs, opening file"),
    ):
        path.write_text(text)
        server = Server("rustypotato", config_file=str(path)).spawn()
        assert server.wait_exit() == 1, text
        log = server.log_tail()
        server.stop()
        assert message in log, (text, log)
        assert "secret" not in log


@pytest.mark.sockets
@pytest.mark.ours("a limit of our own")
def test_a_stranger_who_never_reads_is_cut_off(door: Door) -> None:
    door.config("requirepass", "secret")
    conn = door.socket()
    conn.sock.settimeout(5)
    flood = b"PING\r\n" * 10000

    def closed() -> bool:
        try:
            conn.sock.sendall(flood)
        except OSError:
            return True
        return False

    until(closed, "the connection of a stranger who reads nothing is closed")


def own_address() -> str:
    """An address of this machine that is not loopback; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("203.0.113.1", 9))
        except OSError:
            return "127.0.0.1"
        return sock.getsockname()[0]


@pytest.mark.once
def test_protected_mode_serves_this_machine_only(
    door: Door, private: Callable[..., Server]
) -> None:
    address = own_address()
    if address.startswith("127."):
        pytest.skip("this machine has no address beside loopback")
    server = private(bind=["127.0.0.1", address], **{"protected-mode": "yes"})
    far = (address, server.port)

    def first_words() -> Any:
        with Conn(far) as conn:
            conn.send(b"PING\r\n")
            return conn.read()

    with server.connect() as near:
        assert str(first_words()).startswith("DENIED Redis is running in protected mode because")
        near.call("ACL", "SETUSER", "default", "resetpass")
        assert first_words() == NOAUTH, "it needs a password now"
        near.call("ACL", "SETUSER", "default", "nopass")
        assert str(first_words()).startswith("DENIED")
        near.call("CONFIG", "SET", "protected-mode", "no")
        assert first_words() == "PONG"


@pytest.mark.sockets
def test_requests_of_browsers_are_dropped(door: Door) -> None:
    for line in (b"POST / HTTP/1.1\r\n", b"Host: example\r\n", b"*1\r\n$4\r\nPOST\r\n"):
        conn = door.socket()
        conn.send(line + b"SET k v\r\n")
        with pytest.raises((EOFError, OSError)):
            conn.read()
    assert door("EXISTS", "k") == 0
