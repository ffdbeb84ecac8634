"""What the environment holds in secret is taken out wherever others' words are told."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rollcall.errors import ConfigRefused, StoreError
from rollcall.inspect.prove import RunningProof
from rollcall.launch.validation import LiteLLMCheck
from rollcall.report.bugs import report_bug
from rollcall.secrets import MARK, secrets_of
from rollcall.settings import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollcall.settings import Settings

PASSWORD = "p%40ss-w0rd.of.tests"
VALUES = {
    "OPENAI_API_KEY": ("plain-looking-key", "plain-looking-key"),
    "LITELLM_MASTER_KEY": ("master of the tests", "master of the tests"),
    "SMTP_PASSWORD": ("letmein", "letmein"),
    "MYSQL_PWD": ("pwd-of-tests", "pwd-of-tests"),
    "DB_PASS": ("pass-of-tests", "pass-of-tests"),
    "HF_TOKEN": ("token-of-tests", "token-of-tests"),
    "AWS_ACCESS_KEY_ID": ("AKIDOFTESTS", "AKIDOFTESTS"),
    "AWS_SECRET_ACCESS_KEY": ("aws/secret+of+tests", "aws/secret+of+tests"),
    "AWS_SESSION_TOKEN": ("session-of-tests", "session-of-tests"),
    "AZURE_CLIENT_SECRET": ("azure~secret", "azure~secret"),
    "AZURE_STORAGE_ACCOUNT_KEY": ("azurekey==", "azurekey=="),
    "AZURE_STORAGE_SAS_TOKEN": ("sv=2026&sig=sig-of-tests", "sig-of-tests"),
    "AZURE_STORAGE_CONNECTION_STRING": (
        "DefaultEndpointsProtocol=https;AccountName=me;AccountKey=within+the=string==;",
        "within+the=string==",
    ),
    "SQL_CONNECTION": ("Server=tcp:db,1433;User ID=me;Password=within;Encrypt=yes", "within"),
    "GOOGLE_APPLICATION_CREDENTIALS": ("/run/google.json", "/run/google.json"),
    "GOOGLE_SERVICE_ACCOUNT_KEY": ('{"private_key": "of tests"}', '{"private_key": "of tests"}'),
    "DATABASE_URL": (f"postgresql://me:{PASSWORD}@db:5432/litellm", PASSWORD),
    "REDIS_URL": ("redis://:of-redis@cache:6379/0", "of-redis"),
    "PG_CONNECTION": ("host=db user=me password=of-libpq dbname=x", "of-libpq"),
}
"""Variable -> its value, and the secret in it."""
MORE = {"DATABASE_URL decoded": "p@ss-w0rd.of.tests"}
CONFIG = b"""model_list: [{model_name: mine, litellm_params: {model: openai/x}}]
router_settings: {model_group_alias: {work: mine}}
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a folder with a config, where all of them are set."""
    (tmp_path / "config.yaml").write_bytes(CONFIG)
    environ = {name: value for name, (value, _) in VALUES.items()}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    environ |= {"ROLLCALL_LITELLM": str(tmp_path / "litellm"), "PATH": os.defpath}
    return resolve(cwd=tmp_path, environ=environ)


def by_validate(settings: Settings, said: str) -> str:
    """What is told of LiteLLM's last words."""
    litellm = Path(settings.environ["ROLLCALL_LITELLM"])
    litellm.write_text(f"#!{sys.executable}\nraise SystemExit({said!r})\n", encoding="utf-8")
    litellm.chmod(0o755)
    with pytest.raises(ConfigRefused) as caught:
        LiteLLMCheck(settings)(CONFIG)
    return caught.value.what


def by_prove(settings: Settings, said: str) -> str:
    """What is told of a call of the proxy that failed."""

    class Proxy(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def reply(self, status: int, body: object) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_GET(self) -> None:
            self.reply(200, {"data": [{"id": "mine"}, {"id": "work"}]})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.reply(400, {"error": {"message": said}})

    with HTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        dead = RunningProof(settings, url, budget_seconds=0, answered={"work"}).dead_after()
        server.shutdown()
    return dead["work"]


def by_a_bug(_: Settings, said: str) -> str:
    """What the log of a bug holds."""
    report_bug(ValueError(said))
    [log] = Path(tempfile.gettempdir()).glob("rollcall-bug-*.log")
    return log.read_text(encoding="utf-8")


def by_a_store(settings: Settings, said: str) -> str:
    """What is told of an object store's words."""
    pytest.importorskip("obstore", reason="the extra `fleet` is not installed")
    from obstore.exceptions import GenericError

    from rollcall.store.object_home import ObjectHome

    home = ObjectHome.at("s3://bucket/key", settings.environ)
    with pytest.raises(StoreError) as caught, home.translated("read", "key"):
        raise GenericError(said)
    return caught.value.what


@pytest.mark.parametrize("told", [by_validate, by_prove, by_a_bug, by_a_store])
@pytest.mark.parametrize("name", [*VALUES, *MORE])
def test_a_secret_is_told_by_none(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    told: Callable[[Settings, str], str],
) -> None:
    if told is by_validate and os.name == "nt":
        pytest.skip("Windows: no #! lines")
    monkeypatch.setattr(tempfile, "tempdir", os.fspath(settings.config_path.parent))
    secret = MORE[name] if name in MORE else VALUES[name][1]
    words = told(settings, f"nobody takes {secret} here")
    assert f"nobody takes {MARK} here" in words
    assert secret not in words


def test_what_is_no_secret_stays() -> None:
    environ = {"PWD": "/srv/app", "OLDPWD": "/srv", "HOME": "/root", "USER": "me", "X": ""}
    environ |= {"OPENAI_BASE_URL": "https://api.example.com/v1", "HTTP_PROXY": "http://proxy:3128"}
    environ |= {"LITELLM_LOG": "DEBUG", "EMPTY_API_KEY": "", "LS_COLORS": "di=01;34:ln=01"}
    assert secrets_of(environ) == ()


@pytest.mark.parametrize(
    "value",
    ["postgresql://postgres:postgres@db/litellm", "redis://default:litellm@cache:6379",
     "sort_key=claude-sonnet", "key=anthropic", "?sort_key=claude-sonnet"],
)  # fmt: skip
def test_an_ordinary_word_is_no_secret(value: str) -> None:
    assert secrets_of({"SOMETHING": value}) == ()


def test_a_key_in_an_address_is_one() -> None:
    assert secrets_of({"SOMETHING": "https://x.example/?key=of-tests"}) == ("of-tests",)
