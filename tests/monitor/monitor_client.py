"""HTTP for the tests of the monitoring port: whole requests, and raw bytes."""

from __future__ import annotations

import base64
import http.client
import json
import socket
from pathlib import Path
from typing import Any, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from tools.servers import Server, free_port
from tools.wait import SCALE, until

RECORD = Path(__file__).with_name("redis_exporter_names.txt")


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def fetch(
    port: int,
    path: str,
    auth: str | None = None,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    timeout_s: float = 30,
) -> Reply:
    headers = dict(headers or {})
    if auth is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(auth.encode()).decode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s * SCALE)
    try:
        connection.request(method, path, headers=headers)
        reply = connection.getresponse()
        return Reply(reply.status, dict(reply.getheaders()), reply.read())
    finally:
        connection.close()


def raw(port: int, data: bytes, timeout_s: float = 30) -> bytes:
    """Sends bytes and reads until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout_s * SCALE) as sock:
        out = b""
        try:
            sock.sendall(data)
            while chunk := sock.recv(65536):
                out += chunk
        except ConnectionError:
            pass  # it was cut while we still sent
        return out


def status_of(reply: bytes) -> int:
    return int(reply.split(b" ", 2)[1])


def metrics(port: int, auth: str | None = None) -> dict[str, Any]:
    """The families of /metrics by name, as prometheus_client reads them."""
    reply = fetch(port, "/metrics", auth)
    assert reply.status == 200, reply
    return families_of(reply.body.decode())


def families_of(page: str) -> dict[str, Any]:
    return {one.name: one for one in text_string_to_metric_families(page)}


def samples(families: dict[str, Any]) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by its name and sorted labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families.values()
        for sample in family.samples
    }


def value(port: int, name: str, **labels: str) -> float | None:
    return samples(metrics(port)).get((name, tuple(sorted(labels.items()))))


def stats(port: int, since: int = 0) -> dict[str, Any]:
    reply = fetch(port, f"/api/stats?since={since}")
    assert reply.status == 200, reply
    return json.loads(reply.body)


class Monitored(Server):
    """A RustyPotato server with a monitoring port."""

    def __init__(self, **settings: object) -> None:
        self.metrics_port = free_port()
        super().__init__("rustypotato", metrics_port=self.metrics_port, **settings)

    def wait_monitor(self) -> Monitored:
        def answers() -> bool:
            assert self.alive(), self.log_tail()
            try:
                return fetch(self.metrics_port, "/healthz").status in (200, 503)
            except OSError:
                return False

        until(answers, "the monitoring port answers")
        return self


def record() -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, set[str]]], list[str]]:
    """(field of INFO -> (type, metric), metric -> (type, labels), names dashboards ask for).

    prometheus_client ends the name of every counter in _total: so does this.
    """
    fields: dict[str, tuple[str, str]] = {}
    labelled: dict[str, tuple[str, set[str]]] = {}
    asked: list[str] = []
    for line in RECORD.read_text().splitlines():
        words = line.split()
        if words[:1] == ["field"]:
            total = words[2] == "counter" and not words[3].endswith("_total")
            fields[words[1]] = (words[2], words[3] + "_total" * total)
        elif words[:1] == ["label"]:
            labelled[words[1]] = (words[2], set() if words[3] == "-" else set(words[3].split(",")))
        elif words[:1] == ["dashboard"]:
            asked.append(words[1])
    return fields, labelled, asked
