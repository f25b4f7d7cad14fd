"""The server: python -m rustypotato [redis.conf] [-] [--setting value ...]; and the tools."""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from types import FrameType

from . import _core, monitor, tools
from .errors import ClosedError, RustyPotatoError
from .server import Listener
from .service import NOTICE, WARNING, Service
from .store import Store

# name -> the module whose main(args) runs it and returns the exit code; imported when it is named.
SUBCOMMANDS = {
    "cli": ".cli",
    "completion": ".completions",
    "top": ".top",
}

HELP = """\
Usage: python -m rustypotato [redis.conf] [-] [--setting value ...]
       python -m rustypotato cli [options] [command [argument ...]]
       python -m rustypotato top | check | backup | restore --help
       python -m rustypotato completion bash | zsh | fish
       python -m rustypotato --version | --help

A Redis-compatible server. Every setting of redis.conf is also a flag and an environment variable;
later sources win: file, standard input ("-"), RUSTYPOTATO_* variables, flags, CONFIG SET.

  --port 6379               TCP port, 0 = none
  --bind 127.0.0.1          addresses to listen on
  --unixsocket PATH         listen on a Unix socket too
  --tls-port 6380           TCP port that speaks TLS, with --tls-cert-file, --tls-key-file, ...
  --io-threads 4            event loops; all of them run commands
  --maxmemory 100mb         limit of the data, see --maxmemory-policy
  --requirepass SECRET      password that clients must give
  --metrics-port 9121       HTTP port of /metrics, /healthz, /readyz and a dashboard page
  --databases 16            number of databases
  --loglevel notice         debug, verbose, notice or warning
  --logfile PATH            log there instead of to standard output; SIGHUP opens it again
  --log-format json         redis, logfmt or json
  --pidfile PATH            hold the process id there while running
  --daemonize yes           go on in the background
  --supervised auto         tell systemd (Type=notify) when the data are there

Examples:
  python -m rustypotato redis.conf --port 7000
  echo 'maxmemory 1gb' | python -m rustypotato - --maxmemory-policy allkeys-lru
  RUSTYPOTATO_PORT=7000 python -m rustypotato

SIGTERM, SIGINT and SHUTDOWN end it in order, with exit code 0; a second Ctrl-C ends it at once
with exit code 130.
"""


def version_text() -> str:
    """The compatible version stands first: tools that expect redis-server take the first one."""
    return (
        f"RustyPotato server, compatible with Redis server v={_core.redis_version}; "
        f"RustyPotato v={_core.__version__} python={sys.version_info[0]}.{sys.version_info[1]}"
    )


class Signals:
    """The first SIGTERM or SIGINT asks for a stop, a second SIGINT ends the process."""

    def __init__(self, service: Service) -> None:
        self.asked = False
        self.loading = False
        self.service = service
        self.store: Store | None = None
        self.leftovers: list[str] = []

    def install(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, self.reopen_log)

    def reopen_log(self, number: int, frame: FrameType | None) -> None:
        """Log rotation: the file was moved away. The service goes on whatever comes of it."""
        is_told = self.service.is_ready  # else READY=1 would be news, and wrong
        if is_told:
            self.service.notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            _core.log_reopen()
            _core.log_say(NOTICE, "SIGHUP: the log file was opened again")
        except RustyPotatoError as error:
            _core.log_say(WARNING, f"SIGHUP: {error}")
        if is_told:
            self.service.notify("READY=1")

    def handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            self.leave_now()
        self.asked = True
        if self.loading and self.store is not None and not self.store.closed:
            _core.request_stop(self.store)

    def leave_now(self) -> None:
        for path in self.leftovers:
            try:
                os.unlink(path)
            except OSError:
                pass
        os._exit(130)


def setting(store: Store, name: str) -> str:
    value: str = store.execute("CONFIG", "GET", name)[1]
    return value


