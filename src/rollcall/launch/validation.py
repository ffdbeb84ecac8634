"""Checks a new config before it replaces the old one (`--validate`): LiteLLM itself loads it, and
ruamel.yaml reads it as YAML 1.2.

LiteLLM drops an entry it cannot use and starts all the same, so its own count
is compared with ours: https://docs.litellm.ai/docs/proxy/config_settings. What is wrong with the
present file already is no fault of the new one, and is said so. Where MCP servers are named, its
check never ends (seen in 1.108.7 and 1.110.2), so it gets the config without them. And ruamel.yaml
reads it as YAML 1.2, as other tools on the same file may: our entries must mean the same there.
"""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rollcall.errors import ConfigRefused, LaunchError
from rollcall.files import read_regular
from rollcall.launch.find import find_litellm
from rollcall.launch.run import startable, variables
from rollcall.litellm_config import document
from rollcall.litellm_config.effective import entries, is_left_out, mapping, merged, view
from rollcall.secrets import Redactor, secrets_of
from rollcall.store.atomic import write_private
from rollcall.store.disk_errors import store_error
from rollcall.store.includes import included

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollcall.settings import Settings


TIMEOUT_SECONDS = 120
MOST_SHOWN = 300
_COUNT = re.compile(r"\((\d+) models?\)")
_WORDS = "config validation failed:"


LEFT_OUT = (
    "LiteLLM's own check does not end where mcp_servers are named: it was given the config without"
    " them. `rollcall doctor` looks at them, and --prove starts the proxy with them."
)


class LiteLLMCheck:
    """A check for `sync.apply`: raises ConfigRefused where LiteLLM would refuse or drop entries.

    Attributes:
        notes: what it could not look at, after the check.
    """

    def __init__(self, settings: Settings) -> None:
        """Find the litellm to ask.

        Raises:
            LaunchError: there is none.
        """
        self.notes: list[str] = []
        self._settings = settings
        self._litellm = find_litellm(None, settings.environ)

    def __call__(self, content: bytes) -> None:
        """Have LiteLLM load a new config.

        Raises:
            ConfigRefused: it refuses it, or drops more of it than of the present one.
            LaunchError: it cannot be asked.
        """
        check_yaml_1_2(content)
        new = self._said(content)
        if new.refusal is None and new.dropped <= 0:
            return
        present = self._present()
        if new.refusal is not None:
            raise _refused(new.refusal, present)
        if present is None or present.refusal is not None or new.dropped > present.dropped:
            raise ConfigRefused(
                f"LiteLLM would drop {new.dropped} of {new.expected} entries of the new config"
                + (f", of the present one {present.dropped}." if present else "."),
                "config.yaml was left as it is; `rollcall doctor` looks for what it drops.",
                reason="litellm_drops",
            )

    def _present(self) -> Said | None:
        """What LiteLLM says about config.yaml as it stands; None where there is none."""
        try:
            content = read_regular(self._settings.config_path)
        except OSError:
            return None
        return self._said(content) if content.strip() else None

    def _said(self, content: bytes) -> Said:
        settings = self._settings
        bare = _without_mcp_servers(content, settings)
        with beside(settings.config_path, bare or content) as path:
            done = _run(self._litellm, path, settings)
        if bare is not None and LEFT_OUT not in self.notes:
            self.notes.append(LEFT_OUT)
        counted = _COUNT.search(done.stdout)
        if done.returncode != 0 or counted is None:
            return Said(_last_line(done.stderr or done.stdout, path, settings))
        expected = expected_rows(content, settings)
        return Said(None, expected, expected - int(counted.group(1)))


class Said(NamedTuple):
    """What LiteLLM says about a config.

    Attributes:
        refusal: its own last line, redacted, where it refuses it.
        expected: how many rows it should count. dropped: how many of them it does not.
    """

    refusal: str | None
    expected: int = 0
    dropped: int = 0


def _refused(refusal: str, present: Said | None) -> ConfigRefused:
    if present is not None and present.refusal is not None:
        return ConfigRefused(
            f"LiteLLM refuses the present config.yaml already: {present.refusal}",
            "Mend that first: `rollcall doctor` helps to find it. Nothing was written.",
            reason="litellm_refuses",
        )
    return ConfigRefused(
        f"LiteLLM refuses the new config: {refusal}",
        "config.yaml was left as it is" + ("; it takes that one." if present else "."),
        reason="litellm_refuses",
    )


