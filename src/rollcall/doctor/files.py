"""Checks of the surroundings: which litellm, which config it will read, who can read .env."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from rollcall.doctor.findings import Finding, Level
from rollcall.errors import HandoffError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from rollcall.doctor.litellm_install import LiteLLMInstall

_OCTAL = re.compile(r"\\([0-7]{3})")


def litellm_findings(
    found: Path | HandoffError, install: LiteLLMInstall | None
) -> Iterator[Finding]:
    """Whether litellm is there, and is a version that can be trusted."""
    if isinstance(found, HandoffError):
        yield Finding(Level.ERROR, "no_litellm", found.what, fix=found.hint)
    elif install is None:
        what = "litellm is there; which version cannot be told from its files."
        yield Finding(Level.OK, "litellm", what, str(found), f"Ask it: {found} --version")
    elif install.malicious:
        what = (
            f"litellm {install.version} is malicious: it sends environment variables and keys away."
        )
        fix = (
            "pip install --upgrade 'litellm[proxy]', then replace every key this machine has held."
        )
        yield Finding(Level.ERROR, "litellm_malicious", what, str(install.library), fix)
    else:
        what = f"litellm {install.version} is installed."
        yield Finding(Level.OK, "litellm", what, str(found))


def other_config_findings(config_path: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Variables that make LiteLLM read another config than `--config` says."""
    other = environ.get("CONFIG_FILE_PATH")
    if other and os.path.abspath(other) != os.path.abspath(config_path):  # noqa: PTH100  no link followed
        what = f"CONFIG_FILE_PATH outranks --config: LiteLLM reads {other}, not {config_path}."
        yield Finding(Level.ERROR, "config_file_path", what, fix="Unset CONFIG_FILE_PATH.")
    if environ.get("LITELLM_CONFIG_BUCKET_NAME"):
        what = f"LITELLM_CONFIG_BUCKET_NAME is set: LiteLLM reads a bucket, not {config_path}."
        fix = "Unset LITELLM_CONFIG_BUCKET_NAME, or upload config.yaml after each rollcall apply."
        yield Finding(Level.ERROR, "config_bucket", what, fix=fix)


def dotenv_findings(
    dotenv_path: Path | None, mode: int | None, install: LiteLLMInstall | None
) -> Iterator[Finding]:
    """Who can read `.env`, and whether litellm on its own would.

    Args:
        mode: its permission bits; None where they mean nothing (Windows).
    """
    if dotenv_path is None:
        return
    if mode is not None and mode & 0o077:
        what = f"Others on this machine can read the keys in {dotenv_path}."
        fix = f"chmod 600 {dotenv_path}"
        yield Finding(Level.WARNING, "dotenv_readable", what, str(dotenv_path), fix)
    if install is not None and dotenv_path.parent not in install.library.parents:
        what = (
            f"litellm started by itself does not read {dotenv_path}: it looks for .env from its"
            " own installation upward."
        )
        fix = "Start it with `rollcall start` or scr/start-proxy, which pass the variables on."
        yield Finding(Level.WARNING, "dotenv_unread", what, str(dotenv_path), fix)


def mount_findings(config_path: Path, mountinfo: str) -> Iterator[Finding]:
    """Whether config.yaml is a single file mounted into a container.

    Args:
        mountinfo: the text of /proc/self/mountinfo; "" where there is none.
    """
    points = {
        _OCTAL.sub(lambda code: chr(int(code[1], 8)), fields[4])
        for line in mountinfo.splitlines()
        if len(fields := line.split()) > 4
    }
    if str(config_path.absolute()) in points:
        what = f"{config_path} is mounted as a single file, which cannot be replaced in one step."
        fix = "Mount its folder instead: rollcall then swaps the file whole."
        yield Finding(Level.WARNING, "mounted_file", what, str(config_path), fix)
