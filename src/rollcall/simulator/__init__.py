"""Simulated providers on loopback: real sockets, small catalogs of our own, faults on demand.

`rollcall demo` and the tests use the same ones.
"""
