"""Access rules: generated ones mean the same and are written alike here and in redis-server 7.0.

In Redis single commands stand in a random order behind the categories of a description (it walks a
hash table); they are compared as a set, everything else byte by byte.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from grammar import NOT_IN_7_0
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.doors import Door

EXAMPLES = int(os.environ.get("RP_DIFF_EXAMPLES", "150"))
CATEGORIES = [
    "keyspace",
    "read",
    "write",
    "set",
    "sortedset",
    "list",
    "hash",
    "string",
    "bitmap",
    "hyperloglog",
    "geo",
    "stream",
    "pubsub",
    "admin",
    "fast",
    "slow",
    "blocking",
    "dangerous",
    "connection",
    "transaction",
    "scripting",
    "all",
    "ALL",
    "Read",
    "nope",
]
# Commands of both, commands that may be missing here, subcommands, and what is none.
COMMANDS = [
    "get",
    "set",
    "del",
    "mget",
    "GET",
    "rename",
    "zunionstore",
    "flushall",
    "acl",
    "config|get",
    "config|set",
    "client",
    "client|list",
    "acl|setuser",
    "object",
    "object|encoding",
    "xadd",
    "xgroup|create",
    "eval",
    "subscribe",
    "publish",
    "debug",
    "select",
    "select|0",
    "select|1",
    "SELECT|0",
    "debug|object",
    "get|x",
    "memory|usage",
    "nope",
    "config|nope",
    "config|get|x",
    "config|",
    "|",
    "||",
    "get|",
]
KEYS = ["a", "a*", "*", "x?y", "[ab]*", "", "k)", "key:*"]
CHANNELS = ["ch", "ch*", "*", "", "news.?"]
WORDS = [
    "on",
    "off",
    "nopass",
    "resetpass",
    "reset",
    "allkeys",
    "resetkeys",
    "allchannels",
    "resetchannels",
    "allcommands",
    "nocommands",
    "clearselectors",
    "sanitize-payload",
    "skip-sanitize-payload",
    "ON",
    "OFF",
    "AllKeys",
    "foo",
    "(",
    ")",
    "()",
    "%~a",
    "%X~a",
    "%RR~a",
    "%R",
    "%RW",
    "#12",
    "!12",
]
HASH = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"  # of "password"


def commands() -> st.SearchStrategy[str]:
    name = st.one_of(st.sampled_from(CATEGORIES).map("@".__add__), st.sampled_from(COMMANDS))
    return st.builds(str.__add__, st.sampled_from("+-"), name)


def patterns() -> st.SearchStrategy[str]:
    sign = st.sampled_from(["~", "%R~", "%W~", "%RW~", "%r~", "%WR~"])
    return st.one_of(
        st.builds(str.__add__, sign, st.sampled_from(KEYS)),
        st.sampled_from(CHANNELS).map("&".__add__),
    )


def passwords() -> st.SearchStrategy[str]:
    plain = st.builds(str.__add__, st.sampled_from("><"), st.sampled_from(["one", "password", ""]))
    return st.one_of(plain, st.sampled_from(["#" + HASH, "!" + HASH, "#" + HASH.upper()]))


def selectors() -> st.SearchStrategy[list[str]]:
    """As words, the way they arrive: "(+get", "~a)"."""
    inner = st.lists(st.one_of(commands(), patterns(), st.sampled_from(WORDS)), max_size=4)
    return inner.map(lambda words: ("(" + " ".join(words) + ")").split(" "))


RULE = st.one_of(
    commands(), commands(), commands(), patterns(), passwords(), st.sampled_from(WORDS)
)
RULES = st.lists(
    st.one_of(RULE.map(lambda r: [r]), RULE.map(lambda r: [r]), selectors()), max_size=8
)
SETUSER = st.tuples(
    st.sampled_from(["u", "v"]), RULES.map(lambda parts: [w for p in parts for w in p])
)

CALLS = [
    c.split()
    for c in (
        "GET a", "SET a v", "SET a v GET", "MGET a ab zz", "DEL key:1", "RENAME a ab", "PING", "AUTH x",
        "COPY a zz", "SELECT 0", "SELECT 1", "DEBUG OBJECT a", "OBJECT ENCODING a", "CONFIG GET x",
        "CONFIG SET x y", "CONFIG", "CONFIG nope", "ACL WHOAMI", "ZUNIONSTORE zz 2 a ab", "ZUNION 2 a ab",
        "ZUNIONSTORE zz 9 a", "GET", "nope", "FLUSHALL", "EXEC", "MSET a 1 zz 2", "CLIENT LIST",
        "LMOVE a zz LEFT LEFT", "GETEX a", "GETDEL a", "SMOVE a zz m", "HSET a f v", "SINTERCARD 2 a zz",
    )
]  # fmt: skip


def canonical(text: bytes) -> bytes:
    """A description with its single commands sorted: of each "-@all +@x +get -set" the tail."""

    def sort(found: re.Match[bytes]) -> bytes:
        words = found.group(0).split(b" ")
        heads = [w for w in words if w[1:2] == b"@"]
        tail = {w for w in words if w[1:2] != b"@" and w[1:].decode() not in NOT_IN_7_0}
        return b" ".join(heads + sorted(tail))

    return re.sub(rb"[+-]@all(?: [+-][^ )]*\)?(?<!\)))*", sort, text)


def canonical_reply(reply: Any) -> Any:
    if isinstance(reply, bytes):
        return canonical(reply)
    if isinstance(reply, list):
        return [canonical_reply(r) for r in reply]
    if isinstance(reply, dict):
        return {k: canonical_reply(v) for k, v in reply.items()}
    return reply


@pytest.fixture(scope="module")
def both(reference: Any, other: tuple[str, Any, int]) -> Iterator[tuple[Door, Door]]:
    one, two = Door(reference, f"redis-resp{other[2]}", 2), Door(other[1], other[0], 2)
    for door in (one, two):
        door.hello(other[2])
    yield one, two
    for door in (one, two):
        door("ACL", "DELUSER", "u", "v")
        door.close()


def same(both: tuple[Door, Door], *command: str) -> Any:
    theirs, ours = (canonical_reply(door(*command)) for door in both)
    assert ours == theirs, command
    return theirs


@pytest.mark.timeout(600)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(SETUSER, min_size=1, max_size=5))
def test_rules_are_read_and_written_alike(
    both: tuple[Door, Door], script: list[tuple[str, list[str]]]
) -> None:
    same(both, "ACL", "DELUSER", "u", "v")
    for user, words in script:
        same(both, "ACL", "SETUSER", user, *words)
        same(both, "ACL", "LIST")
        same(both, "ACL", "GETUSER", user)
    for user in {name for name, _ in script}:
        for call in CALLS:
            same(both, "ACL", "DRYRUN", user, *call)


def test_every_category_alone_is_written_alike(both: tuple[Door, Door]) -> None:
    for category in CATEGORIES[:21]:
        for rules in (["+@" + category], ["+@all", "-@" + category]):
            same(both, "ACL", "SETUSER", "u", "reset", *rules)
            same(both, "ACL", "GETUSER", "u")


def test_pairs_of_categories_are_written_alike(both: tuple[Door, Door]) -> None:
    for at, one in enumerate(CATEGORIES[:21]):
        for step in (1, 4, 9, 16):
            two = CATEGORIES[(at + step) % 21]
            same(
                both, "ACL", "SETUSER", "u", "reset", "+@" + one, "-@" + two, "-get", "+config|get"
            )
            same(both, "ACL", "GETUSER", "u")


def all_rows(door: Door) -> dict[str, set[str]]:
    out: dict[str, set[str]] = {}

    def walk(rows: list[Any]) -> None:
        for row in rows:
            out[row[0].decode()] = {str(c).removeprefix("b'").strip("'") for c in row[6]}
            walk(row[9])

    walk(door("COMMAND"))
    return out


def test_every_command_is_in_the_categories_that_redis_gives_it(both: tuple[Door, Door]) -> None:
    known = set(all_rows(both[0])) & set(all_rows(both[1]))
    assert len(known) > 150
    for category in CATEGORIES[:21]:
        theirs, ours = ({n.decode() for n in door("ACL", "CAT", category)} for door in both)
        assert ours - NOT_IN_7_0 == theirs & known, category


def test_a_rule_may_name_every_command_of_redis(both: tuple[Door, Door]) -> None:
    names = sorted(all_rows(both[0]))
    assert len(names) > 350
    for name in names:
        same(both, "ACL", "SETUSER", "u", "reset", "+" + name)
        same(both, "ACL", "GETUSER", "u")


def test_every_command_is_refused_to_users_without_its_categories(both: tuple[Door, Door]) -> None:
    """Each command of ours, asked of a user with one category at a time: DRYRUN says the same."""
    one, two = both
    rows = sorted(set(all_rows(one)) & set(all_rows(two)) - NOT_IN_7_0)
    arity = {r[0].decode(): r[1] for r in two("COMMAND")} | {
        s[0].decode(): s[1] for r in two("COMMAND") for s in r[9]
    }
    for category in CATEGORIES[:21]:
        same(both, "ACL", "SETUSER", "u", "reset", "~*", "&*", "+@" + category)
        calls = []
        for name in rows:
            words = name.split("|")
            calls.append(["ACL", "DRYRUN", "u", *words, *["1"] * (abs(arity[name]) - len(words))])
        theirs, ours = one.many(calls), two.many(calls)
        for call, a, b in zip(calls, theirs, ours, strict=True):
            assert a == b, (category, call)
