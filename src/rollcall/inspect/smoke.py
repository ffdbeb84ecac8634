"""Calls a running proxy: is it there, does it list what config.yaml says, does each name answer?

A proxy that is ready may still serve nothing: LiteLLM drops an entry it cannot use, says so only
in its log, and reports itself healthy with no model at all.
"""

from __future__ import annotations

import asyncio
import fnmatch
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rollcall.inspect.proxy import Proxy, Unusable
from rollcall.inspect.proxy import SmokeVerdict as SmokeVerdict
from rollcall.litellm_config.document import parse
from rollcall.litellm_config.effective import LiteLLMView, master_key, merged, view
from rollcall.litellm_config.refusals import naming_config
from rollcall.secrets import Redactor
from rollcall.settings import PROXY_ADDRESS, Given, proxy_root, web_address
from rollcall.settings import given as variable
from rollcall.store.store import open_store
from rollcall.sync.gather import included_data

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rollcall.inspect.proxy import Reply
    from rollcall.settings import Settings


def proxy_url(
    settings: Settings, given: str | None, option: str = "--url", *, strict: bool = False
) -> str:
    """The proxy's address: the one given, LITELLM_BASE_URL, or LiteLLM's own default.

    Raises:
        SettingsError: it is none.
    """
    named = Given((given or "").strip(), option)
    if not named.value:
        named = variable(settings.environ, "LITELLM_BASE_URL") or Given(PROXY_ADDRESS, option)
    if not strict and "://" not in named.value:
        named = named._replace(value=f"http://{named.value}")
    return web_address(named, PROXY_ADDRESS)


def proxy_key(
    settings: Settings, data: Mapping[str, Any], variable: str | None = None
) -> str | None:
    """The key to call the proxy with: the variable named, else LITELLM_API_KEY, else its master
    key.
    """
    key = settings.environ.get(variable or "LITELLM_API_KEY", "").strip()
    return key or (None if variable else master_key(data, settings.environ)) or None


@dataclass(frozen=True, slots=True)
class Promised:
    """config.yaml with its includes, and the names a proxy on it has to serve."""

    data: dict[str, Any] = field(repr=False)
    view: LiteLLMView


@naming_config
def read_promised(settings: Settings, content: bytes | None = None) -> Promised:
    """What a config promises: its own lines as LiteLLM merges them with the files it includes, and
    ours as they stand between the markers, whatever an included file does to them.

    Args:
        content: the text to take for config.yaml's; None = its own.

    Raises:
        ConfigRefused, StoreError: it cannot be read, or is no config.
    """
    store = open_store(settings)
    document = parse(store.read_config() if content is None else content)
    data = merged(document.data, included_data(store, document).values())
    seen, managed = view(data, settings.environ), document.managed
    ours = view(
        {
            "model_list": list(managed.models),
            "router_settings": {"model_group_alias": managed.aliases},
        }
    )
    return Promised(
        data,
        LiteLLMView(
            {**ours.groups, **seen.groups},
            {**seen.aliases, **ours.aliases},
            {**seen.ids, **ours.ids},
        ),
    )


