"""String commands: literal replies that redis-server 7.0 proves."""

from __future__ import annotations

import itertools
import time

import pytest

from tools.doors import Door
from tools.wait import until

WRONG_INT = "ERR value is not an integer or out of range"
MAX, MIN = 2**63 - 1, -(2**63)


def test_get_and_set(door: Door) -> None:
    door.check(r"""
        GET k                    -> nil
        SET k v                  -> +OK
        GET k                    -> "v"
        SET k ""                 -> +OK
        GET k                    -> ""
        SET "" empty             -> +OK
        GET ""                   -> "empty"
        SET "a\x00b\r\n" "\x00\xff\r\n" -> +OK
        GET "a\x00b\r\n"         -> "\x00\xff\r\n"
        EXISTS "a\x00b"          -> :0
        set K lower              -> +OK
        GeT K                    -> "lower"
        GET k                    -> ""
    """)


def test_set_replaces_the_value_and_drops_the_ttl(door: Door) -> None:
    door.check("""
        SET k 1 EX 100           -> +OK
        TTL k                    -> :99..100
        SET k 2                  -> +OK
        TTL k                    -> :-1
        SET k 3 EX 100           -> +OK
        SET k 4 KEEPTTL          -> +OK
        TTL k                    -> :99..100
        GET k                    -> "4"
        SET fresh 1 KEEPTTL      -> +OK
        TTL fresh                -> :-1
    """)


def test_set_nx_and_xx(door: Door) -> None:
    door.check("""
        SET k v XX               -> nil
        EXISTS k                 -> :0
        SET k v NX               -> +OK
        SET k w NX               -> nil
        GET k                    -> "v"
        SET k w XX               -> +OK
        GET k                    -> "w"
        SET k x nx               -> nil
        SET k x xX               -> +OK
    """)


def test_set_get(door: Door) -> None:
    door.check("""
        SET k v GET              -> nil
        SET k w GET              -> "v"
        SET k x NX GET           -> "w"
        GET k                    -> "w"
        SET none x NX GET        -> nil
        GET none                 -> "x"
        SET other x XX GET       -> nil
        EXISTS other             -> :0
        SET k y XX GET           -> "w"
        SET k z GET EX 100       -> "y"
        TTL k                    -> :99..100
        SET k z2 GET             -> "z"
        TTL k                    -> :-1
    """)


EXPIRY = {
    "EX": "100",
    "PX": "100000",
    "EXAT": "4102444800",
    "PXAT": "4102444800000",
    "KEEPTTL": None,
}
SET_OPTIONS = ("NX", "XX", "GET", *EXPIRY)


@pytest.mark.parametrize("size", [2, 3, 4])
def test_set_every_combination_of_options(door: Door, size: int) -> None:
    """Only NX with XX and two expiries exclude each other; the order does not matter."""
    for options in itertools.permutations(SET_OPTIONS, size):
        if size == 4 and sorted(options) != list(options):
            continue
        clash = {"NX", "XX"} <= set(options) or len(set(options) & set(EXPIRY)) > 1
        args = [a for o in options for a in (o, EXPIRY.get(o)) if a is not None]
        door("SET", "k", "old")
        reply = door("SET", "k", "new", *args)
        if clash:
            assert reply == "ERR syntax error", options
        elif "GET" in options:
            assert reply == b"old", options
        elif "NX" in options:
            assert reply is None, options
        else:
            assert reply == "OK", options
        written = not clash and "NX" not in options
        assert door("GET", "k") == (b"new" if written else b"old"), options
        has_ttl = written and bool(set(options) & set(EXPIRY) - {"KEEPTTL"})
        assert (door("PTTL", "k") > 0) == has_ttl, options


def test_set_syntax_errors(door: Door) -> None:
    door.check("""
        SET k v EX               -> -ERR syntax error
        SET k v EX 10 PX 10      -> -ERR syntax error
        SET k v EX 10 EX 10      -> +OK
        SET k v KEEPTTL EX 10    -> -ERR syntax error
        SET fresh v NX NX        -> +OK
        SET k v XX XX            -> +OK
        SET k v GET GET          -> "v"
        SET k v KEEPTTL KEEPTTL  -> +OK
        SET k v nonsense         -> -ERR syntax error
        SET k v PERSIST          -> -ERR syntax error
        SET k v 10               -> -ERR syntax error
        SET k v ""               -> -ERR syntax error
        SET k v EX EX            -> -ERR value is not an integer or out of range
        SET k v EX 10 x          -> -ERR syntax error
    """)


