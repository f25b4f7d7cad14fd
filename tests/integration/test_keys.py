"""Key space commands: literal replies that redis-server 7.0 proves."""

from __future__ import annotations

import pytest

from tools.doors import Door
from tools.wait import until


def test_del_unlink_exists_touch(door: Door) -> None:
    door.check(r"""
        MSET a 1 b 2 c 3         -> +OK
        EXISTS a                 -> :1
        EXISTS a b none          -> :2
        EXISTS a a a             -> :3
        TOUCH a none a           -> :2
        DEL a none               -> :1
        DEL a                    -> :0
        DEL b b                  -> :1
        UNLINK c c none          -> :1
        DBSIZE                   -> :0
        SET "" v                 -> +OK
        EXISTS ""                -> :1
        DEL ""                   -> :1
    """)


def test_type(door: Door) -> None:
    door.check("""
        TYPE none                -> +none
        SET s v                  -> +OK
        TYPE s                   -> +string
        SET n 1                  -> +OK
        TYPE n                   -> +string
    """)


def keys(door: Door, pattern: str | bytes) -> list[bytes]:
    return sorted(door("KEYS", pattern))


def test_keys_patterns(door: Door) -> None:
    names = [
        b"hello",
        b"hallo",
        b"hxllo",
        b"hllo",
        b"heello",
        b"h*llo",
        b"h[llo",
        b"h\\llo",
        b"",
        b"H\xff",
        b"a\nb",
    ]
    door("MSET", *[x for n in names for x in (n, b"1")])
    assert keys(door, "*") == sorted(names)
    assert keys(door, "h?llo") == [b"h*llo", b"h[llo", b"h\\llo", b"hallo", b"hello", b"hxllo"]
    assert keys(door, "h*llo") == [
        b"h*llo",
        b"h[llo",
        b"h\\llo",
        b"hallo",
        b"heello",
        b"hello",
        b"hllo",
        b"hxllo",
    ]
    assert keys(door, "h[ae]llo") == [b"hallo", b"hello"]
    assert keys(door, "h[^e]llo") == [b"h*llo", b"h[llo", b"h\\llo", b"hallo", b"hxllo"]
    assert keys(door, "h[a-e]llo") == [b"hallo", b"hello"]
    assert keys(door, "h[e-a]llo") == [b"hallo", b"hello"]
    assert keys(door, r"h\*llo") == [b"h*llo"]
    assert keys(door, r"h[\[]llo") == [b"h[llo"]
    assert keys(door, r"h\\llo") == [b"h\\llo"]
    assert keys(door, "") == [b""]
    assert keys(door, "hello") == [b"hello"]
    assert keys(door, "HELLO") == []
    assert keys(door, "a?b") == [b"a\nb"]
    assert keys(door, b"H\xff") == [b"H\xff"]
    assert keys(door, "h[") == []
    assert keys(door, "h[ae") == []
    assert keys(door, "**o") == keys(door, "*o")


def scan_all(door: Door, *options: object, command: str = "SCAN") -> list[bytes]:
    cursor, found, calls = b"0", [], 0
    while True:
        reply = door(command, cursor, *options)
        assert isinstance(reply, list) and len(reply) == 2, reply
        cursor, page = reply
        found += page
        calls += 1
        if cursor == b"0":
            return found
        assert calls < 100_000, "SCAN does not end"


def test_scan_returns_every_key(door: Door) -> None:
    wanted = sorted(b"key:%d" % i for i in range(3000))
    door.many([("SET", k, "v") for k in wanted])
    for options in ((), ("COUNT", 1), ("COUNT", 10), ("COUNT", 5000)):
        assert sorted(set(scan_all(door, *options))) == wanted
    assert sorted(set(scan_all(door, "MATCH", "key:1?"))) == [b"key:1%d" % i for i in range(10)]
    assert sorted(set(scan_all(door, "TYPE", "string", "COUNT", 500))) == wanted
    assert scan_all(door, "TYPE", "list", "COUNT", 500) == []
    assert scan_all(door, "MATCH", "none*", "COUNT", 500) == []


