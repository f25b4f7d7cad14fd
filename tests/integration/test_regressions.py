"""What a review of the core found: each test failed once. redis-server 7.0 proves them."""

from __future__ import annotations

import pytest

from tools.doors import Door


def test_exec_happens_at_one_instant(door: Door) -> None:
    """A key does not expire between two commands of one transaction."""
    door.check("""
        MULTI                    -> +OK
        SET k v PX 60            -> +QUEUED
        DEBUG SLEEP 0.15         -> +QUEUED
        GET k                    -> +QUEUED
        EXISTS k                 -> +QUEUED
        EXEC                     -> [+OK, +OK, "v", :1]
        GET k                    -> nil
    """)


def test_each_failing_command_of_exec_is_counted(door: Door) -> None:
    door.check("""
        SET s abc                -> +OK
        CONFIG RESETSTAT         -> +OK
        MULTI                    -> +OK
        INCR s                   -> +QUEUED
        INCR s                   -> +QUEUED
        PING                     -> +QUEUED
        EXEC                     -> any
    """)
    info = door.info()
    assert info["errorstat_ERR"] == "count=2"
    assert info["total_error_replies"] == "2"
    assert info["cmdstat_incr"].endswith("rejected_calls=0,failed_calls=2")
    assert info["cmdstat_exec"].endswith("rejected_calls=0,failed_calls=0")


def changes(door: Door) -> int:
    return int(door.info("persistence")["rdb_changes_since_last_save"])


@pytest.mark.parametrize(
    "command", ["RENAME a b", "RENAMENX a b", "MOVE a 1", "COPY a b", "GETEX a EX 5"]
)
def test_one_command_on_one_value_is_one_change(door: Door, command: str) -> None:
    door("SET", "a", "1")
    before = changes(door)
    door(*command.split())
    assert changes(door) == before + 1
    door("FLUSHALL")


def test_reset_and_quit_leave_multi_when_memory_is_out(door: Door) -> None:
    door.config("maxmemory", 1)
    door.check("""
        MULTI                    -> +OK
        GET a                    -> -OOM command not allowed when used memory > 'maxmemory'.
        RESET                    -> +RESET
        EXEC                     -> -ERR EXEC without MULTI
    """)


def test_randomkey_finds_the_one_key_that_has_not_expired(door: Door) -> None:
    assert door("DEBUG", "SET-ACTIVE-EXPIRE", "0") == "OK"
    try:
        assert door("SET", "live", "v") == "OK"
        for i in range(400):
            door("SET", f"dead{i}", "v", "PXAT", 1)
        assert [door("RANDOMKEY") for _ in range(20)] == [b"live"] * 20
    finally:
        assert door("DEBUG", "SET-ACTIVE-EXPIRE", "1") == "OK"


@pytest.mark.sockets
def test_a_killed_client_is_gone_at_once(door: Door) -> None:
    for _ in range(20):
        other = door.other()
        name = other("CLIENT", "ID")
        pipeline = [
            ("CLIENT", "KILL", "ID", name),
            ("CLIENT", "LIST"),
            ("CLIENT", "KILL", "ID", name),
        ]
        killed, clients, again = door.many(pipeline)
        assert (killed, again) == (1, 0)
        assert f"id={name} ".encode() not in clients


@pytest.mark.sockets
def test_held_commands_with_empty_keys(door: Door) -> None:
    """Commands that wait for the end of CLIENT PAUSE are copies, packed without gaps."""
    assert door("SET", "foo", "v") == "OK"
    assert door("CLIENT", "PAUSE", "100") == "OK"
    assert door.many([("MGET", "", "foo"), ("DEL", "", "foo"), ("EXISTS", "foo")]) == [
        [None, b"v"],
        1,
        0,
    ]


def test_expiry_times_at_the_far_end(door: Door) -> None:
    door.check("""
        SET k v PXAT 9223372036854775807   -> +OK
        EXPIRETIME k                       -> :9223372036854776
        PEXPIRETIME k                      -> :9223372036854775807
    """)
