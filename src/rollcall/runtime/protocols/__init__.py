"""How providers are spoken to: pure functions from a call to a request, from a reply to a text."""
