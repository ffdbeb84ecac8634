"""config.yaml parsed, edited by byte ranges, rendered, adopted; what LiteLLM makes of it. Pure."""
