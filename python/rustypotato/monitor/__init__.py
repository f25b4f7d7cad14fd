"""The monitoring port: /metrics for Prometheus, /healthz, /readyz, and a dashboard page at /.

    monitor = store.serve_metrics(port=9121)
    monitor.url                      # "http://127.0.0.1:9121/"
    monitor.close()                  # or store.close()

`python -m rustypotato --metrics-port 9121` does the same for the server. It reads the store through
a session in this process: no socket, no event loop is involved. docs/monitoring.md has the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from typing_extensions import Self

    from ..store import Store


def _hosts(text: str) -> list[str]:
    """As the setting `bind`: addresses with spaces between, * for all."""
    everywhere = {"*": "0.0.0.0", "::*": "::"}
    return [everywhere.get(word.lstrip("-"), word.lstrip("-")) for word in text.split()]


def serve_by_settings(store: Store, setting: Callable[[str], str]) -> None:
    """Opens the port that metrics-port and its kin ask for, if any; it closes with the store.

    Raises:
        ServeError: an address is taken or cannot be used.
        OSError, ValueError: metrics-auth-file cannot be read, or holds no user:password.
    """
    port = int(setting("metrics-port"))
    if port == 0:
        return
    auth, path = setting("metrics-auth"), setting("metrics-auth-file")
    if path:
        with open(path, encoding="utf-8") as file:
            auth = file.readline().strip()
        if ":" not in auth:
            raise ValueError(f"metrics-auth-file '{path}': its first line is no user:password")
    store.serve_metrics(port, setting("metrics-bind"), auth or None)


class Monitor:
    """Made by Store.serve_metrics(); serves until close() or the store's.

    Attributes:
        store: the store.
        host: the addresses asked for.
        port: the TCP port in use.
    """

    def __init__(
        self, store: Store, host: str = "127.0.0.1", port: int = 0, auth: str | None = None
    ) -> None:
        from .asker import Asker  # h11 is loaded by those who serve
        from .http import HttpServer
        from .pages import Pages

        if auth is not None and ("" in auth.split(":", 1) or ":" not in auth):
            raise ValueError("auth is user:password")
        self.store = store
        self.host = host
        self._pages = Pages(Asker(store), auth)
        try:
            self._http = HttpServer(_hosts(host) or ["127.0.0.1"], port, self._pages.answer)
        except OSError:
            self._pages.close()
            raise
        self.port = self._http.port

    @property
    def url(self) -> str:
        """Of the dashboard, on the first address."""
        host = _hosts(self.host)[0].replace("0.0.0.0", "127.0.0.1")
        host = "::1" if host == "::" else host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"

    def stopping(self) -> None:
        """From now on /readyz says that the end is near."""
        self._pages.stopping = True

    def close(self) -> None:
        """Stops listening and sampling. Once is enough, more do no harm."""
        self._http.close()
        self._pages.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<rustypotato.monitor.Monitor at {self.url}>"
