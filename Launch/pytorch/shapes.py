"""The training steps that are compared, by the names that `lstm-dist bench step --shape` knows."""

from dataclasses import dataclass

CORES = 2


@dataclass(frozen=True)
class Shape:
    """B sequences of T timesteps over all processes; L layers of H hidden units; V words, or D inputs and K classes."""

    L: int
    H: int
    B: int
    T: int
    V: int = 0  # vocabulary: embedding of size H before the layers, softmax over V at each timestep
    D: int = 0  # inputs, where there is no vocabulary
    K: int = 0  # classes at the last timestep, where there is no vocabulary; 0: nothing after the layers
    cores: int = CORES

    @property
    def inputs(self):
        return self.H if self.V else self.D

    @property
    def tokens(self):
        return self.T * self.B

    @property
    def flops(self):
        """6·T·B·(Σ_layers 4H(D+H) + H·V); embedding look-ups and the classes of the last timestep count nothing."""
        layers = 4 * self.H * (self.inputs + self.H) + (self.L - 1) * 4 * self.H * (2 * self.H)
        return 6 * self.tokens * (layers + self.H * self.V)


SHAPES = {
    "char-128": Shape(V=65, L=2, H=128, B=50, T=50),
    "char-512": Shape(V=65, L=2, H=512, B=64, T=128),
    "ptb-medium": Shape(V=10_000, L=2, H=650, B=20, T=35),
    "ptb-large": Shape(V=10_000, L=2, H=1500, B=20, T=35),
    "words-256": Shape(V=10_000, L=1, H=256, B=64, T=50),
    "audio-128": Shape(D=40, K=12, L=2, H=128, B=32, T=100),
    "small-shard": Shape(D=650, L=2, H=650, B=5, T=35, cores=1),
    # Strong scaling: 10 sequences in all, 5 on each core.
    "ptb-medium-10": Shape(V=10_000, L=2, H=650, B=10, T=35),
    "char-512-10": Shape(V=65, L=2, H=512, B=10, T=128),
}
