"""Checks of keys: the proxy's own, and each provider's. Pure; no key is ever shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.doctor.findings import Finding, Level
from rollcall.litellm_view import mapping, master_key
from rollcall.settings import is_true

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rollcall.asking import Roll
    from rollcall.doctor.traps import Site
    from rollcall.providers.provider import Provider
    from rollcall.state import State

EXAMPLE_KEY = "sk-1234"
PERMIT = "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"
NEW_KEY = (
    "python -c \"import secrets; print('LITELLM_MASTER_KEY=sk-' + secrets.token_hex(24))\" >> .env"
)
QUOTES_OR_BLANKS = "\"' \t\r\n"


def master_key_findings(site: Site) -> Iterator[Finding]:
    """Whether LiteLLM would start with its master key: not unset, empty or the example's."""
    general = mapping(site.merged.get("general_settings"))
    given = mapping(site.merged.get("environment_variables"))
    environ = {**site.environ, **{k: v for k, v in given.items() if isinstance(v, str)}}
    key = (master_key(site.merged, environ) or "").strip()
    if key and key != EXAMPLE_KEY:
        yield Finding(Level.OK, "master_key", "The proxy has a master key.")
        return
    problem = "is the example's sk-1234, which everybody knows" if key else "is not set"
    path = ("general_settings", "master_key")
    permitted = general.get("dangerously_permit_weak_or_unset_master_key") is True
    if permitted or is_true(site.environ.get(PERMIT)):
        what = f"The master key {problem}; LiteLLM starts all the same, because it is told to."
        yield site.warning("master_key", what, path, f"Make one: {NEW_KEY}")
    elif not key and general.get("key_management_system"):
        what = "The master key is not set here; it must come from the key_management_system."
        yield site.warning("master_key", what, path, "Check that it is there.")
    else:
        what = f"The master key {problem}: LiteLLM does not start."
        yield site.error("master_key", what, path, f"Make one: {NEW_KEY}")


def provider_findings(roll: Roll, state: State, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Each provider's key: set, well-formed, accepted when it was last asked."""
    for name, provider in roll.providers.items():
        if not provider.needs_key:
            yield Finding(Level.OK, "key", f"{provider.title} needs no key.")
        elif name in roll.keys:
            yield _with_key(roll, state, provider, environ)
        elif name in roll.elsewhere:
            yield Finding(Level.OK, "key", f"{provider.title}: {roll.elsewhere[name]}.")
        else:
            yield _without_key(roll, provider)


def _with_key(roll: Roll, state: State, provider: Provider, environ: Mapping[str, str]) -> Finding:
    variable = roll.key_envs[provider.name] or provider.key_env[0]
    known = state.providers.get(provider.name)
    if environ.get(variable, "").strip(QUOTES_OR_BLANKS) != environ.get(variable, ""):
        what = f"{variable} has quotes or blanks around the key, which LiteLLM would send along."
        return Finding(Level.ERROR, "key_quoted", what, fix=f"Set {variable} to the bare key.")
    if known is not None and known.verdict == "auth":
        what = f"{provider.title} refused {variable} at {known.last_asked}: {known.detail}"
        fix = f"Make a new key at {provider.key_url} and set {variable}."
        return Finding(Level.ERROR, "key_refused", what, fix=fix)
    accepted = f", accepted at {known.last_good}" if known and known.verdict == "ok" else ""
    return Finding(Level.OK, "key", f"{provider.title}: {variable} is set{accepted}.")


def _without_key(roll: Roll, provider: Provider) -> Finding:
    variable = roll.key_envs[provider.name] or provider.key_env[0]
    what = f"{provider.title}: {variable} is not set, so nothing new of it is admitted."
    where = f" at {provider.key_url}" if provider.key_url else ""
    fix = f"Get a key{where} and set {variable}, or take {provider.name} out of policy.yaml."
    return Finding(Level.WARNING, "no_key", what, fix=fix)
