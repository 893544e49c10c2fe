"""The fit loop against a loop written out here, interrupted in every way, alone and with others; and its crops."""

import csv
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from forked import forked
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import Dataset

from stylelearn import training
from stylelearn.images import psnr, read_image
from stylelearn.training import CheckpointError, Crops, Progress, fit, identify, rate_factor

# ---------------------------------------------------------------------------------------------------------------- crops


def colours(folder: Path, count: int, suffix: str = ".png") -> Path:
    """Pictures that their colour tells apart: number i is (10 + i, 100, 200 - i) all over."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        Image.new("RGB", (50 + i, 40), (10 + i, 100, 200 - i)).save(folder / f"{i:03}{suffix}")
    return folder


def seen(crops: Crops, batches: int = 40) -> set[int]:
    """Numbers of the pictures that come up."""
    reds = torch.cat([crops[i][:, 0, 0, 0] for i in range(batches)])
    return {round(red.item() * 255) - 10 for red in reds}


def test_a_batch_depends_on_its_number_and_the_seed_alone(tmp_path: Path) -> None:
    folder = colours(tmp_path, 12)
    first = Crops([folder], size=16, batch=3, jitter=0.2)
    again = Crops(folder, size=16, batch=3, jitter=0.2)
    one, zero = again[1], again[0]  # in any order
    assert torch.equal(first[0], zero) and torch.equal(first[1], one) and not torch.equal(zero, one)
    assert not torch.equal(Crops(folder, size=16, batch=3, jitter=0.2, seed=1)[0], zero)
    assert zero.shape == (3, 3, 16, 16) and zero.dtype == torch.float32


def test_held_back_pictures_are_never_trained_on(tmp_path: Path) -> None:
    folders = [colours(tmp_path / "a", 30), tmp_path]  # the second holds the first: each is split for itself
    options = {"size": 4, "batch": 8}
    assert seen(Crops(folders[0], **options)) == set(range(30)) - {9, 19, 29}
    assert seen(Crops(folders[0], held_back=True, **options)) == {9, 19, 29}
    assert seen(Crops(folders, held_back=True, **options)) == {9, 19, 29}


def test_crops_are_upright_squares_of_the_picture(tmp_path: Path) -> None:
    """In a picture whose red is x and whose green is y, a crop shows where it was cut and how much it was scaled."""
    y, x = np.mgrid[0:160, 0:200]
    Image.fromarray(np.stack([x, y, 0 * x], axis=2).astype(np.uint8)).save(tmp_path / "ramp.png")
    crops = Crops(tmp_path, size=64, batch=200)
    red, green, _ = (crops[0] * 255).unbind(dim=1)  # (200, 64, 64): x and y in the picture
    across = (red[:, 32, 60] - red[:, 32, 4]) / 56  # pixels of the picture per pixel of the crop; < 0 when mirrored
    down = (green[:, 60, 32] - green[:, 4, 32]) / 56
    torch.testing.assert_close(across.abs(), down, atol=0.04, rtol=0)  # 8-bit pictures: half a level each
    assert (down > 0).all() and 0.3 < (across < 0).float().mean() < 0.7
    side = down * 64
    assert side.min() > 0.6 * 160 - 3 and side.max() < 160 + 3
    assert side.min() < 105 and side.max() > 150
    middle = red[:, 32, 31:33].mean(dim=1)
    assert middle.min() < 70 and middle.max() > 130  # from one side to the other
    assert (red[:, :, 32].amax(dim=1) - red[:, :, 32].amin(dim=1)).max() < 1.1  # not turned


def test_jitter_changes_brightness_and_colour_within_bounds(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), (100, 100, 100)).save(tmp_path / "grey.png")
    assert torch.allclose(Crops(tmp_path, size=4)[0], torch.tensor(100 / 255))
    gains = Crops(tmp_path, size=4, batch=300, jitter=0.2)[0][:, :, 0, 0] / (100 / 255)  # (300, 3)
    assert gains.min() >= 0.8 * 0.9 - 1e-5 and gains.max() <= 1.2 * 1.1 + 1e-5
    assert gains.mean(dim=1).std() > 0.08 and (gains[:, 0] - gains[:, 2]).std() > 0.05


def test_what_cannot_be_read_is_skipped_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = colours(tmp_path / "good", 3)
    (folder / "002.png").rename(folder / "002.TIFF")
    (folder / "._000.png").write_bytes(b"\0\5\x16\7")  # hidden, as macOS makes them
    whole = (folder / "001.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.jpg").touch()
    (folder / "page.jpeg").write_text("<html>")
    (folder / "lost.jpg").symlink_to("nowhere.jpg")
    (folder / "notes.txt").write_text("no picture, and not meant to be one")
    crops = Crops(folder, size=4, batch=8)
    assert [path.name for path in crops.skipped] == ["cut.png", "empty.jpg", "lost.jpg", "page.jpeg"]
    assert caplog.messages == ["4 of 7 pictures skipped, as not readable: cut.png, empty.jpg, lost.jpg, …"]
    assert seen(crops) == {0, 1, 2}


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is decoded again for each crop, which gives the same crops."""
    folder = colours(tmp_path, 9)
    kept = Crops(folder, size=8, batch=6)
    monkeypatch.setattr(training, "IN_MEMORY", 300_000)  # three pictures of 3 x 160 x 200 or more
    bounded = Crops(folder, size=8, batch=6)
    assert 0 < sum(p.nbytes for p in bounded.pictures if isinstance(p, np.ndarray)) <= 300_000
    assert torch.equal(kept[3], bounded[3])


