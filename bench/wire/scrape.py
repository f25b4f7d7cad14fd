"""Measures a scrape of /metrics: how long it takes, and what clients notice. See bench/README.md.

Every command that can be is called first, so that a page is as long as it ever gets: calls, run
times, percentiles and histograms of all of them.

Examples:
  python bench/wire/scrape.py                 200 scrapes while nothing else happens
  python bench/wire/scrape.py --scrapes 1000
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import sys
import time
from typing import Any

from run import table_text
from servers import BenchError, Client, Server, ServerError, free_port

# They end the connection or the server, wait, or change what the replies look like.
LEFT_OUT = set(
    """shutdown quit monitor subscribe psubscribe ssubscribe reset hello auth debug client|kill
    client|reply client|pause wait waitaof config|resetstat config|set acl|setuser acl|deluser
    blpop brpop brpoplpush blmove blmpop bzpopmin bzpopmax bzmpop multi exec""".split()
)
ROUNDS = 50  # of all commands: run times differ, histograms fill up


def words_of(name: str, arity: int) -> list[str]:
    """As many as it takes at least; they may well be wrong: a call that failed counts, too."""
    words = name.split("|")
    return words + [f"k:{name}"] * (abs(arity) > len(words)) + ["1"] * (abs(arity) - len(words) - 1)


def calls_of(client: Client) -> list[list[str]]:
    calls = []
    for row in client.ask("COMMAND"):  # type: ignore[attr-defined]
        for name, arity in [row[:2], *(sub[:2] for sub in row[9])]:
            if name.decode() not in LEFT_OUT and not (row[9] and name == row[0]):
                calls.append(words_of(name.decode(), arity))
    return calls


def call_all(client: Client) -> int:
    """Returns how many commands have a histogram then."""
    for words in calls_of(client) * ROUNDS:
        try:
            client.ask(*words)
        except ServerError:
            pass
    histograms = client.ask("LATENCY", "HISTOGRAM")
    assert isinstance(histograms, list)
    return len(histograms) // 2


def fetch(connection: http.client.HTTPConnection) -> tuple[float, bytes]:
    began = time.perf_counter()
    connection.request("GET", "/metrics")
    reply = connection.getresponse()
    page = reply.read()
    if reply.status != 200 or b"\nredis_up 1\n" not in page:
        raise BenchError(f"/metrics: {reply.status} {page[:200]!r}")
    return time.perf_counter() - began, page


def gap_us(server: Server) -> str:
    """The longest time that a loop has kept itself from polling since the start."""
    return server.info()["rustypotato_loop_gap_max_usec"]


def measure(server: Server, port: int, scrapes: int) -> dict[str, Any]:
    with Client(server.port) as client:
        histograms = call_all(client)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        _, page = fetch(connection)
        gap = gap_us(server)
        before = server.cpu_s()
        took = sorted(fetch(connection)[0] * 1e3 for _ in range(scrapes))
        cpu_ms = (server.cpu_s() - before) * 1e3 / scrapes
    finally:
        connection.close()
    return {
        "histograms": histograms,
        "lines": page.count(b"\n"),
        "KiB": round(len(page) / 1024),
        "ms, median": round(statistics.median(took), 2),
        "ms, 99 %": round(took[int(len(took) * 0.99)], 2),
        "server CPU ms": round(cpu_ms, 2),
        "longest gap of the loop before, us": gap,
        "and after": gap_us(server),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scrapes", type=int, default=200)
    parser.add_argument("--markdown", action="store_true")
    args = parser.parse_args()
    port = free_port()
    try:
        with Server("rustypotato", flags=["--metrics-port", str(port)]) as server:
            row = measure(server, port, max(1, args.scrapes))
    except BenchError as error:
        print(f"scrape.py: {error}", file=sys.stderr)
        return 1
    print(table_text([row], args.markdown))
    return 0


if __name__ == "__main__":
    sys.exit(main())
