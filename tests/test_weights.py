"""Weights: what was written is read, wrong ones are refused by name, and a download survives what networks do."""

import hashlib
import json
import pickle
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn

from stylelearn import samples, weights
from stylelearn.encoders import Encoder, encoder_for
from stylelearn.weights import (
    WeightsError,
    fetched,
    fill,
    fitting,
    import_torchvision,
    load_state,
    network_file,
    read_about,
    read_weights,
    seeded,
    torchvision_model,
    write_weights,
)

STATE = {"conv1_1.weight": torch.arange(24.0).reshape(2, 3, 2, 2), "conv1_1.bias": torch.tensor([0.5, -0.5])}


def write(state: dict[str, Tensor], path: Path, **options: bool) -> Path:
    if path.suffix.lower() == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, **options)
    return path


@pytest.mark.parametrize("file", ["a.safetensors", "A.SAFETENSORS", "a.pth", "a.pt", "old.pth"])
def test_what_was_written_is_read(file: str, tmp_path: Path) -> None:
    options = {"_use_new_zipfile_serialization": False} if file.startswith("old") else {}  # torchvision's VGGs are old
    found = read_weights(write(STATE, tmp_path / file, **options))
    assert list(sorted(found)) == sorted(STATE) and all(torch.equal(found[key], STATE[key]) for key in STATE)


def test_half_precision_becomes_float32(tmp_path: Path) -> None:
    write({key: value.half() for key, value in STATE.items()}, tmp_path / "half.safetensors")
    found = load_state("mini", tmp_path / "half.safetensors")
    assert all(torch.equal(found[key], STATE[key]) and found[key].dtype == torch.float32 for key in STATE)


@given(share=st.floats(0, 1, exclude_max=True), kind=st.sampled_from(["a.safetensors", "a.pth", "old.pth"]))
def test_cut_short_is_refused_by_name(share: float, kind: str, tmp_path: Path) -> None:
    options = {"_use_new_zipfile_serialization": False} if kind.startswith("old") else {}
    whole = write(STATE, tmp_path / kind, **options).read_bytes()
    short = tmp_path / f"short{Path(kind).suffix}"
    short.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(WeightsError, match=rf"{short.name} is damaged or (no|holds more)"):
        read_weights(short)


@settings(max_examples=60)
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255), kind=st.sampled_from(["pth", "safetensors"]))
def test_a_changed_byte_gives_tensors_or_a_clear_error(place: float, value: int, kind: str, tmp_path: Path) -> None:
    data = bytearray(write(STATE, tmp_path / f"a.{kind}").read_bytes())
    data[int(place * len(data))] = value
    (tmp_path / f"b.{kind}").write_bytes(data)
    try:
        found = read_weights(tmp_path / f"b.{kind}")
    except WeightsError as error:
        assert f"b.{kind}" in str(error)
    else:
        assert all(isinstance(tensor, Tensor) for tensor in found.values())


