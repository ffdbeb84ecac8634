"""TLS is always verified, and SSL_CERT_FILE is how another authority is trusted."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rollcall.catalog.model import Answer, Verdict
from rollcall.providers.fetch import Target, ask_all
from rollcall.providers.registry import resolve_provider

KEY = "sent-only-when-trusted-0123"


class Server(ThreadingHTTPServer):
    """An OpenAI-compatible list behind a certificate that nobody vouches for."""

    daemon_threads = True
    seen: list[str]

    def handle_error(self, request: object, client_address: object) -> None:
        """A handshake that was broken off is what is tested here."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""

    def do_GET(self) -> None:
        self.server.seen.append(self.headers.get("authorization", ""))
        body = b'{"object":"list","data":[{"id":"storm-1"}]}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for localhost and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + secret)
    return path


@pytest.fixture
def server(certificate: Path) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Server(("127.0.0.1", 0), Handler) as found:
        found.seen = []
        found.socket = context.wrap_socket(
            found.socket, server_side=True, do_handshake_on_connect=False
        )
        loop = threading.Thread(target=found.serve_forever, args=(0.01,))
        loop.start()
        yield found
        found.shutdown()
        loop.join()


def ask(server: Server, host: str) -> Answer:
    base_url = f"https://{host}:{server.server_address[1]}/v1"
    provider = resolve_provider(
        "mine", type="openai", base_url=base_url, key_env="MINE", environ={}
    )
    (answer,) = ask_all([Target(provider, KEY, 30)], deadline_seconds=30, fetched_at="")
    return answer


def test_a_certificate_nobody_vouches_for_gets_no_key(server: Server) -> None:
    answer = ask(server, "localhost")
    assert answer.verdict is Verdict.UNREACHABLE
    assert "certificate is not trusted" in answer.detail
    assert "SSL_CERT_FILE" in answer.detail
    assert server.seen == []


def test_an_authority_of_ones_own_is_trusted_for_its_names(
    server: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert ask(server, "localhost").verdict is Verdict.OK
    assert server.seen == [f"Bearer {KEY}"]
    other_name = ask(server, "127.0.0.1")
    assert other_name.verdict is Verdict.UNREACHABLE
    assert len(server.seen) == 1
