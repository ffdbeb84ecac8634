"""Every trap doctor knows, as a config: what LiteLLM does with it, and what rollcall says of it.

`observe` runs one case on LiteLLM itself; `judged` says what doctor, --validate and smoke make of
it; `disagreements` holds the two against each other. tests/test_litellm_matrix.py asserts that
there are none, and `python -m tests.tools.litellm_matrix` writes docs/LITELLM.md from them.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from rollcall.errors import ConfigRefused
from rollcall.inspect.checked_config import CheckedConfig
from rollcall.inspect.doctor import checked_config, examine
from rollcall.inspect.findings import Finding, Level
from rollcall.inspect.keys import master_key_findings
from rollcall.inspect.smoke import SmokeOptions, proxy_key, read_promised, run_smoke
from rollcall.inspect.traps import find_traps
from rollcall.launch.find import find_package
from rollcall.launch.validation import LiteLLMCheck
from rollcall.settings import Settings, resolve
from rollcall.store.store import Store
from tests.litellm_cases import HEAD, KEY, Case
from tests.litellm_proxy import MASTER_KEY, OFFLINE
from tests.loopback import Answering, listening
from tests.proxy_forks import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.proxy_forks import Forks


TAKEN = (f"Bearer {KEY}", "Bearer fake-api-key")
WRONG = {"error": {"message": "wrong key", "type": "auth", "code": "401"}}


class Upstream(Answering):
    """A provider that takes one key and says one word."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """A list of models for the good key, 401 for any other."""
        if self.headers.get("authorization") not in TAKEN:
            self.say_json(401, WRONG)
            return
        self.say_json(200, {"object": "list", "data": [{"id": "x", "object": "model"}]})

    def do_POST(self) -> None:
        """A completion for the good key, 401 for any other."""
        body = json.loads(self.sent() or b"{}")
        if self.headers.get("authorization") not in TAKEN:
            self.say_json(401, WRONG)
            return
        message = {"role": "assistant", "content": "OK"}
        answer = {
            "id": "x",
            "object": "chat.completion",
            "created": 1,
            "model": body.get("model", "x"),
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
        self.say_json(200, answer)


@contextmanager
def upstream() -> Iterator[str]:
    """The provider's address; it ends with the block."""
    with listening(Upstream) as port:
        yield f"http://127.0.0.1:{port}/v1"


MESSAGES = [{"role": "user", "content": "hi"}]


@dataclass(frozen=True)
class Bench:
    """What cases run on: LiteLLM to fork, a `litellm` command, a provider."""

    forks: Forks
    command: Path
    upstream: str


@dataclass
class Seen:
    """What LiteLLM did. `listed` is None where /v1/models failed; `calls`: name -> status."""

    starts: bool
    listed: list[str] | None = None
    calls: dict[str, int] = field(default_factory=dict)
    validated: bool = True
    counted: int = 0


@dataclass
class Judged:
    """What rollcall says. `refusal`: of --validate; `left_out`: it saw the config without its MCP
    servers; `uneditable`: why no run gets as far as that; `smoke`: None where nothing runs.
    """

    findings: tuple[Finding, ...]
    refusal: str | None = None
    uneditable: str | None = None
    left_out: bool = False
    smoke: str | None = None


@dataclass
class Observed:
    """One case, observed."""

    case: Case
    config: CheckedConfig
    seen: Seen
    judged: Judged


def observe(case: Case, folder: Path, bench: Bench) -> Observed:
    """Run a case in an empty folder."""
    texts = {case.where: case.config, **case.files}
    if case.policy:
        texts["policy.yaml"] = case.policy
    for name, text in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(_filled(text, bench).encode("utf-8", "surrogateescape"))
    where = _settings(case, folder, bench)
    store = Store(where.config_path, where.state_dir)
    raw = store.read_config()
    config = checked_config(where, store, raw, find_package({"PATH": os.environ["PATH"]}))
    findings = (*find_traps(config), *master_key_findings(config))
    if case.policy:
        whole = examine(where, check_keys=True)
        findings += tuple(one for one in whole if one.code in KEY_CODES)
    told = [one for one in findings if one.level is not Level.OK and one.code not in OF_THE_BENCH]
    judged = Judged(tuple(told))
    seen = Seen(starts=False)
    _validate(where, folder, raw, bench, seen, judged)
    _run(case, where, config, folder, bench, seen, judged)
    return Observed(case, config, seen, judged)


def _filled(text: str, bench: Bench) -> str:
    words = text.replace("UPSTREAM", bench.upstream).replace("api_key: KEY", f"api_key: {KEY}")
    return words.replace("{X: KEY}", f"{{X: {KEY}}}")