class _Touch:
    """Pickled, it is an instruction to make a file; a reader that runs pickles makes it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable, tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("how", ["torch", "old", "pickle"])
def test_code_in_a_file_is_not_run(how: str, tmp_path: Path) -> None:
    trap, file = tmp_path / "it ran", tmp_path / "model.pth"
    content = {**STATE, "extra": _Touch(trap)}
    if how == "pickle":
        file.write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, file, _use_new_zipfile_serialization=how == "torch")
    with pytest.raises(WeightsError, match=r"model\.pth is damaged or holds more than tensors, which could run"):
        read_weights(file)
    assert not trap.exists()
    if how == "torch":  # the trap is a real one
        torch.load(file, weights_only=False)
        assert trap.exists()


@pytest.mark.parametrize("content", [[1, 2], {}, {"epoch": 3}, {"model": {"epoch": 3}}, torch.zeros(3)])
def test_anything_but_a_dict_of_tensors_is_refused(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "odd.pth")
    with pytest.raises(WeightsError, match=r"odd\.pth is no dict of tensors"):
        read_weights(tmp_path / "odd.pth")


def test_a_file_that_is_not_there_or_is_something_else(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no weights at .*nowhere\.pth"):
        read_weights(tmp_path / "nowhere.pth")
    with pytest.raises(WeightsError, match="no weights at"):
        read_weights(tmp_path)
    for text, remedy in (
        ("<!doctype html><title>Sign in</title>", "a web page"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:abc\n", "git lfs pull"),
        ("anything", "download it again"),
    ):
        (tmp_path / "page.pth").write_text(text)
        with pytest.raises(WeightsError, match=rf"page\.pth is damaged or no PyTorch checkpoint.*{remedy}"):
            read_weights(tmp_path / "page.pth")


@pytest.mark.parametrize("name", ["state_dict", "model", "model_state_dict", "network"])
def test_tensors_inside_a_checkpoint_are_found(name: str, tmp_path: Path) -> None:
    torch.save({"epoch": 3, name: STATE, "optimizer": {"state": {}}}, tmp_path / "model.ckpt")
    found = read_weights(tmp_path / "model.ckpt")
    assert found.keys() == STATE.keys() and all(torch.equal(found[key], STATE[key]) for key in STATE)


def small() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


@pytest.mark.parametrize("more", ["", "module.", "_orig_mod.", "model.", "module._orig_mod.", None])
def test_a_prefix_more_or_less_makes_no_difference(more: str | None) -> None:
    """Of DataParallel, torch.compile or Lightning; None: the part alone was saved, without its own name."""
    torch.manual_seed(0)
    model = nn.Sequential(OrderedDict(features=nn.Sequential(*[nn.Conv2d(3, 3, 1) for _ in range(12)])))
    own = model.state_dict()
    saved = {key.removeprefix("features.") if more is None else more + key: value for key, value in own.items()}
    found = fitting(model, {"classifier.weight": torch.zeros(2), **saved}, "mine.pth")
    assert found.keys() == own.keys() and all(torch.equal(found[key], own[key]) for key in own)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("0.weight", None, r"mine\.pth: 0\.weight is missing; is this the checkpoint of another network"),
        ("0.weight", torch.zeros(5, 3, 3, 3), r"0\.weight has shape \(5, 3, 3, 3\), expected \(4, 3, 3, 3\)"),
        ("0.bias", torch.tensor([0.0, 1.0, torch.nan, 0.0]), r"mine\.pth: 0\.bias holds NaN or infinite"),
        ("1.running_var", torch.tensor([1.0, 1.0, torch.inf, 1.0]), r"1\.running_var holds NaN or infinite"),
        ("0.bias", torch.zeros(4, dtype=torch.int64), r"0\.bias holds torch\.int64, expected torch\.float32"),
        ("0.bias", torch.zeros(4, device="meta"), r"0\.bias holds"),
        ("0.bias", torch.zeros(4).to_sparse(), r"0\.bias holds"),
    ],
)
def test_what_does_not_fit_is_named(key: str, value: Tensor | None, message: str) -> None:
    state = dict(small().state_dict())
    if value is None:
        del state[key]
    else:
        state[key] = value
    with pytest.raises(WeightsError, match=message):
        fitting(small(), state, "mine.pth")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with weights of our own and their checksums."""
    folder = tmp_path / "data" / "weights"
    folder.mkdir(parents=True)
    file = write(STATE, folder / "mini.safetensors")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    (folder / "checksums.json").write_text(json.dumps({"mini.safetensors": digest}))

    def data_file(*parts: str) -> Path:
        path = tmp_path.joinpath("data", *parts)
        if not path.exists():
            raise FileNotFoundError(f"'{'/'.join(parts)}' is not there; clone the whole repository")
        return path

    monkeypatch.setattr(weights, "data_file", data_file)
    return folder


def test_shipped_weights_with_one_changed_bit_are_refused(shipped: Path) -> None:
    data = bytearray((shipped / "mini.safetensors").read_bytes())
    data[-1] ^= 1  # still a whole file of finite numbers
    (shipped / "mini.safetensors").write_bytes(data)
    with pytest.raises(WeightsError, match=r"mini\.safetensors is not the file that the course ships .*git checkout"):
        load_state("mini")


@pytest.mark.parametrize("content", ["{}", "[]", "{", '"mini.safetensors"'])
def test_shipped_weights_without_a_checksum_are_refused(content: str, shipped: Path) -> None:
    (shipped / "checksums.json").write_text(content)
    with pytest.raises(WeightsError, match=r"checksums\.json has no SHA-256 for mini\.safetensors"):
        load_state("mini")


