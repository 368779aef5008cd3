"""dask.delayed with its threaded scheduler, with the command `one` of the Rust program and its JSON line."""

import argparse
import ctypes
import json
import threading
import time
from pathlib import Path

import dask

from plan import MASK, Plan


def load_kernel():
    """The compiled kernel, which lets go of Python's lock."""
    path = Path(__file__).parent.parent / "target/native/libkernel.so"
    if not path.exists():
        raise SystemExit("error: its kernel needs g++")
    spin = ctypes.CDLL(str(path)).kernel_spin
    spin.argtypes = [ctypes.c_uint64]
    return spin


def peak(spin, threads):
    """The shortest time for a grain of one, in nanoseconds, while the threads run it at once."""
    best = [float("inf")] * threads

    def run(thread):
        for _ in range(40):
            begin = time.perf_counter_ns()
            spin(50_000)
            best[thread] = min(best[thread], (time.perf_counter_ns() - begin) / 50_000)

    running = [threading.Thread(target=run, args=(i,)) for i in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return sum(best) / threads


def build(plan, value):
    node = dask.delayed(value, pure=False)
    nodes = []
    for inputs, bias in zip(plan.inputs, plan.biases):
        nodes.append(node(bias, *[nodes[i] for i in inputs]))
    return [nodes[sink] for sink in plan.sinks]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["one"])
    parser.add_argument("peer")
    parser.add_argument("workload")
    for name, default in dict(threads=1, grain=0, repeats=1, scale=1, nodes=None, steps=None).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    plan = Plan(options.workload, options.scale, options.nodes, options.steps)
    values = []
    for inputs, bias in zip(plan.inputs, plan.biases):
        values.append((bias + sum(values[i] for i in inputs)) & MASK)
    checksum = plan.checksum([values[sink] for sink in plan.sinks])

    if options.grain:
        spin = load_kernel()

        def value(bias, *inputs):
            spin(options.grain)
            return (bias + sum(inputs)) & MASK

        best = peak(spin, options.threads)
    else:

        def value(bias, *inputs):
            return (bias + sum(inputs)) & MASK

        best = 0.0
    times = {"build": [], "run": [], "drop": [], "cpu": []}
    ok = True
    for _ in range(options.repeats):
        cpu, begin = time.process_time_ns(), time.perf_counter_ns()
        sinks = build(plan, value)
        built = time.perf_counter_ns()
        results = dask.compute(*sinks, scheduler="threads", num_workers=options.threads)
        ran = time.perf_counter_ns()
        del sinks
        dropped = time.perf_counter_ns()
        times["cpu"].append(time.process_time_ns() - cpu)
        times["build"].append(built - begin)
        times["run"].append(ran - built)
        times["drop"].append(dropped - ran)
        ok = ok and plan.checksum(results) == checksum
    about = dict(
        peer=options.peer,
        workload=options.workload,
        threads=options.threads,
        grain=options.grain,
        nodes=len(plan.biases),
        edges=sum(map(len, plan.inputs)),
        peak=best,
        hash=f"{plan.hash():016x}",
        ok=ok,
    )
    print(json.dumps(about | times))


main()
