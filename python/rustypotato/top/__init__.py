"""rustypotato top: a live view of a server in the terminal: any Redis server, over its port.

    python -m rustypotato top -p 6379
    python -m rustypotato top -u redis://user:secret@host:6379 --once

Keys: q ends it, s sorts the commands by the next column, r starts the rates anew.
Exit codes: 0 = ended by q or Ctrl-C; 1 = the server cannot be reached any more; 2 = wrong usage.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from ..tools.places import ToolError
from ..tools.wire import Address, Client

SORTS = ("rate", "calls", "time", "name")  # the columns, in the order of the key s
INTERVAL_MIN_S, INTERVAL_MAX_S = 0.1, 3600.0


def _interval(text: str) -> float:
    value = float(text)
    if not INTERVAL_MIN_S <= value <= INTERVAL_MAX_S:
        raise ValueError
    return value


_interval.__name__ = "number of seconds"  # argparse shows it: "invalid number of seconds value"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rustypotato top",
        description="Shows what a Redis server does: commands, memory, clients, keys, slow log.",
        epilog="Keys: q quits, s sorts the commands by the next column, r starts anew.",
        add_help=False,
    )
    parser.add_argument("--help", action="help", help="print this and exit")
    parser.add_argument(
        "-u", "--url", help="redis[s]://[user[:password]@]host[:port], unix:///path"
    )
    parser.add_argument("-h", "--host", default="127.0.0.1")
    parser.add_argument("-p", "--port", type=int, default=6379)
    parser.add_argument("-s", "--socket", metavar="PATH", help="Unix socket, instead of host, port")
    parser.add_argument("--user", help="name for AUTH")
    parser.add_argument("-a", "--pass", dest="password", help="password; better: REDISCLI_AUTH")
    parser.add_argument("--interval", type=_interval, default=1.0, metavar="SECONDS")
    parser.add_argument("--sort", choices=SORTS, default=SORTS[0])
    parser.add_argument("--once", action="store_true", help="print one frame and exit")
    return parser


def main(argv: Sequence[str]) -> int:
    """Runs the command line; returns the exit code."""
    args = _parser().parse_args(argv)
    from . import live  # rich takes a while to load

    try:
        address = Address(args.host, args.port, args.socket, args.url, args.user, args.password)
        with Client(address) as client:
            source = live.Source(client.call, str(address))
            if args.once:
                source.read()
                time.sleep(args.interval)
                live.print_once(source, args.sort)
            else:
                live.run(source, args.interval, args.sort)
    except ToolError as error:
        print(f"rustypotato top: {error}", file=sys.stderr)
        return error.code
    except BrokenPipeError:
        return 0  # whoever read our frame has enough
    except KeyboardInterrupt:
        pass
    return 0
