"""The dashboard: its data, its page, and the page in headless Chromium."""

from __future__ import annotations

import html.parser
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from monitor_client import Monitored, fetch, stats

import rustypotato
from rustypotato.monitor import history, reading
from tools.wait import SCALE, until

pytestmark = pytest.mark.ours("RustyPotato's own port")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def page_of(server: Monitored) -> str:
    return fetch(server.metrics_port, "/").body.decode()


# ---------------------------------------------------------------- the data


def test_stats_tell_what_was_done(monitored: Monitored) -> None:
    with monitored.connect() as conn:
        conn.call("FLUSHALL")
        for number in range(50):
            conn.call("SET", f"k{number}", "v", "EX", "1000")
    until(lambda: stats(monitored.metrics_port)["seq"] >= 2, "two samples")
    got = until(
        lambda: (
            (s := stats(monitored.metrics_port))["keyspace"][:1]
            and s["keyspace"][0]["keys"] == 50
            and s
        ),
        "a sample after the writes",
    )
    assert got["keyspace"][0]["expires"] == 50
    (command,) = [one for one in got["commands"] if one["name"] == "set"]
    assert command["calls"] >= 50 and command["failed"] == 0
    assert got["not_ready"] is None
    assert got["persistence"]["aof_enabled"] == 1
    assert got["server"]["tcp_port"] == monitored.port
    assert all(len(row) == len(got["fields"]) for row in got["rows"])
    assert got["rows"][-1][got["fields"].index("keys")] == 50


def test_no_row_falls_between_the_count_and_the_rows() -> None:
    """A row that comes as soon as the lock is free: the reader counts it later, with its data."""
    kept = history.History(lambda: None)

    class Lock:
        def __enter__(self) -> None:
            pass

        def __exit__(self, *exc: object) -> None:
            kept._rows.append((1.0,))
            kept._count += 1

    kept._lock = Lock()  # type: ignore[assignment]
    try:
        seen, rows = kept.since(0)
        assert (seen, rows) == (0, [])
        seen, rows = kept.since(seen)
        assert (seen, len(rows)) == (1, 1)
    finally:
        kept.close()


def test_only_new_rows_are_sent(monitored: Monitored) -> None:
    first = stats(monitored.metrics_port)
    assert len(first["rows"]) == min(first["seq"], history.SAMPLES_MAX)
    later = until(
        lambda: (s := stats(monitored.metrics_port, first["seq"]))["rows"] and s, "a new row"
    )
    assert len(later["rows"]) == later["seq"] - first["seq"] <= 2


class Fake:
    """A Moment source whose counters grow by a known step."""

    def __init__(self) -> None:
        self.turn = 0

    def __call__(self) -> reading.Moment:
        self.turn += 1
        n = self.turn
        info = reading.Info(
            f"total_commands_processed:{100 * n}\r\nused_memory:{n}\r\n"
            f"cmdstat_get:calls={100 * n},usec={250 * n},usec_per_call=2.5\r\n"
        )
        counts = [(1.0, 50 * n), (2.0, 99 * n), (1024.0, 100 * n)]
        return reading.Moment(2.0 * n, info, info.commands(), {"get": (100 * n, counts)})


def test_the_ring_is_bounded_and_counts_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "EVERY_S", 0.0001)
    kept = history.History(Fake())
    try:
        until(lambda: kept.since(0)[0] > history.SAMPLES_MAX + 20, "the ring has gone round", 60)
    finally:
        kept.close()
    count, rows = kept.since(0)
    assert len(rows) == history.SAMPLES_MAX
    assert len(kept.since(count - 5)[1]) == 5
    assert kept.since(count)[1] == []
    assert len(kept.since(count + 1)[1]) == history.SAMPLES_MAX  # of another life of the server
    row = dict(zip(history.FIELDS, rows[-1], strict=True))
    assert (row["ops"], row["mean_usec"]) == (50.0, 2.5)
    assert row["p50_usec"] == pytest.approx(1.0)
    assert row["p99_usec"] == pytest.approx(2.0)


def test_quantiles_lie_inside_their_bucket() -> None:
    empty, full = Fake(), Fake()
    before, after = empty(), full()
    none = reading.quantiles(before, after, (0.5, 0.99))
    assert none == [None, None]
    after = full()
    half, almost, last = reading.quantiles(before, after, (0.25, 0.995, 1.0))
    assert 0 < half < 1.0 and 512 < almost < 1024 and last == 1024