def test_unusable_folders_are_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    with pytest.raises(ValueError, match=r"there is no folder .*nowhere; name one"):
        Crops(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"no pictures in .*; put \.avif, "):
        Crops([colours(tmp_path / "few", 9), broken])
    with pytest.raises(ValueError, match=r"no readable pictures for the split 'held-back' in .*few \(0 of 0 skipped"):
        Crops(tmp_path / "few", held_back=True)
    (broken / "a.jpg").touch()
    with pytest.raises(ValueError, match=r"no readable pictures for the split 'train' in .*broken \(1 of 1 skipped"):
        Crops(broken)
    with pytest.raises(ValueError, match="size and batch must be at least 1; they are 0 and 16"):
        Crops(tmp_path / "few", size=0)


# ------------------------------------------------------------------------------------------------------------------ fit


class Numbers(Dataset):
    """Batch n: 4 vectors that only depend on n."""

    def __getitem__(self, number: int) -> Tensor:
        return torch.randn(4, 3, generator=torch.Generator().manual_seed(number))


class Tiny(nn.Module):
    """Two losses, and a batch norm: a running state besides the weights. `trouble` comes at the given step."""

    def __init__(self, trouble_at: int = 0, trouble: str = "", norm: bool = True) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(5)
            # No bias before batch norm: its gradient is rounding alone, which Adam scales up to the learning rate.
            self.first, self.last = nn.Linear(3, 8, bias=not norm), nn.Linear(8, 1)
            self.norm = nn.BatchNorm1d(8) if norm else nn.Identity()
        self.calls, self.trouble_at, self.trouble = 0, trouble_at, trouble

    def forward(self, batch: Tensor) -> dict[str, Tensor]:
        self.calls += 1
        factor = 1.0
        answer = self.last(self.norm(self.first(batch)).tanh())
        if self.calls == self.trouble_at:
            if self.trouble == "kill":
                os._exit(9)
            elif self.trouble.startswith("ctrl-c"):
                for _ in self.trouble.split():
                    signal.raise_signal(signal.SIGINT)
            else:
                factor = float(self.trouble)
        return {
            "error": factor * (answer - batch.sum(1, keepdim=True)).square().mean(),
            "size": 0.01 * answer.abs().mean(),
        }


