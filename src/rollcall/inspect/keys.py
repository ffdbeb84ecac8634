"""Checks keys: the proxy's master key, and each provider's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rollcall.inspect.checked_config import CheckedConfig
from rollcall.inspect.findings import Finding, Level
from rollcall.inspect.shells import PYTHON
from rollcall.litellm_config.effective import config_variables, master_key
from rollcall.providers.builtin import missing_key
from rollcall.secrets import key_mark, variable_of
from rollcall.settings import is_true

if TYPE_CHECKING:
    from rollcall.providers.builtin import Provider
    from rollcall.store.state import State
    from rollcall.sync.asking import ProviderKeys


EXAMPLE_KEY = "sk-1234"
PERMIT = "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"
NEW_KEY = (
    f"{PYTHON} -c \"import secrets; open('.env', 'a').write("
    "'\\nLITELLM_MASTER_KEY=sk-' + secrets.token_hex(24) + '\\n')\""
)
"""The same words in every shell. `>> .env` would append UTF-16 in Windows PowerShell."""


def master_key_findings(config: CheckedConfig) -> Iterator[Finding]:
    """Whether LiteLLM would start with its master key: not unset, empty or the example's."""
    general = config.section("general_settings")
    given, path = general.get("master_key"), ("general_settings", "master_key")
    if given is not None and not isinstance(given, str):
        what = "The master key is not read as a text: LiteLLM does not start."
        yield config.error("master_key", what, path, "Put it into .env, or in quotes.")
        return
    key = (master_key(config.merged, config.environ) or "").strip()
    if key and key != EXAMPLE_KEY:
        yield Finding(Level.OK, "master_key", "The proxy has a master key.")
        return
    problem = "is the example's sk-1234, which everybody knows" if key else "is not set"
    variable = variable_of(given) or "LITELLM_MASTER_KEY"
    if not key and variable in config_variables(config.merged):
        problem = f"is not set in time: {variable} stands in environment_variables, read too late"
    permitted = general.get("dangerously_permit_weak_or_unset_master_key") is True
    if permitted or is_true(config.environ.get(PERMIT)):
        what = f"The master key {problem}; LiteLLM starts all the same, because it is told to."
        yield config.warning("master_key", what, path, f"Make one: {NEW_KEY}")
    elif not key and general.get("key_management_system"):
        what = "The master key is not set here; it must come from the key_management_system."
        yield config.warning("master_key", what, path, "Check that it is there.")
    else:
        what = f"The master key {problem}: LiteLLM does not start."
        yield config.error("master_key", what, path, f"Make one: {NEW_KEY}")


def provider_findings(keys: ProviderKeys, state: State, *, asked: bool) -> Iterator[Finding]:
    """Each provider's key: set, well-formed, accepted when it was last asked.

    Args:
        asked: the providers were asked just now, to learn that.
    """
    for name, provider in keys.providers.items():
        if name in keys.proxied:
            what = (
                f"{provider.title} is not asked: {keys.proxied[name]}. LiteLLM would call itself."
            )
            fix = (
                "Start rollcall and the proxy in a shell without it: it is for the proxy's clients."
            )
            yield Finding(Level.ERROR, "own_proxy", what, fix=fix)
        elif not provider.needs_key:
            yield Finding(Level.OK, "key", f"{provider.title} needs no key.")
        elif name in keys.keys:
            yield _with_key(keys, state, provider, asked=asked)
        elif name in keys.elsewhere:
            yield Finding(Level.OK, "key", f"{provider.title}: {keys.elsewhere[name]}.")
        else:
            yield _without_key(keys, provider)


def _with_key(
    keys: ProviderKeys,
    state: State,
    provider: Provider,
    *,
    asked: bool,
) -> Finding:
    variable = keys.key_envs[provider.name] or provider.key_env[0]
    known = state.providers.get(provider.name)
    if problem := keys.odd.get(provider.name):
        return Finding(
            Level.ERROR, "key_odd", f"{problem}.", fix=f"Set {variable} to the bare key."
        )
    if known is not None and known.key_mark not in ("", key_mark(keys.keys[provider.name])):
        if not asked:
            what = f"{provider.title}: {variable} is set, to a key not asked with yet."
            return Finding(Level.OK, "key", what)
        known = None
    if known is not None and known.verdict == "auth":
        what = f"{provider.title} refused {variable} at {known.last_asked}: {known.detail}"
        fix = f"Make a new key at {provider.key_url} and set {variable}."
        return Finding(Level.ERROR, "key_refused", what, fix=fix)
    if asked and (known is None or known.verdict != "ok"):
        why = f"{known.verdict}: {known.detail}" if known else "it was not asked"
        what = f"{variable} is set; whether {provider.title} takes it is not known: {why}"
        return Finding(Level.WARNING, "key_unchecked", what, fix="See why with: rollcall plan")
    taken = known is not None and known.verdict == "ok" and not provider.models
    accepted = f", accepted at {known.last_good}" if known and taken else ""
    return Finding(Level.OK, "key", f"{provider.title}: {variable} is set{accepted}.")


def _without_key(keys: ProviderKeys, provider: Provider) -> Finding:
    variable = keys.key_envs[provider.name] or provider.key_env[0]
    what = f"{provider.title}: {variable} is not set, so nothing new of it is admitted."
    words = missing_key(provider)
    fix = f"{words[0].upper()}{words[1:]}, or take {provider.name} out of policy.yaml."
    return Finding(Level.WARNING, "no_key", what, fix=fix)