def aside(
    name: str, run: Callable[[], object], meanwhile: Callable[[], None] = lambda: None
) -> None:
    """Runs it in another thread, so that this one can still answer signals.

    Args:
        meanwhile: called here again and again until that has ended.
    """
    thread = threading.Thread(target=run, name=name)
    thread.start()
    while True:
        thread.join(0.1)
        if not thread.is_alive():
            return
        meanwhile()


def prepared(store: Store) -> bool:
    """Whether nothing would be lost by a stop."""
    said: list[bool] = []
    aside("prepare", lambda: said.append(_core.prepare_stop(store)))
    return said == [True]


def wait_for_stop(store: Store, signals: Signals) -> None:
    """Until SHUTDOWN, or a signal whose stop leaves nothing unsaved."""
    while True:
        while not signals.asked:
            if _core.wait_stop(store, 250):
                return
        if prepared(store):
            return
        signals.asked = False


def load(store: Store, service: Service) -> None:
    """Brings the data back, and shows how far that is."""
    failed: list[Exception] = []

    def run() -> None:
        try:
            _core.load(store)
        except ClosedError:
            pass  # a stop was asked for
        except RustyPotatoError as error:
            failed.append(error)

    aside("load", run, lambda: show_progress(store, service))
    if failed:
        raise failed[0]


def show_progress(store: Store, service: Service) -> None:
    on_terminal = sys.stderr.isatty()
    if not on_terminal and service.supervisor != "systemd":
        return
    from .monitor.reading import Info, loading_text  # for loads that take long

    with store.session(protocol=2) as session:
        text = loading_text(Info(session.execute("INFO", "persistence")))
    if text is not None:
        service.notify(f"STATUS={text}\nEXTEND_TIMEOUT_USEC=10000000")
        if on_terminal:
            print(f"\r{text} ", end="", file=sys.stderr, flush=True)


def serve(store: Store, signals: Signals, service: Service) -> None:
    """Serves until a signal or SHUTDOWN."""
    unixsocket = setting(store, "unixsocket")
    signals.store = store
    Listener(store, None, -1, None)
    monitor.serve_by_settings(store, functools.partial(setting, store))
    signals.leftovers = [path for path in (service.pidfile, unixsocket) if path]
    try:
        service.write_pidfile()
        service.listening()
        signals.loading = True
        if signals.asked:  # one that came before listening was forgotten by it
            _core.request_stop(store)
        load(store, service)
        signals.loading = False
        if not signals.asked:
            service.ready()
            wait_for_stop(store, signals)
        service.stopping()
        aside("close", store.close)
    finally:
        service.remove_pidfile()


def run(args: Sequence[str]) -> int:
    """Runs the server; signals are handled from here on."""
    flags = tuple(os.fsencode(arg) for arg in args)
    try:
        service = Service(flags)
        service.leave_foreground()
    except (RustyPotatoError, OSError, ValueError) as error:
        print(f"rustypotato: {error}", file=sys.stderr)
        return 1
    signals = Signals(service)
    signals.install()
    store = None
    try:
        store = Store._serving(flags)
        serve(store, signals, service)
    except (RustyPotatoError, OSError, ValueError) as error:
        service.failed(str(error))
        return 1
    finally:
        if store is not None:
            store.close()
        # All is done: a signal while the interpreter ends must not make that look like a crash.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line. Returns the exit code: 0, or 1 with one line on standard error."""
    args = list(sys.argv[1:] if argv is None else argv)
    if args in (["--version"], ["-v"]):
        print(version_text())
        return 0
    if args in (["--help"], ["-h"]):
        print(HELP, end="")
        return 0
    if args and args[0] in SUBCOMMANDS:
        code: int = import_module(SUBCOMMANDS[args[0]], "rustypotato").main(args[1:])
        return code
    if args and args[0] in tools.NAMES:  # a file of that name: ./check
        return tools.run(args)
    return run(args)


if __name__ == "__main__":
    sys.exit(main())
