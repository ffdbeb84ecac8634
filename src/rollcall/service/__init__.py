"""/v1/models in front of LiteLLM, and its page for people. Needs the extra `serve`.

What `serve` is told stands here: where to listen, whom to ask, who may ask. Importing it costs next
to nothing; FastAPI and uvicorn are imported by `serve`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from rollcall.errors import SettingsError
from rollcall.settings import proxy_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollcall.settings import Settings

__all__ = ["HELP_EPILOG", "ServeOptions", "serve"]

DEFAULT_PORT = 4001

# click fills paragraphs, except below a line that is a lone backspace character.
_SYSTEMD = """\
As a systemd service, in ~/.config/systemd/user/rollcall.service:

\b
    [Unit]
    Description=Models behind LiteLLM, for clients and people
    After=network.target

\b
    [Service]
    WorkingDirectory=%h/litellm
    EnvironmentFile=%h/litellm/.env
    ExecStart=%h/litellm/.venv/bin/rollcall serve --upstream http://127.0.0.1:4000
    Restart=on-failure
    SuccessExitStatus=143

\b
    [Install]
    WantedBy=default.target

then: systemctl --user enable --now rollcall.
"""

_TASK_SCHEDULER = """\
At log-on, by Task Scheduler; in PowerShell, once:

\b
    $action = New-ScheduledTaskAction -Execute C:\\litellm\\.venv\\Scripts\\rollcall.exe `
      -Argument 'serve --upstream http://127.0.0.1:4000' -WorkingDirectory C:\\litellm
    $trigger = New-ScheduledTaskTrigger -AtLogOn -User $env:USERNAME
    $settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit ([TimeSpan]::Zero) `
      -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries
    Register-ScheduledTask rollcall-serve -Action $action -Trigger $trigger -Settings $settings
"""

_LAUNCHD = """\
At log-in, by launchd, in ~/Library/LaunchAgents/local.rollcall.plist:

\b
    <?xml version="1.0" encoding="UTF-8"?>
    <plist version="1.0"><dict>
      <key>Label</key><string>local.rollcall</string>
      <key>WorkingDirectory</key><string>/Users/me/litellm</string>
      <key>ProgramArguments</key><array>
        <string>/Users/me/litellm/.venv/bin/rollcall</string><string>serve</string>
      </array>
      <key>RunAtLoad</key><true/><key>KeepAlive</key><true/>
    </dict></plist>

then: launchctl bootstrap gui/$(id -u) ~/Library/LaunchAgents/local.rollcall.plist
"""


def help_epilog(platform: str) -> str:
    """How a system of this name (as sys.platform has it) keeps the service running."""
    own = {"win32": _TASK_SCHEDULER, "darwin": _LAUNCHD}.get(platform, _SYSTEMD)
    return f"{own}\nWith compose, and on the other systems: docs/SERVICE.md.\n"


HELP_EPILOG = help_epilog(sys.platform)


class ServeOptions(NamedTuple):
    """How to serve.

    Attributes:
        upstream: LiteLLM's address; None = LITELLM_BASE_URL, else http://127.0.0.1:4000.
        cors_origins: web origins that may read the answers; none by default.
        refresh_interval_seconds: how often the list is asked for when nobody asks (only with our
            own tokens: a caller's key is never kept, so nothing can be asked with it later).
        upstream_timeout_seconds: how long a caller waits for LiteLLM's list at most, before the
            last good one is answered. Claude Code gives up after three seconds.
        shutdown_seconds: how long running answers may take to end after SIGTERM.
    """

    settings: Settings
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    upstream: str | None = None
    cors_origins: tuple[str, ...] = ()
    refresh_interval_seconds: float = 30.0
    upstream_timeout_seconds: float = 2.0
    shutdown_seconds: float = 10.0

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens of ROLLCALL_API_TOKENS, separated by commas or blanks."""
        words = self.settings.environ.get("ROLLCALL_API_TOKENS", "").replace(",", " ").split()
        return tuple(dict.fromkeys(words))

    @property
    def upstream_key(self) -> str | None:
        """LITELLM_API_KEY: the key LiteLLM is asked with when we have tokens of our own."""
        return self.settings.environ.get("LITELLM_API_KEY", "").strip() or None

    @property
    def operator_keys(self) -> tuple[str, ...]:
        """Keys known to be LiteLLM's without asking it: LITELLM_API_KEY and the master key."""
        names = ("LITELLM_API_KEY", "LITELLM_MASTER_KEY")
        found = (self.settings.environ.get(name, "").strip() for name in names)
        return tuple(key for key in found if key)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach us."""
        import ipaddress  # every command imports this module

        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def upstream_url(self) -> str:
        """LiteLLM's root, without a trailing slash or `/v1`.

        Raises:
            SettingsError: not an http address, one with a password in it, or our own.
        """
        from rollcall.inspect.smoke import proxy_url

        address = proxy_root(proxy_url(self.settings, self.upstream, "--upstream", strict=True))
        parts = urlsplit(address)
        here = parts.hostname in {self.host, "localhost"} and parts.port == self.port
        if here and self.loopback:
            raise SettingsError(
                f"The upstream {address} is the address rollcall itself would listen on.",
                "Choose another --port, or point --upstream at LiteLLM.",
            )
        return address


def serve(options: ServeOptions, *, refresh: Callable[[], None] | None = None) -> int:
    """Serve until told to stop; the exit code.

    Args:
        options: where to listen and whom to ask.
        refresh: asks the providers anew and writes what they say; what `?refresh=true` calls, in
            a thread of its own. None turns `?refresh=true` off.

    Raises:
        SettingsError: the extra is not installed, or an address that makes no sense.
    """
    try:
        from rollcall.service.server import run
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"`rollcall serve` needs {error.name}, which is not installed.",
            "Install it with: pip install fastapi jinja2 uvicorn (rollcall's extra `serve`).",
        ) from error
    return run(options, refresh=refresh)
