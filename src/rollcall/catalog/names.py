"""What no rule can know about model names: makers, family heads, code names. Data to read and edit.

Everything here is lower case. A name that is missing here is still read; it then belongs to whoever
the provider says made it.
"""

from __future__ import annotations

MAKERS: dict[str, tuple[str, ...]] = {
    "ai21": ("ai21", "ai21-labs", "ai21labs"),
    "allenai": ("allenai", "ai2", "allen-institute-for-ai"),
    "amazon": ("amazon", "aws", "amazon-web-services"),
    "anthropic": ("anthropic", "anthropics"),
    "baidu": ("baidu", "qianfan"),
    "bytedance": ("bytedance", "bytedance-seed", "volcengine", "doubao"),
    "cohere": ("cohere", "cohereforai", "coherelabs", "cohere-labs"),
    "deepseek": ("deepseek", "deepseek-ai"),
    "google": ("google", "gemini", "google-deepmind", "deepmind", "google-ai-studio"),
    "ibm": ("ibm", "ibm-granite", "watsonx"),
    "inclusionai": ("inclusionai", "ant-group"),
    "liquid": ("liquid", "liquidai", "liquid-ai"),
    "meta": ("meta", "meta-llama", "meta-ai", "facebook", "llama-api"),
    "microsoft": ("microsoft", "microsoft-ai", "mai"),
    "minimax": ("minimax", "minimaxai", "minimax-ai"),
    "mistral": ("mistral", "mistralai", "mistral-ai"),
    "moonshot": ("moonshot", "moonshotai", "moonshot-ai", "kimi"),
    "nousresearch": ("nousresearch", "nous", "nous-research"),
    "nvidia": ("nvidia", "nvidia-nim"),
    "openai": ("openai", "open-ai", "openai-internal", "system"),
    "perplexity": ("perplexity", "perplexity-ai", "pplx"),
    "qwen": ("qwen", "alibaba", "alibaba-cloud", "alibaba-qwen", "dashscope", "tongyi"),
    "reka": ("reka", "rekaai", "reka-ai"),
    "stepfun": ("stepfun", "stepfun-ai"),
    "tencent": ("tencent", "tencent-hunyuan", "hunyuan"),
    "upstage": ("upstage", "upstage-ai"),
    "xai": ("xai", "x-ai", "spacexai", "x.ai"),
    "xiaomi": ("xiaomi", "xiaomimimo"),
    "zai": ("zai", "z-ai", "z.ai", "zai-org", "zhipu", "zhipuai", "zhipu-ai", "thudm", "bigmodel"),
}
"""Canonical maker -> every name it goes by: authors in ids, `owned_by`, provider names."""

HEADS: dict[str, tuple[str, ...]] = {
    "ai21": ("jamba", "jurassic"),
    "allenai": ("olmo", "molmo", "tulu"),
    "amazon": ("nova", "titan"),
    "anthropic": ("claude",),
    "baidu": ("ernie",),
    "bytedance": ("doubao", "seed", "seedance", "seedream"),
    "cohere": ("command", "aya", "c4ai"),
    "deepseek": ("deepseek",),
    "google": (
        "gemini", "gemma", "imagen", "learnlm", "lyria", "nano-banana", "palm", "veo",
        "chat-bison", "text-bison", "medlm",
    ),
    "ibm": ("granite",),
    "inclusionai": ("ling", "ring"),
    "liquid": ("lfm",),
    "meta": ("llama", "codellama", "code-llama", "muse"),
    "microsoft": ("phi", "mai", "wizardlm"),
    "minimax": ("minimax", "abab", "hailuo"),
    "mistral": (
        "mistral", "mixtral", "ministral", "magistral", "codestral", "devstral", "pixtral",
        "voxtral", "mathstral", "leanstral", "open-mistral", "open-mixtral", "labs-mistral",
        "labs-devstral", "labs-leanstral",
    ),
    "moonshot": ("kimi", "moonshot", "moonlight"),
    "nousresearch": ("hermes", "deephermes", "nous-hermes"),
    "nvidia": ("nemotron",),
    "openai": (
        "gpt", "chatgpt", "o", "codex", "computer-use", "dall-e", "sora", "whisper", "tts",
        "omni-moderation", "babbage", "davinci",
    ),
    "perplexity": ("sonar", "pplx"),
    "qwen": ("qwen", "qwq", "qvq", "wan", "wanx", "tongyi"),
    "reka": ("reka",),
    "stepfun": ("step",),
    "tencent": ("hunyuan", "hy"),
    "upstage": ("solar",),
    "xai": ("grok",),
    "xiaomi": ("mimo",),
    "zai": ("glm", "chatglm"),
}  # fmt: skip
"""Canonical maker -> the first words of the families that are its own."""