@dataclass(frozen=True, slots=True)
class SmokeRow:
    """One name that was called.

    Attributes:
        kind: alias or model. target: the model_name an alias leads to in config.yaml.
        ok: None where it was not called (`detail` says why).
        answered_by: the `litellm_params.model` that answered, as far as can be told.
        detail: one line, redacted; the error, or a remark on an answer.
    """

    name: str
    kind: str
    target: str | None
    ok: bool | None
    latency_ms: int | None = None
    answered_by: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SmokeReport:
    """The whole test.

    Attributes:
        detail, hint: what is wrong and what to do, where it ended before any call.
        ready: /health/readiness says so. listed: how many names /v1/models gives.
        missing: names of config.yaml it does not list. extra: names it lists beside them.
        rows: one per called name, in config order.
    """

    base_url: str
    verdict: SmokeVerdict
    detail: str = ""
    hint: str = ""
    ready: bool = False
    listed: int = 0
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    rows: tuple[SmokeRow, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is dead."""
        return self.verdict is SmokeVerdict.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeOptions:
    """How to call.

    Attributes:
        all_models: call every model, not only the aliases. calls: False = compare lists only.
        secrets: further strings that must not show up in an error.
    """

    all_models: bool = False
    calls: bool = True
    max_parallel: int = 8
    timeout_seconds: float = 60.0
    secrets: Sequence[str] = field(default=(), repr=False)


def run_smoke(
    base_url: str,
    key: str | None,
    expected: LiteLLMView,
    options: SmokeOptions | None = None,
) -> SmokeReport:
    """Test the proxy at `base_url`; never raises for what the proxy does.

    Args:
        key: the proxy's key, for example its master key; None = none.
        expected: what config.yaml says it serves.
    """
    return asyncio.run(_smoke(base_url, key, expected, options or SmokeOptions()))


async def _smoke(
    base_url: str, key: str | None, expected: LiteLLMView, options: SmokeOptions
) -> SmokeReport:
    root = proxy_root(base_url)
    redactor = Redactor([*options.secrets, *([key] if key else [])])
    shown = redactor.redact(root)  # an address may hold a password
    try:
        proxy = Proxy(root, key, options.timeout_seconds, redactor)
    except ValueError as error:  # a proxy or certificates of the environment
        what = redactor.redact(str(error))
        return SmokeReport(shown, SmokeVerdict.NO_SERVER, what, "Correct it, or unset it.")
    async with proxy:
        try:
            ready = await proxy.ready()
            names = await proxy.names(ready=ready)
        except Unusable as error:
            return SmokeReport(shown, error.verdict, error.what, error.hint, ready=error.ready)
        rows = await _call_all(proxy, expected, options) if options.calls else ()
    missing, extra = compare(expected, names)
    dead = missing or any(row.ok is False for row in rows)
    return SmokeReport(
        shown,
        SmokeVerdict.DEAD if dead else SmokeVerdict.OK,
        ready=ready,
        listed=len(names),
        missing=missing,
        extra=extra,
        rows=rows,
        notes=_notes(options, rows, missing),
    )


def compare(expected: LiteLLMView, names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(names of config.yaml that are not listed, listed names config.yaml does not have)."""
    listed = set(names)
    promised = list(expected.listed)
    promised += [  # what leads nowhere is not listed either
        alias.name
        for alias in expected.aliases.values()
        if not alias.hidden and alias.name not in promised and not _answers(expected, alias.target)
    ]
    known = {*expected.groups, *expected.aliases}
    extra = (
        name
        for name in names
        if name not in known
        and not any(fnmatch.fnmatchcase(name, pattern) for pattern in expected.wildcards)
    )
    return tuple(name for name in promised if name not in listed), tuple(dict.fromkeys(extra))


def _answers(expected: LiteLLMView, target: str) -> bool:
    """Whether an alias to `target` works, or its group is kept back by design."""
    group = expected.groups.get(target)
    return expected.serves(target) or (group is not None and bool(group.kept_back))


def _notes(
    options: SmokeOptions, rows: Sequence[SmokeRow], missing: Sequence[str]
) -> tuple[str, ...]:
    notes = []
    if missing:
        notes.append(
            "Names that are not listed: LiteLLM dropped them (its log says why), was not restarted"
            " since they were written, or this key may not use them."
        )
    if options.calls and not rows:
        notes.append("config.yaml has no alias to call; --all calls every model.")
    return tuple(notes)


async def _call_all(
    proxy: Proxy, expected: LiteLLMView, options: SmokeOptions
) -> tuple[SmokeRow, ...]:
    """Every name at once, at most `max_parallel` calls under way."""
    gate = asyncio.Semaphore(max(1, options.max_parallel))

    async def one(name: str) -> SmokeRow:
        async with gate:
            return await _call(proxy, expected, name)

    names = list(expected.aliases)
    if options.all_models:
        names += [name for name in expected.groups if "*" not in name and name not in names]
    return tuple(await asyncio.gather(*(one(name) for name in names)))


async def _call(proxy: Proxy, expected: LiteLLMView, name: str) -> SmokeRow:
    alias, group = expected.aliases.get(name), expected.behind(name)
    kind, target = ("alias", alias.target) if alias else ("model", None)
    if group and group.kept_back:
        return SmokeRow(name, kind, target, None, detail=f"not called: {group.kept_back}")
    reply = await proxy.call(name, group.mode if group else None)
    return SmokeRow(
        name,
        kind,
        target,
        reply.ok,
        reply.latency_ms,
        _answered_by(expected, name, reply) if reply.ok else None,
        reply.detail,
    )


def _answered_by(expected: LiteLLMView, name: str, reply: Reply) -> str | None:
    """By the deployment id of our own entries, else by the only entry there is, else as said."""
    if reply.deployment in expected.ids:
        return expected.ids[reply.deployment]
    group = expected.behind(name)
    if group and len(group.litellm_models) == 1 and not reply.fell_back:
        return group.litellm_models[0]
    return reply.model
