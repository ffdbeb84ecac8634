"""How the proxy starts: find litellm, become it or watch over it."""
