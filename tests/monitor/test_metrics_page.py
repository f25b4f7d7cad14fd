"""/metrics: prometheus_client reads it, and names, types, labels and values are redis_exporter's."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from monitor_client import Monitored, families_of, fetch, metrics, record, samples, value

import rustypotato
from rustypotato.monitor import exposition, reading
from rustypotato.tools.wire import Address, Client
from tools.resp import info_fields
from tools.servers import Server, free_port
from tools.wait import SCALE, until

pytestmark = pytest.mark.ours("RustyPotato's own port")
# Of those in the record that go up and down by themselves.
UNSTEADY = re.compile(r"memory|mem_|rss|alloc|frag|_ratio|clients|aof_[bcp]|_per_sec|_duration")


def info_of(server: Monitored) -> dict[str, str]:
    with server.connect() as conn:
        return info_fields(conn.call("INFO", "all"))


def base_name(sample: str) -> str:
    return re.sub(r"_(bucket|sum|count)$", "", sample)


def test_content_type_is_prometheus_text(monitored: Monitored) -> None:
    reply = fetch(monitored.metrics_port, "/metrics")
    assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


def unrecorded(page: str) -> list[object]:
    """Samples of a page whose name, type or labels are not in the record."""
    fields, labelled, _ = record()
    known: dict[str, tuple[str, set[str]]] = {name: (kind, set()) for kind, name in fields.values()}
    known |= labelled
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE))
    wrong: list[object] = []
    for name, labels in samples(families_of(page)):
        metric = name if name in types else base_name(name)
        if metric.startswith("rustypotato_") or metric == "redis_memory_fragmentation_ratio":
            continue
        kind = types.get(metric) or types.get(metric.removesuffix("_total"))
        found = kind, {label for label, _ in labels} - {"le", "quantile"}
        if metric not in known or found != known[metric]:
            wrong.append((metric, found, known.get(metric)))
    return wrong


def test_every_name_type_and_label_is_in_the_record(monitored: Monitored) -> None:
    assert unrecorded(fetch(monitored.metrics_port, "/metrics").body.decode()) == []


@pytest.fixture
def page_of_redis() -> Iterator[str]:
    """What the exporter makes of a redis-server, over a connection."""
    settings = {"slowlog_log_slower_than": 0, "latency_monitor_threshold": 1}
    with Server("redis", enable_debug_command="yes", **settings) as server:
        with server.connect() as conn:
            for number in range(100):
                conn.call("SET", f"k{number}", "v", "EX", "1000")
            conn.call("DEBUG", "SLEEP", "0.02")
            conn.call("INCR", "k1")
        with Client(Address(port=server.port)) as client:
            call = reading.Call(client.call)
            yield exposition.Exporter().scrape(lambda: nullcontext(call)).decode()


def test_a_redis_server_gives_the_recorded_names_too(page_of_redis: str) -> None:
    assert unrecorded(page_of_redis) == []
    found = samples(families_of(page_of_redis))
    names = {base_name(name) for name, _ in found} | {name for name, _ in found}
    assert [name for name in record()[1] if name not in names] == []


def test_run_times_become_a_histogram_and_a_summary(page_of_redis: str) -> None:
    found = samples(families_of(page_of_redis))
    name, command = "redis_commands_latencies_usec", ("cmd", "set")
    buckets = {
        float(dict(labels)["le"]): count
        for (sample, labels), count in found.items()
        if sample == f"{name}_bucket" and command in labels
    }
    counts = [count for _, count in sorted(buckets.items())]
    assert counts == sorted(counts) and counts[-1] == buckets[float("inf")] == 100
    assert found[f"{name}_count", (command,)] == 100
    spent = found["redis_commands_duration_seconds_total", (command,)]
    assert found[f"{name}_sum", (command,)] == pytest.approx(spent * 1e6)
    percentiles = [
        dict(labels)["quantile"]
        for sample, labels in found
        if sample == "redis_latency_percentiles_usec" and command in labels
    ]
    assert percentiles == ["50", "99", "99.9"]
    assert found["redis_latency_spike_duration_seconds", (("event_name", "command"),)] >= 0.02
    assert found["redis_slowlog_length", ()] >= 100
    assert found["redis_last_slow_execution_duration_seconds", ()] >= 0


def test_every_recorded_field_that_info_has_is_a_metric(monitored: Monitored) -> None:
    info, found = info_of(monitored), samples(metrics(monitored.metrics_port))
    fields, labelled, _ = record()
    missing = [
        (field, metric)
        for field, (_, metric) in fields.items()
        if field in info and (metric, ()) not in found
    ]
    assert not missing
    names = {base_name(name) for name, _ in found} | {name for name, _ in found}
    # Those that come with slow commands, errors and latency tracking only, and after keys.
    later = {"latency_spike", "latencies", "percentiles", "errors_total", "avg_ttl", "slow"}
    assert not [
        name for name in labelled if name not in names and not any(word in name for word in later)
    ]


def test_values_are_those_of_info(monitored: Monitored) -> None:
    with monitored.connect() as conn:
        for number in range(20):
            conn.call("SET", f"k{number}", "v")
            conn.call("GET", f"k{number}")
        conn.call("GET", "none")
    before = info_of(monitored)
    found = samples(metrics(monitored.metrics_port))
    after = info_of(monitored)
    states = {"ok": 1.0, "err": 0.0}
    for field, (_, metric) in record()[0].items():
        if field in before and not UNSTEADY.search(metric):
            least, most = (
                states[v] if v in states else float(v) for v in (before[field], after[field])
            )
            assert least <= found[metric, ()] <= most, field
    assert found["redis_keyspace_hits_total", ()] >= 20
    assert found["redis_commands_total", (("cmd", "set"),)] >= 20
    assert found["redis_db_keys", (("db", "db0"),)] >= 20
    assert found["redis_db_keys", (("db", "db15"),)] == 0
    assert found["redis_up", ()] == 1
    assert found["rustypotato_ready", ()] == 1


def test_every_name_that_the_dashboards_ask_for_is_there(monitored: Monitored) -> None:
    found = {name for name, _ in samples(metrics(monitored.metrics_port))}
    assert [name for name in record()[2] if name not in found] == []


def test_errors_and_expiring_keys_have_their_labels(monitored: Monitored) -> None:
    with monitored.connect() as conn:
        conn.call("SET", "words", "x", "EX", "100")
        conn.call("LPUSH", "words", "x")
    found = samples(metrics(monitored.metrics_port))
    assert found["redis_errors_total", (("err", "WRONGTYPE"),)] >= 1
    assert found["redis_commands_failed_calls_total", (("cmd", "lpush"),)] >= 1
    assert found["redis_db_keys_expiring", (("db", "db0"),)] == 1
    assert 0 < found["redis_db_avg_ttl_seconds", (("db", "db0"),)] <= 100


def test_instance_info_carries_the_identity(monitored: Monitored) -> None:
    info = info_of(monitored)
    families = metrics(monitored.metrics_port)
    (sample,) = families["redis_instance_info"].samples
    assert sample.value == 1
    for label in ("role", "redis_version", "tcp_port", "run_id", "process_id"):
        assert sample.labels[label] == info[label]


def test_a_scrape_asks_no_client_connection(monitored: Monitored) -> None:
    before = value(monitored.metrics_port, "redis_connections_received_total")
    after = value(monitored.metrics_port, "redis_connections_received_total")
    assert before == after
    assert value(monitored.metrics_port, "redis_connected_clients") == 0


def test_a_refused_command_is_asked_for_once(monitored: Monitored) -> None:
    """What the engine lacks must not count as a new error with every scrape."""
    name = "redis_total_error_replies_total"  # as prometheus_client calls it
    assert value(monitored.metrics_port, "redis_up") == 1
    before = value(monitored.metrics_port, name)
    assert before is not None
    for _ in range(3):
        assert value(monitored.metrics_port, name) == before


def test_a_scrape_costs_less_than_5_ms_of_processor_time(monitored: Monitored) -> None:
    scrapes = 200
    for _ in range(20):
        fetch(monitored.metrics_port, "/metrics")
    before = monitored.cpu_s()
    for _ in range(scrapes):
        fetch(monitored.metrics_port, "/metrics")
    used = (monitored.cpu_s() - before) / scrapes
    assert used < 0.005 * SCALE, f"{used * 1e3:.2f} ms"


def test_prometheus_itself_scrapes_it(monitored: Monitored, tmp_path: Path) -> None:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not installed (Debian package prometheus)")
    port = free_port()
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s}\n"
        "scrape_configs:\n"
        "  - job_name: redis\n"
        f"    static_configs: [{{targets: ['127.0.0.1:{monitored.metrics_port}']}}]\n"
    )
    command = [program, f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with subprocess.Popen(command, cwd=tmp_path) as process:
        try:

            def scraped() -> bool:
                assert process.poll() is None, "prometheus ended"
                query = "/api/v1/query?query=redis_commands_total%7Bcmd%3D%22info%22%7D"
                try:
                    reply = fetch(port, query)
                except OSError:
                    return False
                return reply.status == 200 and b'"cmd":"info"' in reply.body

            until(scraped, "prometheus has the commands", 30)
            up = fetch(port, "/api/v1/query?query=redis_up").body
            assert b'"1"]' in up
        finally:
            process.terminate()
            process.wait(20 * SCALE)


def test_many_empty_databases_do_not_make_a_long_page() -> None:
    with rustypotato.Store(databases=200) as store:
        store.execute("SELECT", 199)
        store.set("k", "v")
        monitor = store.serve_metrics()
        page = fetch(monitor.port, "/metrics").body
        assert b'redis_db_keys{db="db199"} 1\n' in page
        assert page.count(b"redis_db_keys{") == exposition.EMPTY_DATABASES_MAX + 1


def test_numbers_are_written_whole_and_exact() -> None:
    from rustypotato.monitor.exposition import Writer

    out = Writer()
    out.single("a", "gauge", "about.", 12345678901234)
    out.single("b", "gauge", "about.", 0.1, {"l": 'quote " slash \\ line\n'})
    assert out.bytes() == (
        b"# HELP a about.\n# TYPE a gauge\na 12345678901234\n"
        b'# HELP b about.\n# TYPE b gauge\nb{l="quote \\" slash \\\\ line\\n"} 0.1\n'
    )


def test_uptime_grows_and_the_start_stands_still(monitored: Monitored) -> None:
    start = value(monitored.metrics_port, "redis_start_time_seconds")
    assert start is not None and abs(start - time.time()) < 300 * SCALE
