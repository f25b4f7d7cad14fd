"""maxmemory: the eight policies keep the limit, and each evicts only what it may."""

from __future__ import annotations

import pytest

from tools.doors import Door
from tools.wait import until

OOM = "OOM command not allowed when used memory > 'maxmemory'."
POLICIES = (
    "noeviction",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
)
VALUE = "x" * 1000
ROOM = 3 << 20


def used(door: Door) -> int:
    return int(door.info("memory")["used_memory"])


def limit(door: Door, policy: str, room: int = ROOM) -> int:
    """A limit a little above what the empty store uses."""
    door.config("maxmemory-policy", policy)
    door.config("maxmemory", "0")
    maximum = door.settled_memory() + room
    door.config("maxmemory", maximum)
    return maximum


@pytest.mark.parametrize("policy", POLICIES)
def test_memory_stays_below_the_limit(door: Door, policy: str) -> None:
    maximum = limit(door, policy)
    before = int(door.info("stats")["evicted_keys"])
    replies = []
    for start in range(0, 10_000, 500):
        replies += door.many(
            [("SET", f"key:{i}", VALUE, "EX", 10_000 + i) for i in range(start, start + 500)]
        )
    evicted = int(door.info("stats")["evicted_keys"]) - before
    if policy == "noeviction":
        assert set(replies) == {"OK", OOM}
        assert replies[-1] == OOM and evicted == 0
        assert door("DBSIZE") == replies.count("OK")
    else:
        assert set(replies) == {"OK"}
        assert evicted > 5000
        assert abs(door("DBSIZE") - (10_000 - evicted)) <= 5, "a later command may evict, too"
    assert used(door) < maximum + (1 << 20)
    assert 500 < door("DBSIZE") < 4000


@pytest.mark.parametrize("policy", [p for p in POLICIES if p.startswith("volatile")])
def test_volatile_policies_touch_only_keys_with_a_ttl(door: Door, policy: str) -> None:
    limit(door, policy)
    assert set(door.many([("SET", f"keep:{i}", VALUE) for i in range(500)])) == {"OK"}
    replies = door.many([("SET", f"ttl:{i}", VALUE, "EX", 10_000) for i in range(5000)])
    assert set(replies) == {"OK"}
    assert door("EXISTS", *[f"keep:{i}" for i in range(500)]) == 500
    replies = door.many([("SET", f"more:{i}", VALUE) for i in range(5000)])
    assert replies[-1] == OOM, "no key with a TTL is left to evict"
    assert door("EXISTS", *[f"keep:{i}" for i in range(500)]) == 500


def test_noeviction_refuses_what_grows_and_allows_what_does_not(door: Door) -> None:
    limit(door, "noeviction", 1 << 20)
    door.many([("SET", "small", "1")])
    replies = door.many([("SET", f"key:{i}", VALUE) for i in range(3000)])
    assert replies[-1] == OOM
    door.config("maxmemory", used(door) - (300 << 10))  # No room, whatever buffers are freed.
    for command in (
        ("SET", "new", "v"),
        ("APPEND", "small", "x"),
        ("INCR", "small"),
        ("MSET", "a", "1"),
        ("SETRANGE", "small", "5", "x"),
        ("GETSET", "small", "x"),
        ("COPY", "key:0", "copy"),
        ("SETNX", "n", "1"),
        ("INCRBYFLOAT", "small", "1"),
    ):
        assert door(*command) == OOM, command
    door.check("""
        GET small                -> "1"
        EXPIRE small 100         -> :1
        PERSIST small            -> :1
        GETEX small              -> "1"
        RENAME small other       -> +OK
        TOUCH other              -> :1
        MULTI                    -> +OK
        SET x 1                  -> -OOM command not allowed when used memory > 'maxmemory'.
        EXEC                     -> -EXECABORT Transaction discarded because of previous errors.
        MULTI                    -> +OK
        GET other                -> -OOM command not allowed when used memory > 'maxmemory'.
        DISCARD                  -> +OK
        DEL other                -> :1
        GETDEL key:0             -> anybulk
    """)
    assert door("DEL", *[f"key:{i}" for i in range(3000)]) > 500
    assert door("SET", "new", "v") == "OK"


def test_lru_keeps_what_is_used(door: Door) -> None:
    """Redis' LRU clock counts seconds, so the old keys must be a second old."""
    limit(door, "allkeys-lru")
    door.config("maxmemory-samples", "10")
    hot = [f"hot:{i}" for i in range(50)]
    door.many([("SET", k, VALUE) for k in hot])
    door.many([("SET", f"cold:{i}", VALUE) for i in range(1500)])
    until(lambda: door("OBJECT", "IDLETIME", "cold:1499") >= 1, "a second has passed")
    assert door("EXISTS", *hot) == 50
    assert door("TOUCH", *hot) == 50
    door.many([("SET", f"new:{i}", VALUE) for i in range(2000)])
    assert door("EXISTS", *hot) >= 40


def test_lfu_keeps_what_is_used_often(door: Door) -> None:
    limit(door, "allkeys-lfu")
    door.config("maxmemory-samples", "10")
    hot = [f"hot:{i}" for i in range(50)]
    door.many([("SET", k, VALUE) for k in hot])
    for _ in range(100):  # One by one: unread replies count as memory, and would evict.
        assert len(door("MGET", *hot)) == 50
    for start in range(0, 6000, 200):
        door.many([("SET", f"cold:{i}", VALUE) for i in range(start, start + 200)])
    assert door("EXISTS", *hot) >= 45


def test_volatile_ttl_evicts_the_nearest_expiry_first(door: Door) -> None:
    limit(door, "volatile-ttl")
    door.config("maxmemory-samples", "10")
    door.many([("SET", f"far:{i}", VALUE, "EX", 1_000_000) for i in range(500)])
    door.many([("SET", f"near:{i}", VALUE, "EX", 1000) for i in range(4000)])
    assert door("EXISTS", *[f"far:{i}" for i in range(500)]) >= 475


def test_lowering_the_limit_evicts_at_once(door: Door) -> None:
    limit(door, "allkeys-random", 8 << 20)
    door.many([("SET", f"key:{i}", VALUE) for i in range(5000)])
    assert door("DBSIZE") == 5000
    door.config("maxmemory", used(door) - (2 << 20))
    assert door("SET", "one", "more") == "OK"
    assert door("DBSIZE") < 4500


def test_the_limit_in_every_unit(door: Door) -> None:
    for text, value in (
        ("100mb", 100 << 20),
        ("100MB", 100 << 20),
        ("1gb", 1 << 30),
        ("1g", 10**9),
        ("50m", 50 * 10**6),
        ("2000000k", 2 * 10**9),
        ("2000000kb", 2_048_000_000),
        ("1073741824", 1 << 30),
        ("1073741824b", 1 << 30),
        ("0", 0),
    ):
        door.config("maxmemory", text)
        assert door.info("memory")["maxmemory"] == str(value)
        door.check(
            """
            CONFIG GET maxmemory     -> {"maxmemory": $value}
        """,
            value=str(value).encode(),
        )
