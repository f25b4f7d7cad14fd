"""COMMAND, INFO, CONFIG, TIME, DEBUG, MEMORY, SHUTDOWN, LOLWUT."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import resp
from tools.doors import Door
from tools.resp import as_dict, encode
from tools.servers import Server
from tools.wait import until

# ---------------------------------------------------------------- COMMAND


def test_command_count_list_and_plain_command_agree(door: Door) -> None:
    names = door("COMMAND", "LIST")
    assert len(set(names)) == len(names)
    rows = door("COMMAND")
    whole = {name for name in names if b"|" not in name}
    assert len(whole) == door("COMMAND", "COUNT") == len(rows)
    assert {row[0] for row in rows} == whole
    assert {sub[0] for row in rows for sub in row[9]} == set(names) - whole
    assert {b"get", b"set", b"multi", b"scan", b"client", b"config"} <= set(names)
    assert all(name == name.lower() for name in names)


def test_command_info(door: Door) -> None:
    names = door("COMMAND", "LIST")
    assert len(door("COMMAND", "INFO")) == sum(b"|" not in name for name in names)
    row, missing = door("COMMAND", "INFO", "GeT", "nope")
    assert missing is None
    assert row[:2] == [b"get", 2]
    assert row[3:6] == [1, 1, 1]
    assert set(row[2]) == {"readonly", "fast"}
    assert set(row[6]) == {"@read", "@string", "@fast"}
    [sub] = door("COMMAND", "INFO", "config|get")
    assert sub[0] == b"config|get" and sub[1] == -3
    [container] = door("COMMAND", "INFO", "config")
    assert {s[0] for s in container[9]} >= {
        b"config|get",
        b"config|set",
        b"config|resetstat",
        b"config|rewrite",
        b"config|help",
    }
    assert door("COMMAND", "INFO", "config|nope", "get|x") == [None, None]
    nil = b"_\r\n" if door.protocol == 3 else b"*-1\r\n"
    assert door.raw("COMMAND", "INFO", "nope") in (b"*1\r\n" + nil, b"*1\r\n$-1\r\n")


def test_command_docs(door: Door) -> None:
    docs = as_dict(door("COMMAND", "DOCS", "SET", "nope", "config|get"))
    assert list(docs) == [b"set", b"config|get"]
    entry = as_dict(docs[b"set"])
    assert (entry[b"since"], entry[b"group"], entry[b"complexity"]) == (
        b"1.0.0",
        b"string",
        b"O(1)",
    )
    names = [as_dict(a)[b"name"] for a in entry[b"arguments"]]
    assert names == [b"key", b"value", b"condition", b"get", b"expiration"]
    assert len(as_dict(door("COMMAND", "DOCS"))) == door("COMMAND", "COUNT")
    door.check("""
        COMMAND DOCS nope        -> {}
    """)


def test_command_getkeys(door: Door) -> None:
    door.check("""
        COMMAND GETKEYS GET a            -> ["a"]
        COMMAND GETKEYS get a            -> ["a"]
        COMMAND GETKEYS SET a b EX 10    -> ["a"]
        COMMAND GETKEYS MSET a 1 b 2     -> ["a", "b"]
        COMMAND GETKEYS MGET a b a       -> ["a", "b", "a"]
        COMMAND GETKEYS DEL a b          -> ["a", "b"]
        COMMAND GETKEYS RENAME a b       -> ["a", "b"]
        COMMAND GETKEYS COPY a b DB 1    -> ["a", "b"]
        COMMAND GETKEYS LCS a b LEN      -> ["a", "b"]
        COMMAND GETKEYS OBJECT ENCODING a -> ["a"]
        COMMAND GETKEYS MEMORY USAGE a   -> ["a"]
        COMMAND GETKEYS WATCH a b        -> ["a", "b"]
        COMMAND GETKEYS SORT_MISSING a   -> -ERR Invalid command specified
        COMMAND GETKEYS PING x           -> -ERR The command has no key arguments
        COMMAND GETKEYS CONFIG GET x     -> -ERR The command has no key arguments
        COMMAND GETKEYS GET a b          -> -ERR Invalid number of arguments specified for command
        COMMAND GETKEYS GET              -> -ERR wrong number of arguments for 'command|getkeys' command
        COMMAND GETKEYSANDFLAGS SET a b  -> [["a", any]]
        COMMAND GETKEYSANDFLAGS COPY a b -> [["a", any], ["b", any]]
        COMMAND COUNT x                  -> -ERR wrong number of arguments for 'command|count' command
    """)
    assert set(door("COMMAND", "GETKEYSANDFLAGS", "GETDEL", "a")[0][1]) == {
        "RW",
        "access",
        "delete",
    }
    assert set(door("COMMAND", "GETKEYSANDFLAGS", "COPY", "a", "b")[1][1]) == {"OW", "update"}


def test_command_list_filters(door: Door) -> None:
    assert set(door("COMMAND", "LIST", "FILTERBY", "PATTERN", "get?e*")) == {
        b"getdel",
        b"getset",
    } | {n for n in door("COMMAND", "LIST") if re.fullmatch(rb"get.e.*", n)}
    strings = set(door("COMMAND", "LIST", "FILTERBY", "ACLCAT", "string"))
    assert {b"get", b"set", b"lcs", b"substr", b"msetnx"} <= strings and b"del" not in strings
    assert door("COMMAND", "LIST", "FILTERBY", "ACLCAT", "nope") == []
    assert door("COMMAND", "LIST", "FILTERBY", "MODULE", "nope") == []
    door.check("""
        COMMAND LIST FILTERBY nope x -> -ERR syntax error
        COMMAND LIST nope            -> -ERR syntax error
        COMMAND LIST FILTERBY PATTERN -> -ERR syntax error
    """)


# ---------------------------------------------------------------- INFO

INFO_FIELDS = {
    "server": "redis_version redis_mode os arch_bits process_id run_id tcp_port server_time_usec "
    "uptime_in_seconds uptime_in_days hz configured_hz lru_clock executable config_file",
    "clients": "connected_clients maxclients blocked_clients",
    "memory": "used_memory used_memory_human used_memory_rss used_memory_peak used_memory_dataset "
    "maxmemory maxmemory_human maxmemory_policy mem_fragmentation_ratio mem_allocator",
    "persistence": "loading rdb_changes_since_last_save aof_enabled",
    "stats": "total_connections_received total_commands_processed instantaneous_ops_per_sec "
    "total_net_input_bytes total_net_output_bytes rejected_connections expired_keys "
    "evicted_keys keyspace_hits keyspace_misses total_error_replies",
    "replication": "role connected_slaves master_replid master_repl_offset",
    "cpu": "used_cpu_sys used_cpu_user",
    "modules": "",
    "errorstats": "",
    "cluster": "cluster_enabled",
    "keyspace": "",
}


def test_info_has_the_fields_that_clients_read(door: Door) -> None:
    raw = door.raw("INFO")
    assert raw.startswith(b"=" if door.protocol == 3 else b"$")
    text = resp.decode_bytes(raw).decode()
    assert text.startswith("# Server\r\nredis_version:7.0.")
    for section, fields in INFO_FIELDS.items():
        assert set(fields.split()) <= set(door.info(section)), section
        head = door("INFO", section.upper()).decode()
        assert head.startswith(f"# {section[:1].upper()}"), head[:40]
    info = door.info()
    assert info["redis_mode"] == "standalone" and info["role"] == "master"
    assert re.fullmatch(r"[0-9a-f]{40}", info["run_id"])
    if not door.is_embedded:
        assert info["tcp_port"] == str(door.server.port)
        assert int(info["connected_clients"]) >= 1
        assert info["process_id"] == str(door.server.pid)


def test_info_sections(door: Door) -> None:
    assert door("INFO", "nope") == b""
    both = door("INFO", "clients", "cpu").decode()
    assert re.findall(r"^# (\w+)", both, re.M) == ["Clients", "CPU"]
    for word in ("default", "all", "everything"):
        sections = re.findall(r"^# (\w+)", door("INFO", word).decode(), re.M)
        assert ("Commandstats" in sections) == (word != "default"), word
        assert "Server" in sections
    assert door("INFO", "server", "server").decode().count("# Server") == 1


def test_info_counts_hits_misses_commands_and_errors(door: Door) -> None:
    door("CONFIG", "RESETSTAT")
    door("SET", "k", "v")
    for _ in range(3):
        door("GET", "k")
    door("GET", "none")
    door("EXISTS", "none")
    door("nope")
    door("INCR", "k")
    info = door.info()
    assert (info["keyspace_hits"], info["keyspace_misses"]) == ("3", "2")
    assert int(info["total_error_replies"]) == 2
    assert info["errorstat_ERR"] == "count=2"
    assert info["cmdstat_get"].startswith("calls=4,usec=")
    assert info["cmdstat_get"].endswith(",rejected_calls=0,failed_calls=0")
    assert info["cmdstat_incr"].endswith("failed_calls=1")
    assert int(info["total_commands_processed"]) >= 7
    door("CONFIG", "RESETSTAT")
    info = door.info()
    assert (info["keyspace_hits"], info["keyspace_misses"]) == ("0", "0")
    assert "cmdstat_get" not in info and "errorstat_ERR" not in info


# ---------------------------------------------------------------- CONFIG


def test_config_get(door: Door) -> None:
    door.check("""
        CONFIG GET nope          -> {}
        CONFIG GET maxmemory     -> {"maxmemory": "0"}
        CONFIG GET MAXMEMORY     -> {"MAXMEMORY": "0"}
        CONFIG GET databases     -> {"databases": "16"}
        CONFIG GET appendonly    -> {"appendonly": "no"}
        CONFIG GET maxmemory-policy -> {"maxmemory-policy": "noeviction"}
        CONFIG GET save          -> any
        CONFIG GET               -> -ERR wrong number of arguments for 'config|get' command
    """)
    several = as_dict(door("CONFIG", "GET", "maxmem*", "hz", "nope", "maxmemory"))
    assert set(several) >= {b"maxmemory", b"maxmemory-policy", b"maxmemory-samples", b"hz"}
    assert len(as_dict(door("CONFIG", "GET", "*"))) > 150
    assert list(as_dict(door("CONFIG", "GET", "slaveof"))) == [b"slaveof"]
    assert list(as_dict(door("CONFIG", "GET", "replica-priority"))) == [b"replica-priority"]


def test_config_set(door: Door) -> None:
    for name, value in (
        ("hz", "20"),
        ("maxmemory-samples", "7"),
        ("timeout", "5000"),
        ("maxmemory-policy", "allkeys-lru"),
        ("lfu-decay-time", "3"),
        ("lazyfree-lazy-expire", "yes"),
        ("slowlog-log-slower-than", "12345"),
        ("hash-max-listpack-entries", "100"),
    ):
        door.config(name, value)
        assert as_dict(door("CONFIG", "GET", name)) == {name.encode(): value.encode()}
    door.config("hz", "10")
    assert door("CONFIG", "SET", "HZ", "15", "lfu-log-factor", "9") == "OK"
    assert as_dict(door("CONFIG", "GET", "hz")) == {b"hz": b"15"}
    assert door("CONFIG", "SET", "hz", "10", "lfu-log-factor", "10") == "OK"


def test_config_aliases(door: Door) -> None:
    door.config("hash-max-ziplist-entries", "77")
    assert as_dict(door("CONFIG", "GET", "hash-max-listpack-entries")) == {
        b"hash-max-listpack-entries": b"77"
    }


CONFIG_ERRORS = """
    CONFIG SET nope x        -> -ERR Unknown option or number of arguments for CONFIG SET - 'nope'
    CONFIG SET hz x          -> -ERR CONFIG SET failed (possibly related to argument 'hz') - argument couldn't be parsed into an integer
    CONFIG SET hz ""         -> -ERR CONFIG SET failed (possibly related to argument 'hz') - argument couldn't be parsed into an integer
    CONFIG SET hz 10 hz 11   -> -ERR CONFIG SET failed (possibly related to argument 'hz') - duplicate parameter
    CONFIG SET hz 10 timeout -> -ERR syntax error
    CONFIG SET hz            -> -ERR wrong number of arguments for 'config|set' command
    CONFIG SET timeout -1    -> -ERR CONFIG SET failed (possibly related to argument 'timeout') - argument must be between 0 and 2147483647 inclusive
    CONFIG SET timeout 99999999999 -> -ERR CONFIG SET failed (possibly related to argument 'timeout') - argument must be between 0 and 2147483647 inclusive
    CONFIG SET databases 10  -> -ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config
    CONFIG SET dir /x        -> -ERR CONFIG SET failed (possibly related to argument 'dir') - can't set protected config
    CONFIG SET dbfilename x  -> -ERR CONFIG SET failed (possibly related to argument 'dbfilename') - can't set protected config
    CONFIG SET maxmemory -1  -> -ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value
    CONFIG SET maxmemory 1gbx -> -ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value
    CONFIG SET appendonly maybe -> -ERR CONFIG SET failed (possibly related to argument 'appendonly') - argument must be 'yes' or 'no'
    CONFIG SET maxmemory-policy x -> -ERR CONFIG SET failed (possibly related to argument 'maxmemory-policy') - argument(s) must be one of the following: volatile-lru, volatile-lfu, volatile-random, volatile-ttl, allkeys-lru, allkeys-lfu, allkeys-random, noeviction
    CONFIG SET maxmemory-samples 0 -> -ERR CONFIG SET failed (possibly related to argument 'maxmemory-samples') - argument must be between 1 and 2147483647 inclusive
    CONFIG SET client-output-buffer-limit x -> -ERR CONFIG SET failed (possibly related to argument 'client-output-buffer-limit') - Wrong number of arguments in buffer limit configuration.
    CONFIG SET client-output-buffer-limit "nope 0 0 0" -> -ERR CONFIG SET failed (possibly related to argument 'client-output-buffer-limit') - Invalid client class specified in buffer limit configuration.
    CONFIG SET client-output-buffer-limit "normal -1 0 0" -> -ERR CONFIG SET failed (possibly related to argument 'client-output-buffer-limit') - Error in hard, soft or soft_seconds setting in buffer limit configuration.
    CONFIG SET save x        -> -ERR CONFIG SET failed (possibly related to argument 'save') - Invalid save parameters
