"""Floor: LiteLLM's own list of what the providers serve.

It can be pointed at simulated providers for Anthropic, Gemini and xAI; it asks them in turn.
"""

import json
import os
from pathlib import Path

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
said = json.loads(Path("providers.json").read_bytes())
urls, keys = said["urls"], said["environ"]
asked = {
    "ANTHROPIC_API_BASE": urls["anthropic"],
    "GEMINI_API_BASE": urls["gemini"].removesuffix("/v1beta"),
    "XAI_API_BASE": urls["xai"].removesuffix("/v1"),
}
for name in [name for name in os.environ if name.endswith("_API_KEY")]:
    del os.environ[name]
os.environ.update(asked)
for name in ("ANTHROPIC_API_KEY", "XAI_API_KEY"):
    os.environ[name] = keys[name]
os.environ["GEMINI_API_KEY"] = keys["GOOGLE_API_KEY"]

from litellm import get_valid_models  # noqa: E402 - it reads the environment when imported

found = get_valid_models(check_provider_endpoint=True)
print(len(found))
