"""PyTorch's side of the comparison: times the training step of one shape and prints one JSON object.

The step: forward, mean cross-entropy, backward, gradient norm clipped to 5, SGD without momentum. Language models carry
their hidden state, detached, from window to window. One process with `--threads` threads, or `--processes` processes
with DistributedDataParallel over gloo.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time

import torch
import torch.distributed
import torch.multiprocessing
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from shapes import SHAPES

WINDOWS = 4  # different batches, used in turn
WARM_UP_STEPS = 3
LEAST_STEPS = 5


class LanguageModel(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.embedding = nn.Embedding(shape.V, shape.H)
        self.lstm = nn.LSTM(shape.H, shape.H, shape.L)
        self.output = nn.Linear(shape.H, shape.V)

    def forward(self, tokens, state):
        hidden, state = self.lstm(self.embedding(tokens), state)
        return self.output(hidden).flatten(0, 1), state


class Classifier(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.lstm = nn.LSTM(shape.D, shape.H, shape.L)
        self.output = nn.Linear(shape.H, shape.K)

    def forward(self, frames, state):
        hidden, state = self.lstm(frames, state)
        return self.output(hidden[-1]), state


def language_model_step(shape, sequences):
    model = parallel(LanguageModel(shape))
    windows = [torch.randint(shape.V, (2, shape.T, sequences)) for _ in range(WINDOWS)]
    state = tuple(torch.zeros(shape.L, sequences, shape.H) for _ in range(2))
    update = updater(model)

    def step(index):
        nonlocal state
        tokens, targets = windows[index % WINDOWS]
        logits, state = model(tokens, tuple(part.detach() for part in state))
        update(nn.functional.cross_entropy(logits, targets.flatten()))

    return step


def classifier_step(shape, sequences):
    model = parallel(Classifier(shape))
    clips = [torch.randn(shape.T, sequences, shape.D) for _ in range(WINDOWS)]
    labels = [torch.randint(shape.K, (sequences,)) for _ in range(WINDOWS)]
    update = updater(model)

    def step(index):
        logits, _ = model(clips[index % WINDOWS], None)
        update(nn.functional.cross_entropy(logits, labels[index % WINDOWS]))

    return step


def layers_step(shape, sequences):
    """Forward and backward of the layers alone, down to the gradient of their input."""
    model = parallel(nn.LSTM(shape.D, shape.H, shape.L))
    x = torch.randn(shape.T, sequences, shape.D, requires_grad=True)
    dy = torch.randn(shape.T, sequences, shape.H)

    def step(_):
        model.zero_grad()
        x.grad = None
        model(x)[0].backward(dy)

    return step


def parallel(model):
    """The model, its gradients averaged over the processes where there are several."""
    if torch.distributed.is_initialized():
        return DistributedDataParallel(model, gradient_as_bucket_view=True)
    return model


def updater(model):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, fused=True)

    def update(loss):
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimizer.step()

    return update


def peak_memory_bytes():
    """The largest resident set of this process. Linux: VmHWM, for ru_maxrss would count the parent's before exec."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def agreed_steps(step_seconds, options):
    """How many steps fill the time asked for; the same number in every process."""
    steps = torch.tensor([max(LEAST_STEPS, round(options.seconds / step_seconds))])
    if options.processes > 1:
        torch.distributed.broadcast(steps, 0)
    return int(steps)


def measure(rank, options, rendezvous):
    """Times the step in process `rank`; process 0 prints."""
    shape = SHAPES[options.shape]
    torch.set_num_threads(options.threads)
    torch.manual_seed(rank)
    if options.processes > 1:
        torch.distributed.init_process_group(
            "gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=options.processes
        )
    make_step = language_model_step if shape.V else classifier_step if shape.K else layers_step
    step = make_step(shape, shape.B // options.processes)

    def seconds(index):
        start = time.perf_counter()
        step(index)
        return time.perf_counter() - start

    warm_up = [seconds(index) for index in range(WARM_UP_STEPS)]
    median = statistics.median([seconds(index) for index in range(agreed_steps(min(warm_up), options))])

    memory = torch.tensor([peak_memory_bytes()])
    if options.processes > 1:
        torch.distributed.all_reduce(memory, torch.distributed.ReduceOp.MAX)
    if rank == 0:
        result = {
            "shape": options.shape,
            "processes": options.processes,
            "threads": options.threads,
            "medianSeconds": median,
            "gflops": shape.flops / median / 1e9,
            "tokensPerSecond": shape.tokens / median,
            "peakMemoryBytes": int(memory),
            "torch": torch.__version__,
        }
        print(json.dumps(result), flush=True)
    if options.processes > 1:
        # All is measured and printed. The threads of gloo now and then abort the process when they are torn down, so the
        # process ends without tearing anything down.
        torch.distributed.barrier()
        sys.stdout.flush()
        os._exit(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, required=True)
    parser.add_argument("--processes", type=int, default=1, help="more than one: DistributedDataParallel (default 1)")
    parser.add_argument("--threads", type=int, default=1, help="of each process (default 1)")
    parser.add_argument("--seconds", type=float, default=3, help="about how long to measure (default 3)")
    options = parser.parse_args()
    if SHAPES[options.shape].B % options.processes != 0:
        parser.error(f"{SHAPES[options.shape].B} sequences do not divide evenly among {options.processes} processes")
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    if options.processes == 1:
        measure(0, options, None)
    else:
        with tempfile.TemporaryDirectory() as folder:
            rendezvous = os.path.join(folder, "rendezvous")
            torch.multiprocessing.spawn(measure, (options, rendezvous), nprocs=options.processes)


if __name__ == "__main__":
    main()