"""


def test_config_set_errors(door: Door) -> None:
    door.check(CONFIG_ERRORS)
    door.check("""
        CONFIG GET hz            -> {"hz": "10"}
        CONFIG GET timeout       -> {"timeout": "0"}
    """)


def test_config_set_of_one_good_and_one_bad_sets_nothing(door: Door) -> None:
    for pair in (
        ("hz", "12", "maxmemory-policy", "nope"),
        ("maxmemory-policy", "nope", "hz", "12"),
        ("hz", "12", "timeout", "-1"),
        ("hz", "12", "databases", "3"),
        ("hz", "12", "nope", "1"),
    ):
        assert str(door("CONFIG", "SET", *pair)).startswith("ERR "), pair
        door.check("""
            CONFIG GET hz        -> {"hz": "10"}
            CONFIG GET timeout   -> {"timeout": "0"}
            CONFIG GET maxmemory-policy -> {"maxmemory-policy": "noeviction"}
        """)


def test_output_buffer_limits_keep_the_classes_not_named(door: Door) -> None:
    door.config("client-output-buffer-limit", "normal 1mb 500kb 10")
    door.check("""
        CONFIG GET client-output-buffer-limit -> {"client-output-buffer-limit": "normal 1048576 512000 10 slave 268435456 67108864 60 pubsub 33554432 8388608 60"}
        CONFIG SET client-output-buffer-limit "replica 0 0 0" -> +OK
        CONFIG SET client-output-buffer-limit "slave 256mb 64mb 60" -> +OK
    """)


@pytest.mark.sockets
@pytest.mark.once
def test_config_rewrite(door: Door, private: Callable[..., Server], tmp_path: Path) -> None:
    assert door("CONFIG", "REWRITE") == "ERR The server is running without a config file"
    conf, data = tmp_path / "redis.conf", tmp_path / "data"
    data.mkdir()
    conf.write_text("# kept comment\nhz 50\nmaxmemory 100mb\n")
    server = Server(door.server.kind, config_file=str(conf), dir=str(data)).start()
    try:
        with server.connect() as conn:
            assert conn.call("CONFIG", "SET", "hz", "42", "timeout", "77") == "OK"
            assert conn.call("CONFIG", "REWRITE") == "OK"
        text = conf.read_text()
        assert "# kept comment" in text
        assert re.search(r"^hz 42$", text, re.M)
        assert re.search(r"^timeout 77$", text, re.M)
        assert re.search(r"^maxmemory (100mb|104857600)$", text, re.M)
        assert not [f for f in os.listdir(tmp_path) if f not in ("redis.conf", "data")], (
            "no temporary file left"
        )
    finally:
        server.stop()
    again = Server(door.server.kind, config_file=str(conf), dir=str(data)).start()
    try:
        with again.connect() as conn:
            assert conn.call("CONFIG", "GET", "hz") == [b"hz", b"42"]
            assert conn.call("CONFIG", "GET", "maxmemory") == [b"maxmemory", b"104857600"]
    finally:
        again.stop()


# ---------------------------------------------------------------- TIME, DEBUG, MEMORY, LOLWUT


def test_time(door: Door) -> None:
    before = time.time()
    seconds, micros = door("TIME")
    after = time.time()
    assert before - 0.01 <= int(seconds) + int(micros) / 1e6 <= after + 0.01
    assert 0 <= int(micros) < 1_000_000


def test_debug_digest(door: Door) -> None:
    """The digests are Redis' own, so that two servers can be compared."""
    door.check("""
        DEBUG DIGEST             -> +0000000000000000000000000000000000000000
        DEBUG DIGEST-VALUE a     -> [+0000000000000000000000000000000000000000]
        SET a 1                  -> +OK
        DEBUG DIGEST             -> +943d800368fb9c0e951138f1bc0e313ac769d91f
        DEBUG DIGEST-VALUE a b   -> [+b4fc66738120fba0b5aa500ab5c2bf89cea1c5da, +0000000000000000000000000000000000000000]
        SET a hello              -> +OK
        DEBUG DIGEST             -> +7bba0c6c0ba7cf343554878a513cce31a28c4abb
        DEBUG DIGEST-VALUE a     -> [+36b23a1456b2dce2c3ed252c456761301dba8060]
    """)
    one = door("DEBUG", "DIGEST")
    door("SELECT", 1)
    door("MSET", "b", "2", "c", "3")
    two = door("DEBUG", "DIGEST")
    door("FLUSHALL")
    door("MSET", "c", "3", "b", "2")
    door("SELECT", 0)
    door("SET", "a", "hello")
    assert one != two == door("DEBUG", "DIGEST"), "the order of writing does not matter"


