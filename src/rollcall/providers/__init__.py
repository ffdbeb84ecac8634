"""Providers: a registry of data, and one small adapter per wire protocol.

An adapter builds the request and parses the reply. It never logs, catches, retries, sorts or
writes; `rollcall.fetch` does the asking, and is the only place that knows what can go wrong.
"""
