"""RDB files: redis-server's are read, ours pass redis-check-rdb and are loaded by redis-server.

The codec alone: RdbCopy of build/dev/rp_unit_persist reads a file and writes what it read."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.test_dump import LIMITS, SMALL, commands, old_bodies
from tools import rdb
from tools.servers import Server

ROOT = Path(__file__).resolve().parents[2]
CODEC = ROOT / "build" / "dev" / "rp_unit_persist"
CHECK_RDB = shutil.which("redis-check-rdb")

pytestmark = [
    pytest.mark.skipif(not CODEC.exists(), reason="build/dev/rp_unit_persist is not built"),
    pytest.mark.skipif(CHECK_RDB is None, reason="redis-check-rdb is not installed"),
]


def copied(source: Path, target: Path) -> None:
    env = os.environ | {"RP_RDB_FROM": str(source), "RP_RDB_TO": str(target)}
    command = [str(CODEC), "--gtest_filter=RdbCopy.*"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SKIPPED" not in done.stdout, done.stdout


def check_rdb(path: Path) -> str:
    assert CHECK_RDB
    done = subprocess.run([CHECK_RDB, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def started_from(path: Path) -> Server:
    server = Server("redis", dbfilename="dump.rdb", enable_debug_command="yes")
    shutil.copy(path, Path(server.dir, "dump.rdb"))
    return server


@pytest.fixture
def redis() -> Iterator[Server]:
    with Server("redis", enable_debug_command="yes") as server:
        yield server


@pytest.mark.parametrize("limits", [LIMITS, SMALL], ids=["compact", "large"])
@pytest.mark.parametrize("compress", ["yes", "no"])
def test_a_copy_holds_what_redis_wrote(
    redis: Server, tmp_path: Path, limits: dict[str, int], compress: str
) -> None:
    with redis.connect() as conn:
        for name, value in {**limits, "rdbcompression": compress}.items():
            assert conn.call("CONFIG", "SET", name, value) == "OK"
        for db in (0, 15):
            conn.call("SELECT", db)
            for command in commands():
                conn.call(*command)
                conn.call("EXPIRE", command[1], 10000 + db)
            conn.call("PERSIST", "string")
        want = conn.call("DEBUG", "DIGEST")
        assert conn.call("SAVE") == "OK"
    copied(Path(redis.dir, "dump.rdb"), tmp_path / "copy.rdb")
    check_rdb(tmp_path / "copy.rdb")
    with started_from(tmp_path / "copy.rdb") as server, server.connect() as conn:
        assert conn.call("DEBUG", "DIGEST") == want
        conn.call("SELECT", 15)
        assert conn.call("DBSIZE") == len(commands())
        assert 10000 < conn.call("TTL", "set:1") <= 10015
        assert conn.call("TTL", "string") == -1


def test_a_copy_holds_what_older_servers_wrote(tmp_path: Path) -> None:
    source, copy = tmp_path / "old.rdb", tmp_path / "copy.rdb"
    source.write_bytes(rdb.file_of([(n.encode(), b) for n, b in old_bodies().items()], 9))
    copied(source, copy)
    check_rdb(copy)
    digests = []
    for path in (source, copy):
        with started_from(path) as server, server.connect() as conn:
            assert conn.call("DBSIZE") == len(old_bodies())
            digests.append(conn.call("DEBUG", "DIGEST"))
    assert digests[0] == digests[1]