def test_debug_errors(door: Door) -> None:
    door.check("""
        DEBUG                    -> -ERR wrong number of arguments for 'debug' command
        DEBUG nope               -> -ERR unknown subcommand or wrong number of arguments for 'nope'. Try DEBUG HELP.
        DEBUG OBJECT none        -> -ERR no such key
        DEBUG SLEEP 0            -> +OK
    """)


def test_debug_sleep(door: Door) -> None:
    start = time.monotonic()
    assert door("DEBUG", "SLEEP", "0.1") == "OK"
    assert 0.1 <= time.monotonic() - start < 5


def test_debug_object(door: Door) -> None:
    door("SET", "k", "hello")
    text = door("DEBUG", "OBJECT", "k")
    assert re.fullmatch(
        r"Value at:0x[0-9a-f]+ refcount:1 encoding:embstr serializedlength:6 "
        r"lru:\d+ lru_seconds_idle:\d+",
        text,
    ), text


def test_memory_usage(door: Door) -> None:
    door("SET", "small", "x")
    door("SET", "large", "x" * 100_000)
    small, large = door("MEMORY", "USAGE", "small"), door("MEMORY", "USAGE", "large")
    assert 20 < small < 200
    assert 100_000 < large < 140_000
    door.check("""
        MEMORY USAGE none        -> nil
        MEMORY USAGE small SAMPLES 0 -> anyint
        MEMORY USAGE small SAMPLES 5 -> anyint
        MEMORY USAGE small SAMPLES x -> -ERR value is not an integer or out of range
        MEMORY USAGE small SAMPLES -1 -> -ERR syntax error
        MEMORY USAGE small nope 1 -> -ERR syntax error
        MEMORY USAGE             -> -ERR wrong number of arguments for 'memory|usage' command
        MEMORY PURGE             -> +OK
    """)


