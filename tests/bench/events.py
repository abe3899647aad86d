"""What a state change costs Home Assistant: with this integration, without any, and with its own influxdb integration.

In:   nothing; a real Home Assistant runs in a process of its own (`events_home`), the far end of the Link in another.
Out:  microseconds of CPU per state change, of the event loop's thread and of all threads.

Every turn of a repeat fires the same kind of changes: without a listener, with ours, with the peer, in this order; what
a listener costs is the difference to the first of the same repeat. Sending is included: a turn ends when all that was
sent is acknowledged.
"""

import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.child import ROOT, ask
from tests.bench.figures import Samples
from tests.bench.say import say
from tests.bench.server import free_port

type Turns = Sequence[Mapping[str, float]]


def above(turns: Turns, name: str, base: str) -> list[float]:
    """Return what `name` cost more than `base`, for each repeat."""
    return [turn[name] - turn[base] for turn in turns]


def ratios(ours: Sequence[float], peer: Sequence[float]) -> list[float]:
    """Return ours to the peer's, for each repeat."""
    return [mine / other for mine, other in zip(ours, peer, strict=True)]


def samples(burst: Turns, small: Turns, other: Turns) -> dict[str, Samples]:
    """Return the measures of the turns that `events_home` reports."""
    ours, peer = above(burst, "ours_cpu", "none_cpu"), above(burst, "peer_cpu", "none_cpu")
    small_ours, small_peer = above(small, "ours_cpu", "none_cpu"), above(small, "peer_cpu", "none_cpu")
    loop, peer_loop = above(burst, "ours_loop", "none_loop"), above(burst, "peer_loop", "none_loop")
    small_loop, small_peer_loop = above(small, "ours_loop", "none_loop"), above(small, "peer_loop", "none_loop")
    return {
        "loop_energy": Samples(loop, ratios(loop, peer_loop)),
        "loop_energy_small": Samples(small_loop, ratios(small_loop, small_peer_loop)),
        "loop_other": Samples(above(other, "ours_loop", "none_loop")),
        "cpu_energy": Samples(ours, ratios(ours, peer)),
        "cpu_energy_small": Samples(small_ours, ratios(small_ours, small_peer)),
    }


async def run() -> Mapping[str, Samples]:
    """Measure."""
    port = free_port()
    far_end = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.acknowledging_server", str(port), cwd=ROOT, env=dict(os.environ)
    )
    try:
        with tempfile.TemporaryDirectory(prefix="energy-bench-") as folder:
            report = await ask("tests.bench.events_home", str(Path(folder) / "ha"), f"http://127.0.0.1:{port}")
    finally:
        far_end.terminate()
        await far_end.wait()
    measured = samples(report["burst"], report["small"], report["other"])
    for name, values in measured.items():
        say(f"{name}: median {statistics.median(values.values):.2f} us")
    return measured