def test_scan_keeps_its_promise_while_the_table_grows_and_shrinks(door: Door) -> None:
    """Every key that is there from beginning to end is returned."""
    stay = {b"stay:%d" % i for i in range(500)}
    door.many([("SET", k, "v") for k in stay])
    cursor, seen, step = b"0", set(), 0
    while True:
        cursor, page = door("SCAN", cursor, "COUNT", 20)
        seen.update(page)
        if cursor == b"0":
            break
        if step < 20:
            door.many([("SET", f"new:{step}:{i}", "v") for i in range(200)])
        elif step < 40:
            door("DEL", *[f"new:{step - 20}:{i}" for i in range(200)])
        step += 1
        assert step < 5000
    assert stay <= seen


def test_scan_errors(door: Door) -> None:
    door.check("""
        SCAN 0                   -> ["0", []]
        SCAN abc                 -> -ERR invalid cursor
        SCAN -1                  -> any
        SCAN ""                  -> any
        SCAN 18446744073709551616 -> -ERR invalid cursor
        SCAN 0 COUNT 0           -> -ERR syntax error
        SCAN 0 COUNT -1          -> -ERR syntax error
        SCAN 0 COUNT abc         -> -ERR value is not an integer or out of range
        SCAN 0 COUNT             -> -ERR syntax error
        SCAN 0 MATCH             -> -ERR syntax error
        SCAN 0 nonsense          -> -ERR syntax error
        SCAN 0 TYPE nonsense     -> ["0", []]
        SCAN 0 count 10 match x type string -> ["0", []]
        SCAN 0 COUNT 10 COUNT 20 -> ["0", []]
        SCAN 12345               -> any
        SCAN 0 COUNT 9223372036854775807 -> ["0", []]
    """)


def test_randomkey(door: Door) -> None:
    assert door("RANDOMKEY") is None
    door("MSET", *[x for i in range(20) for x in (f"k{i}", i)])
    seen = {door("RANDOMKEY") for _ in range(600)}
    assert seen == {b"k%d" % i for i in range(20)}
    assert door("FLUSHDB") == "OK"
    door.check("""
        SET only 1               -> +OK
        RANDOMKEY                -> "only"
    """)


def test_rename(door: Door) -> None:
    door.check("""
        RENAME none x            -> -ERR no such key
        RENAME none none         -> -ERR no such key
        SET a 1 EX 100           -> +OK
        SET b 2                  -> +OK
        RENAME a b               -> +OK
        EXISTS a                 -> :0
        GET b                    -> "1"
        TTL b                    -> :99..100
        SET c 3                  -> +OK
        RENAME c b               -> +OK
        TTL b                    -> :-1
        RENAME b b               -> +OK
        GET b                    -> "3"
        RENAME b ""              -> +OK
        GET ""                   -> "3"
        DBSIZE                   -> :1
    """)


def test_renamenx(door: Door) -> None:
    door.check("""
        RENAMENX none x          -> -ERR no such key
        MSET a 1 b 2             -> +OK
        RENAMENX a b             -> :0
        MGET a b                 -> ["1", "2"]
        RENAMENX a a             -> :0
        RENAMENX a c             -> :1
        MGET a c                 -> [nil, "1"]
    """)


def test_copy(door: Door) -> None:
    door.check("""
        COPY none x              -> :0
        SET a 1 EX 100           -> +OK
        COPY a b                 -> :1
        GET b                    -> "1"
        TTL b                    -> :99..100
        SET a 2                  -> +OK
        COPY a b                 -> :0
        GET b                    -> "1"
        COPY a b REPLACE         -> :1
        GET b                    -> "2"
        TTL b                    -> :-1
        COPY a a                 -> -ERR source and destination objects are the same
        COPY a a REPLACE         -> -ERR source and destination objects are the same
        COPY none none           -> -ERR source and destination objects are the same
        COPY a a DB 1            -> :1
        COPY a a DB 1            -> :0
        COPY a z DB 1 REPLACE    -> :1
        COPY a z REPLACE DB 1    -> :1
        COPY a a DB 0            -> -ERR source and destination objects are the same
        COPY a b DB 16           -> -ERR DB index is out of range
        COPY a b DB -1           -> -ERR DB index is out of range
        COPY a b DB x            -> -ERR value is not an integer or out of range
        COPY a b DB              -> -ERR syntax error
        COPY a b nonsense        -> -ERR syntax error
        COPY a b REPLACE REPLACE -> :1
        SELECT 1                 -> +OK
        GET z                    -> "2"
        DBSIZE                   -> :2
        FLUSHDB                  -> +OK
    """)


