"""How models are called: one request and its reply in each provider's own protocol.

Shared by the library (`rollcall.runtime`) and by trial calls. A call goes: `call.Call` ->
`endpoint.Endpoint` (whose protocol, where, which key) -> `exchange` (the network) -> the protocol
again, which reads the reply. What is no completion becomes a ProviderError in `failures`.
"""