def test_memory_stats(door: Door) -> None:
    door.many([("SET", f"k{i}", "x" * 100) for i in range(1000)])
    stats = as_dict(door("MEMORY", "STATS"))
    for field in (
        b"peak.allocated",
        b"total.allocated",
        b"startup.allocated",
        b"clients.normal",
        b"overhead.total",
        b"keys.bytes-per-key",
        b"dataset.bytes",
    ):
        assert isinstance(stats[field], int), field
    assert stats[b"keys.count"] == 1000
    assert stats[b"total.allocated"] > 100_000
    assert stats[b"peak.allocated"] >= stats[b"total.allocated"]
    assert float(stats[b"dataset.percentage"]) > 0
    assert b"db.0" in stats


def test_memory_doctor(door: Door) -> None:
    raw = door.raw("MEMORY", "DOCTOR")
    assert raw.startswith(b"=" if door.protocol == 3 else b"$")
    assert len(resp.decode_bytes(raw)) > 20


def test_used_memory_goes_up_and_down(door: Door) -> None:
    def used() -> int:
        return int(door.info("memory")["used_memory"])

    base = door.settled_memory()
    door.many([("SET", f"k{i}", "x" * 1000) for i in range(20_000)])
    full = used()
    assert 17_000_000 < full - base < 32_000_000
    door("FLUSHALL", "SYNC")
    until(lambda: used() < base + 5_000_000, "memory has been given back")


