"""CONFIG GET *: every parameter name and alias of Redis 7.0, with its default."""

from __future__ import annotations

from typing import Any

import pytest

from tools.doors import Door

# Set by the tests' own command line, or a property of the machine or of the program.
OWN_VALUES = {
    "port",
    "bind",
    "unixsocket",
    "dir",
    "save",
    "logfile",
    "pidfile",
    "io-threads",
    "enable-debug-command",
    "databases",
    "maxclients",
    "oom-score-adj-values",
    "unixsocketperm",
    "proc-title-template",
    "locale-collate",
    "jemalloc-bg-thread",
}


def settings_of(door: Door) -> dict[str, str]:
    return {k.decode(): v.decode() for k, v in door("CONFIG", "GET", "*").items()}


@pytest.fixture(scope="module")
def both(reference: Any, other: tuple[str, Any, int]) -> Any:
    one, two = Door(reference, "redis-resp3", 2), Door(other[1], other[0], 2)
    for door in (one, two):
        door.hello(3)
    yield one, two
    one.close()
    two.close()


def test_every_name_of_redis_is_known(both: Any) -> None:
    theirs, ours = map(settings_of, both)
    assert len(theirs) > 150
    assert not set(theirs) - set(ours)


def test_defaults_are_those_of_redis(both: Any) -> None:
    theirs, ours = map(settings_of, both)
    found = [
        f"{name} is {ours.get(name)!r}, Redis has {value!r}"
        for name, value in sorted(theirs.items())
        if name not in OWN_VALUES and ours.get(name) != value
    ]
    assert not found, "\n".join(found)


def test_aliases_are_known(both: Any) -> None:
    pairs = {
        "slaveof": "replicaof",
        "hash-max-ziplist-entries": "hash-max-listpack-entries",
        "list-max-ziplist-size": "list-max-listpack-size",
        "slave-priority": "replica-priority",
        "lua-time-limit": "busy-reply-threshold",
        "min-slaves-to-write": "min-replicas-to-write",
    }
    for door in both:
        for alias, name in pairs.items():
            values = [door("CONFIG", "GET", n) for n in (alias, name)]
            assert list(values[0].values()) == list(values[1].values()), alias
            assert list(values[0]) == [alias.encode()]


def test_setting_a_value_to_what_it_is_answers_alike(both: Any) -> None:
    """Mutable, immutable and protected settings: the same split, the same error texts."""
    theirs = settings_of(both[0])
    skip = OWN_VALUES | {"replicaof", "slaveof", "maxmemory", "requirepass"}
    found = []
    for name in sorted(set(theirs) - skip):
        one, two = (door("CONFIG", "SET", name, theirs[name]) for door in both)
        if one != two:
            found.append(f"CONFIG SET {name} {theirs[name]!r}: {two!r}, Redis says {one!r}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "abc",
        "-1",
        "0",
        "1",
        "99999999999999999999",
        "yes",
        "maybe",
        "1mb",
        "50%",
        "1 2 3",
        "a b",
    ],
)
def test_bad_values_get_the_same_error(both: Any, value: str) -> None:
    """An odd value for every name. What one of the two accepts is put back."""
    before = [settings_of(door) for door in both]
    skip = OWN_VALUES | {
        "replicaof",
        "slaveof",
        "requirepass",
        "masterauth",
        "masteruser",
        "maxmemory",
        "appendonly",
        "cluster-announce-ip",
        "aclfile",
        "rename-command",
        "tls-port",
        "timeout",
        "maxmemory-clients",
        "client-query-buffer-limit",
        "proto-max-bulk-len",
        "oom-score-adj",
        "watchdog-period",
        "crash-log-enabled",
        "activedefrag",
        "min-replicas-to-write",
        "min-slaves-to-write",
        "loglevel",
        "syslog-enabled",
    }
    found = []
    for name in sorted(set(before[0]) - skip):
        if name.startswith(("tls-", "cluster-", "shutdown-", "repl-", "replica-", "slave-")):
            continue
        one, two = (door("CONFIG", "SET", name, value) for door in both)
        if one != two:
            found.append(f"CONFIG SET {name} {value!r}: {two!r}, Redis says {one!r}")
        for door, old in zip(both, before, strict=True):
            door("CONFIG", "SET", name, old.get(name, ""))
    assert not found, f"{len(found)} differences\n" + "\n".join(found)