def _settings(case: Case, folder: Path, bench: Bench) -> Settings:
    environ: dict[str, str | None] = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONUTF8": "1",
        "LITELLM_MASTER_KEY": MASTER_KEY,
        "ROLLCALL_LITELLM": str(bench.command),
        **OFFLINE,
        **case.environ,
    }
    given = {name: value for name, value in environ.items() if value is not None}
    return resolve(cwd=folder, config=folder / case.where, environ=given)


def _validate(
    where: Settings, folder: Path, raw: bytes, bench: Bench, seen: Seen, judged: Judged
) -> None:
    """LiteLLM's own check, and ours of the same text over a present config that is well."""
    where.config_path.write_bytes(_filled(HEAD, bench).encode())
    check = LiteLLMCheck(where)
    try:
        check(raw)
    except ConfigRefused as refused:
        if refused.reason.startswith("litellm"):
            judged.refusal = refused.what
        else:
            judged.uneditable = refused.reason
    where.config_path.write_bytes(raw)
    judged.left_out = bool(check.notes)
    if judged.left_out:  # its own check would not end
        return
    log = folder / "validate.log"
    args = ["--config", str(where.config_path), "--validate_config"]
    started = bench.forks.start(args, folder, where.environ, log)
    code = started.exit_code(60)
    started.stop()
    said = log.read_text("utf-8", "replace")
    seen.validated = code == 0
    seen.counted = int(said.rpartition("config OK (")[2].split(" ", 1)[0]) if code == 0 else 0


def _run(
    case: Case,
    where: Settings,
    config: CheckedConfig,
    folder: Path,
    bench: Bench,
    seen: Seen,
    judged: Judged,
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    args = ["--config", str(where.config_path), "--host", "127.0.0.1", "--port", str(port)]
    started = bench.forks.start(args, folder, where.environ, folder / "litellm.log")
    url = f"http://127.0.0.1:{port}"
    headers = {"authorization": f"Bearer {case.proxy_key}"}
    try:
        with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=30) as client:
            seen.starts = wait_for(lambda: _is_ready(client), started, 60)
            if not seen.starts:
                return
            listed = client.get("/v1/models")
            if listed.status_code == 200:
                seen.listed = [row["id"] for row in listed.json()["data"]]
            for name in (*_names(config), *case.calls):
                seen.calls[name] = _call(client, name)
        judged.smoke = _smoked(case, where, url)
    finally:
        started.stop()


def listed_names(config: str, bench: Bench, folder: Path) -> set[str]:
    """What a proxy on a config lists; it has to start."""
    case = Case("", config)
    seen, judged = Seen(starts=False), Judged(())
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    where = _settings(case, folder, bench)
    nothing = CheckedConfig("config.yaml", b"")
    _run(case, where, nothing, folder, bench, seen, judged)
    assert seen.listed is not None, (folder / "litellm.log").read_text("utf-8", "replace")[-2000:]
    return set(seen.listed)


def _is_ready(client: httpx.Client) -> bool:
    with suppress(httpx.HTTPError):
        return client.get("/health/readiness").status_code == 200
    return False


def _call(client: httpx.Client, name: str) -> int:
    body = {"model": name, "messages": MESSAGES, "max_tokens": 16, "num_retries": 0}
    with suppress(httpx.HTTPError):
        return client.post("/v1/chat/completions", json=body).status_code
    return 0


def _names(config: CheckedConfig) -> list[str]:
    """Every name a client may try: model_names and aliases, wildcards aside."""
    names = [*config.view.groups, *config.view.aliases]
    return [name for name in dict.fromkeys(names) if "*" not in name and "/X" not in name]


def _smoked(case: Case, where: Settings, url: str) -> str:
    try:
        promised = read_promised(where)
    except ConfigRefused as refused:
        return f"cannot read the file: {refused.reason}"
    assert proxy_key(where, promised.data, None) or case.proxy_key
    options = SmokeOptions(all_models=True, timeout_seconds=30)
    report = run_smoke(url, case.proxy_key, promised.view, options)
    if report.ok:
        return "ok"
    dead = [row.name for row in report.rows if row.ok is False]
    parts = [f"missing: {', '.join(report.missing)}"] if report.missing else []
    parts += [f"dead: {', '.join(dead)}"] if dead else []
    return "; ".join(parts) or "/v1/models fails"


OF_THE_BENCH = frozenset({"polled_api_base", "plain_key", "plain_master_key"})
"""What is odd about every case here: a provider on loopback, keys in the file."""
KEY_CODES = frozenset({"key_refused", "key_unchecked", "key_odd", "no_key"})
DOWN = frozenset({"dead"})
"""Entries whose provider is down: no fault of the config."""
AT_RISK = frozenset({"variable_as_text", "duplicate_key"})
"""Errors about what no call shows: a key that everybody can read, a line that does not count."""
ONLY_AT_START = frozenset(
    {
        "database",
        "jwtauth",
        "login",
        "master_key",
        "mcp_server",
        "mcp_server_name",
        "package_missing",
    }
)
"""What --validate does not look at."""


