"""Who can be asked: the built-in providers, with a policy's overrides laid over them.

    resolve_provider("anthropic", environ=env)              a built-in name needs nothing more
    resolve_provider("my-vllm", type="vllm", base_url="http://…/v1", environ=env)

The place that is asked is always the place LiteLLM will call. Where that follows from LiteLLM's
own default or variables, `api_base` stays None; otherwise it is what must be written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import EllipsisType
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from rollcall.errors import PolicyError, did_you_mean
from rollcall.providers.builtin import BUILTIN, CreatedMeans, PriceUnit, Provider
from rollcall.secrets import address_holds_secret
from rollcall.settings import given as given_by
from rollcall.settings import reachable, web_parts

STATIC: Final = "static"

_ENDPOINTS: Final = ("/chat/completions", "/messages", "/responses", "/models")
"""Ends that people paste along with the base, and that LiteLLM accepts in its variables."""


def resolve_provider(
    name: str,
    *,
    type: str | None = None,  # noqa: A002 - the policy's own word
    base_url: str | None = None,
    key_env: str | Sequence[str] | EllipsisType | None = ...,
    litellm_prefix: str | None = None,
    empty_ok: bool | None = None,
    timeout_seconds: float | None = None,
    price_unit: PriceUnit | None = None,
    created: CreatedMeans | None = None,
    models: Sequence[Mapping[str, object]] = (),
    environ: Mapping[str, str],
) -> Provider:
    """The provider that a policy's `providers` entry means.

    Args:
        models: of a static provider: rows as OpenAI's list would have them.
        key_env: left out = as built in; None or empty = it needs no key. A provider under a
            name and at an address of the user's own never inherits a vendor's key variables.

    Raises:
        PolicyError: an unknown name without a type, an unknown type, a base_url that is none.
    """
    if fault := fault_of(name, type, base_url):
        field = f".{fault.field}" if fault.field else ""
        raise PolicyError(f"providers.{name}{field}: {fault.what}.", fault.hint)
    row = _row(name, type)
    stranger = BUILTIN.get(name) != row
    if not isinstance(key_env, EllipsisType):
        given = (key_env,) if isinstance(key_env, str) else tuple(key_env or ())
        names = tuple(name for name in given if name)
        row = row._replace(key_env=names, key_optional=False)
    elif stranger and base_url is not None:
        row = row._replace(key_env=())
    if stranger and row.protocol == "openai" and type == "openai" and not row.key_env:
        # With the `openai` prefix and no key, LiteLLM would send OPENAI_API_KEY to that address.
        row = row._replace(litellm_prefix="hosted_vllm")
    prefix = row.litellm_prefix if litellm_prefix is None else litellm_prefix.strip("/")
    own_prefix = prefix != row.litellm_prefix
    if own_prefix:
        row = _as_called_by(prefix, row)._replace(litellm_prefix=prefix)
    row = _with_base(row, base_url, {} if own_prefix else environ)
    if own_prefix and row.api_base is None:
        row = row._replace(api_base=row.base_url or None)
    return row._replace(
        empty_ok=row.empty_ok if empty_ok is None else empty_ok,
        timeout_seconds=timeout_seconds,
        price_unit=price_unit or row.price_unit,
        created=created or row.created,
        models=tuple(models),
    )


NO_ADDRESS: Final = (
    "is not a web address",
    "It begins with http:// or https://, for example http://127.0.0.1:8000/v1.",
)


class Fault(NamedTuple):
    """What is wrong with a policy's provider.

    Attributes:
        field: of its entry; "" = the entry itself. what: without a full stop. hint: what to do.
    """

    field: str
    what: str
    hint: str


def fault_of(name: str, kind: str | None, base_url: str | None) -> Fault | None:
    """What keeps an entry from being a provider that can be asked; None where nothing does."""
    if kind is None and name not in BUILTIN:
        hint = did_you_mean(name, BUILTIN) or (
            "Give it a type, for example `type: openai`, and its base_url."
        )
        return Fault("", f"{name!a} is not a built-in provider and has no type", hint)
    if kind is not None and kind not in (*BUILTIN, STATIC):
        hint = did_you_mean(kind, (*BUILTIN, STATIC)) or (
            f"There are: {', '.join(BUILTIN)}; {STATIC} for one without a list."
        )
        return Fault("type", f"unknown type {kind!a}", hint)
    if kind == "openai" and name not in BUILTIN and base_url is None:
        hint = "For example `base_url: http://127.0.0.1:8000/v1`."
        return Fault("", "type openai needs a base_url", hint)
    return None if base_url is None else _address_fault(base_url)


def _address_fault(base_url: str) -> Fault | None:
    parts = web_parts(base_url.strip())
    if parts is None:
        return Fault("base_url", *NO_ADDRESS)
    if address_holds_secret(parts):
        hint = "Keep it to scheme, host and path, and name the key's variable in key_env."
        return Fault("base_url", "holds a user, a password or a query", hint)
    return None


def _row(name: str, kind: str | None) -> Provider:
    """The built-in row to start from, under the policy's name."""
    if kind == STATIC:
        return _static(name)
    known_row = BUILTIN.get(name)
    if known_row is not None and kind in (None, name, known_row.protocol):
        return known_row
    return BUILTIN[kind or name]._replace(name=name, title=name)


