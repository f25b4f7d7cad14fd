"""LATENCY: the monitor of events, the histograms of commands; INFO latencystats."""

from __future__ import annotations

import re

import pytest

from tools.doors import Door
from tools.resp import as_dict
from tools.wait import until


def spike(door: Door, seconds: float = 0.03) -> None:
    door.config("latency-monitor-threshold", 20)
    door("LATENCY", "RESET")
    door("DEBUG", "SLEEP", seconds)


def test_a_slow_command_is_an_event(door: Door) -> None:
    spike(door)
    now = int(door("TIME")[0])
    [[name, time_s, last_ms, max_ms]] = door("LATENCY", "LATEST")
    assert name == b"command" and abs(now - time_s) <= 2
    assert 30 <= last_ms <= max_ms < 5000
    assert door("LATENCY", "HISTORY", "command") == [[time_s, last_ms]]
    assert door("LATENCY", "HISTORY", "fast-command") == []
    assert door("LATENCY", "HISTORY", "nope") == []


def test_a_second_keeps_its_worst_and_the_history_is_ordered(door: Door) -> None:
    spike(door)
    times = set()

    def third_second() -> bool:
        door("DEBUG", "SLEEP", 0.025)
        door("DEBUG", "SLEEP", 0.06)
        times.add(int(door("TIME")[0]))
        return len(times) > 2

    until(third_second, "three seconds have spikes")
    history = door("LATENCY", "HISTORY", "command")
    stamps = [t for t, _ in history]
    assert stamps == sorted(set(stamps)) and len(stamps) >= 3
    assert all(ms >= 60 for _, ms in history[1:-1])


def test_reset_counts_the_events_it_forgets(door: Door) -> None:
    spike(door)
    assert door("LATENCY", "RESET", "nope", "fork") == 0
    assert door("LATENCY", "RESET", "command", "command") == 1
    assert door("LATENCY", "LATEST") == []
    door("DEBUG", "SLEEP", 0.03)
    assert door("LATENCY", "RESET") == 1
    assert door("LATENCY", "RESET") == 0


def test_nothing_is_kept_while_the_monitor_is_off(door: Door) -> None:
    spike(door)
    door.config("latency-monitor-threshold", 0)
    door("LATENCY", "RESET")
    door("DEBUG", "SLEEP", 0.03)
    assert door("LATENCY", "LATEST") == []


def test_graph_and_doctor(door: Door) -> None:
    door.check("""
        LATENCY GRAPH nope    -> -ERR No samples available for event 'nope'
        LATENCY GRAPH         -> -ERR wrong number of arguments for 'latency|graph' command
        LATENCY LATEST 1      -> -ERR wrong number of arguments for 'latency|latest' command
        LATENCY nope          -> -ERR unknown subcommand 'nope'. Try LATENCY HELP.
    """)
    door("LATENCY", "RESET")
    assert b"latency-monitor-threshold" in door("LATENCY", "DOCTOR")
    spike(door)
    lines = door("LATENCY", "GRAPH", "command").decode().splitlines()
    high, low, ever = map(
        int,
        re.fullmatch(
            r"command - high (\d+) ms, low (\d+) ms \(all time high (\d+) ms\)", lines[0]
        ).groups(),  # type: ignore[union-attr]
    )
    assert 30 <= low <= high <= ever
    assert lines[1] == "-" * 80 and set("".join(lines[2:])) & set("#o_")
    report = door("LATENCY", "DOCTOR").decode()
    assert "command" in report and "SLOWLOG" in report.upper()
    assert {"DOCTOR", "LATEST", "HELP"} <= set(door("LATENCY", "HELP"))