def disagreements(one: Observed) -> Iterator[str]:
    """Where doctor, --validate or smoke do not say what LiteLLM does."""
    seen, findings = one.seen, one.judged.findings
    errors = [finding for finding in findings if finding.level is Level.ERROR]
    says_no = [finding for finding in errors if "does not start" in finding.what]
    if seen.starts is bool(says_no):
        yield f"it {'starts' if seen.starts else 'does not start'}, and doctor: {_told(findings)}"
    codes = tuple(dict.fromkeys(finding.code for finding in findings))
    if set(codes) != set(one.case.codes):
        yield f"doctor finds {codes}, not {one.case.codes}: {_told(findings)}"
    dropped = one.config.view.groups and seen.validated and not _all_counted(one)
    dropped = dropped and not one.judged.left_out
    if one.judged.uneditable:
        pass  # no run writes such a file, so there is nothing to validate
    elif seen.validated and not dropped and one.judged.refusal:
        yield f"--validate refuses what LiteLLM takes: {one.judged.refusal}"
    elif (not seen.validated or dropped) and not one.judged.refusal:
        yield "--validate passes what LiteLLM refuses or drops"
    starting = {finding.code for finding in says_no}
    if not seen.starts and seen.validated and not starting & ONLY_AT_START:
        yield "LiteLLM's own check passes, and it does not start"
    if seen.starts:
        yield from _about_names(one, errors)


def _all_counted(one: Observed) -> bool:
    """Whether LiteLLM counts at least one row for each name that is not left out by design."""
    return one.seen.counted >= len(
        [group for group in one.config.view.groups.values() if group.litellm_models]
    )


def _about_names(one: Observed, errors: list[Finding]) -> Iterator[str]:
    """Every name: does it answer, and is that what doctor and smoke say?"""
    view, text = one.config.view, " ".join(finding.what for finding in one.judged.findings)
    if one.seen.listed is None and "/v1/models fails" not in text:
        yield f"/v1/models fails, and doctor: {text}"
    failing = []
    for name, status in one.seen.calls.items():
        group = view.behind(name)
        if _is_down(one, name) or (group and group.kept_back):
            continue
        if status != 200:
            failing.append(name)
            models = group.litellm_models if group else ()
            told = (name, *models, "every call fails")
            if not any(word in text for word in told):
                yield f"{name} answers {status}, and doctor: {text}"
        elif any(f"`{name}`" in one.what and _says_dead(one.what) for one in errors):
            yield f"{name} answers, and doctor says it does not: {text}"
    loud = [finding for finding in errors if finding.code not in AT_RISK]
    well = one.seen.listed is not None and not failing
    kept_back = any(group.kept_back for group in view.groups.values())
    if well and not kept_back and any(_says_dead(finding.what) for finding in loud):
        yield f"all is well, and doctor: {_told(tuple(loud))}"
    smoke = one.judged.smoke or ""
    down = any(status != 200 for name, status in one.seen.calls.items() if _is_down(one, name))
    if not smoke.startswith("cannot read") and (smoke == "ok") is not (well and not down):
        yield f"smoke says {smoke}, and {failing or 'nothing'} fails"


def _is_down(one: Observed, name: str) -> bool:
    """Whether a name leads to an entry whose provider is down."""
    alias = one.config.view.aliases.get(name)
    return name in DOWN or (alias is not None and alias.target in DOWN)


def _says_dead(what: str) -> bool:
    return any(
        words in what for words in ("every call fails", "drops the entry", "fails for every")
    )


def _told(findings: tuple[Finding, ...]) -> str:
    return "; ".join(f"{finding.level} {finding.code}: {finding.what}" for finding in findings)


def row(one: Observed) -> str:
    """A case as a row of the table in docs/LITELLM.md."""
    cells = (one.case.trap, _done(one), _doctor(one), _validated(one), one.judged.smoke or "-")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _done(one: Observed) -> str:
    seen = one.seen
    if not seen.starts:
        return "does not start"
    known = {*one.config.view.listed, *one.config.view.groups}
    dropped = [name for name in known if seen.listed is not None and name not in seen.listed]
    parts = ["/v1/models answers 500" if seen.listed is None else ""]
    parts += [f"does not list {', '.join(sorted(name for name in dropped if '*' not in name))}"]
    parts += [f"{name}: {status}" for name, status in seen.calls.items() if status != 200]
    told = [part for part in parts if part and not part.endswith("list ")]
    return "; ".join(["starts", *told])


def _doctor(one: Observed) -> str:
    found = {finding.code: finding.level for finding in one.judged.findings}
    return ", ".join(f"{level} `{code}`" for code, level in found.items()) or "nothing"


def _validated(one: Observed) -> str:
    if one.judged.uneditable:
        return f"not reached: {one.judged.uneditable}"
    if one.judged.left_out:
        return "passes, without them"
    return "refuses" if one.judged.refusal else "passes"
