"""Entries that change hands: adopted ones become managed, ejected ones the user's."""

from __future__ import annotations

from rollcall.config_blocks import ConfigDocument


def adopt(document: ConfigDocument, names: frozenset[str]) -> bytes:
    """stub"""
    raise NotImplementedError


def eject(document: ConfigDocument, *, remove: bool = False) -> bytes:
    """stub"""
    raise NotImplementedError