def test_copies_are_independent(door: Door) -> None:
    door.check("""
        SET a 1                  -> +OK
        COPY a b                 -> :1
        INCR a                   -> :2
        APPEND b x               -> :2
        MGET a b                 -> ["2", "1x"]
    """)


def test_move(door: Door) -> None:
    door.check("""
        MOVE none 1              -> :0
        SET a 1 EX 100           -> +OK
        MOVE a 1                 -> :1
        EXISTS a                 -> :0
        SET a 2                  -> +OK
        MOVE a 1                 -> :0
        MOVE a 0                 -> -ERR source and destination objects are the same
        MOVE none 0              -> -ERR source and destination objects are the same
        MOVE a 16                -> -ERR DB index is out of range
        MOVE a -1                -> -ERR DB index is out of range
        MOVE a x                 -> -ERR value is not an integer or out of range
        SELECT 1                 -> +OK
        GET a                    -> "1"
        TTL a                    -> :99..100
        FLUSHDB                  -> +OK
    """)


EXPIRE = [
    ("EXPIRE", "100"),
    ("PEXPIRE", "100000"),
    ("EXPIREAT", "4102444800"),
    ("PEXPIREAT", "4102444800000"),
]


@pytest.mark.parametrize(("name", "value"), EXPIRE)
def test_expire(door: Door, name: str, value: str) -> None:
    door.check(f"""
        {name} none {value}      -> :0
        SET k v                  -> +OK
        {name} k {value}         -> :1
        {name} k {value}         -> :1
        GET k                    -> "v"
        PERSIST k                -> :1
        PERSIST k                -> :0
        PERSIST none             -> :0
        {name} k {value} XX      -> :0
        TTL k                    -> :-1
        {name} k {value} NX      -> :1
        {name} k {value} nx      -> :0
        {name} k {value} XX      -> :1
        {name} k {value} NX XX   -> -ERR NX and XX, GT or LT options at the same time are not compatible
        {name} k {value} NX GT   -> -ERR NX and XX, GT or LT options at the same time are not compatible
        {name} k {value} LT NX   -> -ERR NX and XX, GT or LT options at the same time are not compatible
        {name} k {value} GT LT   -> -ERR GT and LT options at the same time are not compatible
        {name} none {value} GT LT -> -ERR GT and LT options at the same time are not compatible
        {name} k {value} XX GT LT -> -ERR GT and LT options at the same time are not compatible
        {name} k {value} nonsense -> -ERR Unsupported option nonsense
        {name} none {value} nonsense -> -ERR Unsupported option nonsense
        {name} k x               -> -ERR value is not an integer or out of range
        {name} none x            -> -ERR value is not an integer or out of range
        {name} k x nonsense      -> -ERR Unsupported option nonsense
        {name} k ""              -> -ERR value is not an integer or out of range
        {name} k -1              -> :1
        EXISTS k                 -> :0
        {name} k -1              -> :0
        SET k v                  -> +OK
        {name} k 0               -> :1
        EXISTS k                 -> :0
        SET k v                  -> +OK
        {name} k -9223372036854775808 -> any
    """)


def test_expire_gt_and_lt(door: Door) -> None:
    door.check("""
        SET k v                  -> +OK
        EXPIRE k 100 GT          -> :0
        TTL k                    -> :-1
        EXPIRE k 100 LT          -> :1
        TTL k                    -> :99..100
        EXPIRE k 200 LT          -> :0
        EXPIRE k 50 GT           -> :0
        TTL k                    -> :99..100
        EXPIRE k 200 GT          -> :1
        TTL k                    -> :199..200
        EXPIRE k 50 XX LT        -> :1
        TTL k                    -> :49..50
        EXPIRE k 60 LT XX        -> :0
        EXPIRE k 60 GT XX        -> :1
        EXPIRE k 60 XX XX        -> :1
        EXPIRE k -1 GT           -> :0
        EXISTS k                 -> :1
        EXPIRE k -1 LT           -> :1
        EXISTS k                 -> :0
        SET k v                  -> +OK
        EXPIRE k -1 XX           -> :0
        EXPIRE k -1 NX           -> :1
        EXISTS k                 -> :0
        SET k v PXAT 4102444800000 -> +OK
        PEXPIREAT k 4102444800000 GT -> :0
        PEXPIREAT k 4102444800000 LT -> :0
        PEXPIREAT k 4102444800001 GT -> :1
        PEXPIRETIME k            -> :4102444800001
    """)


