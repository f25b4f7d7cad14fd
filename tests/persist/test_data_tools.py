"""check, backup and restore, on directories of redis-server and of our own log."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rustypotato import _core
from rustypotato.tools.progress import Progress, size_text
from rustypotato.tools.wire import Address
from tools.servers import REDIS_SERVER, Server, clean_env, free_port
from tools.wait import until

pytestmark = pytest.mark.skipif(REDIS_SERVER is None, reason="redis-server is not installed")

KEYS = 500


def tool(*args: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rustypotato", *map(str, args)]
    env = clean_env(**(env or {}))
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=120)


def check(directory: Path, *flags: str) -> dict:
    done = tool("check", directory, "--json", *flags)
    assert done.stdout, done.stderr
    return json.loads(done.stdout) | {"code": done.returncode}


def good(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def fill(server: Server, keys: int = KEYS) -> None:
    with server.connect() as conn:
        for number in range(keys):
            conn.call("SET", f"key:{number}", f"value:{number}" * 10)


@pytest.fixture(params=["redis", "rustypotato"])
def kind(request: pytest.FixtureRequest) -> str:
    """Whose directory it is."""
    return request.param


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def written(kind: str, home: Path) -> Path:
    """The directory of a server with a base, an increment and a snapshot."""
    with Server(kind, dir=str(home), appendonly="yes").start() as server:
        fill(server)
        with server.connect() as conn:
            conn.call("SAVE")
            conn.call("BGREWRITEAOF")
            until(lambda: b"rewrite_in_progress:0" in conn.call("INFO", "persistence"), "done")
            conn.call("SET", "after", "1")
    return home


@pytest.fixture
def live(kind: str, home: Path) -> Iterator[Server]:
    with Server(kind, dir=str(home), appendonly="yes").start() as server:
        fill(server)
        yield server


def increment(directory: Path) -> Path:
    return max((directory / "appendonlydir").glob("*.incr.aof"))


def keys_in(directory: Path, appendonly: str = "yes") -> int:
    """What both servers find there. Redis first: it makes no difference to the files."""
    counts = []
    for kind in ("redis", "rustypotato"):
        with Server(kind, dir=str(directory), appendonly=appendonly).start() as server:
            with server.connect() as conn:
                counts.append(conn.call("DBSIZE"))
    assert counts[0] == counts[1]
    return counts[0]


# ---- check -------------------------------------------------------------------------------------


def test_check_tells_of_every_file(written: Path) -> None:
    text = good(tool("check", written))
    assert text.count("ok  ") == 3
    assert f"base of {KEYS} keys" in text
    assert f"snapshot of {KEYS} keys" in text
    assert text.endswith(f"{written}: all is good\n")
    assert good(tool("check", written / "appendonlydir")).count("ok  ") == 3
    report = check(written)
    assert (report["result"], report["code"], report["fixed"]) == ("good", 0, [])
    assert set(report["findings"][0]) == {"kind", "file", "offset", "text", "advice"}


def test_check_fixes_a_torn_tail_and_keeps_it(written: Path, kind: str) -> None:
    incr = increment(written)
    whole = incr.read_bytes()
    assert whole.endswith(b"*3\r\n$3\r\nSET\r\n$5\r\nafter\r\n$1\r\n1\r\n")
    start = whole.rindex(b"*3\r\n" if kind == "redis" else b"#RP1 ")
    incr.write_bytes(whole[:-4])
    report = check(written)
    assert (report["result"], report["code"]) == ("torn", 1)
    fault = next(f for f in report["findings"] if f["kind"] == "torn tail")
    assert fault["file"] == str(incr)
    assert fault["offset"] == start
    assert incr.read_bytes() == whole[:-4], "nothing is cut without --fix"
    done = tool("check", written, "--fix")
    text = good(done)
    assert "torn tail" in text.splitlines()[1]
    assert text.index("torn tail") < text.index("bytes were cut and kept in")
    assert incr.read_bytes() == whole[:start]
    assert Path(f"{incr}.cut-{start}").read_bytes() == whole[start:-4]
    assert check(written)["result"] == "good"
    assert keys_in(written) == KEYS


def test_check_does_not_fix_damage(written: Path) -> None:
    incr = increment(written)
    torn = incr.read_bytes()[:-4]
    incr.write_bytes(torn)
    base = next((written / "appendonlydir").glob("*.base.rdb"))
    damaged = bytearray(base.read_bytes())
    damaged[len(damaged) // 2] ^= 0x10
    base.write_bytes(damaged)
    report = check(written, "--fix")
    assert (report["result"], report["code"], report["fixed"]) == ("damaged", 1, [])
    assert incr.read_bytes() == torn
    assert "nothing was cut" in tool("check", written, "--fix").stdout


def test_check_says_what_it_cannot_look_at(tmp_path: Path) -> None:
    done = tool("check", tmp_path / "nowhere")
    assert done.returncode == 2
    assert done.stderr == f"rustypotato check: {tmp_path}/nowhere: there is no such directory\n"
    assert tool("check").returncode == 2
    assert tool("check", tmp_path).returncode == 1  # nothing is there
    for name in ("check", "backup", "restore"):
        assert "exit codes:" in good(tool(name, "--help"))


def test_tools_respect_a_running_server(tmp_path: Path, home: Path) -> None:
    with Server("rustypotato", dir=str(home), appendonly="yes").start() as server:
        fill(server, 3)
        incr = increment(home)
        whole = incr.read_bytes()
        incr.write_bytes(whole + whole[:7])
        for done in (tool("check", home, "--fix"), tool("restore", home, home / ".." / "home")):
            assert done.returncode != 0
        done = tool("check", home, "--fix")
        assert f"another process (pid {server.pid}) is using {home}: stop it first" in done.stderr
        assert incr.read_bytes() == whole + whole[:7]
        server.stop()
    good(tool("check", home, "--fix"))
    assert incr.read_bytes() == whole


def test_fix_refuses_a_directory_in_use(written: Path) -> None:
    incr = increment(written)
    incr.write_bytes(incr.read_bytes()[:-4])
    lock = _core.lock_dir(os.fsencode(written))
    try:
        done = tool("check", written, "--fix")
        assert done.returncode == 1
        assert f"(pid {os.getpid()}) is using {written}: stop it first" in done.stderr
    finally:
        _core.unlock_dir(lock)
    good(tool("check", written, "--fix"))


def test_names_that_are_no_text_are_shown(tmp_path: Path) -> None:
    name = os.fsdecode(b"d\xff\n")
    (tmp_path / name).mkdir()
    done = tool("check", tmp_path / name)
    assert done.returncode == 1
    assert "d\\udcff\\n: neither a log nor a snapshot is here" in done.stdout
    done = tool("backup", tmp_path / "x", "--dir", tmp_path / name)
    assert "d\\udcff" in done.stderr


# ---- backup ------------------------------------------------------------------------------------


def test_backup_of_a_directory_can_be_started(written: Path, tmp_path: Path) -> None:
    dest = tmp_path / "backup"
    text = good(tool("backup", dest, "--dir", written))
    assert text.startswith(f"{dest}: a good backup, 4 files, ")
    assert sorted(p.name for p in dest.iterdir()) == ["appendonlydir", "dump.rdb"]
    assert check(dest)["result"] == "good"
    assert keys_in(dest) == KEYS + 1
    assert [p.name for p in tmp_path.iterdir() if "partial" in p.name] == []


def test_backup_while_a_server_writes_and_rewrites(live: Server, kind: str, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        with live.connect() as conn:
            number = 0
            while not stop.is_set():
                conn.call("SET", f"n:{number}", "x" * 300)
                conn.call("SET", "count", str(number))
                number += 1
                if number % 300 == 0:
                    conn.call("BGREWRITEAOF")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(4):
            good_or_cut = tool("backup", tmp_path / f"b{number}", "--dir", live.settings["dir"])
            assert good_or_cut.returncode == 0, good_or_cut.stdout + good_or_cut.stderr
    finally:
        stop.set()
        writer.join()
    for number in range(4):
        with Server(kind, dir=str(tmp_path / f"b{number}"), appendonly="yes").start() as copy:
            with copy.connect() as conn:
                count = int(conn.call("GET", "count") or -1)
                # A state that existed: all up to `count`, and at most one more.
                assert conn.call("DBSIZE") in (KEYS + count + 2, KEYS + count + 3)


@pytest.mark.parametrize("way", ["port", "unix", "url"])
def test_backup_of_a_running_server(live: Server, tmp_path: Path, way: str) -> None:
    dest = tmp_path / "backup"
    flags = {
        "port": ["--port", live.port],
        "unix": ["--unix", live.unixsocket],
        "url": ["-u", f"redis://localhost:{live.port}"],
    }[way]
    good(tool("backup", dest, *flags))
    assert [p.name for p in dest.iterdir()] == ["dump.rdb"]
    assert keys_in(dest, "no") == KEYS


def test_backup_gives_a_password(kind: str, tmp_path: Path, home: Path) -> None:
    with Server(kind, dir=str(home), requirepass="secret").spawn() as server:
        until(lambda: os.path.exists(server.unixsocket), "it listens")
        done = tool("backup", tmp_path / "no", "--port", server.port)
        assert done.returncode == 1
        assert "NOAUTH" in done.stderr
        good(tool("backup", tmp_path / "a", "-u", f"redis://:secret@127.0.0.1:{server.port}"))
        env = {"REDISCLI_AUTH": "secret"}
        good(tool("backup", tmp_path / "b", "--unix", server.unixsocket, env=env))
        done = tool("backup", tmp_path / "c", "--port", server.port, "--password", "wrong")
        assert "WRONGPASS" in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b", "home"]


def test_backup_says_why_there_is_none(written: Path, tmp_path: Path, live: Server) -> None:
    def refused(*args: object) -> str:
        done = tool("backup", tmp_path / "x", *args)
        assert done.returncode == 1, done.stdout
        assert not (tmp_path / "x").exists()
        return done.stderr

    port = free_port()
    assert "cannot connect: Connection refused" in refused("--port", port)
    assert "is another machine, and its files cannot be read" in refused("--host", "192.0.2.1")
    (tmp_path / "empty").mkdir()
    assert "neither a log nor a snapshot" in refused("--dir", tmp_path / "empty")
    with live.connect() as conn:
        conn.call("CONFIG", "SET", "dbfilename", "gone.rdb")
    # A file that is there and older than the save is not believed to be the server's.
    os.rename(written / "dump.rdb", written / "old.rdb")
    assert tool("backup", tmp_path / "x", "--dir", written, "--port", port).returncode == 2
    assert tool("backup", tmp_path / "x").returncode == 2
    assert tool("backup", tmp_path / "x", "-u", "http://localhost").returncode == 2
    done = tool("backup", tmp_path, "--dir", written)
    assert "it is there already" in done.stderr


def test_backup_of_damage_is_none(written: Path, tmp_path: Path) -> None:
    base = next((written / "appendonlydir").glob("*.base.rdb"))
    base.write_bytes(base.read_bytes()[:-30])
    done = tool("backup", tmp_path / "x", "--dir", written)
    assert done.returncode == 1
    assert "the copy is not good, so there is no backup" in done.stderr
    assert base.name in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home"]


def test_addresses() -> None:
    assert str(Address()) == "127.0.0.1:6379"
    assert str(Address(url="redis://u:p%40@h:7")) == "h:7"
    assert Address(url="redis://u:p%40@h:7").password == "p@"
    assert Address(url="redis://u:p%40@h:7").user == "u"
    assert str(Address(url="redis://h")) == "h:6379"
    assert str(Address(url="unix:///a/b")) == "/a/b"
    assert Address(url="unix:///a/b").is_local
    assert Address("127.0.0.5").is_local
    assert Address("::1").is_local
    assert not Address("192.0.2.1").is_local
    assert not Address("no.such.host.invalid").is_local


# ---- restore -----------------------------------------------------------------------------------


def test_restore_gives_back_what_was_backed_up(written: Path, tmp_path: Path) -> None:
    good(tool("backup", tmp_path / "backup", "--dir", written))
    shutil.rmtree(written)
    text = good(tool("restore", tmp_path / "backup", written))
    assert text == f"{written}: restored. Start with --dir {written} --appendonly yes\n"
    assert keys_in(written) == KEYS + 1


def test_restore_of_a_snapshot(live: Server, tmp_path: Path) -> None:
    good(tool("backup", tmp_path / "backup", "--port", live.port))
    text = good(tool("restore", tmp_path / "backup", tmp_path / "new"))
    assert text.endswith("--appendonly no\n")
    assert keys_in(tmp_path / "new", "no") == KEYS


def test_restore_refuses_what_it_would_overwrite(written: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "mine").write_text("precious")
    done = tool("restore", written, target)
    assert done.returncode == 1
    assert "it is not empty (mine)" in done.stderr
    assert "--force" in done.stderr
    text = good(tool("restore", written, target, "--force"))
    aside = next(target.glob("before-restore-*"))
    assert f"{aside}: holds what was in {target} before" in text
    assert (aside / "mine").read_text() == "precious"
    assert keys_in(target) == KEYS + 1


def test_restore_refuses_a_directory_in_use(written: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    lock = _core.lock_dir(os.fsencode(target))
    try:
        done = tool("restore", written, target, "--force")
        assert done.returncode == 1
        assert f"is using {target}: stop it first or choose another dir" in done.stderr
    finally:
        _core.unlock_dir(lock)
    good(tool("restore", written, target))


def test_restore_refuses_a_bad_backup(written: Path, tmp_path: Path) -> None:
    incr = increment(written)
    incr.write_bytes(incr.read_bytes()[:-4])
    done = tool("restore", written, tmp_path / "new")
    assert done.returncode == 1
    assert "the backup is not good" in done.stderr
    assert "check --fix" in done.stderr
    assert not (tmp_path / "new").exists()
    assert tool("restore", tmp_path / "nowhere", tmp_path / "new").returncode == 2
    assert tool("restore", written, written).returncode == 2


# ---- progress ----------------------------------------------------------------------------------


def big_increment(directory: Path, size: int) -> None:
    log = directory / "appendonlydir"
    log.mkdir()
    (log / "appendonly.aof.manifest").write_text("file i seq 1 type i\n")
    value = b"v" * 1000
    block = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000\r\n" + value + b"\r\n"
    (log / "i").write_bytes(block * (size // len(block)))


def test_progress_is_a_bar_on_a_terminal(home: Path) -> None:
    pytest.importorskip("rich")
    big_increment(home, 30_000_000)
    master, slave = pty.openpty()
    env = clean_env(TERM="xterm", COLUMNS="100")
    command = [sys.executable, "-m", "rustypotato", "check", str(home)]
    proc = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, env=env)
    os.close(slave)
    seen = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:  # the other end is closed
            break
        seen += part
    os.close(master)
    assert proc.wait(60) == 0
    assert b"checking" in seen
    assert b"30.0 MB" in seen


def test_progress_is_plain_lines_elsewhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rustypotato.tools.progress._PLAIN_EVERY_S", 0)
    with Progress("copying") as progress:
        progress(500, 2000)
        progress(2_000_000, 2_000_000)
    with Progress("saving", "keys") as progress:
        progress(0, 0)
    with Progress("nothing", quiet=True) as progress:
        progress(1, 2)
    assert capsys.readouterr().err == (
        "copying: 25 %, 500 bytes of 2.0 kB\n"
        "copying: 100 %, 2.0 MB of 2.0 MB\n"
        "saving: 0 of 0 keys\n"
    )
    assert size_text(5e15) == "5000.0 TB"


def test_a_check_can_be_interrupted(home: Path) -> None:
    big_increment(home, 400_000_000)
    command = [sys.executable, "-m", "rustypotato", "check", str(home)]
    proc = subprocess.Popen(command, stderr=subprocess.PIPE, env=clean_env(), text=True)
    fds = Path(f"/proc/{proc.pid}/fd")

    def reading() -> bool:
        try:
            return any(os.readlink(fd).endswith("/appendonlydir/i") for fd in fds.iterdir())
        except OSError:
            return False

    until(lambda: reading() or proc.poll() is not None, "it reads")
    proc.send_signal(signal.SIGINT)
    assert proc.stderr
    error = proc.stderr.read()
    assert proc.wait(30) == 130, error
    assert error == "rustypotato check: interrupted\n"


# ---- our own log -------------------------------------------------------------------------------


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def resp(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def run_of(first: int, records: int, body: bytes) -> bytes:
    return b"#RP1 %d %d %d %08x\r\n" % (first, records, len(body), crc32c(body)) + body


def test_runs_of_ours_are_judged_by_their_checksum_and_redis_reads_them(home: Path) -> None:
    log = home / "appendonlydir"
    log.mkdir()
    (log / "appendonly.aof.manifest").write_text("file i seq 1 type i\n")
    first = run_of(1, 2, resp(b"SELECT", b"0") + resp(b"SET", b"a", b"1") + resp(b"DEL", b"x"))
    second = run_of(3, 1, resp(b"MULTI") + resp(b"SET", b"b", b"2") + resp(b"EXEC"))
    (log / "i").write_bytes(first + second)
    assert check(home)["findings"][0]["text"].startswith("6 commands in 2 runs")
    assert keys_in(Path(shutil.copytree(home, home.with_name("copy")))) == 2
    (log / "i").write_bytes(first + second.replace(b"\r\n2\r\n", b"\r\n3\r\n"))
    report = check(home)
    assert (report["result"], report["code"]) == ("damaged", 1)
    assert report["findings"][0]["kind"] == "checksum"
    assert report["findings"][0]["offset"] == len(first)
    (log / "i").write_bytes(first + second[:-3])
    report = check(home, "--fix")
    assert (report["result"], report["code"]) == ("good", 0)
    assert (log / "i").read_bytes() == first


def test_a_log_stays_good_over_starts_kills_and_rewrites(home: Path) -> None:
    for turn in range(4):
        with Server("rustypotato", dir=str(home), appendonly="yes").start() as server:
            fill(server, 50)
            with server.connect() as conn:
                assert conn.call("DBSIZE") == 50 + turn
                conn.call("SET", f"turn:{turn}", "1")
                report = check(home)
                assert report["result"] == "good", report  # all is written that was answered
                if turn == 2:
                    conn.call("BGREWRITEAOF")
            server.signal(signal.SIGKILL)
            server.wait_exit()
        report = check(home)
        assert report["result"] == "good", report
    assert keys_in(home) == 54


def test_a_snapshot_of_a_newer_version_is_named(home: Path) -> None:
    (home / "dump.rdb").write_bytes(b"REDIS0099\xff" + struct.pack("<Q", 0))
    report = check(home)
    assert report["result"] == "damaged"
    assert "99" in report["findings"][0]["text"]
