"""Simulated providers on loopback: real sockets, small catalogs of our own, faults on demand.

`rollcall demo` and the tests use the same ones.

    with Simulator() as sim:
        sim.url("openrouter"), sim.environ(), sim.provider_policy()
        sim.fault("gemini", Fault.HTML); sim.heal("gemini")
"""

from rollcall.simulator.catalogs import MAIN, NAMES
from rollcall.simulator.faults import Fault
from rollcall.simulator.http import Reply, Request
from rollcall.simulator.simulator import ELSEWHERE, Simulator

__all__ = ["ELSEWHERE", "MAIN", "NAMES", "Fault", "Reply", "Request", "Simulator"]
