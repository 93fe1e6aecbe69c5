"""The training step of `lstm-dist bench step` beside PyTorch's, on the same two cores, in turn.

PyTorch runs as one process with two threads and as two processes with DistributedDataParallel, and the better one
counts. Each figure is the median over the rounds. small-shard runs on one core on both sides.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys

from shapes import CORES, SHAPES

HERE = os.path.dirname(os.path.abspath(__file__))


def arguments():
    parser = argparse.ArgumentParser(prog="Launch/compare-pytorch", description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--shape", action="append", choices=SHAPES, help="repeatable (default: all)")
    parser.add_argument("--rounds", type=int, default=3, help="of all sides in turn (default 3)")
    parser.add_argument("--seconds", type=float, default=3, help="measured per PyTorch run (default 3)")
    parser.add_argument("--pytorch-only", action="store_true", help="leave lstm-dist out")
    parser.add_argument("--json", metavar="FILE", help="also write every single measurement to FILE")
    return parser.parse_args()


def sides(name, options):
    """The commands that measure the shape, by what the table calls them."""
    step = [sys.executable, os.path.join(HERE, "training_step.py"), "--shape", name, "--seconds", str(options.seconds)]
    cores = SHAPES[name].cores
    commands = {"threads": step + ["--threads", str(cores)]}
    if cores > 1:
        commands["processes"] = step + ["--processes", str(cores)]
    if not options.pytorch_only:
        ours = [options.program, "bench", "step", "--shape", name, "--json"]
        commands["lstm-dist"] = ["mpirun", "-np", str(cores)] + ours
    return commands


def measure(command):
    """The one JSON object that the command prints."""
    finished = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        if finished.returncode != 0:
            raise ValueError(f"exit {finished.returncode}")
        return json.loads(finished.stdout)
    except ValueError as reason:
        sys.stderr.write(f"error: no measurement — expected one JSON object, got {reason} ({' '.join(command)})\n")
        sys.stderr.write(finished.stderr)
        sys.exit(1)


def medians(measurements):
    """Medians of one side's rounds."""
    keys = ("medianSeconds", "gflops", "tokensPerSecond", "peakMemoryBytes", "shareOfPeak")
    return {key: statistics.median(one[key] for one in measurements) for key in keys if key in measurements[0]}


def run_rounds(shapes, options):
    """{shape: {side: [measurement of each round]}}, all sides of a shape in turn, and all shapes in each round."""
    results = {name: {side: [] for side in sides(name, options)} for name in shapes}
    for round_number in range(1, options.rounds + 1):
        for name in shapes:
            for side, command in sides(name, options).items():
                results[name][side].append(measure(command))
            figures = ", ".join(f"{side} {runs[-1]['gflops']:.0f}" for side, runs in results[name].items())
            print(f"round {round_number} of {options.rounds}: {name}: {figures} GFLOP/s", file=sys.stderr, flush=True)
    return results


def print_table(results):
    """One line a shape, and the geometric mean of the ratios."""
    print(f"{'':14}|{'PyTorch, GFLOP/s':^20}|{'lstm-dist':^28}|{'':7}|{'peak memory of a process':^26}")
    print(
        f"{'shape':14}|{'threads':>9}{'processes':>10} |{'GFLOP/s':>9}{'of peak':>9}{'tokens/s':>10}|"
        f"{'ratio':>6} |{'PyTorch':>10}{'lstm-dist':>15}"
    )
    ratios = []
    for name, measured in results.items():
        figures = {side: medians(runs) for side, runs in measured.items()}
        ours = figures.pop("lstm-dist", None)
        best = min(figures.values(), key=lambda side: side["medianSeconds"])
        processes = f"{figures['processes']['gflops']:.1f}" if "processes" in figures else "-"
        line = f"{name:14}|{figures['threads']['gflops']:9.1f}{processes:>10} |"
        if ours is None:
            line += f"{'-':>9}{'-':>9}{'-':>10}|{'-':>6} |{best['peakMemoryBytes'] / 1e6:7.0f} MB{'-':>15}"
        else:
            ratios.append(best["medianSeconds"] / ours["medianSeconds"])
            memory = best["peakMemoryBytes"], ours["peakMemoryBytes"]
            line += f"{ours['gflops']:9.1f}{ours['shareOfPeak']:9.0%}{ours['tokensPerSecond']:10.0f}|{ratios[-1]:6.2f} |"
            line += f"{memory[0] / 1e6:7.0f} MB{memory[1] / 1e6:7.0f} MB {memory[1] / memory[0]:4.0%}"
        print(line)
    if ratios:
        print(f"geometric mean of the ratios: {math.exp(statistics.fmean(map(math.log, ratios))):.2f}")


def main():
    options = arguments()
    results = run_rounds(options.shape or list(SHAPES), options)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)
    print(f"medians of {options.rounds} rounds, {CORES} cores; ratio: seconds of the better PyTorch / ours")
    print_table(results)


if __name__ == "__main__":
    main()
