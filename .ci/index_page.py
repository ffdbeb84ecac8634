"""The project's page on a package index: where it lives, and a README whose links work there.

The address is that of the repository a release is built in (GitHub sets the variables). Built
elsewhere there is none to know: no URLs then, and links into the repository become plain text.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

INTO_THE_REPOSITORY = re.compile(
    r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?!https?:|#)(?P<path>[^)\s]+)\)"
)


class IndexPage(MetadataHookInterface):
    """Fills in `readme` and `urls`."""

    def update(self, metadata: dict[str, object]) -> None:
        """Called by hatchling at every build."""
        home = address()
        ref = os.environ.get("GITHUB_REF_NAME") or "HEAD"
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": page(text, home, ref)}
        if home:
            metadata["urls"] = {
                "Homepage": home,
                "Documentation": f"{home}/tree/{ref}/docs",
                "Changelog": f"{home}/blob/{ref}/CHANGELOG.md",
                "Issues": f"{home}/issues",
            }


def address() -> str:
    """Where the repository is, if that is known."""
    server, name = os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_REPOSITORY")
    return f"{server}/{name}" if server and name else ""


def page(text: str, home: str, ref: str) -> str:
    """README with its links into the repository made whole, or made text."""

    def whole(found: re.Match[str]) -> str:
        image, words, path = found.group("image", "text", "path")
        if home:
            return f"{image}[{words}]({home}/{'raw' if image else 'blob'}/{ref}/{path})"
        return "" if image else words

    return INTO_THE_REPOSITORY.sub(whole, text)
