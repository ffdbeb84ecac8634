"""Floor: fetch the lists of the eight providers at once with httpx, parse them with json.

`bare.py [TIMEOUT]`, in seconds.
"""

import asyncio
import json
import sys
from pathlib import Path

import httpx

TIMEOUT = float(sys.argv[1]) if sys.argv[1:] else 30.0
SAID = json.loads(Path("providers.json").read_bytes())
URLS, KEYS = SAID["urls"], SAID["environ"]


def bearer(variable: str) -> dict[str, str]:
    """The header that carries a key."""
    return {"authorization": f"Bearer {KEYS[variable]}"}


REQUESTS = [
    (f"{URLS['openrouter']}/models/user", bearer("OPENROUTER_API_KEY")),
    (f"{URLS['xai']}/language-models", bearer("XAI_API_KEY")),
    (f"{URLS['gemini']}/models?pageSize=1000", {"x-goog-api-key": KEYS["GOOGLE_API_KEY"]}),
    (f"{URLS['perplexity']}/v1/models", bearer("PERPLEXITYAI_API_KEY")),
    (f"{URLS['openai']}/models", bearer("OPENAI_API_KEY")),
    (f"{URLS['anthropic']}/v1/models?limit=1000", {"x-api-key": KEYS["ANTHROPIC_API_KEY"]}),
    (f"{URLS['deepseek']}/models", bearer("DEEPSEEK_API_KEY")),
    (f"{URLS['qwen']}/models", bearer("DASHSCOPE_API_KEY")),
]


async def fetch() -> list[object]:
    """The eight replies, parsed."""

    async def one(client: httpx.AsyncClient, url: str, headers: dict[str, str]) -> object:
        try:
            reply = await client.get(url, headers=headers)
        except httpx.TimeoutException:
            return None
        reply.raise_for_status()
        return json.loads(reply.content)

    async with httpx.AsyncClient(timeout=TIMEOUT) as client:
        asked = (one(client, url, headers) for url, headers in REQUESTS)
        return list(await asyncio.gather(*asked))


print(sum(reply is not None for reply in asyncio.run(fetch())))