def test_histograms_count_calls_up_to_a_time(door: Door) -> None:
    door("CONFIG", "RESETSTAT")
    for i in range(40):
        door("SET", f"k{i}", "v")
    door("DEBUG", "SLEEP", 0.02)
    door("CONFIG", "GET", "hz")
    found = as_dict(door("LATENCY", "HISTOGRAM", "set", "debug", "config|get", "nope"))
    assert set(found) == {b"set", b"debug", b"config|get"}
    sets = as_dict(found[b"set"])
    assert set(sets) == {b"calls", b"histogram_usec"}
    steps = list(as_dict(sets[b"histogram_usec"]).items())
    if not door.is_embedded:  # where quick commands are sampled
        assert sets[b"calls"] == 40
    assert steps == sorted(steps) and steps[-1][1] == sets[b"calls"]
    powers = [2**k for k in range(10, 37)]
    names = {(p + p // 128 - 1) // 1000 for p in powers}
    assert {us for us, _ in steps} <= names
    [(us, n)] = as_dict(as_dict(found[b"debug"])[b"histogram_usec"]).items()
    assert n == 1 and us >= 33816
    everything = as_dict(door("LATENCY", "HISTOGRAM"))
    assert {b"set", b"debug", b"config|get"} <= set(everything)
    whole = as_dict(door("LATENCY", "HISTOGRAM", "config"))
    assert {b"config|get", b"config|resetstat"} >= set(whole) >= {b"config|get"}
    door("CONFIG", "RESETSTAT")
    assert b"set" not in as_dict(door("LATENCY", "HISTOGRAM"))


def test_info_latencystats_has_the_percentiles_asked_for(door: Door) -> None:
    door("CONFIG", "RESETSTAT")
    door.config("latency-tracking-info-percentiles", "0 50 99.9 100")
    for _ in range(9):
        door("DEBUG", "SLEEP", 0.002)
    door("DEBUG", "SLEEP", 0.05)
    line = door.info("latencystats")["latency_percentiles_usec_debug"]
    match = re.fullmatch(
        r"p0=(\d+\.\d{3}),p50=(\d+\.\d{3}),p99\.9=(\d+\.\d{3}),p100=(\d+\.\d{3})", line
    )
    assert match, line
    p0, p50, p999, p100 = map(float, match.groups())
    assert 2000 <= p0 <= p50 < 50_000 <= p999 == p100
    door.config("latency-tracking-info-percentiles", "")
    assert door.info("latencystats")["latency_percentiles_usec_debug"] == ""
    door.config("latency-tracking", "no")
    assert door.info("latencystats") == {}


def test_nothing_is_tracked_while_tracking_is_off(door: Door) -> None:
    door.config("latency-tracking", "no")
    door("CONFIG", "RESETSTAT")
    door("DEBUG", "SLEEP", 0.001)
    door.config("latency-tracking", "yes")
    assert b"debug" not in as_dict(door("LATENCY", "HISTOGRAM"))


@pytest.mark.sockets
def test_making_room_and_expiring_are_events(door: Door) -> None:
    """The two things the server does for a command or by itself that may take long."""
    door.config("latency-monitor-threshold", 1)
    door("LATENCY", "RESET")
    door.config("active-expire-effort", 10)
    value = "x" * 64

    def expired_in_one_go() -> bool:
        door.many([("SET", f"e{i}", value, "PX", 1) for i in range(30_000)])
        return any(e[0] == b"expire-cycle" for e in door("LATENCY", "LATEST"))

    until(expired_in_one_go, "an expire cycle takes a millisecond")


@pytest.mark.sockets
def test_making_much_room_for_one_value_is_an_event(door: Door) -> None:
    door.config("latency-monitor-threshold", 1)
    door("LATENCY", "RESET")
    for start in range(0, 40_000, 2000):
        door.many([("SET", f"k{i}", "x" * 100) for i in range(start, start + 2000)])
    used = door.settled_memory()
    door.config("maxmemory-policy", "allkeys-random")
    door.config("maxmemory-eviction-tenacity", 100)
    door.config("maxmemory", used - 4_000_000)
    assert door("SET", "big", "v") == "OK"
    events = {e[0]: e for e in door("LATENCY", "LATEST")}
    assert b"eviction-cycle" in events and events[b"eviction-cycle"][3] >= 1
    assert int(door.info("stats")["evicted_keys"]) > 1000