def check_yaml_1_2(content: bytes) -> None:
    """Compare our entries as YAML 1.2 readers see them with how LiteLLM (YAML 1.1) does.

    A file that such a reader refuses, for a key that stands twice in a line of the user's, is left
    to LiteLLM.

    Raises:
        ConfigRefused: they differ.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    managed = document.parse(content).managed
    try:
        data: Any = YAML(typ="safe", pure=True).load(content)
    except YAMLError:
        return
    seen = [entry for entry in entries(mapping(data)) if document.is_managed(entry)]
    if seen != list(managed.models):
        raise ConfigRefused(
            "The new config reads differently as YAML 1.1 and as YAML 1.2.",
            "config.yaml was left as it is; please report it.",
            reason="yaml_1_2",
        )


@contextmanager
def beside(config_path: Path, content: bytes) -> Iterator[Path]:
    """The text as a file beside config.yaml, so that its relative includes work."""
    folder = config_path.parent
    try:
        path = write_private(content, prefix=".rollcall-check-", suffix=".yaml", folder=folder)
    except OSError as error:
        raise store_error("written", folder / ".rollcall-check-*.yaml", error) from error
    try:
        yield path
    finally:
        with suppress(OSError):
            path.unlink()


def _run(litellm: Path, path: Path, settings: Settings) -> subprocess.CompletedProcess[str]:
    environ = variables(settings.environ, path, ())
    try:
        return subprocess.run(  # noqa: S603 - the litellm that was found
            startable([str(litellm), "--config", str(path), "--validate_config"], environ),
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise LaunchError(
            f"{litellm} could not check the new config: {type(error).__name__}.",
            "Leave out --validate, or repair that litellm.",
        ) from None


def _last_line(output: str, path: Path, settings: Settings) -> str:
    """LiteLLM's own reason, on one line, without a key: what follows its words, else its last."""
    _, words, reason = output.rpartition(_WORDS)
    lines = [line for line in output.splitlines() if line.strip()]
    text = reason if words else next(iter(lines[-1:]), "it says nothing")
    line = " ".join(Redactor(secrets_of(settings.environ)).redact(text).split())
    line = line.replace(str(path), settings.config_name)
    return line if len(line) <= MOST_SHOWN else line[: MOST_SHOWN - 3] + "..."


def expected_rows(content: bytes, settings: Settings) -> int:
    """How many rows LiteLLM should count: entries, included files' too, without those that
    `supported_environments` leaves out here, and those a visible alias leads to.
    """
    whole, _ = _merged(content, settings)
    active = [
        entry.get("model_name")
        for entry in entries(whole)
        if not is_left_out(mapping(entry.get("model_info")), settings.environ)
    ]
    aliases = view(whole).aliases.values()
    visible = [alias.target for alias in aliases if not alias.hidden]
    return len(active) + sum(active.count(target) for target in visible)


def _without_mcp_servers(content: bytes, settings: Settings) -> bytes | None:
    """The config as one file without its MCP servers; None where it names none, or where LiteLLM
    comes upon a file that it cannot load before it gets to them.
    """
    import yaml

    whole, loads = _merged(content, settings)
    if not whole.get("mcp_servers") or not loads:
        return None
    rest = {key: value for key, value in whole.items() if key not in ("mcp_servers", "include")}
    return yaml.safe_dump(rest, sort_keys=False, encoding="utf-8")


def _merged(content: bytes, settings: Settings) -> tuple[dict[str, Any], bool]:
    """A config with the files it includes, and whether all of them are there and load."""
    data, whole = _loaded(content)
    files = []
    for _, path, text in included(settings.config_path, data):
        rows, loads = ({}, path is not None) if text is None else _loaded(text)
        files.append(rows)
        whole = whole and loads
    return merged(data, files), whole


def _loaded(content: bytes) -> tuple[dict[str, Any], bool]:
    """One file's data, {} where it is no mapping, and whether it loads."""
    from rollcall.yaml_reading import UNREADABLE, load

    try:
        return mapping(load(content.decode("utf-8-sig"))), True
    except UNREADABLE:
        return {}, False
