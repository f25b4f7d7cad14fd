"""Manifests: redis-server 7.0 and `rustypotato check` read each other's, and refuse the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.servers import REDIS_SERVER, Server, clean_env, run_to_end
from tools.wait import until

pytestmark = pytest.mark.skipif(REDIS_SERVER is None, reason="redis-server is not installed")


def check(directory: Path, *flags: str) -> tuple[int, dict]:
    command = [sys.executable, "-m", "rustypotato", "check", str(directory), "--json", *flags]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_env(), timeout=60)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def rewrite(conn) -> None:
    conn.call("BGREWRITEAOF")
    until(lambda: b"aof_rewrite_in_progress:0" in conn.call("INFO", "persistence"), "rewritten")
    until(lambda: b"aof_rewrite_scheduled:0" in conn.call("INFO", "persistence"), "rewritten")


@pytest.mark.parametrize(
    "name", ["appendonly.aof", "my file.aof", "tab\there.aof", "naïve.aof", "#hash", "a b  c"]
)
def test_what_redis_wrote_after_rewrites_is_good(tmp_path: Path, name: str) -> None:
    settings = {"appendonly": "yes", "appendfilename": name, "appenddirname": "my log"}
    with Server("redis", dir=str(tmp_path), **settings).start() as server:
        with server.connect() as conn:
            for turn in range(3):
                for key in range(20):
                    conn.call("SET", f"key:{key}", f"{turn}")
                conn.call("MULTI")
                conn.call("RPUSH", "list", "1", "2")
                conn.call("EXEC")
                rewrite(conn)
            conn.call("SET", "last", "1")
            conn.call("DEBUG", "RELOAD")  # waits until all is written
        code, report = check(tmp_path, "--appendfilename", name, "--appenddirname", "my log")
    assert code == 0, report
    assert report["result"] == "good"
    kinds = [finding["kind"] for finding in report["findings"]]
    assert kinds == ["ok"] * len(kinds), report
    texts = " ".join(finding["text"] for finding in report["findings"])
    assert "base of 21 keys" in texts
    assert "commands in 0 runs" in texts


INCR = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"
GOOD = "file a.1.incr.aof seq 1 type i\n"
# A manifest, and whether it is accepted: by both.
MANIFESTS = [
    (GOOD, True),
    ("# a comment\n" + GOOD, True),
    ("FILE a.1.incr.aof SEQ 1 TYPE i\r\n", True),
    ("  type i seq 1 file a.1.incr.aof  \n", True),
    ("file 'a.1.incr.aof' seq \"1\" type i\n", True),
    ('file "a\\x2e1.incr.aof" seq 1 type i\n', True),
    ("file a.1.incr.aof seq 1 type i startoffset 0 endoffset 7\n", True),
    (GOOD + "file gone seq 9 type h\n", True),
    ("", False),
    (GOOD + "\n", False),
    (GOOD[:-1], False),
    (GOOD + GOOD, False),
    (GOOD + "file a.0.incr.aof seq 1 type i\n", False),
    ("file ./a.1.incr.aof seq 1 type i\n", False),
    ("file a.1.incr.aof seq 1\n", False),
    ("file a.1.incr.aof seq 1 type i more\n", False),
    ("file a.1.incr.aof seq 1 type x\n", False),
    ("file a.1.incr.aof seq x type i\n", False),
    ("file a.1.incr.aof seq 0 type i\n", False),
    ('file "a.1.incr.aof seq 1 type i\n', False),
    ("file it's.aof seq 1 type i\n", False),
    ("file a.1.incr.aof seq 1 type b\nfile a.2.base.rdb seq 2 type b\n", False),
]


@pytest.mark.parametrize("number", range(len(MANIFESTS)))
def test_redis_and_check_accept_and_refuse_the_same(tmp_path: Path, number: int) -> None:
    text, accepted = MANIFESTS[number]
    log = tmp_path / "appendonlydir"
    log.mkdir()
    (log / "a.manifest").write_bytes(text.encode())
    (log / "a.1.incr.aof").write_bytes(INCR.encode())
    (log / "a.0.incr.aof").write_bytes(INCR.encode())
    code, report = check(tmp_path, "--appendfilename", "a")
    faults = [f for f in report["findings"] if f["kind"] not in ("ok", "note")]
    assert (code == 0) == accepted, report
    if not accepted:
        assert len(faults) == 1
        assert faults[0]["file"].endswith("/a.manifest")
        assert faults[0]["text"].startswith("line ")
    flags = ["--port", "0", "--dir", str(tmp_path), "--appendonly", "yes", "--appendfilename", "a"]
    if accepted:
        with Server("redis", dir=str(tmp_path), appendonly="yes", appendfilename="a") as server:
            with server.connect() as conn:
                assert conn.call("GET", "k") == b"v"
    else:
        assert run_to_end("redis", *flags).returncode != 0


def test_a_log_without_its_manifest_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "appendonlydir"
    log.mkdir()
    (log / "appendonly.aof.1.incr.aof").write_bytes(INCR.encode())
    code, report = check(tmp_path)
    assert code == 1
    assert [f["kind"] for f in report["findings"]] == ["missing"]
    assert "'appendonly.aof.manifest' is missing" in report["findings"][0]["text"]
