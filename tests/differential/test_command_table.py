"""The command table, row by row, against redis-server's: COMMAND INFO and COMMAND DOCS."""

from __future__ import annotations

from typing import Any

import pytest
from grammar import NOT_IN_7_0

from tools.doors import Door


def plain(value: Any) -> Any:
    """Bytes to text, RESP2 field lists to dicts, so that rows can be compared and printed."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dict):
        return {plain(k): plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def rows_of(door: Door) -> dict[str, dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}

    def add(row: list[Any]) -> None:
        name, arity, flags, first, last, step, categories, tips, specs, subs = row
        out[name] = {
            "arity": arity,
            "flags": sorted(flags),
            "keys": [first, last, step],
            "acl": sorted(categories),
            "tips": sorted(tips),
            "key specs": [sorted_flags(s) for s in specs],
        }
        for sub in subs:
            add(sub)

    for row in plain(door("COMMAND")):
        add(row)
    return out


def sorted_flags(spec: dict[str, Any]) -> dict[str, Any]:
    return spec | {"flags": sorted(spec["flags"])}


def docs_of(door: Door) -> dict[str, dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}

    def add(docs: dict[str, Any]) -> None:
        for name, entry in docs.items():
            out[name] = {
                "since": entry["since"],
                "group": entry["group"],
                "has complexity": "complexity" in entry,
                "has summary": bool(entry.get("summary")),
                "doc flags": sorted(entry.get("doc_flags", [])),
                "arguments": entry.get("arguments", []),
            }
            add(entry.get("subcommands", {}))

    add(plain(door("COMMAND", "DOCS")))
    return out


def differences(theirs: dict[str, dict[str, Any]], ours: dict[str, dict[str, Any]]) -> list[str]:
    out = []
    for name, row in sorted(ours.items()):
        if name in NOT_IN_7_0:
            continue
        if name not in theirs:
            out.append(f"{name}: Redis has no such command")
            continue
        out += [
            f"{name}: {field} is {row[field]!r}, Redis has {want!r}"
            for field, want in theirs[name].items()
            if row.get(field) != want
        ]
    return out


@pytest.fixture(scope="module")
def tables(reference: Any, other: tuple[str, Any, int]) -> Any:
    one, two = Door(reference, "redis-resp3", 2), Door(other[1], other[0], 2)
    for door in (one, two):
        door.hello(3)
    yield one, two
    one.close()
    two.close()


def test_command_info(tables: Any) -> None:
    found = differences(*map(rows_of, tables))
    assert not found, f"{len(found)} differences\n" + "\n".join(found)


def test_command_docs(tables: Any) -> None:
    found = differences(*map(docs_of, tables))
    assert not found, f"{len(found)} differences\n" + "\n".join(found)


def test_every_command_of_the_plan_is_there(tables: Any) -> None:
    wanted = [
        "get",
        "set",
        "setnx",
        "setex",
        "psetex",
        "getset",
        "getdel",
        "getex",
        "mget",
        "mset",
        "msetnx",
        "append",
        "strlen",
        "getrange",
        "setrange",
        "substr",
        "incr",
        "decr",
        "incrby",
        "decrby",
        "incrbyfloat",
        "lcs",
        "del",
        "unlink",
        "exists",
        "touch",
        "type",
        "keys",
        "scan",
        "randomkey",
        "rename",
        "renamenx",
        "copy",
        "move",
        "expire",
        "pexpire",
        "expireat",
        "pexpireat",
        "expiretime",
        "pexpiretime",
        "ttl",
        "pttl",
        "persist",
        "object|encoding",
        "object|refcount",
        "object|idletime",
        "object|freq",
        "object|help",
        "dbsize",
        "select",
        "swapdb",
        "flushdb",
        "flushall",
        "multi",
        "exec",
        "discard",
        "watch",
        "unwatch",
        "ping",
        "echo",
        "hello",
        "auth",
        "quit",
        "reset",
        "client|id",
        "client|getname",
        "client|setname",
        "client|list",
        "client|info",
        "client|kill",
        "client|no-evict",
        "client|reply",
        "client|pause",
        "client|unpause",
        "client|help",
        "command|count",
        "command|list",
        "command|info",
        "command|docs",
        "command|getkeys",
        "command|getkeysandflags",
        "command|help",
        "info",
        "config|get",
        "config|set",
        "config|resetstat",
        "config|rewrite",
        "config|help",
        "time",
        "debug",
        "memory|usage",
        "memory|stats",
        "memory|doctor",
        "memory|purge",
        "memory|help",
        "shutdown",
        "lolwut",
        "hset",
        "hsetnx",
        "hmset",
        "hget",
        "hmget",
        "hgetall",
        "hkeys",
        "hvals",
        "hdel",
        "hexists",
        "hlen",
        "hstrlen",
        "hincrby",
        "hincrbyfloat",
        "hrandfield",
        "hscan",
    ]
    for door in tables:
        missing = set(wanted) - set(rows_of(door))
        assert not missing, sorted(missing)


def test_getkeys_agrees_for_every_command(tables: Any) -> None:
    """The key positions are used by clients, proxies and by our own dispatcher."""
    found = []
    for name, row in rows_of(tables[1]).items():
        if name in NOT_IN_7_0:
            continue
        for extra in range(4):
            count = max(abs(row["arity"]), 1 + len(name.split("|"))) + extra
            words = name.split("|")
            command = words + [f"arg{i}" for i in range(count - len(words))]
            for sub in ("GETKEYS", "GETKEYSANDFLAGS"):
                replies = [normal_keys(door("COMMAND", sub, *command)) for door in tables]
                if replies[0] != replies[1]:
                    found.append(
                        f"{sub} {' '.join(command)}: {replies[1]!r}, Redis says {replies[0]!r}"
                    )
    assert not found, "\n".join(found)


def normal_keys(reply: Any) -> Any:
    if isinstance(reply, list):
        return [
            [plain(item[0]), sorted(plain(item[1]))] if isinstance(item, list) else plain(item)
            for item in reply
        ]
    return reply
