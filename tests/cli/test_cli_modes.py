"""--scan, --bigkeys, --memkeys, --hotkeys, --pipe, --stat, --latency*, --eval, -c, TLS."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from rustypotato.cli.bigkeys import HOT_MAX
from rustypotato.cli.latency import BANDS, Samples, spectrum
from rustypotato.cli.stat import human, stat_line
from rustypotato.wire import connection
from rustypotato.wire.address import Address, Tls
from tools.canned import CannedServer
from tools.cli_runs import OURS, REDIS_CLI, Run, env_of, run, run_on_terminal
from tools.doors import Door
from tools.resp import encode
from tools.servers import free_port
from tools.terminal import CTRL_C, Terminal
from tools.wait import SCALE, until

pytestmark = [
    pytest.mark.sockets,
    pytest.mark.resp2,
    pytest.mark.skipif(REDIS_CLI is None, reason="redis-cli is not installed"),
]


def where(door: Door) -> list[str]:
    if door.name == "unix":
        return ["-s", door.server.unixsocket]
    return ["-h", "127.0.0.1", "-p", str(door.server.port)]


def both(door: Door, *args: str, stdin: bytes = b"") -> Run:
    """Runs both programs on the same store; asserts that they do the same."""
    want = run("redis-cli", *where(door), *args, stdin=stdin)
    got = run("ours", *where(door), *args, stdin=stdin)
    assert got == want
    return got


def fill(door: Door) -> None:
    for number in range(60):
        door("SET", f"s:{number}", "x" * number)
        door("RPUSH", f"l:{number}", *range(number + 1))
    door("SADD", 'set "1"', "a", "b")
    door("HSET", b"h\x00\xff", "f", "v")
    door("ZADD", "z", 1, "a")


# ---- walks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args",
    [
        "--scan",
        "--scan --no-raw",
        "--scan --pattern s:1*",
        '--scan --quoted-pattern "s\\x3a1*"',
        "--scan -i 0.001",
        "--bigkeys",
        "--bigkeys --pattern l:*",
        "--memkeys",
        "--memkeys --pattern l:?",
        "--memkeys-samples 3",
        "--hotkeys",
    ],
)
@pytest.mark.once
def test_walks_print_what_redis_cli_prints(door: Door, args: str) -> None:
    fill(door)
    if "--scan" in args and "--no-raw" not in args:
        door("DEL", b"h\x00\xff")  # redis-cli ends it at the zero
    got = both(door, *args.split())
    assert got.out


def test_an_empty_store_has_no_big_keys(door: Door) -> None:
    """The order of the types is that of redis-cli's hash table, which few keys leave half moved."""
    for args in (["--scan"], ["--bigkeys"], ["--memkeys"]):
        want = run("redis-cli", *where(door), *args)
        got = run("ours", *where(door), *args)
        assert (got.code, got.err) == (want.code, want.err) == (0, b"")
        assert sorted(got.out.splitlines()) == sorted(want.out.splitlines())


def test_hot_keys(door: Door) -> None:
    door.config("maxmemory-policy", "allkeys-lfu")
    for number in range(HOT_MAX + 10):
        door("SET", f"k{number}", "v")
    for _ in range(2000):
        door("GET", "k7")
    lines = run("ours", *where(door), "--hotkeys").out.decode().splitlines()
    hot = [line for line in lines if line.startswith("hot key found with counter: ")]
    assert len(hot) == HOT_MAX
    assert hot[0].endswith('\tkeyname: "k7"')
    counts = [int(line.split()[5]) for line in hot]
    assert counts == sorted(counts, reverse=True)


def test_scan_of_a_type_and_with_a_count(door: Door) -> None:
    fill(door)
    got = run("ours", *where(door), "--scan", "--type", "list", "--count", "1000")
    assert sorted(got.out.split()) == sorted(b"l:%d" % number for number in range(60))


def test_a_server_that_refuses_a_walk_is_one_line(door: Door) -> None:
    with CannedServer(lambda words: b"-NOPERM no\r\n") as server:
        for mode in ("--scan", "--bigkeys", "--hotkeys"):
            got = run("ours", "-p", str(server.port), mode)
            assert got.code == 1
            assert b"NOPERM no" in got.err
            assert got.err.count(b"\n") == 1


