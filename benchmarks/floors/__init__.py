"""Floors: the least that another way of doing the same thing costs on this machine, now."""