def test_lolwut(door: Door) -> None:
    raw = door.raw("LOLWUT")
    assert raw.startswith(b"=" if door.protocol == 3 else b"$")
    assert b"7.0." in door("LOLWUT")
    assert b"7.0." in door("LOLWUT", "VERSION", "5", "10", "2", "2")
    assert isinstance(door("LOLWUT", "VERSION", "99"), bytes)
    assert door("LOLWUT", "VERSION", "x") == "ERR value is not an integer or out of range"


# ---------------------------------------------------------------- SHUTDOWN


@pytest.mark.sockets
@pytest.mark.once
@pytest.mark.parametrize(
    "words", [(), ("NOSAVE",), ("SAVE",), ("NOSAVE", "NOW", "FORCE"), ("nosave",)]
)
def test_shutdown(door: Door, private: Callable[..., Server], words: tuple[str, ...]) -> None:
    server = private()
    conn, other = server.connect(), server.connect()
    assert other.call("SET", "k", "v") == "OK"
    conn.send(encode("SHUTDOWN", *words))
    assert conn.read_to_end() == b""
    assert other.read_to_end() == b""
    assert server.wait_exit() == 0
    conn.close()
    other.close()


@pytest.mark.sockets
def test_shutdown_errors(door: Door) -> None:
    door.check("""
        SHUTDOWN nope            -> -ERR syntax error
        SHUTDOWN SAVE NOSAVE     -> -ERR syntax error
        SHUTDOWN ABORT           -> -ERR No shutdown in progress.
        SHUTDOWN ABORT NOW       -> -ERR syntax error
        PING                     -> +PONG
    """)
