"""Exceptions. Everything rustypotato raises of its own is a RustyPotatoError."""

from __future__ import annotations

from . import _core

__all__ = [
    "AuthenticationError",
    "BusyError",
    "ClosedError",
    "ConfigError",
    "DataError",
    "ExecAbortError",
    "ForeignStoreError",
    "NoPermissionError",
    "NoScriptError",
    "OutOfMemoryError",
    "ReadOnlyError",
    "ResponseError",
    "RustyPotatoError",
    "ServeError",
    "SubscriberCutError",
    "WrongTypeError",
]


class RustyPotatoError(Exception):
    """Base of all errors."""


class ResponseError(RustyPotatoError):
    """An error reply to a command; str() is its text without the leading "ERR ".

    Attributes:
        code: the first word of the reply, such as "ERR" or "WRONGTYPE".
    """

    code = "ERR"


class WrongTypeError(ResponseError):
    """WRONGTYPE: the key holds another kind of value."""


class OutOfMemoryError(ResponseError):
    """OOM: maxmemory is reached and the command might need more."""


class AuthenticationError(ResponseError):
    """NOAUTH or WRONGPASS: no password was given, or a wrong one."""


class NoPermissionError(ResponseError):
    """NOPERM: this user may not do that."""


class ExecAbortError(ResponseError):
    """EXECABORT: a command was refused while it was queued, so EXEC ran none."""


class ReadOnlyError(ResponseError):
    """READONLY: nothing can be written here."""


class BusyError(ResponseError):
    """BUSY or LOADING: ask again later."""


class NoScriptError(ResponseError):
    """NOSCRIPT: there is no such script."""


class ClosedError(RustyPotatoError):
    """The store or session has been closed."""


class ForeignStoreError(RustyPotatoError):
    """The store belongs to the parent process: it cannot be used in a forked child."""


class ConfigError(RustyPotatoError, ValueError):
    """A setting is unknown or out of range; the text names it."""


class ServeError(RustyPotatoError, OSError):
    """An address cannot be listened on, or a file cannot be opened; the text names it."""


class SubscriberCutError(RustyPotatoError):
    """A PubSub did not take its messages: more than its max_bytes waited, so it gets no more."""


class DataError(RustyPotatoError, OSError):
    """The data cannot be brought back, or another process has their directory.

    The text names the file, the place in it, and what to do.
    """


_BY_CODE: dict[str, type[ResponseError]] = {
    "WRONGTYPE": WrongTypeError,
    "OOM": OutOfMemoryError,
    "NOAUTH": AuthenticationError,
    "WRONGPASS": AuthenticationError,
    "NOPERM": NoPermissionError,
    "EXECABORT": ExecAbortError,
    "READONLY": ReadOnlyError,
    "BUSY": BusyError,
    "LOADING": BusyError,
    "NOSCRIPT": NoScriptError,
}


def from_reply(text: str) -> ResponseError:
    """Returns the exception for an error reply (its text behind the "-"). Called by _core."""
    code, _, rest = text.partition(" ")
    error = _BY_CODE.get(code, ResponseError)(rest if code == "ERR" else text)
    error.code = code
    return error


def from_status(status: int, text: str) -> RustyPotatoError:
    """Returns the exception for a status of rustypotato.h. Called by _core."""
    if status == _core.CLOSED:
        return ClosedError(text)
    if status == _core.FOREIGN:
        return ForeignStoreError(text)
    if status == _core.INVALID:
        return ConfigError(text)
    if status == _core.CUT:
        return SubscriberCutError(text)
    if status == _core.DATA:
        return DataError(text)
    return ServeError(text)
