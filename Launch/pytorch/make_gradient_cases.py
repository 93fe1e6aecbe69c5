"""Writes the gradient cases that the tests compare with, and shows how far float32 is from float64 in PyTorch itself."""

import sys

import numpy as np
import torch

from lstm_case import Case, difference, expected

CASES = [
    Case("one-layer", seed=101, L=1, T=5, B=3, D=4, H=6),
    Case("two-layers", seed=102, L=2, T=7, B=2, D=3, H=5),
    Case("three-layers", seed=103, L=3, T=4, B=6, D=5, H=3),
    Case("no-initial-state", seed=104, L=2, T=6, B=5, D=2, H=3, initial=False, upstream="y"),
    Case("default-upstream", seed=105, L=1, T=3, B=4, D=7, H=5, initial=False, upstream=""),
    Case("last-cell-only", seed=106, L=3, T=5, B=2, D=6, H=4, upstream="c"),
    Case("last-hidden-and-y", seed=107, L=2, T=3, B=5, D=4, H=7, upstream="y h"),
    Case("one-timestep", seed=108, L=2, T=1, B=4, D=3, H=5),
    Case("one-sequence", seed=109, L=2, T=6, B=1, D=3, H=4),
    Case("one-of-everything", seed=110, L=1, T=1, B=1, D=1, H=1),
    Case("one-hidden-unit", seed=111, L=3, T=4, B=3, D=2, H=1),
    Case("odd-sizes", seed=112, L=2, T=3, B=7, D=5, H=17),
    Case("long", seed=113, L=2, T=40, B=3, D=4, H=6),
    Case("saturated", seed=114, L=2, T=8, B=3, D=4, H=6, scale=8.0),
    Case("single-precision-input", seed=115, L=2, T=5, B=3, D=4, H=6, dtype=np.float32),
]


def main():
    folder = sys.argv[1]
    print(f"{'case':24} {'float32 from float64':>20}")
    for case in CASES:
        answer = case.write(folder)
        single = expected(case.inputs(), torch.float32)
        print(f"{case.name:24} {max(difference(single[name], answer[name]) for name in answer):20.1e}")


if __name__ == "__main__":
    main()