def endless(words: list[bytes]) -> bytes | None:
    """A store whose SCAN never ends."""
    if words[0] == b"SCAN":
        return b"*2\r\n$1\r\n7\r\n*1\r\n$3\r\nkey\r\n"
    return {b"DBSIZE": b":1000\r\n", b"TYPE": b"+string\r\n", b"STRLEN": b":5\r\n"}.get(words[0])


@pytest.mark.once
def test_a_long_walk_shows_progress_and_ctrl_c_ends_it_with_a_report(door: Door) -> None:
    with CannedServer(endless) as server:
        argv = [*OURS, "-p", str(server.port), "--bigkeys"]
        with Terminal(argv, env_of()) as terminal:
            terminal.sees("of 1000 keys")
            terminal.type(CTRL_C)
            terminal.sees("-------- summary -------")
            assert terminal.ends() == 0
            shown = "\n".join(terminal.lines())
            assert re.search(r"\[\d+\.\d\d%\] Sampled \d+ keys in the keyspace!", shown)
            assert "Biggest string found '\"key\"' has 5 bytes" in shown
            assert "of 1000 keys" not in shown  # the progress line is gone


@pytest.mark.once
def test_ctrl_c_before_the_first_key_ends_a_walk_with_an_empty_report(door: Door) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def interrupting(words: list[bytes]) -> bytes | None:
        if words[0] == b"DBSIZE":  # the walk takes signals by now
            until(lambda: started, "the program is known here")
            started[0].send_signal(signal.SIGINT)
        return endless(words)

    for mode in ("--bigkeys", "--memkeys", "--hotkeys"):
        started.clear()
        with CannedServer(interrupting) as server:
            argv = [*OURS, "-p", str(server.port), mode]
            pipe = subprocess.PIPE
            with subprocess.Popen(argv, stdout=pipe, stderr=pipe, env=env_of()) as program:
                started.append(program)
                out, err = program.communicate(timeout=60 * SCALE)
        assert (program.returncode, err) == (0, b"")
        assert b"-------- summary -------\n\n[00.00%] Sampled 0 keys in the keyspace!\n" in out


@pytest.mark.once
def test_scan_counts_the_keys_only_to_show_progress(door: Door) -> None:
    def one_batch(words: list[bytes]) -> bytes | None:
        return b"*2\r\n$1\r\n0\r\n*1\r\n$3\r\nkey\r\n" if words[0] == b"SCAN" else None

    with CannedServer(one_batch) as server:
        with Terminal([*OURS, "-p", str(server.port), "--scan"], env_of()) as terminal:
            terminal.sees('"key"')
            assert terminal.ends() == 0
        assert [b"DBSIZE"] not in server.seen  # the keys are on the terminal, and no progress


# ---- --pipe --------------------------------------------------------------------------------------


def test_pipe_sends_protocol_and_inline_commands(door: Door) -> None:
    data = b"".join(encode("SET", f"k{number}", "v") for number in range(20000))
    got = both(door, "--pipe", stdin=data + b"SET last 1\r\n")
    assert got.out.endswith(b"errors: 0, replies: 20001\n")
    assert got.code == 0
    assert door("DBSIZE") == 20001


def test_pipe_tells_errors_and_ends_with_1(door: Door) -> None:
    got = both(door, "--pipe", stdin=b"SET a x\r\nINCR a\r\nNOSUCH\r\nGET a\r\n")
    assert got.out.endswith(b"errors: 2, replies: 4\n")
    assert got.code == 1


def test_pipe_with_nothing_to_send(door: Door) -> None:
    assert both(door, "--pipe").out.endswith(b"errors: 0, replies: 0\n")


def test_pipe_with_replies_larger_than_every_buffer(door: Door) -> None:
    door("SET", "k", "x" * 100_000)
    got = both(door, "--pipe", stdin=b"GET k\r\n" * 300)
    assert got.out.endswith(b"errors: 0, replies: 300\n")


