"""Simulated providers on loopback: real sockets, small catalogs of our own, faults on demand.

The tests, the benchmarks and nobody else: `rollcall demo` has four lists and one fault of its own.

    with Simulator() as sim:
        sim.url("openrouter"), sim.environ(), sim.provider_policy()
        sim.fault("gemini", Fault.HTML); sim.heal("gemini")
"""

from tests.simulator.catalogs import MAIN, NAMES
from tests.simulator.faults import Fault
from tests.simulator.http import Reply, Request
from tests.simulator.refused_calls import CallFault
from tests.simulator.simulator import ELSEWHERE, Simulator

__all__ = ["ELSEWHERE", "MAIN", "NAMES", "CallFault", "Fault", "Reply", "Request", "Simulator"]