def test_missing_shipped_weights_say_so(shipped: Path) -> None:
    (shipped / "mini.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"the weights of mini are not there.*clone the whole repository"):
        load_state("mini")


class Server(ThreadingHTTPServer):
    """A web server on this machine that counts what it is asked for, and can break off or answer with an error."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files: dict[str, bytes] = {}
        self.asked, self.stop_after, self.status = 0, None, 200  # stop_after: bytes, then the connection ends
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked += 1
        data = self.server.files.get(self.path.lstrip("/"))
        if data is None or self.server.status != 200:
            self.send_error(404 if data is None else self.server.status)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: self.server.stop_after])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    server = Server()
    yield server
    server.close()


def name_of(data: bytes) -> str:
    """A file name as torch.hub wants it: with the first eight digits of the SHA-256."""
    return f"net-{hashlib.sha256(data).hexdigest()[:8]}.pth"


DATA = bytes(range(256)) * 4000  # a good megabyte: many reads


def test_a_file_is_fetched_once(server: Server, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    server.files[name_of(DATA)] = DATA
    path = fetched(f"{server.url}/{name_of(DATA)}")
    assert path == tmp_path / "home" / "hub" / "checkpoints" / name_of(DATA) and path.read_bytes() == DATA
    assert "100%" in capfd.readouterr().err
    assert fetched(f"{server.url}/{name_of(DATA)}") == path and server.asked == 1
    assert capfd.readouterr().err == "" and [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("wrong", ["cut", "changed"])
def test_a_wrong_download_leaves_nothing_and_the_next_try_succeeds(wrong: str, server: Server) -> None:
    url, file = f"{server.url}/{name_of(DATA)}", name_of(DATA)
    server.files[file] = DATA[:-1] + b"!" if wrong == "changed" else DATA
    server.stop_after = 400_000 if wrong == "cut" else None
    with pytest.raises(WeightsError, match=rf"{file} broke off or was changed on its way"):
        fetched(url, progress=False)
    server.files[file], server.stop_after = DATA, None
    path = fetched(url, progress=False)
    assert path.read_bytes() == DATA and [p.name for p in path.parent.iterdir()] == [file]


def test_errors_of_server_network_and_disk_are_named(server: Server, tmp_path: Path) -> None:
    url = f"{server.url}/{name_of(DATA)}"
    with pytest.raises(WeightsError, match=rf"{url} cannot be downloaded \(HTTP Error 404"):
        fetched(url)
    server.files[name_of(DATA)], server.status = DATA, 503
    with pytest.raises(WeightsError, match=r"cannot be downloaded \(HTTP Error 503"):
        fetched(url)
    server.close()
    with pytest.raises(WeightsError, match=r"cannot be downloaded .*refused"):
        fetched(url)
    (tmp_path / "home" / "hub" / "checkpoints").rmdir()
    (tmp_path / "home" / "hub" / "checkpoints").touch()
    with pytest.raises(WeightsError, match="cannot be downloaded"):
        fetched(url)


@pytest.fixture
def published(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, nn.Module, Path]:
    """SqueezeNet with random weights, published by "torchvision" on our server; its file, itself, the cache."""
    model = torchvision_model("squeezenet")
    torch.save(model.state_dict(), tmp_path / "new.pth")
    data = (tmp_path / "new.pth").read_bytes()
    name = f"squeezenet1_0-{hashlib.sha256(data).hexdigest()[:8]}.pth"
    server.files[name] = data
    entry = import_torchvision().models.SqueezeNet1_0_Weights.DEFAULT
    monkeypatch.setattr(entry.value, "url", f"{server.url}/{name}")
    return name, model, tmp_path / "home" / "hub" / "checkpoints"


def test_encoder_downloads_once_and_shares_torchvisions_cache(server: Server, published: tuple) -> None:
    name, model, cache = published
    Encoder("squeezenet", progress=False)
    server.close()
    assert [path.name for path in cache.iterdir()] == [name] and server.asked == 1
    state = Encoder("squeezenet")._layers.state_dict()  # from the cache
    assert torch.equal(state["conv1.weight"], model.features[0].weight)
    entry = import_torchvision().models.SqueezeNet1_0_Weights.DEFAULT
    theirs = entry.get_state_dict(check_hash=True)  # torchvision's own way finds what we fetched
    assert torch.equal(theirs["features.0.weight"], model.features[0].weight)


def test_no_network_names_the_ways_out(server: Server, published: tuple) -> None:
    server.close()
    with pytest.raises(WeightsError) as error:
        Encoder("squeezenet")
    message = str(error.value)
    assert "Encoder('mini')" in message and f"Fetch {server.url}/{published[0]}" in message
    assert f"weights='{published[0]}'" in message and "refused" in message


def test_a_tampered_cache_is_refused(published: tuple) -> None:
    name, _, cache = published
    Encoder("squeezenet", progress=False)
    data = bytearray((cache / name).read_bytes())
    data[len(data) // 2] ^= 1
    (cache / name).write_bytes(data)
    with pytest.raises(WeightsError, match=f"{name} is damaged or was changed.*delete .*{name}"):
        Encoder("squeezenet")


@pytest.fixture(scope="module")
def vgg() -> dict[str, Tensor]:
    """VGG-16 with random weights and no classifier, as torchvision names them."""
    torch.manual_seed(0)
    models = import_torchvision().models.vgg
    features = models.make_layers(models.cfgs["D"], batch_norm=False)
    return {f"features.{key}": value for key, value in features.state_dict().items()}


def test_a_vgg_of_caffe_is_refused_by_name(vgg: dict[str, Tensor], tmp_path: Path) -> None:
    """Its filters are made for numbers 58 times as large; or, as in the published conversions, its classifier tells."""
    small = {**vgg, "features.0.weight": vgg["features.0.weight"].flip(1) / 58}
    converted = {**vgg, "classifier.1.weight": torch.zeros(1, 1), "classifier.4.weight": torch.zeros(1, 1)}
    for state in (small, {f"module.{key}": value for key, value in small.items()}, converted):
        save_file(state, tmp_path / "vgg.safetensors")
        with pytest.raises(WeightsError, match=r"vgg\.safetensors is a VGG for pixels from 0 to 255, as Caffe's"):
            Encoder("vgg16", weights=tmp_path / "vgg.safetensors")


IMPORT = """
import sys
from stylelearn.weights import import_torchvision
try:
    print(import_torchvision().answer, import_torchvision() is sys.modules["torchvision"])
except RuntimeError as error:
    print(error)
"""


def imported(package: str, folder: Path) -> str:
    """What `import_torchvision` does with a torchvision whose __init__.py is `package`, in a fresh Python."""
    (folder / "torchvision").mkdir()
    (folder / "torchvision" / "__init__.py").write_text(package)
    (folder / "torchvision" / "half.py").write_text("first = 'torchvision.ready' not in __import__('sys').modules")
    program = f"import sys; sys.path.insert(0, {str(folder)!r})" + IMPORT
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def test_torchvision_without_its_operators_is_helped(tmp_path: Path) -> None:
    """As its CUDA build beside a CPU torch: the import stops half-way, with a submodule already there."""
    package = """
import torch
from torchvision import half
try:
    torch.ops.torchvision.nms, torch.ops.torchvision.qnms
except AttributeError:
    raise RuntimeError("operator torchvision::nms does not exist")
answer = str(torch.ops.torchvision.nms.default._schema)
"""
    schema = "torchvision::nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor True"
    assert imported(package, tmp_path) == schema


@pytest.mark.parametrize("operator", ["nms", "roi_align"])
def test_torchvision_that_still_fails_or_fails_otherwise_says_why(operator: str, tmp_path: Path) -> None:
    said = f"operator torchvision::{operator} does not exist"
    assert imported(f"raise RuntimeError({said!r})", tmp_path) == said


def test_written_and_read_again(tmp_path: Path) -> None:
    state = {"a": torch.tensor([1.0, 1 / 3, -65504.0]), "n": torch.arange(3)}
    path = tmp_path / "new" / "net.safetensors"
    write_weights(path, state, {"styles": ["wave", "Ölbild"], "widths": [1, 2]})
    again = read_weights(path)
    assert {value.dtype for value in again.values()} == {torch.float16}
    torch.testing.assert_close(again["a"].float(), state["a"], rtol=2**-11, atol=0)  # half of float16's last place
    assert read_about(path) == {"styles": ["wave", "Ölbild"], "widths": [1, 2]}
    assert [p.name for p in path.parent.iterdir()] == ["net.safetensors"]
    write_weights(path, state)
    assert read_about(path) == {}


@pytest.mark.parametrize("value", [70000.0, float("nan"), float("-inf")])
def test_what_float16_cannot_hold_is_not_written(value: float, tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError, match=r"net\.safetensors: b holds numbers beyond 65504"):
        write_weights(tmp_path / "net.safetensors", {"a": torch.zeros(2), "b": torch.tensor([0.0, value])})
    assert not any(tmp_path.iterdir())


def test_headers_that_are_wrong(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no weights at"):
        read_about(tmp_path / "none.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(b"\x40\0\0\0\0\0\0\0{")
    with pytest.raises(WeightsError, match=r"cut\.safetensors is damaged or no safetensors file"):
        read_about(tmp_path / "cut.safetensors")


def test_networks_by_name(tmp_path: Path) -> None:
    assert weights.shipped("mini") == ["mini"] and network_file("mini", "mini").name == "mini.safetensors"
    assert "mini" not in weights.shipped("min")
    own = tmp_path / "own.safetensors"
    write_weights(own, {"a": torch.zeros(1)})
    assert network_file("johnson", own) == own
    with pytest.raises(WeightsError, match=r"no johnson network 'nobody'; the course ships .*; or give the path of"):
        network_file("johnson", "nobody")
    other = tmp_path / "own.pth"
    other.write_bytes(own.read_bytes())
    with pytest.raises(WeightsError, match=r"'own\.pth' is no network of the course; .*stylelearn train johnson"):
        network_file("johnson", other)


def test_a_network_is_known_by_its_header(tmp_path: Path) -> None:
    """Every network that ships, under another name, is taken for its own kind and refused for any other."""
    kinds = ("johnson", "cin", "adain", "style_swap", "adjustable", "emd")
    for kind in kinds:
        copy = tmp_path / "Mine.Safetensors"
        copy.write_bytes(samples.data_file("weights", f"{weights.shipped(kind)[0]}.safetensors").read_bytes())
        assert network_file(kind, copy) == copy
        for other in set(kinds) - {kind}:
            with pytest.raises(WeightsError, match=rf"Mine\.Safetensors holds a network of {kind}, not of {other}"):
                network_file(other, copy)


def test_the_checksum_tells_weights_apart() -> None:
    mini = weights.checksum(Encoder("mini"))
    assert len(mini) == 64
    assert weights.checksum(Encoder("random")) == weights.checksum(Encoder("random", seed=0)) != mini
    assert weights.checksum(Encoder("random")) != weights.checksum(Encoder("random", seed=1))


def test_a_network_accepts_the_encoder_that_it_was_trained_with_and_no_other() -> None:
    mine, other = Encoder("random", seed=1), Encoder("random", seed=2)
    about = {"encoder": "random", "encoder_sha256": weights.checksum(mine)}
    assert encoder_for(about, mine, "net.safetensors") is mine
    with pytest.raises(WeightsError, match=r"net\.safetensors was trained for another encoder 'random': SHA-256"):
        encoder_for(about, other, "net.safetensors")
    with pytest.raises(WeightsError, match=r"trained for another encoder 'random'"):
        encoder_for(about, None, "net.safetensors")
    with pytest.raises(WeightsError, match=r"for the encoder 'random', not for 'mini'"):
        encoder_for(about, Encoder("mini"), "net.safetensors")
    assert encoder_for({"encoder": "random"}, other, "old.safetensors") is other  # an older file: the name decides


def test_seeded_construction_leaves_the_callers_random_numbers_alone() -> None:
    torch.manual_seed(5)
    with seeded(1):
        first = torch.rand(3)
    after = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(torch.rand(3), after)
    with seeded(1):
        assert torch.equal(torch.rand(3), first)


def test_a_file_fills_a_network_but_for_the_part_that_is_kept_and_step_counts(tmp_path: Path) -> None:
    source, target = (nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)) for _ in range(2))
    source[1].num_batches_tracked.fill_(100_000)  # beyond float16
    nn.init.constant_(source[1].weight, 0.1)
    before = target[0].weight.clone()
    write_weights(tmp_path / "net.safetensors", source.state_dict())
    fill(target, tmp_path / "net.safetensors", "a network", kept="0.")
    assert torch.equal(target[0].weight, before) and target[1].num_batches_tracked == 0
    assert torch.equal(target[1].weight, torch.full((3,), 0.1).half().float())  # float32 again
    with pytest.raises(WeightsError, match=r"a network: 0\.weight is missing"):
        fill(target, {"1.bias": torch.zeros(3)}, "a network")
