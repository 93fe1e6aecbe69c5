"""Writes a classifier of two bidirectional layers over sequences of different lengths, with its loss and gradients.

Letters: T timesteps, B sequences, D inputs, H hidden units, K classes. Everything is computed in float64 from numbers that
float32 can hold.
"""

import sys

import numpy as np
import torch
from safetensors.numpy import save_file

T, B, D, H, K = 6, 5, 3, 4, 3
LENGTHS = [6, 1, 4, 3, 5]
LABELS = [2, 0, 1, 1, 0]


def main():
    random = np.random.default_rng(201)
    model = torch.nn.ModuleDict(
        {
            "lstm": torch.nn.LSTM(D, H, 2, bidirectional=True, dtype=torch.float64),
            "output": torch.nn.Linear(2 * H, K, dtype=torch.float64),
        }
    )
    with torch.no_grad():
        for parameter in model.parameters():
            values = random.uniform(-0.5, 0.5, tuple(parameter.shape)).astype(np.float32)
            parameter.copy_(torch.tensor(values, dtype=torch.float64))
    x = random.standard_normal((T, B, D)).astype(np.float32)
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        torch.tensor(x, dtype=torch.float64), torch.tensor(LENGTHS), enforce_sorted=False
    )
    _, (ends, _) = model["lstm"](packed)
    logits = model["output"](torch.cat([ends[2], ends[3]], dim=1))
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(LABELS))
    loss.backward()
    tensors = {
        "x": x,
        "lengths": np.array(LENGTHS, dtype=np.int32),
        "labels": np.array(LABELS, dtype=np.int32),
        "loss": np.array(loss.item()),
    }
    for name, parameter in model.named_parameters():
        tensors[name] = parameter.detach().numpy().astype(np.float32)
        tensors["d_" + name] = parameter.grad.numpy().astype(np.float32)
    save_file(tensors, sys.argv[1], {"origin": f"torch {torch.__version__}, numpy {np.__version__}"})


if __name__ == "__main__":
    main()
