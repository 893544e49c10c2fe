"""Lesson 02: what the optimisation costs beside the bare network, in time and memory, and how much faster `mini` is.

The bare network is what every method needs: VGG-19 from the image to relu5_1 and the gradient back to the image,
frozen, channels last. Ours is a whole step of `optimize_image`: L-BFGS, five Gram matrices, the content at relu4_2.
Speed does not depend on the values of the weights, so they are random and nothing is downloaded.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from benchmarks.measuring import Measurement, Plan
from stylelearn import gatys
from stylelearn.encoders import ARCHITECTURES, Encoder, vgg_layers
from stylelearn.evaluation.timing import Timing, most_so_far, ratio, run_apart, take_turns
from stylelearn.optimize import Diverged, Step, optimize_image
from stylelearn.weights import seeded


def random_vgg19() -> Encoder:
    """VGG-19 with random weights of the right spread (numbers that vanish would be slow)."""
    encoder = Encoder("random")
    with seeded(0):
        layers = vgg_layers(ARCHITECTURES["vgg19"])
        for layer in layers.values():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
    encoder.name, encoder._layers, encoder.layers = "vgg19", layers, tuple(layers)
    return encoder.requires_grad_(False).eval().to(memory_format=torch.channels_last)


def noise(size: int, seed: int = 0) -> Tensor:
    """(1, 3, size, size), uniform in [0, 1]."""
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(seed))


def bare(encoder: Encoder, image: Tensor) -> Callable[[], object]:
    """The network alone, without a loss, in plain PyTorch: forward, gradient to the image."""
    names = encoder.layers[: encoder.layers.index("relu5_1") + 1]
    parts = [nn.ReLU(inplace=True) if name.startswith("relu") else encoder._layers[name] for name in names]
    network = nn.Sequential(*parts)
    mean, std = encoder._mean, encoder._std

    def do() -> Tensor:
        x = image.clone().contiguous(memory_format=torch.channels_last).requires_grad_()
        return torch.autograd.grad(network((x - mean) / std).sum(), x)[0]

    return do


def ours(encoder: Encoder, image: Tensor) -> Callable[[], object]:
    """One step of L-BFGS after another, content and style being noise of the image's size."""
    objective = gatys.objective(image, noise(image.shape[-1], seed=1), encoder=encoder)
    start = gatys.start_image("noise", image, image, seed=2)
    running: Iterator[Step] = iter(())

    def do() -> Step:
        nonlocal running
        try:
            return next(running)
        except (StopIteration, Diverged):  # random weights promise no good end: begin again
            running = optimize_image(start, objective, steps=1_000_000)
            return next(running)

    return do


WORK = {"bare": bare, "ours": ours}


def clocks(timed: dict[str, Timing]) -> Iterator[Measurement]:
    """Seconds on the clock of each; processor time in the note."""
    for name, timing in timed.items():
        yield Measurement(name, timing.clock, "s", note=f"{timing.processor:.3g} s of processor time")


def steps(plan: Plan) -> Iterator[Measurement]:
    """A whole step with VGG-19 and with `mini`, in turn with the bare VGG-19."""
    network, image = random_vgg19(), noise(plan.size)
    work = {
        "bare VGG-19, forward + gradient": bare(network, image),
        "a step with VGG-19": ours(network, image),
        "a step with mini": ours(Encoder("mini"), image),
    }
    timed = take_turns(work, plan.rounds)
    yield from clocks(timed)
    alone, vgg, mini = timed.values()
    note = f"processor time, median of {plan.rounds} rounds"
    yield Measurement("overhead over the bare network", 100 * (ratio(vgg, alone) - 1), "%", at_most=5, note=note)
    yield Measurement("mini is faster by", ratio(vgg, mini), "×", at_least=10, note=note)
    for name, timing in (("VGG-19", vgg), ("mini", mini)):
        note = f"extrapolated from {plan.rounds} steps"
        yield Measurement(f"{plan.steps} steps with {name}", timing.clock * plan.steps, "s", note=note)


def memory(plan: Plan) -> Iterator[Measurement]:
    """Peak memory of our loop against the bare network, each in a process of its own."""
    peaks = {way: run_apart(_peak, way, plan.large) for way in WORK}
    for way, peak in peaks.items():
        yield Measurement(f"process, {way}", peak, "MB")
    yield Measurement("ours needs more by", 100 * (peaks["ours"] / peaks["bare"] - 1), "%", at_most=15)


def _peak(way: str, size: int, steps: int = 13) -> float:
    """The most memory in MB; so many steps fill the history of L-BFGS."""
    do = WORK[way](random_vgg19(), noise(size))
    for _ in range(steps):
        do()
    return most_so_far()


GROUPS = {
    "steps of Gatys's method beside the bare network": steps,
    "peak memory of Gatys's method with VGG-19, large": memory,
}