def test_pipe_of_broken_protocol_ends_with_1(door: Door) -> None:
    refused = run("ours", *where(door), "--pipe", "--pipe-timeout", "0", stdin=b"*1\r\n$x\r\n")
    assert refused.code == 1
    assert refused.err.endswith(b"\nError: Server closed the connection\n")
    cut = b"*2\r\n$3\r\nGET\r\n$99\r\nshort"
    waited = run("ours", *where(door), "--pipe", "--pipe-timeout", "1", stdin=cut)
    assert waited == (
        1,
        b"All data transferred. Waiting for the last reply...\nerrors: 1, replies: 0\n",
        b"No replies for 1 seconds: exiting.\n",
    )


@pytest.mark.once
def test_pipe_gives_up_on_a_server_that_does_not_answer(door: Door) -> None:
    with CannedServer(lambda words: b"" if words[0] == b"ECHO" else None) as server:
        got = run(
            "ours", "-p", str(server.port), "--pipe", "--pipe-timeout", "1", stdin=encode("A")
        )
    assert got.err == b"No replies for 1 seconds: exiting.\n"
    assert got.out.endswith(b"errors: 1, replies: 1\n")
    assert got.code == 1


# ---- watching ------------------------------------------------------------------------------------


def test_stat_prints_a_line_about_the_server_again_and_again(door: Door) -> None:
    door("SET", "k", "v")
    argv = [*OURS, *where(door), "--stat", "-i", "0.01"]
    with Terminal(argv, env_of()) as terminal:
        terminal.sees("keys       mem      clients blocked requests            connections")
        terminal.until(
            lambda: len([line for line in terminal.lines() if "(+" in line]) > 5, "six lines"
        )
        line = next(line for line in terminal.lines() if "(+" in line)
        assert re.match(r"1 +[\d.]+[KMG] +\d+ +0 +\d+ \(\+\d+\) +\d+", line), line
        terminal.type(CTRL_C)
        assert terminal.ends() == -signal.SIGINT


def test_a_line_of_stat_is_redis_clis() -> None:
    info = (
        "used_memory:1572864\r\nconnected_clients:3\r\nblocked_clients:1\r\nloading:0\r\n"
        "total_commands_processed:150\r\ntotal_connections_received:9\r\n"
        "rdb_bgsave_in_progress:1\r\naof_rewrite_in_progress:1\r\n"
        "db0:keys=5,expires=0,avg_ttl=0\r\ndb3:keys=2,expires=0,avg_ttl=0\r\n"
    )
    want = "7          1.50M    3       1       150 (+50)           9           SAVE+AOF"
    assert stat_line(info, 100) == (want, 150)
    assert "(+0)" in stat_line(info, 0)[0]
    assert [human(n) for n in (0, 1023, 1024, -2048, 5 << 30, 5 << 50)] == [
        "0B",
        "1023B",
        "1.00K",
        "-2.00K",
        "5.00G",
        "5120.00T",
    ]


@pytest.mark.parametrize(
    ("style", "pattern"),
    [
        ("", rb"\d+ \d+ \d+\.\d\d \d+\n"),
        ("--csv", rb"\d+,\d+,\d+\.\d\d,\d+\n"),
        ("--json", rb'\{"min": \d+, "max": \d+, "avg": \d+\.\d\d, "count": \d+\}\n'),
    ],
)
def test_latency_into_a_pipe_is_one_line(door: Door, style: str, pattern: bytes) -> None:
    for program in ("redis-cli", "ours"):
        got = run(program, *where(door), "--latency", "-i", "0.1", *style.split())
        assert got.code == 0
        assert re.fullmatch(pattern, got.out), got.out


def test_latency_history_begins_a_new_line(door: Door) -> None:
    argv = [*OURS, *where(door), "--latency-history", "-i", "0.1"]
    with Terminal(argv, env_of()) as terminal:
        line = re.compile(
            r"min: \d+, max: \d+, avg: \d+\.\d\d \(\d+ samples\) -- 0\.\d\d seconds range"
        )
        terminal.until(
            lambda: sum(bool(line.match(text)) for text in terminal.lines()) > 1, "two lines"
        )
        terminal.type(CTRL_C)
        terminal.ends()