def test_ttl_in_all_units(door: Door) -> None:
    door.check("""
        TTL none                 -> :-2
        PTTL none                -> :-2
        EXPIRETIME none          -> :-2
        PEXPIRETIME none         -> :-2
        SET k v                  -> +OK
        TTL k                    -> :-1
        PTTL k                   -> :-1
        EXPIRETIME k             -> :-1
        PEXPIRETIME k            -> :-1
        PEXPIREAT k 4102444800999 -> :1
        EXPIRETIME k             -> :4102444801
        PEXPIRETIME k            -> :4102444800999
        EXPIREAT k 4102444800    -> :1
        PEXPIRETIME k            -> :4102444800000
        PEXPIRE k 1600           -> :1
        TTL k                    -> :1..2
        PTTL k                   -> :1400..1600
        EXPIRETIME k             -> any
    """)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EXPIRE", "9223372036854775807"),
        ("EXPIRE", "9223372036854776"),
        ("PEXPIRE", "9223372036854775807"),
        ("EXPIREAT", "9223372036854776"),
        ("EXPIRE", "-9223372036854775808"),
        ("EXPIREAT", "-9223372036854775808"),
    ],
)
def test_expire_times_that_overflow_are_refused(door: Door, name: str, value: str) -> None:
    door.check(f"""
        SET k v                  -> +OK
        {name} k {value}         -> -ERR invalid expire time in '{name.lower()}' command
        {name} none {value}      -> -ERR invalid expire time in '{name.lower()}' command
        GET k                    -> "v"
        TTL k                    -> :-1
    """)


def test_object(door: Door) -> None:
    door.check("""
        OBJECT ENCODING none     -> nil
        OBJECT REFCOUNT none     -> nil
        OBJECT IDLETIME none     -> nil
        OBJECT FREQ none         -> nil
        SET k v                  -> +OK
        OBJECT REFCOUNT k        -> :1
        OBJECT IDLETIME k        -> :0..2
        object encoding k        -> "embstr"
        OBJECT FREQ k            -> -ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.
        OBJECT nonsense k        -> -ERR unknown subcommand 'nonsense'. Try OBJECT HELP.
        OBJECT                   -> -ERR wrong number of arguments for 'object' command
        OBJECT ENCODING          -> -ERR wrong number of arguments for 'object|encoding' command
        OBJECT ENCODING k k      -> -ERR wrong number of arguments for 'object|encoding' command
        OBJECT HELP k            -> -ERR wrong number of arguments for 'object|help' command
    """)


def test_object_help(door: Door) -> None:
    lines = door("OBJECT", "HELP")
    assert all(isinstance(line, str) for line in lines), "help is simple strings"
    assert lines[0].startswith("OBJECT <subcommand> [<arg> [value] [opt] ...]")
    assert {"ENCODING <key>", "REFCOUNT <key>", "IDLETIME <key>", "FREQ <key>"} <= set(lines)
    assert "HELP" in lines


def test_object_freq_under_lfu(door: Door) -> None:
    door.config("maxmemory-policy", "allkeys-lfu")
    door("SET", "k", "v")
    assert 0 <= door("OBJECT", "FREQ", "k") <= 255
    assert door("OBJECT", "FREQ", "none") is None
    assert str(door("OBJECT", "IDLETIME", "k")).startswith(
        "ERR An LFU maxmemory policy is selected, idle time not tracked."
    )


def test_object_idletime_grows_and_touch_resets_it(door: Door) -> None:
    door("SET", "k", "v")
    until(lambda: door("OBJECT", "IDLETIME", "k") >= 1, "idle for a second", 5)
    assert door("TOUCH", "k") == 1
    assert door("OBJECT", "IDLETIME", "k") == 0


