"""Whom we can ask (data), an adapter per wire protocol, and asking them all under one deadline.

An adapter builds the request and parses the reply; it never logs, catches, retries or sorts.
"""