@pytest.mark.parametrize("value", ["0", "-1", "-9223372036854775808"])
@pytest.mark.parametrize("option", ["EX", "PX", "EXAT", "PXAT"])
def test_set_refuses_an_expiry_of_zero_or_less(door: Door, option: str, value: str) -> None:
    door.check(f"""
        SET k old                -> +OK
        SET k v {option} {value} -> -ERR invalid expire time in 'set' command
        GETEX k {option} {value} -> -ERR invalid expire time in 'getex' command
        GET k                    -> "old"
        TTL k                    -> :-1
    """)


@pytest.mark.parametrize("value", ["1.0", "ten", "", " 1", "+1", "1e3", "9223372036854775808"])
@pytest.mark.parametrize("option", ["EX", "PX", "EXAT", "PXAT"])
def test_set_refuses_an_expiry_that_is_no_integer(door: Door, option: str, value: str) -> None:
    assert door("SET", "k", "v", option, value) == WRONG_INT
    door("SET", "k", "v")
    assert door("GETEX", "k", option, value) == WRONG_INT
    assert door("TTL", "k") == -1


def test_set_with_a_time_in_the_past_deletes(door: Door) -> None:
    door.check("""
        SET k v                  -> +OK
        SET k w EXAT 1           -> +OK
        GET k                    -> nil
        EXISTS k                 -> :0
        SET k w PXAT 1 GET       -> nil
        EXISTS k                 -> :0
        DBSIZE                   -> :0
    """)


def test_setnx(door: Door) -> None:
    door.check("""
        SETNX k v                -> :1
        SETNX k w                -> :0
        GET k                    -> "v"
        EXPIRE k 100             -> :1
        SETNX k w                -> :0
        TTL k                    -> :99..100
    """)


def test_setex_and_psetex(door: Door) -> None:
    door.check("""
        SETEX k 100 v            -> +OK
        TTL k                    -> :99..100
        PSETEX k 50000 w         -> +OK
        PTTL k                   -> :45000..50000
        GET k                    -> "w"
        SETEX k 0 x              -> -ERR invalid expire time in 'setex' command
        SETEX k -1 x             -> -ERR invalid expire time in 'setex' command
        SETEX k ten x            -> -ERR value is not an integer or out of range
        PSETEX k 0 x             -> -ERR invalid expire time in 'psetex' command
        PSETEX k 1.5 x           -> -ERR value is not an integer or out of range
        SETEX k 9223372036854775807 x -> -ERR invalid expire time in 'setex' command
        GET k                    -> "w"
    """)


def test_getset(door: Door) -> None:
    door.check("""
        GETSET k v               -> nil
        EXPIRE k 100             -> :1
        GETSET k w               -> "v"
        TTL k                    -> :-1
        GET k                    -> "w"
    """)


def test_getdel(door: Door) -> None:
    door.check("""
        GETDEL k                 -> nil
        SET k v                  -> +OK
        GETDEL k                 -> "v"
        GETDEL k                 -> nil
        EXISTS k                 -> :0
    """)


def test_getex(door: Door) -> None:
    door.check("""
        GETEX k                  -> nil
        GETEX k EX 10            -> nil
        GETEX k EX nonsense      -> nil
        EXISTS k                 -> :0
        SET k v                  -> +OK
        GETEX k                  -> "v"
        TTL k                    -> :-1
        GETEX k EX 100           -> "v"
        TTL k                    -> :99..100
        GETEX k                  -> "v"
        TTL k                    -> :99..100
        GETEX k PX 50000         -> "v"
        PTTL k                   -> :45000..50000
        GETEX k EXAT 4102444800  -> "v"
        EXPIRETIME k             -> :4102444800
        GETEX k PXAT 4102444800123 -> "v"
        PEXPIRETIME k            -> :4102444800123
        GETEX k PERSIST          -> "v"
        TTL k                    -> :-1
        GETEX k EXAT 1           -> "v"
        EXISTS k                 -> :0
    """)


def test_getex_syntax_errors(door: Door) -> None:
    options = {
        "EX": "10",
        "PX": "10",
        "EXAT": "4102444800",
        "PXAT": "4102444800000",
        "PERSIST": None,
    }
    door("SET", "k", "v")
    for one, two in itertools.permutations(options, 2):
        args = [a for o in (one, two) for a in (o, options[o]) if a is not None]
        assert door("GETEX", "k", *args) == "ERR syntax error", (one, two)
    door.check("""
        GETEX k EX               -> -ERR syntax error
        GETEX k NX               -> -ERR syntax error
        GETEX k KEEPTTL          -> -ERR syntax error
        GETEX k GET              -> -ERR syntax error
        GETEX none nonsense      -> -ERR syntax error
        TTL k                    -> :-1
    """)


