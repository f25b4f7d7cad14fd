"""Certificates for tests, made by trustme: an authority, what it signs, and settings that use them."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import trustme

NAMES = ("localhost", "127.0.0.1")


class Authority:
    """A certificate authority whose files live in `folder`."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self.folder, self.name = folder, name
        self.made = trustme.CA()
        self.ca_file = folder / f"{name}.pem"
        self.made.cert_pem.write_to_path(self.ca_file)

    def issue(self, name: str, days: int = 30) -> tuple[Path, Path]:
        """A signed certificate (files of it and of its key); negative days: expired."""
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
        leaf = self.made.issue_cert(
            *NAMES, common_name=name, not_before=end - datetime.timedelta(days=60), not_after=end
        )
        cert, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        # Written beside and renamed, as a renewal does it.
        new = cert.with_suffix(".new")
        new.write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
        new.replace(cert)
        leaf.private_key_pem.write_to_path(key)
        return cert, key

    def settings(self, name: str = "server", **more: object) -> dict[str, object]:
        """Settings of a server with a certificate of this name, without tls-port."""
        cert, key = self.issue(name)
        return {
            "tls-cert-file": cert,
            "tls-key-file": key,
            "tls-ca-cert-file": self.ca_file,
            "tls-auth-clients": "no",
        } | {name.replace("_", "-"): value for name, value in more.items()}

    def client(self, pair: tuple[Path, Path] | None = None) -> ssl.SSLContext:
        """Trusts this authority alone; `pair`: shows this certificate."""
        context = ssl.create_default_context(cafile=str(self.ca_file))
        if pair:
            context.load_cert_chain(*map(str, pair))
        return context
