"""A gradient case: the input of `lstm-dist gradients`, and what PyTorch autograd says the answer is.

Letters: T timesteps, B sequences, D inputs, H hidden units, L layers. Names, shapes and gate order are nn.LSTM's.
"""

import math
import os
from dataclasses import dataclass

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


@dataclass(frozen=True)
class Case:
    """What a case is made of; the same values always make the same tensors."""

    name: str
    seed: int
    L: int
    T: int
    B: int
    D: int
    H: int
    initial: bool = True  # h0 and c0 are given (otherwise zero, and not in the file)
    upstream: str = "y h c"  # which of dy, dhT, dcT are given; without dy it is all ones
    scale: float = 1.0  # weights are uniform on ±scale/√H: 8 saturates the gates
    dtype: type = np.float64

    def inputs(self):
        """The tensors of the input file."""
        random = np.random.default_rng(self.seed)
        state = (self.L, self.B, self.H)
        tensors = {"x": random.standard_normal((self.T, self.B, self.D))}
        if self.initial:
            tensors["h0"] = random.uniform(-1, 1, state)
            tensors["c0"] = random.standard_normal(state)
        bound = self.scale / math.sqrt(self.H)
        for layer in range(self.L):
            inputs = self.D if layer == 0 else self.H
            shapes = ((4 * self.H, inputs), (4 * self.H, self.H), (4 * self.H,), (4 * self.H,))
            for name, shape in zip(WEIGHTS, shapes):
                tensors[f"{name}_l{layer}"] = random.uniform(-bound, bound, shape)
        given = self.upstream.split()
        if "y" in given:
            tensors["dy"] = random.standard_normal((self.T, self.B, self.H))
        if "h" in given:
            tensors["dhT"] = random.standard_normal(state)
        if "c" in given:
            tensors["dcT"] = random.standard_normal(state)
        return {name: np.ascontiguousarray(tensor, dtype=self.dtype) for name, tensor in tensors.items()}

    def metadata(self):
        """Where the tensors come from, for the header. One key, for the order of several would differ in each run."""
        return {"origin": f"{self}, torch {torch.__version__}, numpy {np.__version__}"}

    def write(self, folder, dtype=torch.float64):
        """Writes NAME.input.safetensors and NAME.expected.safetensors; returns the expected tensors."""
        inputs = self.inputs()
        answer = expected(inputs, dtype)
        save_file(inputs, self.input_path(folder), self.metadata())
        save_file(answer, os.path.join(folder, f"{self.name}.expected.safetensors"), self.metadata())
        return answer

    def input_path(self, folder):
        return os.path.join(folder, f"{self.name}.input.safetensors")


def expected(inputs, dtype):
    """Forward and backward of nn.LSTM on the input file's tensors, computed in `dtype`."""
    given = {name: torch.tensor(tensor, dtype=dtype) for name, tensor in inputs.items()}
    x = given["x"].requires_grad_()
    layers = sum(name.startswith("weight_ih_l") for name in given)
    hidden = given["weight_hh_l0"].shape[1]
    lstm = torch.nn.LSTM(x.shape[2], hidden, layers, dtype=dtype)
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            parameter.copy_(given[name])
    zero = torch.zeros(layers, x.shape[1], hidden, dtype=dtype)
    h0 = given.get("h0", zero).clone().requires_grad_()
    c0 = given.get("c0", zero).clone().requires_grad_()

    y, (hT, cT) = lstm(x, (h0, c0))
    upstream = [given.get("dy", torch.ones_like(y)), given.get("dhT", zero), given.get("dcT", zero)]
    torch.autograd.backward([y, hT, cT], upstream)

    answer = {"y": y, "hT": hT, "cT": cT, "dx": x.grad, "dh0": h0.grad, "dc0": c0.grad}
    answer |= {f"d_{name}": parameter.grad for name, parameter in lstm.named_parameters()}
    return {name: np.ascontiguousarray(tensor.detach().numpy()) for name, tensor in answer.items()}


def difference(ours, theirs):
    """max |ours − theirs| / max |theirs|; not-a-number anywhere in ours counts as infinitely far."""
    error = np.max(np.abs(ours.astype(np.float64) - theirs.astype(np.float64)))
    largest = np.max(np.abs(theirs))
    if not np.isfinite(error):
        return math.inf
    if largest == 0:
        return 0.0 if error == 0 else math.inf
    return float(error / largest)


def read(path):
    return load_file(path)
