"""What a model is for, by its id."""

from __future__ import annotations

import pytest

from rollcall.catalog.model import Kind
from rollcall.providers.kinds import kind_of_id, kind_of_outputs

IDS = {
    Kind.CHAT: """gpt-5.5 gpt-5.6-sol o3-pro gpt-5.3-codex gpt-4o-search-preview gpt-5-search-api
        chat-latest gpt-3.5-turbo claude-opus-5 claude-fable-5 gemini-3.7-flash
        gemma-4-31b-it grok-4.20-multi-agent deepseek-v4-flash-0731 qwen3-vl-plus qwen3-coder:free
        meta-llama/llama-3.3-70b-instruct kimi-k2.5 glm-5v-turbo mistral-large-latest sonar
        nvidia/nemotron-3.5-lightning gpt-oss:20b olive-7b audiobook-writer-7b qwen3.8-omni-flash
        nvidia/nemotron-3-nano-omni minimax/minimax-m3 gemini-4-argon alibaba/wanda-7b
        autoglm-phone auto-coder-7b stabilityai/stablelm-2-12b step-2-mini hunyuan-turbo
        amazon.nova-pro-v1:0 eclipse-7b luma-7b""",
    Kind.EMBEDDING: """text-embedding-3-large codestral-embed gemini-embedding-2 BAAI/bge-m3
        nomic-embed-text:latest text-embedding-v4 pplx-embed-v1-0.6b intfloat/e5-large
        intfloat/multilingual-e5-large all-minilm:latest voyage-4-large jina-clip-v2
        nvidia/nvclip jinaai/jina-colbert-v2""",
    Kind.MODERATION: """omni-moderation-latest meta-llama/llama-guard-4-12b mistral-moderation-2411
        openai/gpt-oss-safeguard-20b nvidia/nemotron-3.5-content-safety:free shieldguard-9b
        shieldgemma:2b""",
    Kind.RERANK: "gte-rerank-v2 cohere/rerank-v3.5 qwen3-reranker-8b Salesforce/Llama-Rank-V1",
    Kind.SPEECH: """tts-1 tts-1-hd gpt-4o-mini-tts whisper-1 gpt-4o-transcribe gpt-realtime-2
        gpt-realtime-whisper gpt-audio-mini gpt-4o-audio-preview qwen3-tts-flash qwen3-asr-flash
        lyria-3-pro-preview gemini-3.1-flash-live-preview gpt-live-transcribe
        canopylabs/orpheus-v1-english gemini-2.5-flash-native-audio-latest lyria-3-clip-preview
        voxtral-mini-transcribe grok-voice-3.0 microsoft/mai-voice-2 gpt-live-1
        qwen3-livetranslate-flash qwen-voice-design amazon.nova-2-sonic-v1:0
        nvidia/parakeet-tdt-0.6b-v3 FunAudioLLM/SenseVoiceSmall suno_music voice_clone_2
        IndexTeam/IndexTTS-2 fnlp/MOSS-TTSD-v0.5 eleven_multilingual_v2 scribe_v1 cartesia/sonic-2
        deepgram/nova-3 PlayDialog""",
    Kind.IMAGE: """dall-e-3 openai/dall-e gpt-image-2 chatgpt-image-latest
        imagen-4.0-ultra-generate-001 gemini-3-pro-image nano-banana-pro-preview
        grok-imagine-image-2.0 qwen-image-plus
        black-forest-labs/FLUX.2-pro bytedance-seed/seedream-4.5 grok-2-image-1212
        gpt-image-2.5-flare x/flux2-klein:4b wan2.6-image wan2.5-i2i-preview wan2.2-t2i-plus
        stability/sd3.5-large stablediffusion dalle3 Kwai-Kolors/Kolors mj_imagine cogview-4
        grok-imagine step-1x-medium tencent/HunyuanImage-3.0 Lykon/DreamShaper rmbg-2.0
        us.stability.stable-style-transfer-v1:0 Clarity-Upscaler""",
    Kind.VIDEO: """sora-2-pro veo-3.1-generate-preview grok-imagine-video-1.5 wan2.6-t2v kling-v3
        wan2.7-r2v wan2.2-s2v wan2.1-flf2v-14b wan2.2-animate-mix alibaba/wan-v2.7
        happyhorse-1.1-r2v minimax/minimax-h3 gemini-omni-flash-preview gemini-omni-1.1-flash
        cogvideox-3 acme_video_gen amazon.nova-reel-v1:1 luma.ray-v2:0 runway/gen4-turbo vidu-q2
        lightricks/LTX-2""",
    Kind.OTHER: """davinci-002 babbage-002 gpt-3.5-turbo-instruct gpt-3.5-turbo-instruct-0914 aqa
        computer-use-preview mistral-ocr-2512 gemini-robotics-er-2-preview
        o3-deep-research o4-mini-deep-research-2025-06-26 perplexity/sonar-deep-research
        deep-research-max-preview-04-2026 antigravity-preview-05-2026
        perplexity/pplx-decider-v1.2 auto acme/auto PaddlePaddle/PaddleOCR-VL""",
}


@pytest.mark.parametrize(
    ("model_id", "kind"), [(one, kind) for kind, ids in IDS.items() for one in ids.split()]
)
def test_kind_of_id(model_id: str, kind: Kind) -> None:
    assert kind_of_id(model_id) is kind


@pytest.mark.parametrize(
    ("outputs", "kind"),
    [
        (("text",), Kind.CHAT),
        (("image", "text"), Kind.IMAGE),
        (("text", "audio"), Kind.SPEECH),
        (("embeddings",), Kind.EMBEDDING),
        (("transcription",), Kind.SPEECH),
        (("text", "music"), Kind.SPEECH),
        (("Text-Embedding",), Kind.EMBEDDING),
        (("smell",), Kind.OTHER),
        (("decisions",), Kind.OTHER),
        (("text", "decisions"), Kind.CHAT),
        (("TEXT",), Kind.CHAT),
        ((), None),
    ],
)
def test_kind_of_outputs(outputs: tuple[str, ...], kind: Kind | None) -> None:
    assert kind_of_outputs(outputs) is kind