def test_latency_dist_draws_a_spectrum(door: Door) -> None:
    argv = [*OURS, *where(door), "--latency-dist", "-i", "0.1", "--mono"]
    with Terminal(argv, env_of()) as terminal:
        terminal.sees("From 0 to 100%:")
        terminal.sees(".-*#123456789ABCDEFGHIJKLMNOPQ?")
        terminal.type(CTRL_C)
        terminal.ends()


def test_the_numbers_of_latency() -> None:
    samples = Samples()
    for ms in (3, 1, 2):
        samples.add(ms)
    assert samples.text("csv") == b"1,3,2.00,3\n"
    assert json.loads(samples.text("json")) == {"min": 1, "max": 3, "avg": 2.0, "count": 3}
    line = spectrum([0, 3, 1] + [0] * (len(BANDS) - 3), (7, 8, 9))
    assert line.startswith(b"\x1b[38;5;0m\x1b[48;5;7m.\x1b[48;5;9m-\x1b[48;5;8m*\x1b[48;5;7m#")


@pytest.mark.once
def test_intrinsic_latency_needs_no_server(door: Door) -> None:
    got = run("ours", "-p", str(free_port()), "--intrinsic-latency", "1")
    assert got.code == 0
    assert re.search(rb"Max latency so far: \d+ microseconds\.\n", got.out)
    assert re.search(rb"\n\d+ total runs \(avg latency: [\d.]+ microseconds", got.out)


def test_watching_outlives_a_restart_of_the_server(door: Door, private) -> None:
    server = private()
    argv = [*OURS, "-p", str(server.port), "--latency"]
    with Terminal(argv, env_of()) as terminal:
        terminal.sees("samples)")
        server.signal(signal.SIGKILL)
        server.wait_exit()
        terminal.sees("Reconnecting...")
        server.start()
        terminal.sees("samples)")
        terminal.type(CTRL_C)
        terminal.ends()


# ---- --eval --------------------------------------------------------------------------------------


def test_eval_sends_a_script_with_keys_and_arguments(tmp_path: Path) -> None:
    script = tmp_path / "x.lua"
    script.write_bytes(b"return {KEYS[1], ARGV[1]}\n")
    with CannedServer() as server:
        for words in ("k1 k2 , a1 a2", "", "k1", ", a1", "k1 , , a"):
            args = ["-p", str(server.port), "--eval", str(script), *words.split()]
            server.seen.clear()
            want = run("redis-cli", *args), server.seen.copy()
            server.seen.clear()
            assert (run("ours", *args), server.seen) == want
            assert want[1][-1][0] == b"EVAL"


# ---- cluster -------------------------------------------------------------------------------------


def test_cluster_mode_follows_moved_and_ask() -> None:
    with CannedServer() as right, CannedServer() as wrong:
        right.answer = lambda words: b"$2\r\nhi\r\n" if words[0] == b"GET" else None
        for kind in ("MOVED", "ASK"):
            told = f"-{kind} 7 127.0.0.1:{right.port}\r\n".encode()
            wrong.answer = lambda words, told=told: told
            args = ["-p", str(wrong.port), "GET", "k"]
            right.seen.clear()
            want = run("redis-cli", "-c", *args), right.seen.copy()
            right.seen.clear()
            assert (run("ours", "-c", *args), right.seen) == want
            assert want[0].out == b"hi\n"
            assert want[1][:1] == ([[b"ASKING"]] if kind == "ASK" else [[b"GET", b"k"]])
            assert run("ours", *args) == run("redis-cli", *args)  # without -c it is an error
            lines = b"GET k\nGET k\n"
            args = ["-c", "-p", str(wrong.port)]
            assert run("ours", *args, stdin=lines) == run("redis-cli", *args, stdin=lines)


# ---- TLS -----------------------------------------------------------------------------------------

OPENSSL = shutil.which("openssl")


