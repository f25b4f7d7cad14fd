"""The modes that measure memory: bytes per key, idle connections, one big value."""

from __future__ import annotations

import resource
import socket
import time
from typing import Any

from loadgen import run_load
from servers import FREE_FILES, BenchError, Client, Server

MIB = 1 << 20
Row = dict[str, Any]


# ---- bytes per key ----


def memory_row(server: Server, load: str, keys: int, value_bytes: int, cpus: list[int]) -> Row:
    before = server.settled_rss_kib()
    start = time.monotonic()
    run_load(load, server, cpus, warm=True, op="set", keys=keys, value_bytes=value_bytes)
    seconds = time.monotonic() - start
    have = server.ask("DBSIZE")
    if have != keys:
        raise BenchError(f"{server.name}: DBSIZE says {have} after {keys} keys were set")
    after = server.settled_rss_kib()
    used = int(server.info().get("used_memory", 0))
    return {
        "server": server.name,
        "keys": keys,
        "value B": value_bytes,
        "RSS before MiB": round(before / 1024, 1),
        "RSS after MiB": round(after / 1024, 1),
        "RSS B/key": round((after - before) * 1024 / keys, 1),
        "used_memory B/key": round(used / keys, 1),
        "load s": round(seconds, 1),
    }


# ---- idle connections ----


def idle_files_needed(count: int) -> int:
    """Raises our own limit of open files; returns the one the server needs."""
    need = count + 2 * FREE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < need:
        raise BenchError(f"--idle {count}: needs {need} open files, the hard limit is {hard}")
    if soft != resource.RLIM_INFINITY and soft < need:
        resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))
    return need


def idle_wait_connected(server: Server, count: int) -> None:
    """Waits until the server itself counts the connections."""
    deadline = time.monotonic() + 30
    seen = 0
    while time.monotonic() < deadline:
        seen = int(server.info().get("connected_clients", 0))
        if seen >= count:
            return
        time.sleep(0.05)
    raise BenchError(f"{server.name}: counts {seen} connections, {count} are open")


def idle_row(server: Server, count: int) -> Row:
    before = server.settled_rss_kib()
    open_now: list[socket.socket] = []
    try:
        for _ in range(count):
            open_now.append(socket.create_connection(("127.0.0.1", server.port), 30))
        idle_wait_connected(server, count)
        silent = server.settled_rss_kib()
        for conn in open_now:
            conn.sendall(b"PING\r\n")
        for conn in open_now:
            if conn.recv(64) != b"+PONG\r\n":
                raise BenchError(f"{server.name}: an idle connection did not answer PING")
        used = server.settled_rss_kib()
    finally:
        for conn in open_now:
            conn.close()
    closed = server.settled_rss_kib()
    return {
        "server": server.name,
        "connections": count,
        "RSS before MiB": round(before / 1024, 1),
        "growth MiB, silent": round((silent - before) / 1024, 1),
        "growth MiB, after one PING each": round((used - before) / 1024, 1),
        "B/connection": round((used - before) * 1024 / count),
        "growth MiB, all closed": round((closed - before) / 1024, 1),
    }


# ---- one big value ----


# REQUIRES in both: size is a multiple of the chunk.
def big_set(client: Client, size: int, chunk: bytes) -> None:
    client.socket.sendall(b"*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$%d\r\n" % size)
    for _ in range(size // len(chunk)):
        client.socket.sendall(chunk)
    client.socket.sendall(b"\r\n")
    if client.reply() != b"OK":
        raise BenchError("SET of the big value did not reply OK")


def big_get(client: Client, size: int, chunk: bytes) -> None:
    """Reads the value piece by piece and compares every byte."""
    client.socket.sendall(b"*2\r\n$3\r\nGET\r\n$3\r\nbig\r\n")
    if client.file.readline() != b"$%d\r\n" % size:
        raise BenchError("GET of the big value announced another length")
    piece = bytearray(len(chunk))
    for _ in range(size // len(chunk)):
        if client.file.readinto(piece) != len(chunk) or piece != chunk:
            raise BenchError("the big value came back changed")
    if client.file.read(2) != b"\r\n":
        raise BenchError("the big value does not end in CRLF")


def big_row(server: Server, size: int) -> Row:
    chunk = bytes(i * 7 % 251 for i in range(MIB))
    before = server.settled_rss_kib()
    with Client(server.port, 120) as client:
        server.reset_peak()
        start = time.monotonic()
        big_set(client, size, chunk)
        set_s = time.monotonic() - start
        set_peak = server.memory_kib("VmHWM")
        after_set = server.settled_rss_kib()
        server.reset_peak()
        start = time.monotonic()
        big_get(client, size, chunk)
        get_s = time.monotonic() - start
        get_peak = server.memory_kib("VmHWM")
        client.ask("DEL", "big")
    after_del = server.settled_rss_kib()
    mib = size / MIB
    return {
        "server": server.name,
        "value MiB": round(mib),
        "SET s": round(set_s, 2),
        "GET s": round(get_s, 2),
        "RSS growth MiB": round((after_set - before) / 1024, 1),
        "copies kept": round((after_set - before) / 1024 / mib, 2),
        "copies at SET peak": round((set_peak - before) / 1024 / mib, 2),
        "copies at GET peak": round((get_peak - before) / 1024 / mib, 2),
        "growth MiB after DEL": round((after_del - before) / 1024, 1),
    }