def start(model: nn.Module, folder: Path, steps: int = 20, **options: object) -> Iterator[Progress]:
    options = {"warm_up": 5, "report_every": 5, "accelerator": "cpu", "learning_rate": 0.02} | options
    return fit(model, Numbers(), steps=steps, checkpoint=folder / "tiny.ckpt", **options)


def run(model: nn.Module, folder: Path, steps: int = 20, **options: object) -> list[Progress]:
    return list(start(model, folder, steps, **options))


def saved(folder: Path) -> dict:
    return torch.load(folder / "tiny.ckpt", weights_only=True)


def assert_same(model: nn.Module, other: nn.Module) -> None:
    """Not nearly: bit by bit."""
    state, wanted = model.state_dict(), other.state_dict()
    assert all(torch.equal(state[key], wanted[key]) for key in wanted)


def by_hand(rates: list[float], groups: list[float] | None = None) -> Tiny:
    """The same training, written out."""
    model = Tiny()
    parts = [list(model.first.parameters()), [p for layer in (model.norm, model.last) for p in layer.parameters()]]
    shares = groups or [1.0, 1.0]
    optimizer = torch.optim.Adam([{"params": part} for part in parts])
    for number, rate in enumerate(rates):
        for group, share in zip(optimizer.param_groups, shares, strict=True):
            group["lr"] = rate * share
        loss = sum(model(Numbers()[number]).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def rates(first: int, last: int, steps: int, highest: float = 0.02, warm_up: int = 5) -> list[float]:
    """Closed form, for steps first..last: up in equal parts, and down to zero one step after the last."""
    return [highest * min(n / warm_up, 1) * (steps + 1 - n) / steps for n in range(first, last + 1)]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    model = Tiny()
    run(model, tmp_path_factory.mktemp("uninterrupted"))
    return model


def close(model: nn.Module, other: nn.Module) -> None:
    for (name, value), wanted in zip(model.named_parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(value, wanted, rtol=1e-4, atol=1e-6, msg=lambda m, n=name: f"{n}: {m}")


def test_the_rate_without_a_warm_up_is_highest_at_once() -> None:
    assert [rate_factor(n, 4, 0) for n in (1, 2, 4)] == [1, 0.75, 0.25]


def test_equals_training_by_hand(uninterrupted: Tiny) -> None:
    close(uninterrupted, by_hand(rates(1, 20, 20)))


def test_groups_have_rates_of_their_own(tmp_path: Path) -> None:
    model = Tiny()
    rest = [p for layer in (model.norm, model.last) for p in layer.parameters()]
    run(model, tmp_path, groups=[{"params": list(model.first.parameters())}, {"params": rest, "lr": 0.005}])
    close(model, by_hand(rates(1, 20, 20), groups=[1, 0.25]))


def test_progress_and_log(tmp_path: Path) -> None:
    """With a rate of zero the losses are those of the untrained model."""
    reports = run(Tiny(), tmp_path, steps=12, learning_rate=0.0)
    assert [(p.step, p.steps) for p in reports] == [(5, 12), (10, 12), (12, 12)]
    model = Tiny().train()
    losses = [{name: value.item() for name, value in model(Numbers()[n]).items()} for n in range(12)]
    for report, part in zip(reports, (losses[:5], losses[5:10], losses[10:]), strict=True):
        for name in ("error", "size"):
            assert report.losses[name] == pytest.approx(sum(loss[name] for loss in part) / len(part), rel=1e-5)
    assert reports[0].seconds_left > 0 and reports[-1].seconds_left == 0
    with (tmp_path / "tiny.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [5, 10, 12]
    assert [float(row["size"]) for row in rows] == pytest.approx([p.losses["size"] for p in reports], rel=1e-5)


def killed(folder: Path, threads: int) -> None:
    torch.set_num_threads(threads)  # as many as elsewhere: sums are of the same order
    training.SAVE_EVERY = -1.0
    run(Tiny(13, "kill"), folder, report_every=4)


def test_killed_and_resumed_is_as_if_nothing_had_been(uninterrupted: Tiny, tmp_path: Path) -> None:
    """A process that ends at step 13 without a word; the last checkpoint is that of step 12."""
    assert forked(killed, tmp_path, torch.get_num_threads())[0] == 9
    assert saved(tmp_path)["step"] == 12
    model = Tiny()
    reports = run(model, tmp_path)
    assert model.calls == 8 and [p.step for p in reports] == [15, 20]
    assert_same(model, uninterrupted)


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """As in a terminal; programs that run in the background ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_interrupted_in_the_middle_of_a_step_and_resumed(uninterrupted: Tiny, tmp_path: Path, ctrl_c: None) -> None:
    """The step is made whole, unless there is a second Ctrl-C: then nothing of it is saved."""
    for times, step in (("ctrl-c", 8), ("ctrl-c ctrl-c", 8), ("ctrl-c", 9)):
        with pytest.raises(KeyboardInterrupt):
            run(Tiny(8 if step == 8 and " " not in times else 1, times), tmp_path)
        assert saved(tmp_path)["step"] == step
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    model = Tiny()
    run(model, tmp_path)
    assert_same(model, uninterrupted)


def test_resumed_with_more_steps_the_rate_falls_to_the_new_end(tmp_path: Path) -> None:
    run(Tiny(), tmp_path, steps=10)
    model = Tiny()
    reports = run(model, tmp_path, steps=16, learning_rate=0.01)
    assert [p.step for p in reports] == [15, 16] and model.calls == 6
    close(model, by_hand(rates(1, 10, 10) + rates(11, 16, 16, highest=0.01)))


def test_a_finished_run_is_only_loaded(uninterrupted: Tiny, tmp_path: Path) -> None:
    run(Tiny(), tmp_path)
    before = (tmp_path / "tiny.ckpt").stat().st_mtime_ns
    for steps in (20, 7):
        model = Tiny()
        assert run(model, tmp_path, steps=steps) == [] and model.calls == 0
        assert_same(model, uninterrupted)
    assert (tmp_path / "tiny.ckpt").stat().st_mtime_ns == before


def test_a_loss_that_is_not_finite_keeps_what_was_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FloatingPointError, match=r"the loss is nan at step 3; try a lower learning rate than 0\.02"):
        run(Tiny(3, "nan"), tmp_path)
    assert not (tmp_path / "tiny.ckpt").exists()  # nothing had been saved
    monkeypatch.setattr(training, "SAVE_EVERY", -1.0)
    with pytest.raises(FloatingPointError, match=r"the loss is inf at step 3.*tiny\.ckpt, is kept"):
        run(Tiny(3, "inf"), tmp_path)
    assert saved(tmp_path)["step"] == 2


def test_the_log_of_steps_that_are_made_again_is_dropped(tmp_path: Path) -> None:
    run(Tiny(), tmp_path, steps=20)
    whole = (tmp_path / "tiny.csv").read_text()
    again = tmp_path / "again"
    for progress in start(Tiny(), again):
        if progress.step == 10:
            break
    with (again / "tiny.csv").open("a") as file:  # reported, and killed before it was saved
        file.write("15,9.9,9.9\n")
    run(Tiny(), again)
    assert (again / "tiny.csv").read_text() == whole


def test_unusable_checkpoints_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="steps must be at least 1, not 0"):
        run(Tiny(), tmp_path, steps=0)
    run(Tiny(), tmp_path, steps=5)
    with pytest.raises(CheckpointError, match=r"(?s)tiny\.ckpt is of another network.*Missing key"):
        run(nn.Linear(3, 1), tmp_path)
    data = (tmp_path / "tiny.ckpt").read_bytes()
    for damaged in (data[: len(data) // 2], b"a letter of mine"):
        (tmp_path / "tiny.ckpt").write_bytes(damaged)
        for anew in (False, True):  # which replaces checkpoints, and nothing else
            with pytest.raises(CheckpointError, match=r"tiny\.ckpt is damaged, or no checkpoint of stylelearn"):
                run(Tiny(), tmp_path, anew=anew)
        assert (tmp_path / "tiny.ckpt").read_bytes() == damaged


ABOUT = {
    "network": "tiny",
    "style": torch.linspace(0, 1, 3 * 8 * 8).view(1, 3, 8, 8),
    "objective": {"content_weight": 1.0, "layers": ("relu2_2", "relu3_4")},
    "start": None,
}
OTHERS = {
    "network was tiny, is other": {"network": "other"},
    "style is another picture": {"style": ABOUT["style"].flip(3)},
    r"style pixels was \[8, 8\], is \[8, 12\]": {"style": torch.zeros(1, 3, 8, 12)},
    r"objective content_weight was 1\.0, is 2\.0": {"objective": ABOUT["objective"] | {"content_weight": 2.0}},
    "start was None, is .*test_training": {"start": Path(__file__)},
    "precision was 32-true, is bf16-mixed": {},
}


def test_a_run_goes_on_from_its_own_checkpoint_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run(Tiny(), tmp_path, steps=5, about=ABOUT)
    before = (tmp_path / "tiny.ckpt").read_bytes()
    assert caplog.messages == []
    for words, other in OTHERS.items():
        options = {"about": ABOUT | other, "precision": "32-true" if other else "bf16-mixed"}
        with pytest.raises(CheckpointError, match=f"tiny.ckpt is of another training: .*{words}.*--anew"):
            run(Tiny(), tmp_path, steps=9, **options)
    assert (tmp_path / "tiny.ckpt").read_bytes() == before
    again = ABOUT | {"style": ABOUT["style"] * (1 + 1e-6)}  # as another machine computes it
    assert [p.step for p in run(Tiny(), tmp_path, steps=7, about=again, learning_rate=0.01)] == [7]
    caplog.records[:] = [record for record in caplog.records if record.name == "stylelearn"]
    assert caplog.messages == [f"going on from {tmp_path / 'tiny.ckpt'}, at step 5 of 7"]
    assert run(Tiny(), tmp_path, steps=7, about=ABOUT) == []
    assert "nothing is left to train" in caplog.messages[-1]
    model, fresh = Tiny(), Tiny()
    run(model, tmp_path, steps=5, about=ABOUT | {"network": "other"}, anew=True)
    run(fresh, tmp_path / "fresh", steps=5)
    assert_same(model, fresh)
    assert (tmp_path / "tiny.csv").read_text() == (tmp_path / "fresh" / "tiny.csv").read_text()


def test_pictures_networks_files_and_folders_are_known_by_their_content(tmp_path: Path) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"1")
    known = [identify(value) for value in (nn.Linear(2, 2, bias=False), file, Crops(colours(tmp_path / "few", 3)))]
    file.write_bytes(b"2")
    Image.new("RGB", (99, 40), "red").save(tmp_path / "few" / "001.png")
    now = [identify(value) for value in (nn.Linear(2, 2, bias=False), file, Crops(tmp_path / "few"))]
    for before, after in zip(known, now, strict=True):
        assert before["sha256"] != after["sha256"]
    assert identify(Crops(tmp_path / "few")) == now[2] != identify(Crops(tmp_path / "few", seed=1))


def test_the_callers_random_numbers_stay(tmp_path: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    run(Tiny(), tmp_path, steps=2)
    assert torch.equal(torch.rand(2), expected)


# --------------------------------------------------------------------------------------------------------------- sheets


def shade(model: Tiny) -> Tensor:
    return (0.5 + model.last.bias).clamp(0, 1)


def test_sheets_show_the_model_as_it_is_then_and_change_nothing(tmp_path: Path) -> None:
    def sheet(model: Tiny) -> Tensor:
        assert not model.training and not torch.is_grad_enabled()
        return shade(model).view(1, 1, 1, 1).expand(1, 3, 8, 8)

    model, alone, told = Tiny(), Tiny(), {}
    for progress in start(model, tmp_path / "new", 7, sheet=sheet, sheet_every=3, report_every=1):
        told[progress.step] = shade(model).item()
    written = sorted((tmp_path / "new").glob("*.jpg"))
    assert [path.name for path in written] == [f"tiny-{step:06d}.jpg" for step in (3, 6, 7)]
    for path, step in zip(written, (3, 6, 7), strict=True):
        assert psnr(read_image(path), torch.full((1, 3, 8, 8), told[step])) > 40
    run(alone, tmp_path / "alone", 7)
    assert_same(model, alone)


def test_a_sheet_that_fails_leaves_a_checkpoint(tmp_path: Path) -> None:
    def sheet(model: nn.Module) -> Tensor:
        raise RuntimeError("no picture")

    model = Tiny()
    with pytest.raises(RuntimeError, match="no picture"):
        run(model, tmp_path, sheet=sheet, sheet_every=6)
    assert saved(tmp_path)["step"] == 6 and model.training


# ---------------------------------------------------------------------------------------------------- several processes


def grey(model: nn.Module) -> Tensor:
    return torch.full((1, 3, 8, 8), 0.5)


LAUNCHED = """
import os, pathlib, signal, sys
sys.path.insert(0, sys.argv[1])
import test_training as t
signal.signal(signal.SIGINT, signal.default_int_handler)  # a program in the background would ignore it
try:
    for progress in t.start(t.Tiny(norm=False), pathlib.Path(sys.argv[2]), devices=2, sheet=t.grey, sheet_every=10):
        print(progress.step, flush=True)
        if progress.step == 10:
            os.kill(0, signal.SIGINT)  # as a terminal does: to all processes at once
except KeyboardInterrupt:
    print("stopped")
"""


def one_of_two(rank: int, port: int, folder: Path) -> None:
    """A process that was started by something else than Fabric, as torchrun starts them."""
    os.environ |= {"LOCAL_RANK": str(rank), "MASTER_PORT": str(port)}
    for progress in start(Tiny(norm=False), folder, devices=2, sheet=grey, sheet_every=10):
        print(progress.step, flush=True)
    with pytest.raises(ValueError, match="begin the next training in another"):
        run(Tiny(norm=False), folder, devices=2)
    print("once", flush=True)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_two_processes_stopped_and_resumed_are_one(tmp_path: Path) -> None:
    """Ctrl-C at step 10, then on to the end: the weights of one process that was left alone."""
    (tmp_path / "launched.py").write_text(LAUNCHED)
    words = [sys.executable, tmp_path / "launched.py", Path(__file__).parent, tmp_path / "two"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, start_new_session=True)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert done.stdout.split() == ["5", "10", "stopped"]  # once: the second process says nothing
    with socket.socket() as probe, ThreadPoolExecutor() as pool:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        both = [pool.submit(forked, one_of_two, rank, port, tmp_path / "two") for rank in (0, 1)]
        assert [each.result() for each in both] == [(0, "15\n20\nonce\n"), (0, "")]
    alone = Tiny(norm=False)
    run(alone, tmp_path / "one", sheet=grey, sheet_every=10)
    state = saved(tmp_path / "two")
    assert state["step"] == 20
    for name, value in alone.state_dict().items():
        torch.testing.assert_close(state["model"][name], value, rtol=0, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")
    assert {path.name for path in (tmp_path / "two").iterdir()} == {path.name for path in (tmp_path / "one").iterdir()}
    logs = [np.genfromtxt(tmp_path / folder / "tiny.csv", delimiter=",", skip_header=1) for folder in ("one", "two")]
    np.testing.assert_allclose(logs[1], logs[0], rtol=1e-4)


def test_shares_are_the_batch() -> None:
    """Together the processes have each row once, and rows that belong together stay together."""
    rows = torch.arange(6.0)
    batch = {"pair": (rows, rows[:, None].expand(6, 3)), "scale": torch.tensor(2.0), "name": "batch"}
    shares = [training._rows(batch, slice(rank, None, 3)) for rank in range(3)]
    assert torch.equal(torch.cat([share["pair"][0] for share in shares]).sort().values, rows)
    for share in shares:
        rows, more = share["pair"]
        assert len(rows) == 2 and torch.equal(more, rows[:, None].expand(-1, 3))
        assert share["scale"] == 2 and share["name"] == "batch"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"devices": 3}, "a batch of 4 cannot be shared by 3 processes equally; choose a multiple of 3"),
        ({"devices": 2, "num_nodes": 4}, "a batch of 4 cannot be shared by 8 processes equally"),
        ({"accelerator": "tpu"}, "cannot train with accelerator 'tpu'"),
        ({"precision": "8"}, "cannot train with .*Precision '8' is invalid"),
    ],
)
def test_what_cannot_be_shared_or_is_not_there_is_named(options: dict, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        run(Tiny(), tmp_path, **options)
    assert not (tmp_path / "tiny.ckpt").exists()


def test_folders_as_people_have_them(tmp_path: Path) -> None:
    """All formats that can be read, links to files and folders, even in circles; macOS's and other hidden files not."""
    here, there = colours(tmp_path / "here", 1), colours(tmp_path / "there", 2)
    for i, suffix in enumerate((".tif", ".avif", ".gif", ".TIFF"), start=2):
        Image.new("RGB", (50, 40), (10 + i, 100, 200)).save(here / f"{i}{suffix}")
    (here / "link.png").symlink_to(there / "001.png")
    (here / "again").symlink_to(here)
    (here / "._000.png").write_bytes(b"\0\5\x16\7")
    (here / "folder.jpg").mkdir()
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "a").symlink_to(here)
    (tmp_path / "links" / "b").symlink_to(here)
    for folder in (here, tmp_path / "links"):
        crops = Crops(folder, size=4, batch=8, keep=8)
        assert len(crops.pictures) == 6 and not crops.skipped


def test_half_an_update_is_never_saved(uninterrupted: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step, calls = torch.optim.AdamW.step, []

    def interrupted(self: torch.optim.AdamW, *args: object, **options: object) -> object:
        calls.append(1)
        if len(calls) == 9:
            with torch.no_grad():
                self.param_groups[0]["params"][0].add_(1)
            raise KeyboardInterrupt
        return step(self, *args, **options)

    monkeypatch.setattr(torch.optim.AdamW, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(Tiny(), tmp_path)
    assert not (tmp_path / "tiny.ckpt").exists()
    monkeypatch.undo()
    model = Tiny()
    run(model, tmp_path)
    assert_same(model, uninterrupted)


def test_a_failed_save_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(Tiny(), tmp_path, steps=5)
    before = (tmp_path / "tiny.ckpt").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"tiny.ckpt", "tiny.csv"}

    def half(state: dict, path: Path) -> None:
        Path(path).write_bytes(before[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(OSError, match="No space left"):
        run(Tiny(), tmp_path, steps=10)
    assert (tmp_path / "tiny.ckpt").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"tiny.ckpt", "tiny.csv"}


def test_files_beside_the_checkpoint_that_are_no_trainings_stay(tmp_path: Path) -> None:
    for name in ("tiny.csv", "tiny-000001.jpg"):
        folder = tmp_path / name.replace(".", "_")
        folder.mkdir()
        Image.new("RGB", (8, 8)).save(folder / name, "jpeg")
        before = (folder / name).read_bytes()
        with pytest.raises(ValueError, match=rf"{name}' is no .* of a training and (w|c)ould be overwritten"):
            run(Tiny(), folder, sheet=grey)
        assert (folder / name).read_bytes() == before