def make_certificates(folder: Path) -> None:
    """Two authorities, and a certificate of the first one for a host of another name."""

    def openssl(args: str) -> None:
        assert OPENSSL
        subprocess.run([OPENSSL, *args.split()], cwd=folder, check=True, capture_output=True)

    new = "req -newkey rsa:2048 -nodes"
    for name in ("ca", "other"):
        openssl(f"{new} -x509 -days 2 -subj /CN={name} -keyout {name}.key -out {name}.pem")
    openssl(f"{new} -subj /CN=db.test -keyout s.key -out s.csr")
    openssl("rehash .")
    openssl("x509 -req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out s.pem")


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
def test_tls(tmp_path: Path) -> None:
    from tools.servers import Server

    make_certificates(tmp_path)
    port = free_port()
    server = Server(
        "redis",
        tls_port=port,
        tls_cert_file=tmp_path / "s.pem",
        tls_key_file=tmp_path / "s.key",
        tls_ca_cert_file=tmp_path / "ca.pem",
    )
    with server.start():
        mine = f"--cert {tmp_path}/s.pem --key {tmp_path}/s.key".split()
        trust = f"--cacert {tmp_path}/ca.pem".split()
        at = ["-p", str(port)]
        for flags in (
            ["--tls", *trust, *mine],
            ["--tls", "--insecure", *mine],
            ["--tls", "--cacertdir", str(tmp_path), *mine],
            ["--tls", *trust, *mine, "--sni", "db.test", "-3"],
            ["-u", f"rediss://127.0.0.1:{port}/1", *trust, *mine],
            ["--tls", *trust, *mine, "--tls-ciphers", "ECDHE-RSA-AES256-GCM-SHA384"],
        ):
            assert run("ours", *at, *flags, "ECHO", "x" * 100_000).out == b"x" * 100_000 + b"\n"
            assert run("redis-cli", *at, *flags, "PING").out == b"PONG\n"
        assert run("ours", *at, "--tls", *trust, *mine, "--bigkeys").code == 0
        data = encode("SET", "k", "v" * 50_000) * 50
        piped = run("ours", *at, "--tls", *trust, *mine, "--pipe", stdin=data)
        assert piped.out.endswith(b"errors: 0, replies: 50\n")
        # An authority of the system: now the certificate must name the host.
        system = {"SSL_CERT_FILE": f"{tmp_path}/ca.pem"}
        got = run("ours", *at, "--tls", *mine, "PING", **system)
        assert (got.code, got.out) == (1, b"")
        assert b"not valid for '127.0.0.1'" in got.err
        assert run("ours", *at, "--tls", *mine, "--sni", "db.test", "PING", **system).code == 0
        for flags, says in (
            (["--tls", "--cacert", f"{tmp_path}/other.pem", *mine], b"TLS: "),
            (["--tls", *mine], b"TLS: "),  # the system does not know this authority
            (["--tls", "--cacert", "/nosuch.pem"], b"TLS: No such file or directory"),
            (["--tls", *trust], b"rror"),  # the server wants our certificate
            ([], b"Error"),  # no TLS at all
        ):
            got = run("ours", *at, *flags, "PING")
            assert got.code == 1, flags
            assert says in got.err, (flags, got.err)
            assert got.err.count(b"\n") == 1, got.err


def test_tls_to_a_server_that_never_answers_it_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HANDSHAKE_MAX_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = Address(port=silent.getsockname()[1], tls=Tls(insecure=True))
        with pytest.raises(connection.WireError, match=r"TLS: .*timed out"):
            connection.Connection(address)


def test_scan_onto_a_terminal_quotes_keys(door: Door) -> None:
    door("SET", "a\nb", "v")
    want = run_on_terminal("redis-cli", *where(door), "--scan")
    assert run_on_terminal("ours", *where(door), "--scan") == want
    assert want.out == b'"a\\nb"\r\n'


def test_a_pipe_that_reads_and_writes_at_once_ends(door: Door) -> None:
    """More in flight, both ways, than all buffers hold."""
    child = subprocess.Popen(
        [*OURS, *where(door), "--pipe"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=env_of(),
    )
    out, _ = child.communicate(encode("ECHO", "x" * 10_000) * 3000, timeout=60 * SCALE)
    assert out.endswith(b"errors: 0, replies: 3000\n")
    until(lambda: child.poll() is not None, "the end")
