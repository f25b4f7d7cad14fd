"""python -m rustypotato backup DEST (--dir DIR | --host/--port | --unix PATH | -u URL)."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence

from ..errors import RustyPotatoError
from .copying import Meter, copy_data, copy_open, new_directory
from .places import DAMAGED, TORN, Places, ToolError, add_names, check, fix, places_from
from .progress import Progress, size_text
from .wire import Address, Client

EPILOG = """\
DEST is a new directory: it appears when the copy is complete, synced and checked.

  --dir DIR      copies the log (manifest, base, increments) and the snapshot. A server may go on
                 using the directory: the copy is the state of one moment.
  else           asks the server for a snapshot (BGSAVE) and copies that. The server must run on
                 this machine and its `dir` must be readable.

exit codes: 0 = the backup is complete and good, 1 = there is none, 2 = wrong usage
"""
POLL_S = 0.1
BEGIN_TRIES = 100  # of BGSAVE, while another one runs
CLOCK_SLACK_S = 2  # file times are coarse


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rustypotato backup",
        description="Takes a verified backup of a data directory or of a running server.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dest", metavar="DEST", help="a new directory for the backup")
    parser.add_argument("--dir", metavar="DIR", help="back up this data directory")
    parser.add_argument("--host", help="back up the server there (127.0.0.1)")
    parser.add_argument("--port", type=int, help="its port (6379)")
    parser.add_argument("--unix", metavar="PATH", help="its Unix socket")
    parser.add_argument("-u", "--url", help="redis[s]://user:password@host:port or unix:///path")
    parser.add_argument("--user", help="name for AUTH")
    parser.add_argument("--password", help="password for AUTH; better in REDISCLI_AUTH")
    add_names(parser)
    return parser


def _verify(places: Places) -> None:
    """Checks a copy. A torn tail, which a server in the middle of a write leaves, is cut."""
    with Progress("checking") as progress:
        result, findings = check(places, progress)
    if result == TORN:
        try:
            cuts = fix(places)
        except RustyPotatoError as error:
            raise ToolError(str(error)) from None
        for cut in cuts:
            os.unlink(f"{cut.file}.cut-{cut.offset}")
            print(f"{os.path.basename(cut.file)}: the copy ends at byte {cut.offset}")
        result, findings = check(places)
    _remove_lock(places)
    if result == DAMAGED:
        lines = "\n".join(finding.line() for finding in findings if finding.is_fault)
        raise ToolError(f"the copy is not good, so there is no backup:\n{lines}")


def _remove_lock(places: Places) -> None:
    try:
        os.unlink(os.path.join(places.dir, "rustypotato.lock"))
    except FileNotFoundError:
        pass


def backup_dir(places: Places, dest: str) -> None:
    """Copies a data directory."""
    if not os.path.isdir(places.dir):
        raise ToolError(f"{places.dir}: there is no such directory", 2)
    with new_directory(dest) as target:
        try:
            with Progress("copying") as progress:
                found = copy_data(places, target, progress)
        except RustyPotatoError as error:
            raise ToolError(str(error)) from None
        if not found:
            raise ToolError(f"{places.dir}: there is neither a log nor a snapshot")
        _verify(places.at(target))


# ---- a running server --------------------------------------------------------------------------


def _begin_save(client: Client) -> None:
    """Starts a BGSAVE of our own: one that runs already began before we asked."""
    for _ in range(BEGIN_TRIES):
        _wait_saved(client)
        try:
            client.call("BGSAVE")
            return
        except ToolError as error:
            if "in progress" not in str(error):
                raise
            # A rewrite of the log, or somebody else's save that began just now.
            time.sleep(POLL_S)
    raise ToolError(f"{client.address}: it saves or rewrites all the time")


def _is_busy(info: dict[str, str]) -> bool:
    return info.get("rdb_bgsave_in_progress") == "1" or info.get("aof_rewrite_in_progress") == "1"


def _wait_saved(client: Client) -> dict[str, str]:
    with Progress("the server saves", "keys") as progress:
        while True:
            info = client.info("persistence")
            if not _is_busy(info):
                return info
            done = int(info.get("current_save_keys_processed", 0))
            progress(done, int(info.get("current_save_keys_total", 0)))
            time.sleep(POLL_S)


def _saved_file(client: Client, asked_s: float) -> str:
    """The path of the snapshot, once it is sure to be the one that the server has just written."""
    info = _wait_saved(client)
    if info.get("rdb_last_bgsave_status") != "ok":
        raise ToolError(f"{client.address}: BGSAVE failed: see the server's log")
    path = os.path.join(client.setting("dir"), client.setting("dbfilename"))
    if not os.path.exists(path):
        raise ToolError(
            f"{client.address}: it saved to {path}, which is not there as seen from here (another "
            "machine, a container, or no permission): run backup where the file is"
        )
    if not os.access(path, os.R_OK):
        raise ToolError(f"{path}: no permission to read it: run backup as the server's user")
    if os.stat(path).st_mtime < asked_s - CLOCK_SLACK_S:
        raise ToolError(
            f"{path}: it is older than the save, so it is another server's (is {client.address} in "
            "a container?): run backup where the server's file is"
        )
    return path


def backup_server(address: Address, dest: str) -> None:
    """Asks a server for a snapshot and copies it."""
    if not address.is_local:
        raise ToolError(
            f"{address} is another machine, and its files cannot be read from here: run backup "
            "there, or copy its directory and use --dir"
        )
    with Client(address) as client, new_directory(dest) as target:
        asked_s = time.time()
        _begin_save(client)
        path = _saved_file(client, asked_s)
        name = os.path.basename(path)
        with open(path, "rb") as source, Progress("copying") as progress:
            size = os.fstat(source.fileno()).st_size
            copy_open(source, size, os.path.join(target, name), Meter(size, progress))
        _verify(Places(target, dbfilename=name))


def _address(args: argparse.Namespace) -> Address:
    given = {name: getattr(args, name) for name in ("host", "port", "unix", "url")}
    given |= {"user": args.user, "password": args.password}
    return Address(**{name: value for name, value in given.items() if value is not None})


def main(argv: Sequence[str]) -> int:
    """Runs the tool; returns the exit code."""
    parser = _parser()
    args = parser.parse_args(argv)
    ways = [args.dir, args.unix, args.url, args.host or args.port]
    if sum(1 for way in ways if way) != 1:
        parser.error("say what to back up: --dir, or one of --host/--port, --unix, --url")
    if args.dir:
        backup_dir(places_from(args, args.dir), args.dest)
    else:
        backup_server(_address(args), args.dest)
    files = [os.path.join(base, name) for base, _, names in os.walk(args.dest) for name in names]
    total = size_text(sum(os.path.getsize(file) for file in files))
    print(f"{args.dest}: a good backup, {len(files)} files, {total}")
    return 0
