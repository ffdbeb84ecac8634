"""/v1/models in front of LiteLLM, and its page for people. Needs the extra `serve`.

Importing this package costs next to nothing; FastAPI and uvicorn are imported by `serve`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollcall.service.options import HELP_EPILOG, ServeOptions

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HELP_EPILOG", "ServeOptions", "serve"]


def serve(options: ServeOptions, *, refresh: Callable[[], None] | None = None) -> int:
    """Serve until told to stop; the exit code.

    Args:
        options: where to listen and whom to ask.
        refresh: asks the providers anew and writes what they say; what `?refresh=true` calls, in
            a thread of its own. None turns `?refresh=true` off.

    Raises:
        SettingsError: the extra is not installed, or an address that makes no sense.
    """
    from rollcall.errors import SettingsError

    try:
        from rollcall.service.server import run
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"`rollcall serve` needs {error.name}, which is not installed.",
            "Install it with: pip install 'litellm-rollcall[serve]'",
        ) from error
    return run(options, refresh=refresh)