def test_mget(door: Door) -> None:
    door.check("""
        MSET a 1 b 2             -> +OK
        MGET a                   -> ["1"]
        MGET a none b a          -> ["1", nil, "2", "1"]
        MGET none                -> [nil]
    """)


def test_mset(door: Door) -> None:
    door.check("""
        SET a old EX 100         -> +OK
        MSET a 1 b 2 a 3         -> +OK
        MGET a b                 -> ["3", "2"]
        TTL a                    -> :-1
        MSET a 1 b               -> -ERR wrong number of arguments for 'mset' command
        MSET a                   -> -ERR wrong number of arguments for 'mset' command
        GET a                    -> "3"
    """)


def test_msetnx(door: Door) -> None:
    door.check("""
        MSETNX a 1 b 2           -> :1
        MSETNX b 3 c 4           -> :0
        MGET a b c               -> ["1", "2", nil]
        MSETNX c 3 d             -> -ERR wrong number of arguments for 'msetnx' command
        MSETNX d 1 d 2           -> :1
        GET d                    -> "2"
    """)


def test_append_and_strlen(door: Door) -> None:
    door.check(r"""
        STRLEN k                 -> :0
        APPEND k ""              -> :0
        EXISTS k                 -> :1
        APPEND k abc             -> :3
        APPEND k "\x00d"         -> :5
        GET k                    -> "abc\x00d"
        STRLEN k                 -> :5
        SET n 10                 -> +OK
        APPEND n 5               -> :3
        GET n                    -> "105"
        INCR n                   -> :106
        STRLEN n                 -> :3
        SET neg -7               -> +OK
        STRLEN neg               -> :2
        SET t v EX 100           -> +OK
        APPEND t w               -> :2
        TTL t                    -> :99..100
    """)


def test_getrange_and_substr(door: Door) -> None:
    door("SET", "k", "Hello World")
    door("SET", "n", "12345")
    for name in ("GETRANGE", "SUBSTR"):
        door.check(f"""
            {name} k 0 4             -> "Hello"
            {name} k 0 -1            -> "Hello World"
            {name} k -5 -1           -> "World"
            {name} k -5 100          -> "World"
            {name} k 6 6             -> "W"
            {name} k 5 4             -> ""
            {name} k 11 20           -> ""
            {name} k -100 0          -> "H"
            {name} k -100 -50        -> "H"
            {name} k -50 -100        -> ""
            {name} k -1 -5           -> ""
            {name} none 0 -1         -> ""
            {name} n 1 2             -> "23"
            {name} k 0 9223372036854775807 -> "Hello World"
            {name} k -9223372036854775808 -9223372036854775808 -> "H"
            {name} k -9223372036854775808 9223372036854775807 -> "Hello World"
            {name} k 9223372036854775807 9223372036854775807 -> ""
            {name} k 0 9223372036854775808 -> -ERR value is not an integer or out of range
            {name} k a 1             -> -ERR value is not an integer or out of range
            {name} k 0 1.0           -> -ERR value is not an integer or out of range
            {name} none x y          -> -ERR value is not an integer or out of range
        """)


def test_setrange(door: Door) -> None:
    door.check(r"""
        SETRANGE k 0 ""          -> :0
        EXISTS k                 -> :0
        SETRANGE k 3 abc         -> :6
        GET k                    -> "\x00\x00\x00abc"
        SETRANGE k 1 xy          -> :6
        GET k                    -> "\x00xyabc"
        SETRANGE k 5 long        -> :9
        GET k                    -> "\x00xyablong"
        SETRANGE k 9 !           -> :10
        SETRANGE k 100 ""        -> :10
        SETRANGE k -1 x          -> -ERR offset is out of range
        SETRANGE k -9223372036854775808 x -> -ERR offset is out of range
        SETRANGE none -1 ""      -> -ERR offset is out of range
        SETRANGE k 1.0 x         -> -ERR value is not an integer or out of range
        SETRANGE k 536870912 x   -> -ERR string exceeds maximum allowed size (proto-max-bulk-len)
        SETRANGE k 9223372036854775807 x -> -ERR string exceeds maximum allowed size (proto-max-bulk-len)
        STRLEN k                 -> :10
        SET n 12345              -> +OK
        SETRANGE n 1 99          -> :5
        INCR n                   -> :19946
        SET t v EX 100           -> +OK
        SETRANGE t 0 w           -> :1
        TTL t                    -> :99..100
    """)