def test_rates_after_a_reset_are_not_negative() -> None:
    fake = Fake()
    before, after = fake(), fake()
    back = reading.Moment(after.at + 1, before.info, before.commands, before.histograms)
    assert reading.rate(after, back, "total_commands_processed") == 0
    assert reading.command_rates(after, back) == {}


# ---------------------------------------------------------------- the page


class Assets(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("src", "href", "srcset", "action", "data", "poster"):
                inside = (value or "").startswith("data:") or tag == "a"
                self.outside += [] if inside else [f"{tag} {name}={value}"]
            assert name != "style" and not name.startswith("on"), f"the policy stops {name}"


def test_the_page_loads_nothing_from_elsewhere(monitored: Monitored) -> None:
    page, assets = page_of(monitored), Assets()
    assets.feed(page)
    assert assets.outside == []
    assert "@import" not in page and "url(" not in page
    assert set(re.findall(r"https?://[^'\"\s]+", page)) == {"http://www.w3.org/2000/svg"}
    for unsafe in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert unsafe not in page


def test_the_policy_allows_the_pages_own_script_alone(monitored: Monitored) -> None:
    policy = fetch(monitored.metrics_port, "/").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy and "*" not in policy


# ---------------------------------------------------------------- in a browser


def chromium(tmp_path: Path, *flags: str) -> str:
    """Runs headless Chromium to its end; returns standard output."""
    assert CHROMIUM
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += ["--no-first-run", "--disable-extensions", "--disable-background-networking"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", *flags]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=80 * SCALE, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def busy(monitored: Monitored) -> Iterator[Monitored]:
    """With commands under way, and data that would be markup if it were not text."""
    stop = threading.Event()

    def work() -> None:
        with monitored.connect() as conn:
            conn.call("CLIENT", "SETNAME", "<b>bold</b>")
            while not stop.wait(0.01):
                for number in range(20):
                    conn.call("SET", f"k{number}", "v")
                    conn.call("GET", f"k{number}")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        until(lambda: len(stats(monitored.metrics_port)["rows"]) >= 4, "a few samples")
        yield monitored
    finally:
        stop.set()
        thread.join()


needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="chromium is not installed (Debian package chromium)"
)


@needs_chromium
@pytest.mark.timeout(180 * SCALE)
def test_the_page_shows_the_numbers_in_a_browser(busy: Monitored, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{busy.metrics_port}/"
    dom = chromium(tmp_path, "--virtual-time-budget=6000", "--dump-dom", url)
    assert re.search(r'data-polled="\d+"', dom), "the page never had its data"
    assert re.search(r'<span class="pill good"[^>]*>ready</span>', dom)
    assert f"port {busy.port}" in dom
    assert re.search(r'<td class="name">set</td>', dom)
    ops = dom[dom.index('id="ops"') : dom.index('id="latency"')]
    assert re.search(r'<path d="M[\d.]+,[\d.]+L', ops), "no line is drawn"
    assert "&lt;b&gt;bold&lt;/b&gt;" in dom and "<b>bold</b>" not in dom


@needs_chromium
@pytest.mark.timeout(180 * SCALE)
def test_the_page_can_be_seen(busy: Monitored, tmp_path: Path) -> None:
    """A screenshot is no single colour: style and script were let through by the policy."""
    url, picture = f"http://127.0.0.1:{busy.metrics_port}/", tmp_path / "page.png"
    chromium(
        tmp_path,
        "--virtual-time-budget=6000",
        "--window-size=1280,1180",
        f"--screenshot={picture}",
        url,
    )
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert picture.stat().st_size > 60_000  # one colour compresses to a tenth of that


@needs_chromium
@pytest.mark.timeout(180 * SCALE)
def test_the_page_says_when_the_server_is_not_ready(tmp_path: Path) -> None:
    with rustypotato.Store() as store:
        monitor = store.serve_metrics()
        monitor.stopping()
        dom = chromium(tmp_path, "--virtual-time-budget=4000", "--dump-dom", monitor.url)
    assert re.search(r'<span class="pill bad"[^>]*>stopping</span>', dom)
