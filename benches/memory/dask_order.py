"""The peaks of Dask's own order on the graphs of this benchmark.

    cargo bench --bench memory -- --graphs | python benches/memory/dask_order.py

needs `dask`, reads one graph as JSON a line, and writes `dask_order.txt` beside itself. The rule of
counting is the one that `benches/memory.rs` states. Dask iterates over sets of strings, so its order
depends a little on how they are hashed: the least of some seeds is taken.
"""

import json
import os
import pathlib
import subprocess
import sys

import dask
from dask.order import order

SEEDS = range(8)


def task():
    """Dask tells a task from plain data by a callable at its head."""


def peaks(nodes):
    """With sinks that stay, and without sinks."""
    place = order({key: (task, *inputs) for key, inputs in nodes.items()})
    waiting = dict.fromkeys(nodes, 0)
    for inputs in nodes.values():
        for used in inputs:
            waiting[used] += 1
    live = intermediate = most = most_intermediate = 0
    for key in sorted(nodes, key=place.get):
        live += 1
        most = max(most, live)
        most_intermediate = max(most_intermediate, intermediate + 1)
        intermediate += waiting[key] > 0
        for used in nodes[key]:
            waiting[used] -= 1
            if not waiting[used]:
                live -= 1
                intermediate -= 1
    return most, most_intermediate


graphs = sys.stdin.read()
parsed = [json.loads(line) for line in graphs.splitlines()]
if "--one-seed" in sys.argv:
    print(json.dumps([peaks(graph["nodes"]) for graph in parsed]))
    sys.exit()

runs = []
for seed in SEEDS:
    command = [sys.executable, __file__, "--one-seed"]
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    run = subprocess.run(command, input=graphs, env=environment, text=True, check=True, stdout=subprocess.PIPE)
    runs.append(json.loads(run.stdout))

lines = [f"# dask {dask.__version__}: graph, nodes, edges, peak if sinks stay, peak without sinks"]
for graph, *of_graph in zip(parsed, *runs):
    edges = sum(map(len, graph["nodes"].values()))
    least = map(min, zip(*of_graph))
    lines.append(" ".join(map(str, [graph["name"], len(graph["nodes"]), edges, *least])))
pathlib.Path(__file__).with_name("dask_order.txt").write_text("\n".join(lines) + "\n")