def test_incr_and_friends(door: Door) -> None:
    door.check("""
        INCR n                   -> :1
        INCRBY n 9               -> :10
        DECR n                   -> :9
        DECRBY n 10              -> :-1
        INCRBY n -5              -> :-6
        DECRBY n -7              -> :1
        INCRBY n 0               -> :1
        GET n                    -> "1"
        DECR new                 -> :-1
        DECRBY new2 5            -> :-5
        INCRBY new3 5            -> :5
        SET t 5 EX 100           -> +OK
        INCR t                   -> :6
        TTL t                    -> :99..100
        SET s abc                -> +OK
        INCR s                   -> -ERR value is not an integer or out of range
        INCRBY s 1               -> -ERR value is not an integer or out of range
        INCRBY n abc             -> -ERR value is not an integer or out of range
        DECRBY n 1.0             -> -ERR value is not an integer or out of range
        INCRBY n ""              -> -ERR value is not an integer or out of range
        GET s                    -> "abc"
        GET n                    -> "1"
    """)


def test_incr_at_the_limits(door: Door) -> None:
    door.check("""
        SET max 9223372036854775807        -> +OK
        INCR max                           -> -ERR increment or decrement would overflow
        INCRBY max 1                       -> -ERR increment or decrement would overflow
        INCRBY max 9223372036854775807     -> -ERR increment or decrement would overflow
        DECRBY max -1                      -> -ERR increment or decrement would overflow
        GET max                            -> "9223372036854775807"
        INCRBY max -9223372036854775808    -> :-1
        SET min -9223372036854775808       -> +OK
        DECR min                           -> -ERR increment or decrement would overflow
        DECRBY min 1                       -> -ERR increment or decrement would overflow
        INCRBY min -1                      -> -ERR increment or decrement would overflow
        GET min                            -> "-9223372036854775808"
        INCR min                           -> :-9223372036854775807
        DECRBY min -9223372036854775808    -> -ERR decrement would overflow
        DECRBY none -9223372036854775808   -> -ERR decrement would overflow
        EXISTS none                        -> :0
        INCRBY z -9223372036854775808      -> :-9223372036854775808
        INCRBY z 9223372036854775807       -> :-1
    """)


@pytest.mark.parametrize(
    "text",
    [
        " 1",
        "1 ",
        "+1",
        "01",
        "-0",
        "00",
        "1e3",
        "0x10",
        "1\0",
        "1.0",
        "--1",
        "-",
        "",
        "9" * 1000,
        "9223372036854775808",
        "-9223372036854775809",
        "１",
    ],
)
def test_what_is_not_an_integer(door: Door, text: str) -> None:
    """One strict integer parser, for stored values and for arguments."""
    door("SET", "k", text)
    assert door("INCR", "k") == WRONG_INT
    assert door("GET", "k") == text.encode()
    door("SET", "n", "1")
    assert door("INCRBY", "n", text) == WRONG_INT
    assert door("DECRBY", "n", text) == WRONG_INT
    assert door("EXPIRE", "n", text) == WRONG_INT
    assert door("GET", "n") == b"1"


def test_incrbyfloat(door: Door) -> None:
    door.check("""
        INCRBYFLOAT f 10.50      -> "10.5"
        INCRBYFLOAT f 0.1        -> "10.6"
        INCRBYFLOAT f -5         -> "5.6"
        INCRBYFLOAT f 5.0e3      -> "5005.60000000000000009"
        GET f                    -> "5005.60000000000000009"
        SET n 3                  -> +OK
        INCRBYFLOAT n 1          -> "4"
        INCR n                   -> :5
        INCRBYFLOAT n 1.5        -> "6.5"
        INCR n                   -> -ERR value is not an integer or out of range
        SET x 3.0                -> +OK
        INCRBYFLOAT x 1          -> "4"
        SET y 1.5e2              -> +OK
        INCRBYFLOAT y 0          -> "150"
        INCRBYFLOAT y 1e-5       -> "150.00001"
        SET big 9223372036854775807 -> +OK
        INCRBYFLOAT big 1        -> "9223372036854775808"
        INCRBYFLOAT e17 1e17     -> "100000000000000000"
        INCRBYFLOAT small 0.00000000000000001 -> "0.00000000000000001"
        INCRBYFLOAT third 0.3333333333333333 -> "0.3333333333333333"
        INCRBYFLOAT hex 0x10     -> "16"
        INCRBYFLOAT neg -0.0     -> "0"
        SET t 1 EX 100           -> +OK
        INCRBYFLOAT t 0.5        -> "1.5"
        TTL t                    -> :99..100
    """)