_BY_PROTOCOL: Final = ("anthropic", "gemini", "ollama", "perplexity")
"""Protocols that say themselves how a base ends, whatever LiteLLM calls it by."""


def _as_called_by(prefix: str, row: Provider) -> Provider:
    """The row, its base as LiteLLM treats one behind this prefix, where the protocol leaves that
    open.
    """
    if row.protocol in _BY_PROTOCOL:
        return row
    rows = (one for one in BUILTIN.values() if one.protocol not in _BY_PROTOCOL)
    like = next((one for one in rows if one.litellm_prefix == prefix), None)
    drops, versions = (like.base_drops, like.base_versions) if like else ((), ())
    return row._replace(base_drops=drops, base_versions=versions)


def _static(name: str) -> Provider:
    """A provider whose models the policy lists: a built-in one, or any that LiteLLM knows."""
    own = Provider(name=name, title=name, protocol=STATIC, base_url="", litellm_prefix=name)
    return BUILTIN.get(name, own)._replace(protocol=STATIC, created="release")


def _with_base(row: Provider, given: str | None, environ: Mapping[str, str]) -> Provider:
    """The policy's base wins over LiteLLM's variables, which win over the built-in one."""
    variable = given_by(environ, *row.base_url_env)
    if given is not None:
        base = clean_base(row, given)
        if base == row.base_url and not variable:
            return row
        return row._replace(base_url=base, api_base=base)
    if variable:
        base = clean_base(row, variable.value)
        as_litellm = reachable(variable.value) == variable.value
        own = None if as_litellm else base  # LiteLLM reads the variable itself, and as it stands
        return row._replace(base_url=base, base_from=variable.said, api_base=own)
    if row.host_env and (host := given_by(environ, row.host_env)):
        base = clean_base(row, _address_of(host.value, row.base_url))
        if base != row.base_url:
            return row._replace(base_url=base, base_from=host.said, api_base=base)
    return row


def _address_of(host: str, default: str) -> str:
    """The address a server's own variable means: `0.0.0.0`, `:8080`, `box:11434`, or a whole one.

    What it leaves out is as in `default`, the port of a whole address as in its scheme.
    """
    scheme, whole, rest = host.strip("\"'").rpartition("://")
    usual = urlsplit(default)
    if rest.count(":") > 1 and "[" not in rest:
        rest = f"[{rest}]"
    parts = urlsplit(f"{scheme or usual.scheme}://{rest}")
    name = parts.hostname or usual.hostname or ""
    ports = {"http": 80, "https": 443} if whole else {}
    try:
        port = parts.port or ports.get(parts.scheme) or usual.port
    except ValueError:
        port = usual.port
    shown = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{shown}:{port}{parts.path}"


def clean_base(row: Provider, base_url: str) -> str:
    """The base as LiteLLM wants its `api_base`, whatever end was pasted with it.

    With or without /v1 is the same place: what the row needs is added, what its paths begin with is
    taken off. The library calls the same base.
    """
    base = reachable(base_url.strip()).rstrip("/")
    for ending in (*_ENDPOINTS, *row.base_drops):
        base = base.removesuffix(ending)
    if row.base_versions and not base.endswith(row.base_versions):
        return base + row.base_versions[0]
    own = urlsplit(BUILTIN.get(row.name, row).base_url)
    return own.geturl() if base == f"{own.scheme}://{own.netloc}" else base
