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


def groups(plan: Plan) -> Iterator[tuple[str, Callable[[], list[Measurement]]]]:
    """(title, what to measure) one after the other; nothing is measured before it is called."""
    yield f"overhead over the bare network, {plan.size} px", lambda: overhead(plan)
    yield f"{plan.steps} steps with mini and with VGG-19, {plan.size} px", lambda: whole_runs(plan)
    yield f"peak memory, {plan.large} px", lambda: memory(plan)


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


def overhead(plan: Plan) -> list[Measurement]:
    """Time of our step over that of the bare network."""
    encoder, image = random_vgg19(), noise(plan.size)
    timed = take_turns({"bare": bare(encoder, image), "ours": ours(encoder, image)}, plan.rounds)
    over = 100 * (ratio(timed["ours"], timed["bare"]) - 1)
    group = f"gatys step, VGG-19, {plan.size} px"
    return [
        *clocks(group, {"bare network, forward + gradient": timed["bare"], "whole L-BFGS step": timed["ours"]}),
        Measurement(group, "overhead", over, "%", at_most=5, note=f"processor time, median of {plan.rounds} rounds"),
    ]


def clocks(group: str, timed: dict[str, Timing]) -> list[Measurement]:
    """Seconds on the clock of each; processor time in the note."""
    return [
        Measurement(group, name, timing.clock, "s", note=f"{timing.processor:.3g} s of processor time")
        for name, timing in timed.items()
    ]


def whole_runs(plan: Plan) -> list[Measurement]:
    """`plan.steps` steps with the course's encoder and with VGG-19."""
    image = noise(plan.size)
    timed = take_turns({"mini": ours(Encoder("mini"), image), "VGG-19": ours(random_vgg19(), image)}, plan.rounds)
    group, note = f"gatys, {plan.steps} steps, {plan.size} px", f"extrapolated from {plan.rounds} steps"
    times = [Measurement(group, name, timing.clock * plan.steps, "s", note=note) for name, timing in timed.items()]
    faster = ratio(timed["VGG-19"], timed["mini"])
    return [*times, Measurement(group, "mini is faster by", faster, "×", at_least=10, note="processor time")]


def memory(plan: Plan) -> list[Measurement]:
    """Peak memory of our loop against the bare network, each in a process of its own."""
    group = f"gatys peak memory, VGG-19, {plan.large} px"
    found = {way: run_apart(_peak, way, plan.large) for way in WORK}
    net = {way: values["peak"] - values["imports"] for way, values in found.items()}
    figures = [
        Measurement(group, f"process, {way}", found[way]["peak"], "MB", note=f"{net[way]:.0f} MB without the imports")
        for way in WORK
    ]
    more = 100 * (found["ours"]["peak"] / found["bare"]["peak"] - 1)
    return [*figures, Measurement(group, "ours needs more by", more, "%", at_most=15)]


def _peak(way: str, size: int, steps: int = 13) -> dict[str, float]:
    """The most memory in MB, and what was held after the imports; so many steps fill the history of L-BFGS."""
    imports = most_so_far()
    do = WORK[way](random_vgg19(), noise(size))
    for _ in range(steps):
        do()
    return {"imports": imports, "peak": most_so_far()}