@pytest.mark.parametrize(
    "text",
    [
        "nan",
        "-nan",
        "",
        " 1",
        "1 ",
        "1,5",
        ".",
        "e",
        "1e",
        "1\0",
        "abc",
        "--1",
        "1.2.3",
        "1e5000",
        "-1e5000",
        "9" * 5000,
    ],
)
def test_what_is_not_a_float(door: Door, text: str) -> None:
    door("SET", "k", text)
    assert door("INCRBYFLOAT", "k", "1") == "ERR value is not a valid float"
    assert door("GET", "k") == text.encode()
    door("SET", "f", "1")
    assert door("INCRBYFLOAT", "f", text) == "ERR value is not a valid float"
    assert door("GET", "f") == b"1"


def test_incrbyfloat_never_stores_nan_or_infinity(door: Door) -> None:
    door.check("""
        SET f 1                  -> +OK
        INCRBYFLOAT f inf        -> -ERR increment would produce NaN or Infinity
        INCRBYFLOAT f -inf       -> -ERR increment would produce NaN or Infinity
        INCRBYFLOAT f +inf       -> -ERR increment would produce NaN or Infinity
        GET f                    -> "1"
    """)


@pytest.mark.parametrize(
    "command",
    [
        ("GET",),
        ("SET", "v", "GET"),
        ("GETSET", "v"),
        ("GETDEL",),
        ("GETEX",),
        ("APPEND", "v"),
        ("STRLEN",),
        ("GETRANGE", "0", "1"),
        ("SUBSTR", "0", "1"),
        ("SETRANGE", "0", "v"),
        ("INCR",),
        ("DECR",),
        ("INCRBY", "1"),
        ("DECRBY", "1"),
        ("INCRBYFLOAT", "1"),
    ],
)
def test_wrong_type(door: Door, command: tuple[str, ...]) -> None:
    assert door("RPUSH", "list", "a") == 1
    name, *rest = command
    assert door(name, "list", *rest) == (
        "WRONGTYPE Operation against a key holding the wrong kind of value"
    )
    assert door("LLEN", "list") == 1


LCS = r"""
    MSET a ohmytext b mynewtext  -> +OK
    LCS a b                  -> "mytext"
    LCS b a                  -> "mytext"
    LCS a b LEN              -> :6
    LCS a b IDX              -> {"matches": [[[:4, :7], [:5, :8]], [[:2, :3], [:0, :1]]], "len": :6}
    LCS a b IDX MINMATCHLEN 4 -> {"matches": [[[:4, :7], [:5, :8]]], "len": :6}
    LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN -> {"matches": [[[:4, :7], [:5, :8], :4]], "len": :6}
    LCS a b IDX WITHMATCHLEN -> {"matches": [[[:4, :7], [:5, :8], :4], [[:2, :3], [:0, :1], :2]], "len": :6}
    LCS a b WITHMATCHLEN     -> "mytext"
    LCS a b MINMATCHLEN 4    -> "mytext"
    LCS a b LEN MINMATCHLEN 4 WITHMATCHLEN -> :6
    LCS a b IDX MINMATCHLEN 100 -> {"matches": [], "len": :6}
    LCS a b IDX MINMATCHLEN -1 -> {"matches": [[[:4, :7], [:5, :8]], [[:2, :3], [:0, :1]]], "len": :6}
    LCS a b idx minmatchlen 0 -> {"matches": [[[:4, :7], [:5, :8]], [[:2, :3], [:0, :1]]], "len": :6}
    LCS a none               -> ""
    LCS none none2           -> ""
    LCS a none LEN           -> :0
    LCS a none IDX           -> {"matches": [], "len": :0}
    LCS a a                  -> "ohmytext"
    LCS a a IDX              -> {"matches": [[[:0, :7], [:0, :7]]], "len": :8}
    LCS a b IDX LEN          -> -ERR If you want both the length and indexes, please just use IDX.
    LCS a b LEN IDX          -> -ERR If you want both the length and indexes, please just use IDX.
    LCS a b MINMATCHLEN      -> -ERR syntax error
    LCS a b MINMATCHLEN x    -> -ERR value is not an integer or out of range
    LCS a b nonsense         -> -ERR syntax error
    LCS a b IDX IDX          -> {"matches": [[[:4, :7], [:5, :8]], [[:2, :3], [:0, :1]]], "len": :6}
    MSET i 12345 j 2345      -> +OK
    LCS i j                  -> "2345"
    MSET e1 "" e2 abc        -> +OK
    LCS e1 e2                -> ""
    LCS e1 e2 IDX            -> {"matches": [], "len": :0}
    MSET n1 "a\x00b" n2 "\x00b" -> +OK
    LCS n1 n2                -> "\x00b"
    MSET x aaabbb y bbbaaa   -> +OK
    LCS x y                  -> any
    LCS x y LEN              -> :3
"""