HOSTS: frozenset[str] = frozenset({
    "azure", "azure-ai", "bedrock", "cerebras", "databricks", "deepinfra", "fireworks",
    "fireworks-ai", "github", "github-copilot", "gpustack", "groq", "nebius", "novita",
    "openrouter", "parasail", "perplexity", "sambanova", "together", "together-ai", "vertex",
    "vertex-ai",
    # OpenAI's word for its own models, but Alibaba's too
    "system",
})  # fmt: skip
"""Who puts its own name on models of others: a well-known family head then tells the maker.

Words that stand as an owner in anybody's list, most of them of hosts that are not built in: so they
are here, and not in the rows of providers.
"""

NOBODY: frozenset[str] = frozenset({
    "", "custom", "docker", "koboldcpp", "lemonade", "library", "llama-swap", "llama.cpp",
    "llamacpp", "lmstudio", "localai", "ollama", "organization-owner", "owner", "sglang",
    "tabbyapi", "tgi", "unknown", "user", "vllm",
})  # fmt: skip
"""Owners that are no maker: software and placeholders."""

LEVELS: frozenset[str] = frozenset({"lora", "pro", "tee"})
"""What some hosts put in front of an id for a dearer or another service: SiliconFlow, NanoGPT."""

CONTAINERS: frozenset[str] = LEVELS | frozenset({
    "accounts", "hf.co", "huggingface.co", "models", "publishers", "routers", "tunedmodels",
})  # fmt: skip
"""Path parts in front of a name that are no author."""

CODE_NAMES: dict[str, tuple[str, ...]] = {
    # GPT-5.6 comes as Sol, Terra and Luna; Sol is what the plain `gpt-5.5` was before it.
    "gpt": ("sol",),
}
"""Family head -> words that only name the flagship, and so do not make a family of their own."""

COUNTS_IN_DECIMALS: frozenset[str] = frozenset({"grok"})
"""Heads whose versions are decimals: Grok 4.20 (March 2026) came before 4.3 (April)."""

PREVIEW_WORDS: frozenset[str] = frozenset({"preview", "prev", "beta", "rc", "eap"})
EXPERIMENTAL_WORDS: frozenset[str] = frozenset({"exp", "experimental", "alpha"})
MOVING_WORD = "latest"
"""In a name it says that the target changes over time."""


def _inverted(table: dict[str, tuple[str, ...]]) -> dict[str, str]:
    return {name: maker for maker, names in table.items() for name in names}


MAKER_OF_NAME: dict[str, str] = _inverted(MAKERS)
MAKER_OF_HEAD: dict[str, str] = _inverted(HEADS)


def plain_name(name: str) -> str:
    """A maker's or owner's name as the tables spell it: `Alibaba Cloud` -> `alibaba-cloud`."""
    return "-".join(name.strip().lstrip("~").lower().replace("_", " ").split())


def canonical_maker(name: str) -> str:
    """The one name a maker has here: `x-ai` -> `xai`; a name nobody knows stays as it is."""
    plain = plain_name(name)
    return MAKER_OF_NAME.get(plain, plain)


def maker_of_family(family: str) -> str | None:
    """Whose family that is, where its first word or two are well known."""
    first, _, rest = family.partition("-")
    second = rest.partition("-")[0]
    return MAKER_OF_HEAD.get(f"{first}-{second}") or MAKER_OF_HEAD.get(first)
