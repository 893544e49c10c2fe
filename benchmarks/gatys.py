"""What our optimisation costs beside the bare network: time and memory of one step, float32 and bfloat16.

The bare network is what nobody can do without: VGG-19 from the image to relu5_1 and the gradient back to the image,
frozen, channels last. Ours is a whole step of `optimize_image`: L-BFGS, five Gram matrices, the content at relu4_2.
Speed does not depend on what the weights are, so they are random and nothing is downloaded.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.measuring import Figure
from benchmarks.memory import peak_memory
from stylelearn import gatys
from stylelearn.encoders import ARCHITECTURES, PRECISIONS, Encoder, vgg_layers
from stylelearn.evaluation.timing import Timing, ratio, take_turns
from stylelearn.optimize import Diverged, Step, optimize_image


@dataclass(frozen=True)
class Plan:
    """How thorough: sides of the images in pixels, rounds per measurement, steps of a run."""

    size: int = 256
    memory_size: int = 512
    rounds: int = 15
    steps: int = 300


QUICK = Plan(size=64, memory_size=64, rounds=2, steps=300)


def random_vgg19(seed: int = 0, precision: str = "float32") -> Encoder:
    """VGG-19 with random weights of the right spread (numbers that vanish would be slow)."""
    encoder = Encoder("random", precision=precision)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = vgg_layers(ARCHITECTURES["vgg19"])
        for layer in layers.values():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
    encoder.name, encoder._layers, encoder.layers = "vgg19", layers.to(getattr(torch, precision)), tuple(layers)
    return encoder.requires_grad_(False).eval().to(memory_format=torch.channels_last)


def noise(size: int, seed: int = 0) -> Tensor:
    """(1, 3, size, size), uniform in [0, 1]."""
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(seed))


def bare(encoder: Encoder, image: Tensor, deepest: str = "relu5_1") -> Callable[[], object]:
    """The network alone, without a loss, as a plain PyTorch user would write it: forward, gradient to the image."""
    names = list(encoder.layers[: encoder.layers.index(deepest) + 1])
    parts = [nn.ReLU(inplace=True) if name.startswith("relu") else encoder._layers[name] for name in names]
    network = nn.Sequential(*parts)
    mean, std = encoder._mean, encoder._std

    def do() -> Tensor:
        x = image.clone().contiguous(memory_format=torch.channels_last).requires_grad_()
        return torch.autograd.grad(network((x - mean) / std).sum(), x)[0]

    return do


def ours(encoder: Encoder, image: Tensor) -> Callable[[], object]:
    """One step of L-BFGS after another, content and style being noise of the image's size."""
    objective = gatys.objective(image, noise(image.shape[-1], seed=1).to(image.device), encoder=encoder)
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


def bfloat16_here() -> str:
    """What makes bfloat16 fast on this machine, "" if nothing does."""
    if torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.cuda.get_device_name()
    # PyTorch keeps what it knows of the processor to itself; where it no longer answers, the answer is no.
    for question, name in (("_is_amx_tile_supported", "AMX"), ("_is_avx512_bf16_supported", "AVX512-BF16")):
        if getattr(torch.cpu, question, lambda: False)():
            return name
    return ""


def groups(plan: Plan) -> Iterator[tuple[str, Callable[[], list[Figure]]]]:
    """(title, what to measure) one after the other; nothing is measured before it is called."""
    yield f"overhead over the bare network, {plan.size} px", lambda: overhead(plan)
    yield f"{plan.steps} steps with mini and with VGG-19, {plan.size} px", lambda: whole_runs(plan)
    yield f"peak memory, {plan.memory_size} px", lambda: memory(plan)
    yield f"bfloat16, {plan.size} px", lambda: bfloat16(plan)


def overhead(plan: Plan) -> list[Figure]:
    """Time of our step over that of the bare network."""
    encoder, image = random_vgg19(), noise(plan.size)
    timed = take_turns({"bare": bare(encoder, image), "ours": ours(encoder, image)}, plan.rounds)
    over = 100 * (ratio(timed["ours"], timed["bare"]) - 1)
    group = f"gatys step, VGG-19, {plan.size} px"
    return [
        Figure(group, "bare network, forward + gradient", timed["bare"].clock, "s", note=_processor(timed["bare"])),
        Figure(group, "whole L-BFGS step", timed["ours"].clock, "s", note=_processor(timed["ours"])),
        Figure(group, "overhead", over, "%", at_most=5, note=f"processor time, median of {plan.rounds} pairs"),
    ]


def _processor(timing: Timing) -> str:
    return f"{timing.processor:.3g} s of processor time"


def whole_runs(plan: Plan) -> list[Figure]:
    """`plan.steps` steps with the course's encoder and with VGG-19."""
    image = noise(plan.size)
    timed = take_turns({"mini": ours(Encoder("mini"), image), "VGG-19": ours(random_vgg19(), image)}, plan.rounds)
    group, note = f"gatys, {plan.steps} steps, {plan.size} px", f"extrapolated from {plan.rounds} steps"
    times = [Figure(group, name, timing.clock * plan.steps, "s", note=note) for name, timing in timed.items()]
    faster = ratio(timed["VGG-19"], timed["mini"])
    return [*times, Figure(group, "mini is faster by", faster, "×", at_least=10, note="processor time")]


def memory(plan: Plan) -> list[Figure]:
    """Peak memory of our loop against the bare network, each in a process of its own."""
    group = f"gatys peak memory, VGG-19, {plan.memory_size} px"
    try:
        found = {way: peak_memory(way, plan.memory_size) for way in WORK}
    except RuntimeError as error:
        return [Figure(group, "ours needs more by", None, "%", note=f"not available here: {error}")]
    names = {"bare": "process with the bare network", "ours": "process with ours"}
    net = {way: values["peak"] - values["imports"] for way, values in found.items()}
    figures = [
        Figure(group, names[way], found[way]["peak"], "MB", note=f"{net[way]:.0f} MB without the imports")
        for way in WORK
    ]
    more = 100 * (found["ours"]["peak"] / found["bare"]["peak"] - 1)
    note = f"without the imports {100 * (net['ours'] / net['bare'] - 1):.0f} %"
    return [*figures, Figure(group, "ours needs more by", more, "%", at_most=15, note=note)]


def bfloat16(plan: Plan) -> list[Figure]:
    """What is won, and how far the gradient turns, when activations are bfloat16."""
    group = f"gatys step in bfloat16, VGG-19, {plan.size} px"
    here = bfloat16_here()
    if not here:
        return [Figure(group, "faster than float32 by", None, "×", note="not available here: no AMX, no such GPU")]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    image = noise(plan.size).to(device)
    encoders = {precision: random_vgg19(precision=precision).to(device) for precision in PRECISIONS}
    timed = take_turns({name: ours(encoder, image) for name, encoder in encoders.items()}, plan.rounds)
    gradients = [_gradient(encoder, image) for encoder in encoders.values()]
    cosine = torch.cosine_similarity(*gradients, dim=0).item()
    return [
        Figure(group, "faster than float32 by", ratio(timed["float32"], timed["bfloat16"]), "×", note=f"with {here}"),
        Figure(group, "cosine of the two gradients", cosine, note="1 = the same direction"),
    ]


def _gradient(encoder: Encoder, image: Tensor) -> Tensor:
    x = image.clone().requires_grad_()
    objective = gatys.objective(image.flip(3), image.flip(2), encoder=encoder)
    return torch.autograd.grad(sum(objective(x).values()), x)[0].flatten()  # type: ignore[arg-type]