def test_lcs(door: Door) -> None:
    door.check(LCS)


def test_lcs_picks_the_same_subsequence_as_redis(door: Door) -> None:
    """Where several are longest, the choice is part of the reply."""
    door.check("""
        MSET a aaabbb b bbbaaa c xyxyxy d yxyxyx e abcbdab f bdcaba -> +OK
        LCS a b                  -> "bbb"
        LCS b a                  -> "aaa"
        LCS c d                  -> "yxyxy"
        LCS e f                  -> "bdab"
    """)


def test_values_of_many_sizes_round_trip(door: Door) -> None:
    for size in (
        0,
        1,
        19,
        20,
        21,
        43,
        44,
        45,
        64,
        255,
        256,
        1023,
        4096,
        16383,
        16384,
        16385,
        32767,
        32768,
        65535,
        65536,
        1 << 20,
    ):
        value = bytes(i * 7 & 255 for i in range(min(size, 256))) * (size // 256 + 1)
        value = value[:size]
        assert door("SET", f"k{size}", value) == "OK"
        assert door("STRLEN", f"k{size}") == size
        assert door("GET", f"k{size}") == value
        assert door("APPEND", f"k{size}", b"!") == size + 1
        assert door("GETRANGE", f"k{size}", -1, -1) == b"!"


def test_64_mib_value_round_trips(door: Door) -> None:
    value = bytes(range(256)) * (1 << 18)
    assert door("SET", "big", value) == "OK"
    assert door("STRLEN", "big") == len(value)
    assert door("GETRANGE", "big", -3, -1) == b"\xfd\xfe\xff"
    assert door("GET", "big") == value
    assert door("DEL", "big") == 1


def test_object_encoding_follows_the_value(door: Door) -> None:
    door.check(
        """
        SET k 123                -> +OK
        OBJECT ENCODING k        -> "int"
        SET k 9223372036854775807 -> +OK
        OBJECT ENCODING k        -> "int"
        SET k 9223372036854775808 -> +OK
        OBJECT ENCODING k        -> "embstr"
        SET k 0123               -> +OK
        OBJECT ENCODING k        -> "embstr"
        SET k $s44               -> +OK
        OBJECT ENCODING k        -> "embstr"
        SET k $s45               -> +OK
        OBJECT ENCODING k        -> "raw"
        SET k 12                 -> +OK
        APPEND k 3               -> :3
        OBJECT ENCODING k        -> "raw"
        INCR k                   -> :124
        OBJECT ENCODING k        -> "int"
        INCRBYFLOAT k 1          -> "125"
        OBJECT ENCODING k        -> "embstr"
        SETRANGE k 0 1           -> :3
        OBJECT ENCODING k        -> "raw"
        SET k ""                 -> +OK
        OBJECT ENCODING k        -> "embstr"
        MSET k 77                -> +OK
        OBJECT ENCODING k        -> "int"
        GETSET k 78              -> "77"
        OBJECT ENCODING k        -> "int"
        SETEX k 100 79           -> +OK
        OBJECT ENCODING k        -> "int"
        APPEND new 5             -> :1
        OBJECT ENCODING new      -> "int"
        SETRANGE new2 0 5        -> :1
        OBJECT ENCODING new2     -> "raw"
        OBJECT ENCODING none     -> nil
    """,
        s44="x" * 44,
        s45="x" * 45,
    )


def test_string_with_px_disappears(door: Door) -> None:
    assert door("SET", "k", "v", "PX", 30) == "OK"
    start = time.monotonic()
    until(lambda: door("GET", "k") is None, "the key is gone")
    assert time.monotonic() - start > 0.02
    door.check("""
        EXISTS k                 -> :0
        TTL k                    -> :-2
        SETNX k w                -> :1
        TTL k                    -> :-1
    """)
