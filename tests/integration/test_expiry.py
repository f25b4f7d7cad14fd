"""Expiry: on access, by the crawler, and what both leave behind in INFO."""

from __future__ import annotations

import time

import pytest

from tools.doors import Door
from tools.wait import until


def test_a_key_is_gone_at_its_time_for_every_command(door: Door) -> None:
    """With the crawler off, it is the access that must notice."""
    reads = [
        (("GET", "k"), None),
        (("EXISTS", "k"), 0),
        (("TTL", "k"), -2),
        (("TYPE", "k"), "none"),
        (("STRLEN", "k"), 0),
        (("MGET", "k"), [None]),
        (("GETRANGE", "k", 0, -1), b""),
        (("KEYS", "k"), []),
        (("TOUCH", "k"), 0),
        (("OBJECT", "ENCODING", "k"), None),
        (("RENAMENX", "k", "other"), "ERR no such key"),
        (("COPY", "k", "other"), 0),
        (("PERSIST", "k"), 0),
        (("EXPIRE", "k", 100), 0),
        (("SET", "k", "v", "XX"), None),
        (("GETDEL", "k"), None),
        (("GETEX", "k"), None),
        (("DEL", "k"), 0),
        (("UNLINK", "k"), 0),
        (("MOVE", "k", 1), 0),
        (("INCR", "k"), 1),
        (("APPEND", "k", "x"), 1),
        (("SETNX", "k", "v"), 1),
        (("MSETNX", "k", "v"), 1),
        (("SETRANGE", "k", 1, "x"), 2),
        (("GETSET", "k", "w"), None),
        (("SET", "k", "w", "GET"), None),
        (("PEXPIRETIME", "k"), -2),
        (("RANDOMKEY",), None),
    ]
    door("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    try:
        for i in range(len(reads)):
            door("SELECT", 0)
            door("FLUSHALL")
            assert door("SET", "k", "7", "PX", 1) == "OK"
            end = time.time() + 0.003
            while time.time() < end:
                pass
            command, want = reads[i]
            assert door(*command) == want, command
    finally:
        door("DEBUG", "SET-ACTIVE-EXPIRE", "1")


def test_scan_of_expired_keys(door: Door) -> None:
    """An expired key that nobody has touched is not returned."""
    door("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    try:
        door.many([("SET", f"k{i}", "v", "PX", 1) for i in range(50)] + [("SET", "stays", "v")])
        end = time.time() + 0.005
        while time.time() < end:
            pass
        assert door("SCAN", 0, "COUNT", 1000) == [b"0", [b"stays"]]
        assert door("KEYS", "*") == [b"stays"]
        assert door("EXISTS", *[f"k{i}" for i in range(50)]) == 0
        assert door("DBSIZE") == 1
    finally:
        door("DEBUG", "SET-ACTIVE-EXPIRE", "1")


@pytest.mark.sockets
def test_the_crawler_removes_keys_that_nobody_touches(door: Door) -> None:
    before = int(door.info("stats")["expired_keys"])
    door.many([("SET", f"k{i}", "v", "PX", 20) for i in range(3000)])
    door("SET", "stays", "v")
    until(lambda: door("DBSIZE") == 1, "the crawler has removed 3000 keys")
    assert int(door.info("stats")["expired_keys"]) == before + 3000
    assert door.info("keyspace")["db0"].startswith("keys=1,expires=0")


@pytest.mark.sockets
def test_the_crawler_can_be_switched_off_and_on(door: Door) -> None:
    door("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    try:
        door.many([("SET", f"k{i}", "v", "PX", 1) for i in range(100)])
        door("SET", "clock", "v", "PX", 300)
        other = door.other()
        until(lambda: other("EXISTS", "clock") == 0, "300 ms have passed")
        assert door("DBSIZE") >= 100
    finally:
        door("DEBUG", "SET-ACTIVE-EXPIRE", "1")
    until(lambda: door("DBSIZE") == 0, "the crawler runs again")


def test_ttl_counts_down(door: Door) -> None:
    door("SET", "k", "v", "PX", 5000)
    first = door("PTTL", "k")
    assert 4000 < first <= 5000
    until(lambda: door("PTTL", "k") <= first - 20, "20 ms less")
    assert door("TTL", "k") == 5


def test_expired_keys_are_counted(door: Door) -> None:
    before = int(door.info("stats")["expired_keys"])
    door("SET", "k", "v", "PX", 1)
    until(lambda: door("GET", "k") is None, "gone")
    assert int(door.info("stats")["expired_keys"]) == before + 1
    door("SET", "k", "v")
    door("EXPIRE", "k", -1)
    assert door("EXISTS", "k") == 0


def test_keyspace_info_counts_expires(door: Door) -> None:
    door.many(
        [("SET", f"a{i}", "v") for i in range(10)]
        + [("SET", f"b{i}", "v", "EX", 1000) for i in range(5)]
    )
    assert door.info("keyspace")["db0"].startswith("keys=15,expires=5,")
    door("PERSIST", "b0")
    door("DEL", "b1")
    door("SET", "b2", "w")
    assert door.info("keyspace")["db0"].startswith("keys=14,expires=2,")


def test_large_expiry_times_are_kept_exactly(door: Door) -> None:
    door.check("""
        SET k v PXAT 9007199254740993 -> +OK
        PEXPIRETIME k            -> :9007199254740993
        EXPIRETIME k             -> :9007199254741
        EXPIREAT k 9223372036854775 -> :1
        PEXPIRETIME k            -> :9223372036854775000
        SET k v EX 9007199254    -> +OK
        TTL k                    -> :9007199253..9007199254
    """)
