"""What the monitoring port answers: /metrics, /healthz, /readyz, the dashboard and its data."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import re
from pathlib import Path
from typing import Any, Callable
from urllib.parse import parse_qs

from .. import _core
from ..errors import RustyPotatoError
from . import exposition, history, reading
from .asker import Asker, StoreBusy
from .http import Request, Response, text
from .reading import Info

COMMANDS_SHOWN = 40
CLIENTS_SHOWN = 32
CLIENTS_LISTED_MAX = 256  # with more connections the list is left out: it would be long to make
WORDS_SHOWN, WORD_SHOWN = 16, 128
_HTML = "text/html; charset=utf-8"
_JSON = "application/json"
_PERSISTENCE = (
    "loading loading_loaded_perc aof_enabled aof_current_size aof_base_size aof_buffer_length "
    "aof_rewrite_in_progress aof_last_write_status aof_last_bgrewrite_status aof_delayed_fsync "
    "aof_pending_bio_fsync rdb_bgsave_in_progress rdb_changes_since_last_save rdb_last_save_time "
    "rdb_last_bgsave_status rdb_last_bgsave_time_sec current_fork_perc"
).split()
_SERVER = (
    "redis_version rustypotato_version redis_mode role os process_id tcp_port uptime_in_seconds "
    "run_id rustypotato_loops"
).split()
_MEMORY = (
    "used_memory used_memory_rss used_memory_peak used_memory_dataset used_memory_overhead "
    "maxmemory maxmemory_policy mem_fragmentation_ratio rustypotato_epoch_waiting_bytes"
).split()
_CLIENT = ("id", "addr", "name", "age", "idle", "db", "cmd", "tot-mem", "user")


class Password:
    """user:password of basic authentication, kept as a hash, compared in constant time."""

    def __init__(self, user_password: str) -> None:
        self._digest = hashlib.sha256(user_password.encode()).digest()

    def matches(self, header: str) -> bool:
        kind, _, encoded = header.partition(" ")
        try:
            given = base64.b64decode(encoded.strip(), validate=True)
        except ValueError:
            given = b""
        same = hmac.compare_digest(hashlib.sha256(given).digest(), self._digest)
        return same and kind.lower() == "basic"


def _is_address(host: str) -> bool:
    """Whether a Host header names no name: then no foreign name leads a browser here."""
    name = re.sub(r":\d+$", "", host.strip())
    if name.lower() == "localhost":
        return True
    try:
        ipaddress.ip_address(name.strip("[]"))
        return True
    except ValueError:
        return False


def _policy(page: str) -> str:
    """Content-Security-Policy: the page's own style and script, and its own data; nothing else."""

    def hashes(tag: str) -> str:
        inner = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digests = (hashlib.sha256(part.encode()).digest() for part in inner)
        return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)

    return (
        f"default-src 'none'; script-src {hashes('script')}; style-src {hashes('style')}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def _picked(info: Info, names: list[str]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name in names:
        if name in info.fields:
            value = info.text(name)
            figure = None if name.endswith(("version", "run_id")) else reading.number(value)
            out[name] = value if figure is None else figure
    return out


class Pages:
    """answer() is what HttpServer calls, from many threads.

    Attributes:
        stopping: set it, and /readyz says so.
    """

    def __init__(self, asker: Asker, user_password: str | None) -> None:
        self.stopping = False
        self._asker = asker
        self._password = Password(user_password) if user_password else None
        self._exporter = exposition.Exporter()
        self.history = history.History(self._moment)
        page = Path(__file__).with_name("dashboard.html").read_text(encoding="utf-8")
        self._dashboard = Response(
            200, page.encode(), _HTML, (("Content-Security-Policy", _policy(page)),)
        )
        self._open: dict[str, Callable[[Request], Response]] = {
            "/healthz": self._healthz,
            "/readyz": self._readyz,
        }
        self._guarded: dict[str, Callable[[Request], Response]] = {
            "/": lambda request: self._dashboard,
            "/metrics": self._metrics,
            "/api/stats": self._stats,
        }

    def close(self) -> None:
        self.history.close()
        self._asker.close()

    def answer(self, request: Request) -> Response:
        page = self._open.get(request.path)
        if page is not None:
            return page(request)
        refused = self._refused(request)
        if refused is not None:
            return refused
        page = self._guarded.get(request.path)
        if page is None:
            return text(404, "there are /, /metrics, /healthz and /readyz")
        try:
            return page(request)
        except RustyPotatoError as error:
            return text(503, str(error))
        except Exception as error:
            return text(500, f"a mistake in RustyPotato: {type(error).__name__}: {error}")

    def _refused(self, request: Request) -> Response | None:
        if self._password is not None:
            if self._password.matches(request.headers.get("authorization", "")):
                return None
            challenge = 'Basic realm="rustypotato", charset="UTF-8"'
            return text(401, "user and password are asked for", ("WWW-Authenticate", challenge))
        if request.local and not _is_address(request.headers.get("host", "localhost")):
            return text(421, "ask for localhost or an address, or set metrics-auth")
        return None

    def _moment(self) -> reading.Moment | None:
        try:
            with self._asker.turn() as call:
                return reading.read_moment(call)
        except RustyPotatoError:
            return None

    def _healthz(self, request: Request) -> Response:
        """Alive: this process answers and its store is open. Asks the store nothing."""
        state = _core.state(self._asker.store)
        return text(200, "ok") if state == "open" else text(503, f"the store is {state}")

    def _why_not_ready(self) -> str | None:
        if self.stopping:
            return "stopping"
        try:
            with self._asker.turn() as call:
                return reading.refusal(call, Info(call("INFO", "persistence", "memory")))
        except RustyPotatoError as error:
            return str(error)

    def _readyz(self, request: Request) -> Response:
        why = self._why_not_ready()
        return text(200, "ok") if why is None else text(503, why)

    def _metrics(self, request: Request) -> Response:
        return Response(200, self._exporter.scrape(self._asker.turn), exposition.CONTENT_TYPE)

    def _shows_details(self, request: Request) -> bool:
        """Arguments in the slow log and addresses of clients: for those who may run commands."""
        return self._password is not None or (request.local and self._asker.is_open_to_all())

    def _stats(self, request: Request) -> Response:
        wanted = parse_qs(request.query, max_num_fields=4).get("since", ["0"])[0]
        seen = int(wanted) if re.fullmatch(r"\d{1,12}", wanted) else 0
        count, rows = self.history.since(seen)
        last = self.history.last()
        moment = last[1] if last else self._moment()
        if moment is None:
            raise StoreBusy("the store is busy")
        body = {
            "seq": count,
            "every_s": history.EVERY_S,
            "fields": history.FIELDS,
            "rows": rows,
            "not_ready": self._why_not_ready(),
            **self._now(moment, last, self._shows_details(request)),
        }
        return Response(200, json.dumps(body, separators=(",", ":")).encode(), _JSON)

    def _now(
        self,
        moment: reading.Moment,
        last: tuple[reading.Moment, reading.Moment] | None,
        details: bool,
    ) -> dict[str, Any]:
        info = moment.info
        databases = info.databases().items()
        commands = reading.command_rows(last[0] if last else moment, moment)
        return {
            "server": _picked(info, _SERVER),
            "memory": _picked(info, _MEMORY),
            "persistence": _picked(info, _PERSISTENCE),
            "clients": _picked(info, ["connected_clients", "blocked_clients", "maxclients"]),
            "keyspace": [{"db": name, **db._asdict()} for name, db in databases],
            "errors": sorted(info.errors().items(), key=lambda one: -one[1])[:COMMANDS_SHOWN],
            "commands": [row._asdict() for row in commands[:COMMANDS_SHOWN]],
            "details": details,
            **self._live(info, details),
        }

    def _live(self, info: Info, details: bool) -> dict[str, Any]:
        """What is asked for only while somebody looks."""
        few = info.number("connected_clients") <= CLIENTS_LISTED_MAX
        with self._asker.turn() as call:
            slowlog = reading.read_slowlog(call)
            clients = reading.read_clients(call) if details and few else []
        clients.sort(key=lambda one: int(one.get("idle", 0)))
        length, entries = slowlog or (0, [])
        return {
            "slowlog_length": length,
            "slowlog": [_slow_row(entry, details) for entry in entries],
            "client_list": [
                {key: one.get(key, "") for key in _CLIENT} for one in clients[:CLIENTS_SHOWN]
            ],
        }


def _slow_row(entry: reading.SlowEntry, details: bool) -> dict[str, Any]:
    words = entry.words[:WORDS_SHOWN] if details else entry.words[:1]
    shown = [word if len(word) <= WORD_SHOWN else word[:WORD_SHOWN] + "…" for word in words]
    left_out = len(entry.words) - len(words)
    return {
        "id": entry.id,
        "at": entry.at,
        "usec": entry.usec,
        "words": shown,
        "left_out": left_out,
        "client": entry.client if details else "",
    }
