"""DUMP and RESTORE: literal replies, payloads that go to redis-server and come back, payloads of
older servers, and damaged ones with a right checksum."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from tools import rdb
from tools.doors import Backends, Door
from tools.resp import ReplyError

MAX, MIN = 2**63 - 1, -(2**63)
BAD_CHECKSUM = "ERR DUMP payload version or checksum are wrong"
BAD_DATA = "ERR Bad data format"
V = rdb.sealed(b"\x00" + rdb.text(b"v"))  # the string "v"


@pytest.fixture
def redis(backends: Backends) -> Iterator[Door]:
    """A connection to redis-server, beside the door."""
    yield from backends.door("redis-resp2")


# --- literal replies ------------------------------------------------------------------------------


def test_dump_of_strings_has_the_bytes_of_redis(door: Door) -> None:
    door.check(r"""
        DUMP none                -> nil
        SET k v                  -> +OK
        DUMP k                   -> "\x00\x01\x76\x0a\x00\x91\x08\xce\xb2\x19\x38\x8a\xce"
        SET k ""                 -> +OK
        DUMP k                   -> "\x00\x00\x0a\x00\x5d\x9b\x5c\x40\x0f\x7f\xa2\xda"
        SET k 127                -> +OK
        DUMP k                   -> "\x00\xc0\x7f\x0a\x00\x0d\xb5\xeb\x31\x52\x54\xc5\x14"
        DUMP                     -> -ERR wrong number of arguments for 'dump' command
        DUMP k k                 -> -ERR wrong number of arguments for 'dump' command
    """)


def strings() -> list[bytes]:
    seeded = random.Random(5)
    out = [b"", b"a", b"0", b"-0", b"+1", b"01", b" 1", b"1.5", b"\x00\r\n\xff"]
    for n in (0, 7, 8, 15, 16, 31, 32, 63):
        out += [b"%d" % (s * (2**n + d)) for s in (1, -1) for d in (-1, 0, 1)]
    for size in (19, 20, 21, 22, 63, 64, 65, 300, 16383, 16384, 16385, 40000, 200000):
        out += [b"x" * size, seeded.randbytes(size)]
        out += [b"".join(b"word%d " % (i % 50) for i in range(size))[:size]]
        out += [(b"ab" * size)[: size - 3] + b"end"]
    return out


def test_strings_of_every_kind_have_the_bytes_of_redis(door: Door, redis: Door) -> None:
    for value in strings():
        redis("SET", "k", value)
        payload = redis("DUMP", "k")
        door("SET", "k", value)
        assert door("DUMP", "k") == payload, value[:100]
        assert door("RESTORE", "r", 0, payload, "REPLACE") == "OK"
        assert door("GET", "r") == value
        assert door("OBJECT", "ENCODING", "r") == redis("OBJECT", "ENCODING", "k")


def test_dump_without_compression(door: Door, redis: Door) -> None:
    for one in (door, redis):
        one.config("rdbcompression", "no")
        one("SET", "k", "a" * 1000)
    assert door("DUMP", "k") == redis("DUMP", "k") == rdb.sealed(b"\0" + rdb.text(b"a" * 1000))


def test_restore_replies(door: Door) -> None:
    door.check(
        r"""
        RESTORE k 0              -> -ERR wrong number of arguments for 'restore' command
        RESTORE k 0 $v           -> +OK
        GET k                    -> "v"
        TTL k                    -> :-1
        RESTORE k 0 $v           -> -BUSYKEY Target key name already exists.
        RESTORE k 0 $v REPLACE   -> +OK
        RESTORE k 0 $v replace rePLACE -> +OK
        RESTORE k 0 $v NOSUCH    -> -ERR syntax error
        RESTORE k 0 $v ABSTTL REPLACE X -> -ERR syntax error
        RESTORE k 0 $v IDLETIME  -> -ERR syntax error
        RESTORE k 0 $v FREQ      -> -ERR syntax error
        RESTORE k 0 $v IDLETIME 1 FREQ 1 -> -ERR syntax error
        RESTORE k 0 $v FREQ 1 IDLETIME 1 -> -ERR syntax error
        RESTORE k 0 $v FREQ 1 FREQ 2 REPLACE -> +OK
        RESTORE k 0 $v IDLETIME x -> -ERR value is not an integer or out of range
        RESTORE k 0 $v IDLETIME -1 -> -ERR Invalid IDLETIME value, must be >= 0
        RESTORE k 0 $v FREQ 256  -> -ERR Invalid FREQ value, must be >= 0 and <= 255
        RESTORE k 0 $v FREQ -1   -> -ERR Invalid FREQ value, must be >= 0 and <= 255
        RESTORE k x $v           -> -BUSYKEY Target key name already exists.
        RESTORE n x $v           -> -ERR value is not an integer or out of range
        RESTORE n -1 $v          -> -ERR Invalid TTL value, must be >= 0
        RESTORE n -1 bad         -> -ERR Invalid TTL value, must be >= 0
        RESTORE n 0 bad          -> -ERR DUMP payload version or checksum are wrong
        RESTORE n 0 ""           -> -ERR DUMP payload version or checksum are wrong
        RESTORE n 0 $empty       -> -ERR Bad data format
        RESTORE n 0 $cut         -> -ERR Bad data format
        EXISTS n                 -> :0
    """,
        v=V,
        empty=rdb.sealed(b""),
        cut=rdb.sealed(b"\x00\x3fabc"),
    )


def test_restore_replaces_any_type_and_its_ttl(door: Door) -> None:
    door.check(
        """
        RPUSH k a b              -> :2
        EXPIRE k 100             -> :1
        RESTORE k 0 $v REPLACE   -> +OK
        GET k                    -> "v"
        TTL k                    -> :-1
        RESTORE k 100000 $v REPLACE -> +OK
        TTL k                    -> :99..100
        HSET h f v               -> :1
        RESTORE h 0 $v REPLACE   -> +OK
        TYPE h                   -> +string
    """,
        v=V,
    )


def test_restore_with_a_time(door: Door) -> None:
    now = int(door("TIME")[0])
    door.check(
        """
        RESTORE a $later $v ABSTTL -> +OK
        TTL a                    -> :98..100
        PEXPIRETIME a            -> $later
        RESTORE gone 1 $v ABSTTL -> +OK
        EXISTS gone              -> :0
        RESTORE a 1 $v ABSTTL REPLACE -> +OK
        EXISTS a                 -> :0
        RESTORE max $max $v ABSTTL -> +OK
        PEXPIRETIME max          -> $max
    """,
        v=V,
        later=(now + 100) * 1000,
        max=MAX,
    )


@pytest.mark.ours("Redis 7.0 adds beyond 64 bits, says OK and drops the key")
def test_restore_with_a_time_beyond_64_bits(door: Door) -> None:
    door.check(
        """
        RESTORE k $max $v        -> -ERR invalid expire time in 'restore' command
        EXISTS k                 -> :0
        SET k old                -> +OK
        RESTORE k $max $v REPLACE -> -ERR invalid expire time in 'restore' command
        GET k                    -> "old"
    """,
        v=V,
        max=MAX,
    )


def test_restore_sets_how_long_a_key_was_idle(door: Door) -> None:
    door.check(
        """
        RESTORE k 0 $v IDLETIME 1000 -> +OK
        OBJECT IDLETIME k        -> :1000..1002
        RESTORE k 0 $v REPLACE IDLETIME 0 -> +OK
        OBJECT IDLETIME k        -> :0..2
        RESTORE k 0 $v REPLACE FREQ 100 -> +OK
        OBJECT IDLETIME k        -> :0..2
    """,
        v=V,
    )


def test_restore_sets_how_often_a_key_was_used(door: Door) -> None:
    door.config("maxmemory-policy", "allkeys-lfu")
    door.check(
        """
        RESTORE k 0 $v FREQ 200  -> +OK
        OBJECT FREQ k            -> :200
        RESTORE k 0 $v REPLACE FREQ 0 -> +OK
        OBJECT FREQ k            -> :0
        RESTORE k 0 $v REPLACE IDLETIME 1000 -> +OK
        OBJECT FREQ k            -> :5
    """,
        v=V,
    )


def test_watch_sees_restore(door: Door) -> None:
    door.check(
        """
        WATCH k                  -> +OK
        B> RESTORE k 0 $v        -> +OK
        MULTI                    -> +OK
        DUMP k                   -> +QUEUED
        EXEC                     -> nilarray
        MULTI                    -> +OK
        RESTORE k 0 $v REPLACE   -> +QUEUED
        DUMP k                   -> +QUEUED
        EXEC                     -> [+OK, $v]
    """,
        v=V,
    )


def test_versions(door: Door) -> None:
    door.check(
        """
        RESTORE old 0 $old       -> +OK
        GET old                  -> "v"
        RESTORE next 0 $next     -> -ERR DUMP payload version or checksum are wrong
    """,
        old=rdb.sealed(b"\x00" + rdb.text(b"v"), 1),
        next=rdb.sealed(b"\x00" + rdb.text(b"v"), 12),
    )


# --- there and back -------------------------------------------------------------------------------

LIMITS = {
    "hash-max-listpack-entries": 128,
    "zset-max-listpack-entries": 128,
    "set-max-intset-entries": 512,
    "list-max-listpack-size": -2,
}
SMALL = dict.fromkeys(LIMITS, 2)


def words(n: int) -> list[bytes]:
    seeded = random.Random(n)
    out: dict[bytes, None] = {}
    while len(out) < n:
        kind = seeded.randrange(5)
        if kind == 0:
            word = b"%d" % seeded.randrange(-(2 ** seeded.randrange(1, 63)), 2**40)
        elif kind == 1:
            word = seeded.randbytes(seeded.randrange(1, 70))
        elif kind == 2:
            word = b"x" * seeded.randrange(50, 400)
        else:
            word = b"w%d" % seeded.randrange(10 * n)
        out[word] = None
    return list(out)


def scores(n: int) -> list[bytes]:
    seeded = random.Random(n)
    edge = [b"0", b"-0", b"1", b"-1.5", b"inf", b"-inf", b"1e300", b"5e-324", b"3.0000000000000004"]
    return [edge[i] if i < len(edge) else b"%.17g" % seeded.uniform(-1e6, 1e6) for i in range(n)]


def commands() -> list[list[Any]]:
    """One command for each key."""
    out: list[list[Any]] = []
    for n in (1, 2, 3, 20, 129, 700):
        some = words(n)
        numbers = [b"%d" % (i * 1001 - 70000) for i in range(n)]
        out.append(["RPUSH", f"list:{n}", *some, *some])
        out.append(["SADD", f"set:{n}", *some])
        out.append(["SADD", f"intset:{n}", *numbers])
        out.append(["SADD", f"wide:{n}", *numbers, MAX, MIN])
        out.append(
            ["HSET", f"hash:{n}", *[x for p in zip(some, reversed(some), strict=True) for x in p]]
        )
        out.append(
            ["ZADD", f"zset:{n}", *[x for p in zip(scores(n), some, strict=True) for x in p]]
        )
    out.append(["RPUSH", "list:large", b"L" * 20000, b"x", b"m" * 70000, ""])
    out.append(["HSET", "hash:large", "f", b"L" * 20000, b"F" * 300, ""])
    out.append(["SET", "string", "text"])
    return out


def digest(door: Door, key: Any) -> Any:
    return door("DEBUG", "DIGEST-VALUE", key)[0]


@pytest.mark.parametrize("theirs", [LIMITS, SMALL], ids=["compact", "large"])
@pytest.mark.parametrize("ours", [LIMITS, SMALL], ids=["to-compact", "to-large"])
def test_every_value_goes_to_redis_and_back(
    door: Door, redis: Door, theirs: dict[str, int], ours: dict[str, int]
) -> None:
    for name, value in theirs.items():
        redis.config(name, value)
    if door.is_reference:
        ours = theirs  # one and the same server: what is set twice would be put back once
    else:
        for name, value in ours.items():
            door.config(name, value)
    for command in commands():
        key = command[1]
        redis(*command)
        want = digest(redis, key)
        assert door("RESTORE", "here", 0, redis("DUMP", key), "REPLACE") == "OK", key
        assert digest(door, "here") == want, key
        back = door("DUMP", "here")
        assert redis("RESTORE", "back", 0, back, "REPLACE") == "OK", key
        assert digest(redis, "back") == want, key
        door("DEL", "own")
        door(command[0], "own", *command[2:])
        assert redis("RESTORE", "back", 0, door("DUMP", "own"), "REPLACE") == "OK", key
        assert digest(redis, "back") == want, key
        names = {b"hashtable", b"intset", b"skiplist", b"listpack"}
        if ours == theirs and redis("OBJECT", "ENCODING", key) in names:
            assert door("OBJECT", "ENCODING", "here") == redis("OBJECT", "ENCODING", key), key


def test_scores_keep_their_bits(door: Door, redis: Door) -> None:
    pairs = [x for i, s in enumerate(scores(200)) for x in (s, f"m{i}")]
    for limit in (1000, 0):
        redis.config("zset-max-listpack-entries", limit)
        redis("DEL", "z")
        redis("ZADD", "z", *pairs)
        assert door("RESTORE", "z2", 0, redis("DUMP", "z"), "REPLACE") == "OK"
        want = redis("ZRANGE", "z", 0, -1, "WITHSCORES")
        other = door.other(2)
        assert other("ZRANGE", "z2", 0, -1, "WITHSCORES") == want


# --- encodings of older servers -------------------------------------------------------------------

SEVENTY = [b"%d" % i for i in range(70)]
FLAT: list[rdb.Text] = [b"a", 1, b"bb", -2, b"c" * 70, 40000, b"d", -(2**40)]
PAIRS = [(b"a", b"1"), (b"bb", b"-2"), (b"c" * 300, b"x" * 300)]


def old_bodies() -> dict[str, bytes]:
    text, length = rdb.text, rdb.length
    items = [b"1", b"x", b"1", b"yy" * 40]
    return {
        "list": b"\x01" + length(4) + b"".join(text(i) for i in items),
        "list of numbers": b"\x01" + length(3) + rdb.small_int(1) + rdb.small_int(-300) + text(b""),
        "set": b"\x02" + length(3) + b"".join(text(i) for i in items[1:]),
        "set of numbers": b"\x02" + length(70) + b"".join(text(i) for i in SEVENTY),
        "hash": b"\x04" + length(3) + b"".join(text(f) + text(v) for f, v in PAIRS),
        "zset, scores as text": b"\x03"
        + length(4)
        + text(b"m")
        + text(b"1.5")
        + text(b"n")
        + b"\xfe"
        + text(b"o")
        + b"\xff"
        + text(b"p")
        + text(b"-1e300"),
        "zset, scores as bits": b"\x05"
        + length(2)
        + text(b"m")
        + struct.pack("<d", 1.5)
        + text(b"n")
        + struct.pack("<d", float("-inf")),
        "list in a ziplist": b"\x0a" + text(rdb.ziplist(FLAT)),
        "set in an intset": b"\x0b" + text(rdb.intset([1, -5, 300])),
        "set in an intset of 4": b"\x0b" + text(rdb.intset([1, -5, 300000], 4)),
        "set in an intset of 8": b"\x0b" + text(rdb.intset([MIN, 0, MAX], 8)),
        "zset in a ziplist": b"\x0c" + text(rdb.ziplist([b"m", 1, b"n", b"2.5", b"o", b"inf"])),
        "zset in a listpack": b"\x11" + text(rdb.listpack([b"m", -1, b"n", b"2.5", b"o", b"inf"])),
        "hash in a zipmap": b"\x09" + text(rdb.zipmap(PAIRS)),
        "hash in a zipmap, spare bytes": b"\x09" + text(rdb.zipmap(PAIRS, 3)),
        "hash in a ziplist": b"\x0d" + text(rdb.ziplist(FLAT)),
        "hash in a listpack": b"\x10" + text(rdb.listpack(FLAT)),
        "list of ziplists": b"\x0e\x02" + text(rdb.ziplist(FLAT)) + text(rdb.ziplist([1])),
        "list of listpacks": b"\x12\x03\x02"
        + text(rdb.listpack(FLAT))
        + b"\x01"
        + text(b"plain" * 2000)
        + b"\x02"
        + text(rdb.listpack([b"z"])),
    }


@pytest.mark.parametrize("name", list(old_bodies()))
def test_values_as_older_servers_write_them(door: Door, redis: Door, name: str) -> None:
    payload = rdb.sealed(old_bodies()[name], 6)
    assert redis("RESTORE", "theirs", 0, payload) == "OK"
    assert door("RESTORE", "k", 0, payload) == "OK"
    assert digest(door, "k") == digest(redis, "theirs")
    assert redis("RESTORE", "back", 0, door("DUMP", "k")) == "OK"
    assert digest(redis, "back") == digest(redis, "theirs")


@pytest.mark.ours("Redis 7.0 does not know what 7.2 writes")
def test_a_set_in_a_listpack_as_redis_7_2_writes_it(door: Door) -> None:
    payload = rdb.sealed(b"\x14" + rdb.text(rdb.listpack([b"a", 1, b"b"])), 11)
    assert door("RESTORE", "s", 0, payload) == "OK"
    assert sorted(door("SMEMBERS", "s")) == [b"1", b"a", b"b"]


@pytest.mark.ours("streams are not there yet")
def test_streams_are_refused_with_a_word(door: Door) -> None:
    reply = door("RESTORE", "s", 0, rdb.sealed(b"\x13" + b"anything"))
    assert reply == BAD_DATA + ": streams and modules cannot be restored"
    assert door("EXISTS", "s") == 0


# --- damage ---------------------------------------------------------------------------------------


def bad_bodies() -> dict[str, bytes]:
    text, length = rdb.text, rdb.length
    return {
        "a member twice": b"\x02" + length(2) + text(b"a") + text(b"a"),
        "a field twice": b"\x04" + length(2) + (text(b"f") + text(b"1")) * 2,
        "a scored member twice": b"\x05" + length(2) + (text(b"m") + struct.pack("<d", 1)) * 2,
        "a field twice in a listpack": b"\x10" + text(rdb.listpack([b"f", 1, b"f", 2])),
        "a field twice in a ziplist": b"\x0d" + text(rdb.ziplist([b"f", 1, b"f", 2])),
        "a field twice in a zipmap": b"\x09" + text(rdb.zipmap([(b"f", b"1"), (b"f", b"2")])),
        "a member twice in an intset": b"\x0b" + text(rdb.intset([1, 1])),
        "a member twice, scored": b"\x11" + text(rdb.listpack([b"f", 1, b"f", 2])),
        "a field without value": b"\x10" + text(rdb.listpack([b"f", 1, b"g"])),
        "a score NaN": b"\x05" + length(1) + text(b"m") + struct.pack("<d", float("nan")),
        "a text score NaN": b"\x03" + length(1) + text(b"m") + b"\xfd",
        "an empty list": b"\x01" + length(0),
        "an empty hash": b"\x04" + length(0),
        "an empty listpack": b"\x10" + text(rdb.listpack([])),
        "an empty string for a listpack": b"\x10" + text(b""),
        "2^31 elements": b"\x01\x80\x7f\xff\xff\xff" + text(b"a"),
        "2^62 elements": b"\x02\x81\x40\x00\x00\x00\x00\x00\x00\x00" + text(b"a"),
        "2^62 bytes": b"\x00\x81\x40\x00\x00\x00\x00\x00\x00\x00abc",
        "2^32-1 bytes": b"\x00\x80\xff\xff\xff\xffabc",
        "2^32-1 bytes compressed": b"\x00\xc3\x05\x80\xff\xff\xff\xff\x00abcd",
        "an unknown type": b"\x63" + text(b"a"),
        "an opcode for a type": b"\xfa" + text(b"a"),
    }


@pytest.mark.parametrize("name", list(bad_bodies()))
@pytest.mark.ours("Redis 7.0 takes some of these, and some take it down")
def test_damage_under_a_right_checksum_is_refused(door: Door, name: str) -> None:
    assert door("RESTORE", "k", 0, rdb.sealed(bad_bodies()[name])) == BAD_DATA
    assert door("EXISTS", "k") == 0


@pytest.mark.ours("some of these take Redis 7.0 down")
def test_flipped_bytes_under_a_right_checksum_never_do_harm(door: Door) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    seeded = random.Random(seed)
    bodies = list(old_bodies().values())
    bodies += [rdb.body_of(V), b"\x14" + rdb.text(rdb.listpack(FLAT))]
    for _ in range(3000):
        body = bytearray(seeded.choice(bodies))
        for _ in range(seeded.choice((1, 1, 2, 5))):
            body[seeded.randrange(min(len(body), 400))] = seeded.choice(
                (0, 1, 0x7F, 0x80, 0xC0, 0xFE, 0xFF, seeded.randrange(256))
            )
        if seeded.randrange(4) == 0:
            del body[seeded.randrange(1, len(body)) :]
        reply = door("RESTORE", "k", 0, rdb.sealed(bytes(body)), "REPLACE")
        if reply != "OK":
            assert isinstance(reply, ReplyError) and str(reply).startswith(BAD_DATA), bytes(body)
            continue
        want = digest(door, "k")
        assert door("RESTORE", "again", 0, door("DUMP", "k"), "REPLACE") == "OK", bytes(body)
        assert digest(door, "again") == want, bytes(body)


def test_flipped_bytes_are_found_by_the_checksum(door: Door) -> None:
    payload = rdb.sealed(old_bodies()["hash in a listpack"])
    for at in range(len(payload)):
        flipped = bytearray(payload)
        flipped[at] ^= 1 << at % 8
        assert door("RESTORE", "k", 0, bytes(flipped)) == BAD_CHECKSUM, at
