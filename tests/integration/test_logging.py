"""The log: its three shapes, where it goes, rotation, and that no client can forge a line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.servers import Server, clean_env
from tools.wait import SCALE, until

pytestmark = pytest.mark.ours("the shapes are ours")
UTC = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def lines_of(path: Path) -> list[str]:
    text = path.read_bytes().decode(errors="surrogateescape")
    assert text.endswith("\n")
    return text.split("\n")[:-1]


def log_something_hostile(server: Server) -> bytes:
    """A protocol error whose text repeats what the client sent."""
    evil = b'"}\\\x1b[2J\xff\xc2\x9b "level":"x'
    with server.connect() as conn:
        conn.send(b"*1\r\n" + evil + b"\r\n")
        assert conn.read_to_end().startswith(b"-ERR Protocol error")
    return evil


def test_json_lines_are_objects_whatever_a_client_sends(
    server_of: Callable[..., Server], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    server = server_of(log_format="json", logfile=str(log), loglevel="debug").start()
    log_something_hostile(server)
    server.signal(signal.SIGTERM)
    assert server.wait_exit() == 0
    records = [json.loads(line) for line in lines_of(log)]
    for record in records:
        assert list(record) == ["ts", "level", "pid", "msg"]
        assert re.fullmatch(UTC, record["ts"]) and record["pid"] == server.pid
        assert record["level"] in ("debug", "verbose", "notice", "warning")
    assert any("Ready to accept connections" in r["msg"] for r in records)
    [evil] = [r["msg"] for r in records if "Protocol error" in r["msg"]]
    raw = log.read_bytes()
    assert b"\x1b" not in raw and b"\xff" not in raw and b"\xc2\x9b" not in raw
    assert "\ufffd" in evil or "expected '$'" in evil


def test_logfmt_lines_are_pairs(server_of: Callable[..., Server], tmp_path: Path) -> None:
    log = tmp_path / "log"
    server = server_of(log_format="logfmt", logfile=str(log), loglevel="debug").start()
    log_something_hostile(server)
    server.signal(signal.SIGTERM)
    assert server.wait_exit() == 0
    shape = re.compile(
        rf'ts={UTC} level=(debug|verbose|notice|warning) pid=\d+ msg="([^"\\]|\\.)*"'
    )
    for line in lines_of(log):
        assert shape.fullmatch(line), line


def test_the_format_can_be_changed_while_it_runs(
    server_of: Callable[..., Server], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    server = server_of(logfile=str(log)).start()
    with server.connect() as conn:
        assert conn.call("CONFIG", "GET", "log-format") == [b"log-format", b"redis"]
        assert conn.call("CONFIG", "SET", "log-format", "json") == "OK"
        assert "argument(s) must be one of" in str(conn.call("CONFIG", "SET", "log-format", "x"))
    server.signal(signal.SIGTERM)
    assert server.wait_exit() == 0
    kinds = [line.startswith("{") for line in lines_of(log)]
    assert kinds == sorted(kinds) and kinds[0] is False and kinds[-1] is True


def test_sighup_opens_the_file_again(server_of: Callable[..., Server], tmp_path: Path) -> None:
    log, old = tmp_path / "log", tmp_path / "log.1"
    server = server_of(logfile=str(log)).start()
    log.rename(old)
    server.signal(signal.SIGHUP)
    until(lambda: log.exists() and "opened again" in log.read_text(), "the new file has a line")
    size = old.stat().st_size
    with server.connect() as conn:
        assert conn.call("PING") == "PONG"
    server.signal(signal.SIGTERM)
    assert server.wait_exit() == 0
    assert old.stat().st_size == size, "nothing more is written to the old file"
    assert len(lines_of(log)) > 1


def test_sighup_that_cannot_open_the_file_goes_on_with_the_old_one(
    server_of: Callable[..., Server], tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    log = folder / "log"
    server = server_of(logfile=str(log)).start()
    moved = tmp_path / "moved"
    folder.rename(moved)
    server.signal(signal.SIGHUP)
    until(lambda: "cannot be opened again" in (moved / "log").read_text(), "it says so")
    with server.connect() as conn:
        assert conn.call("PING") == "PONG"


def test_under_the_journal_lines_go_to_standard_error_with_their_level(
    server_of: Callable[..., Server], tmp_path: Path
) -> None:
    server = server_of()
    out, err = tmp_path / "out", tmp_path / "err"
    with out.open("wb") as out_file, err.open("wb") as err_file:
        stat = os.fstat(err_file.fileno())
        server.env["JOURNAL_STREAM"] = f"{stat.st_dev}:{stat.st_ino}"
        server.proc = subprocess.Popen(
            server.argv, stdin=subprocess.DEVNULL, stdout=out_file, stderr=err_file, env=server.env
        )
        until(server._ready, "it answers", 30)
    server.signal(signal.SIGTERM)
    assert server.wait_exit() == 0
    assert out.read_bytes() == b""
    lines = lines_of(err)
    assert lines and all(re.match(r"<[4-7]>[A-Z]", line) for line in lines), lines


def test_another_journal_stream_changes_nothing(
    server_of: Callable[..., Server], tmp_path: Path
) -> None:
    server = server_of(env={"JOURNAL_STREAM": "1:2"}).start()
    assert re.search(r":M \d\d \w{3} ", server.log_tail())


# ---------------------------------------------------------------- inside a Python program


def run_python(code: str, *flags: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *flags, "-c", textwrap.dedent(code)],
        env=clean_env(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60 * SCALE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_engine_s_lines_come_through_logging() -> None:
    done = run_python("""
        import logging, threading
        logging.basicConfig(level=logging.INFO, format="%(name)s|%(levelname)s|%(message)s")
        import rustypotato
        with rustypotato.Server(port=0) as server:
            pass
        print([t.name for t in threading.enumerate()])
    """)
    lines = done.stderr.splitlines()
    assert any(re.fullmatch(r"rustypotato\|INFO\|Ready to accept connections.*", x) for x in lines)
    assert all(line.startswith("rustypotato|") for line in lines), lines


def test_a_program_that_asks_for_no_log_gets_none() -> None:
    done = run_python("""
        import rustypotato, threading
        with rustypotato.Store() as store:
            store.set("k", "v")
            assert threading.active_count() == 1, "no thread before it listens"
        with rustypotato.Server(port=0) as server:
            pass
    """)
    assert done.stdout + done.stderr == ""


def test_no_thread_fetches_lines_that_go_to_a_file(tmp_path: Path) -> None:
    done = run_python(f"""
        import rustypotato, threading
        with rustypotato.Store(logfile={str(tmp_path / "log")!r}) as store:
            with store.listen():
                print(threading.active_count())
    """)
    assert done.stdout == "1\n"
    assert "Ready to accept connections" in (tmp_path / "log").read_text()


def test_the_server_has_no_python_thread_but_its_first(server_of: Callable[..., Server]) -> None:
    server = server_of(io_threads=2).start()

    def names() -> list[str]:
        tasks = Path(f"/proc/{server.pid}/task")
        return [(task / "comm").read_text().strip() for task in tasks.iterdir()]

    first = Path(f"/proc/{server.pid}/comm").read_text().strip()
    until(lambda: names().count(first) == 1, "the thread that loads is gone, and there is no other")
    assert sum(name.startswith("rp-loop") for name in names()) == 2


def test_lines_that_found_no_room_are_counted_and_told() -> None:
    done = run_python("""
        import logging
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
        import rustypotato
        from rustypotato import _core, _logs
        store = rustypotato.Store()
        for i in range(1000):
            _core.log_say(2, f"line {i}")
        _core.log_say(2, "one more\\nthan\\x1bfits")
        _logs.drain()
        _core.log_say(3, "later\\nline\\x1b")
        _logs.drain()
        store.close()
    """)
    lines = done.stderr.splitlines()
    told = [x for x in lines if x.startswith("INFO line ")]
    assert told == [f"INFO line {i}" for i in range(len(told))] and len(told) >= 200
    lost = 1001 - len(told)
    assert f"WARNING {lost} lines of the log were lost: they came too fast" in lines
    assert lines[-1] == "WARNING later line "


def test_a_forked_child_starts_with_an_empty_queue() -> None:
    done = run_python("""
        import logging, os, sys
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        import rustypotato
        from rustypotato import _core, _logs
        server = rustypotato.Server(port=0)
        pid = os.fork()
        if pid == 0:
            _core.log_say(2, "into nowhere")
            with rustypotato.Server(port=0) as mine:
                _core.log_say(2, "from the child")
            _logs.drain()
            sys.stderr.flush()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        server.close()
    """)
    assert "from the child" in done.stderr and "into nowhere" not in done.stderr
