"""Random gradient cases through `lstm-dist gradients`, in both precisions, alone and on 1–4 ranks, against autograd.

Exit code 1 where a tensor is farther from autograd than its precision allows, is missing, superfluous, or of the wrong
shape or dtype, or where the bits depend on the number of ranks.
"""

import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch

from lstm_case import Case, difference, read

TOLERANCE = {"float": 2e-5, "double": 1e-10}
DTYPE = {"float": np.float32, "double": np.float64}
RANKS = (None, 1, 2, 3, 4)  # None: started without mpirun


def arguments():
    parser = argparse.ArgumentParser(prog="Launch/compare-gradients", description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--cases", type=int, default=12, metavar="N", help="random cases (default 12)")
    parser.add_argument("--seed", type=int, default=1, help="of the first case (default 1)")
    return parser.parse_args()


def random_case(seed, index):
    """1, 2, 3, 1, … layers; T, B, D and H all different, so that no transposed matrix can pass."""
    random = np.random.default_rng(seed)
    B = int(random.integers(1, 11))  # often fewer than there are ranks
    T, D, H = (int(size) for size in random.choice(np.setdiff1d(np.arange(1, 33), B), size=3, replace=False))
    return Case(
        f"random-{seed}",
        seed,
        L=1 + index % 3,
        T=T,
        B=B,
        D=D,
        H=H,
        initial=bool(random.integers(2)),
        upstream=str(random.choice(["y h c", "y", "", "h", "c", "y c"])),
        dtype=(np.float64, np.float32)[int(random.integers(2))],
    )


def run(program, case_path, output, precision, ranks):
    """One run of the program; its output file's tensors, or the reason why there are none."""
    launcher = [] if ranks is None else ["mpirun", "-np", str(ranks)]
    command = [program, "gradients", "--input", case_path, "--output", output, "--precision", precision]
    if os.path.exists(output):
        os.remove(output)
    try:
        finished = subprocess.run(launcher + command, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        return None, "no end within 120 s"
    if finished.returncode != 0:
        own_words = finished.stderr.split("-----")[0].strip()  # mpirun's follow a dashed line
        return None, f"exit {finished.returncode}: {own_words or finished.stderr.strip()}"
    if not os.path.exists(output):
        return None, "exit 0 but no output file"
    return read(output), None


def form_errors(ours, theirs, dtype):
    """What is wrong with the names, shapes and dtypes of the output."""
    errors = [f"{name} is missing" for name in sorted(theirs.keys() - ours.keys())]
    errors += [f"{name} is not expected" for name in sorted(ours.keys() - theirs.keys())]
    for name in sorted(ours.keys() & theirs.keys()):
        if ours[name].shape != theirs[name].shape:
            errors.append(f"{name} has shape {ours[name].shape} — expected {theirs[name].shape}")
        elif ours[name].dtype != dtype:
            errors.append(f"{name} has dtype {ours[name].dtype} — expected {np.dtype(dtype)}")
    return errors


def same_bits(one, other):
    return one.keys() == other.keys() and all(one[name].tobytes() == other[name].tobytes() for name in one)


def compare(case, precision, program, folder, theirs):
    """Runs the case for every number of ranks: the farthest tensor, its distance, and the errors found."""
    output = os.path.join(folder, "output.safetensors")
    first, worst, distance, errors = None, "", 0.0, []
    for ranks in RANKS:
        where = "alone" if ranks is None else f"{ranks} ranks"
        ours, reason = run(program, case.input_path(folder), output, precision, ranks)
        if reason:
            errors.append(f"{where}: {reason}")
            continue
        wrong = form_errors(ours, theirs, DTYPE[precision])
        errors += [f"{where}: {error}" for error in wrong]
        if wrong:
            continue
        if first is None:
            first = ours
            distances = {name: difference(ours[name], theirs[name]) for name in theirs}
            worst = max(distances, key=distances.get)
            distance = distances[worst]
            errors += [
                f"{where}: {name} is {far:.1e} away — expected at most {TOLERANCE[precision]:.0e}"
                for name, far in distances.items()
                if not far <= TOLERANCE[precision]
            ]
        elif not same_bits(first, ours):
            names = [name for name in first if first[name].tobytes() != ours[name].tobytes()]
            errors.append(f"{where}: other bits than the first run in {', '.join(names)}")
    return worst, distance, errors


def main():
    options = arguments()
    failures = 0
    print(f"{'case':12} {'L':>2} {'T':>3} {'B':>3} {'D':>3} {'H':>3}  {'input':8} {'h0,c0':6} {'upstream':9}", end="")
    print(f"{'precision':10} {'farthest tensor':18} {'distance':>8}  result", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for index in range(options.cases):
            case = random_case(options.seed + index, index)
            theirs = case.write(folder)
            shown = f"{case.name:12} {case.L:2} {case.T:3} {case.B:3} {case.D:3} {case.H:3}  "
            shown += f"{np.dtype(case.dtype).name:8} {'given' if case.initial else '-':6} {case.upstream or '-':9}"
            for precision in ("float", "double"):
                worst, distance, errors = compare(case, precision, options.program, folder, theirs)
                result = "FAILED" if errors else "same bits on every number of ranks"
                print(f"{shown}{precision:10} {worst:18} {distance:8.1e}  {result}", flush=True)
                for error in errors:
                    print(f"    error: {error}", flush=True)
                failures += bool(errors)
    runs = 2 * options.cases
    print(f"torch {torch.__version__}: {runs - failures} of {runs} comparisons passed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