def test_sixteen_databases(door: Door) -> None:
    for db in range(16):
        assert door("SELECT", db) == "OK"
        assert door("SET", "k", f"v{db}") == "OK"
    for db in range(16):
        door("SELECT", db)
        assert door("GET", "k") == b"v%d" % db
        assert door("DBSIZE") == 1
    door.check("""
        SELECT 16                -> -ERR DB index is out of range
        SELECT -1                -> -ERR DB index is out of range
        SELECT 2147483648        -> -ERR value is out of range, value must between -2147483648 and 2147483647
        SELECT 4294967296        -> -ERR value is out of range, value must between -2147483648 and 2147483647
        SELECT 9223372036854775808 -> -ERR value is not an integer or out of range
        SELECT abc               -> -ERR value is not an integer or out of range
        SELECT ""                -> -ERR value is not an integer or out of range
        GET k                    -> "v15"
        SELECT 0                 -> +OK
        FLUSHDB                  -> +OK
        DBSIZE                   -> :0
        SELECT 3                 -> +OK
        DBSIZE                   -> :1
        FLUSHALL                 -> +OK
        DBSIZE                   -> :0
    """)
    assert not any(name.startswith("db") for name in door.info("keyspace"))


def test_select_belongs_to_the_connection(door: Door) -> None:
    door.check("""
        SELECT 5                 -> +OK
        SET k five               -> +OK
        B> GET k                 -> nil
        B> SELECT 5              -> +OK
        B> GET k                 -> "five"
    """)


def test_swapdb(door: Door) -> None:
    door.check("""
        SET k zero               -> +OK
        B> SELECT 1              -> +OK
        B> SET k one             -> +OK
        SWAPDB 0 1               -> +OK
        GET k                    -> "one"
        B> GET k                 -> "zero"
        SWAPDB 1 1               -> +OK
        SWAPDB 1 0               -> +OK
        GET k                    -> "zero"
        SWAPDB 0 16              -> -ERR DB index is out of range
        SWAPDB -1 0              -> -ERR DB index is out of range
        SWAPDB a 0               -> -ERR invalid first DB index
        SWAPDB 0 b               -> -ERR invalid second DB index
        SWAPDB 0 4294967296      -> -ERR invalid second DB index
    """)


def test_swapdb_keeps_ttls(door: Door) -> None:
    door.check("""
        SET k v EX 100           -> +OK
        SWAPDB 0 7               -> +OK
        DBSIZE                   -> :0
        SELECT 7                 -> +OK
        TTL k                    -> :99..100
    """)


def test_flushdb_and_flushall(door: Door) -> None:
    for mode in ("", "SYNC", "ASYNC", "sync", "aSync"):
        door.check(f"""
            SELECT 0             -> +OK
            SET k v              -> +OK
            SELECT 1             -> +OK
            MSET k v k2 v        -> +OK
            FLUSHDB {mode}       -> +OK
            DBSIZE               -> :0
            SET k v EX 100       -> +OK
            SELECT 0             -> +OK
            DBSIZE               -> :1
            FLUSHALL {mode}      -> +OK
            DBSIZE               -> :0
            SELECT 1             -> +OK
            DBSIZE               -> :0
        """)
    door.check("""
        FLUSHALL nonsense        -> -ERR syntax error
        FLUSHDB nonsense         -> -ERR syntax error
        FLUSHALL SYNC ASYNC      -> -ERR syntax error
        FLUSHDB ASYNC ASYNC      -> -ERR syntax error
    """)


def test_dbsize_and_keyspace_info(door: Door) -> None:
    door.check("""
        DBSIZE                   -> :0
        MSET a 1 b 2             -> +OK
        SET c 3 EX 100           -> +OK
        DBSIZE                   -> :3
    """)
    assert door.info("keyspace")["db0"].startswith("keys=3,expires=1,avg_ttl=")


def test_many_keys_survive_growth_and_shrinking(door: Door) -> None:
    count = 20_000
    for start in range(0, count, 1000):
        pairs = [x for i in range(start, start + 1000) for x in (f"key:{i}", i)]
        assert door("MSET", *pairs) == "OK"
    assert door("DBSIZE") == count
    for start in range(0, count, 1000):
        names = [f"key:{i}" for i in range(start, start + 1000)]
        assert door("MGET", *names) == [b"%d" % i for i in range(start, start + 1000)]
    assert door("DEL", *[f"key:{i}" for i in range(count - 100)]) == count - 100
    assert sorted(set(scan_all(door, "COUNT", 1000))) == sorted(
        b"key:%d" % i for i in range(count - 100, count)
    )
    assert sorted(door("KEYS", "*")) == sorted(b"key:%d" % i for i in range(count - 100, count))
