"""`--validate`: two strangers read the new config before it replaces the old one. Process.

LiteLLM itself loads it; it drops an entry it cannot use and starts all the same, so its own count
is compared with ours: https://docs.litellm.ai/docs/proxy/config_settings. And ruamel.yaml reads it
as YAML 1.2, as other tools on the same file may: our entries must mean the same there.
"""

from __future__ import annotations

import re
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rollcall.errors import ConfigRefused, LaunchError
from rollcall.launch.find import find_litellm
from rollcall.launch.run import variables
from rollcall.litellm_config import document
from rollcall.store.atomic import write_private
from rollcall.store.disk_errors import store_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollcall.settings import Settings


TIMEOUT_SECONDS = 120
_COUNT = re.compile(r"\((\d+) models?\)")


def litellm_check(settings: Settings) -> Callable[[bytes], None]:
    """A check for `sync.apply`: raises ConfigRefused where LiteLLM would refuse or drop entries.

    Raises:
        LaunchError: there is no litellm to ask.
    """
    litellm = find_litellm(None, settings.environ)

    def check(content: bytes) -> None:
        check_yaml_1_2(content)
        with beside(settings.config_path, content) as path:
            accepted = _ask(litellm, path, settings)
        expected = expected_rows(content)
        if expected is not None and accepted < expected:
            raise ConfigRefused(
                f"LiteLLM would take only {accepted} of {expected} entries of the new config.",
                "config.yaml was left as it is; `rollcall doctor` looks for what it drops.",
                reason="litellm_drops",
            )

    return check


def check_yaml_1_2(content: bytes) -> None:
    """Compare our entries as YAML 1.2 readers see them with how LiteLLM (YAML 1.1) does.

    Raises:
        ConfigRefused: they differ.
    """
    from ruamel.yaml import YAML

    managed = document.parse(content).managed
    data: Any = YAML(typ="safe", pure=True).load(content)
    entries = data.get("model_list") or [] if isinstance(data, dict) else []
    seen = [entry for entry in entries if document.is_managed(entry)]
    if seen != list(managed.models):
        raise ConfigRefused(
            "The new config reads differently as YAML 1.1 and as YAML 1.2.",
            "config.yaml was left as it is; please report it.",
            reason="yaml_1_2",
        )


class beside:  # noqa: N801 - a context manager, used like a function
    """The text as a file beside config.yaml, so that its relative includes work."""

    def __init__(self, config_path: Path, content: bytes) -> None:
        self._folder = config_path.parent
        self._content = content
        self._path = Path()

    def __enter__(self) -> Path:
        try:
            self._path = write_private(
                self._content, prefix=".rollcall-check-", suffix=".yaml", folder=self._folder
            )
        except OSError as error:
            raise store_error("written", self._folder / ".rollcall-check-*.yaml", error) from error
        return self._path

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._path.unlink()


def _ask(litellm: Path, path: Path, settings: Settings) -> int:
    try:
        done = subprocess.run(  # noqa: S603 - the litellm that was found
            [str(litellm), "--config", str(path), "--validate_config"],
            env=variables(settings.environ, path, ()),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LaunchError(
            f"{litellm} could not check the new config: {type(error).__name__}.",
            "Leave out --validate, or repair that litellm.",
        ) from None
    found = _COUNT.search(done.stdout)
    if done.returncode != 0 or found is None:
        raise ConfigRefused(
            "LiteLLM refuses the new config.",
            f"config.yaml was left as it is; see `{litellm.name} --validate_config`.",
            reason="litellm_refuses",
        )
    return int(found.group(1))


def expected_rows(content: bytes) -> int | None:
    """How many rows LiteLLM should count: entries, and those a visible alias leads to.

    None where other files are included: what they add is not known here.
    """
    import yaml

    data: Any = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    if not isinstance(data, dict) or "include" in data:
        return None
    names = [entry.get("model_name") for entry in data.get("model_list") or []]
    aliases = (data.get("router_settings") or {}).get("model_group_alias") or {}
    visible = [
        target["model"] if isinstance(target, dict) else target
        for target in aliases.values()
        if not (isinstance(target, dict) and target.get("hidden"))
    ]
    return len(names) + sum(names.count(target) for target in visible)
