"""The engine's log lines, handed to logging.getLogger("rustypotato").

The engine puts them into a bounded queue and never waits. They are fetched here: by a thread of
their own once a store listens or keeps its data in files, for the engine has threads then too;
before that whenever a store is opened or closed.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading

from . import _core

logger = logging.getLogger("rustypotato")
logger.addHandler(logging.NullHandler())

# By the engine's level: debug, verbose, notice, warning.
_LEVELS = (logging.DEBUG, logging.DEBUG, logging.INFO, logging.WARNING)
_WAIT_MS = 60_000

_lock = threading.Lock()
_thread: threading.Thread | None = None
_ending = False


def _tell(level: int, created: float, text: str) -> None:
    record = logger.makeRecord(logger.name, level, "(engine)", 0, text, (), None)
    record.created, record.msecs = created, (created % 1) * 1000
    logger.handle(record)


def _hand_over(timeout_ms: int) -> bool:
    line = _core.log_take(timeout_ms)
    if line is None:
        return False
    level, created, lost, text = line
    if lost:
        _tell(logging.WARNING, created, f"{lost} lines of the log were lost: they came too fast")
    if logger.isEnabledFor(_LEVELS[level]):
        _tell(_LEVELS[level], created, text)
    return True


def drain() -> None:
    """Hands over what waits; does not wait for more."""
    while _hand_over(0):
        pass


def _run() -> None:
    while not _ending and _core.log_queued():
        _hand_over(_WAIT_MS)
    drain()


def start_thread() -> None:
    """Idempotent. Does nothing where lines go to a file or, of the server, to standard output."""
    global _thread
    with _lock:
        if _thread is None and not _ending and _core.log_queued():
            _thread = threading.Thread(target=_run, name="rustypotato-log", daemon=True)
            _thread.start()


@atexit.register
def _end() -> None:
    """Registered before the stores are: runs when they are closed."""
    global _ending
    _ending = True
    _core.log_wake()
    if _thread is not None:
        _thread.join(5)
    drain()


def _after_fork() -> None:
    global _thread, _lock
    _thread, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
