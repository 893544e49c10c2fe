"""The lab of lesson 08: what it shows held against the network, the pad, and the strip."""

import functools
from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets
import pytest
import torch
from hands import close, content, painted, style, tiny_adjustable
from torch import Tensor

from stylelearn import adjustable
from stylelearn.lab import AdjustableLab
from stylelearn.lab import adjustable as module
from stylelearn.lab.engine.kernel import inside
from stylelearn.lab.layers import Alphas, presets
from stylelearn.practice import practise

pytestmark = pytest.mark.usefixtures("labs")

LAYERS = ["relu1_1", "relu2_1", "relu4_1"]
SMALL = {"content": "chelsea", "style": "batik", "size": 64}


NET = tiny_adjustable()
NET.about["objective"] = dict.fromkeys([*(f"style {name}" for name in LAYERS), "content relu4_2", "tv"], 1.0)
quick = functools.partial(practise, size=16)


@pytest.fixture(autouse=True)
def _small_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "network", lambda name="adjustable": NET)
    monkeypatch.setattr(module.practice, "practise", quick)


@pytest.fixture
def lab() -> AdjustableLab:
    return AdjustableLab(**SMALL)


def expected(settings: dict[str, Any]) -> Tensor:
    """What the network makes of these settings."""
    photo = adjustable.with_noise(content(settings["content"]), settings["noise"], settings["seed"])
    return NET(photo, NET.style(style(settings["style"])), NET.alphas(settings["alphas"]))


def test_every_slider_and_preset_reaches_the_picture(lab: AdjustableLab) -> None:
    for layer, slider in lab.alphas.sliders.items():
        slider.value = 0.37
        assert lab.settings["alphas"][layer] == 0.37
        close(painted(lab), expected(lab.settings))
    for name in ("none", "all but relu2_1"):
        lab.alphas.preset.value = name
        close(painted(lab), expected(lab.settings))
        assert lab.alphas.preset.value == name
    lab.alphas.pad.down.value = 0.6
    close(painted(lab), expected(lab.settings))


def test_presets_are_the_corners_of_the_cube() -> None:
    found = presets(LAYERS)
    assert len(found) == 8 == len({tuple(one.values()) for one in found.values()})
    assert found["relu2_1 alone"] == {"relu1_1": 0, "relu2_1": 1, "relu4_1": 0}
    assert found["all but relu2_1"] == {"relu1_1": 1, "relu2_1": 0, "relu4_1": 1}
    assert set(presets(["a"])) == {"all", "none"}
    assert presets(["a", "b"], ["content c"])["none"] == {"a": 0, "b": 0, "content c": 1}


def test_sliders_name_the_preset_and_move_the_ring() -> None:
    alphas = Alphas(LAYERS)
    assert alphas.preset.value == "all" and (alphas.pad.across.value, alphas.pad.down.value) == (1, 1)
    alphas.sliders["relu1_1"].value = 0.4
    assert alphas.preset.value == "own"
    assert (alphas.pad.across.value, alphas.pad.down.value) == (0.4, 1)
    alphas.preset.value = "own"  # changes nothing
    assert alphas.value == {"relu1_1": 0.4, "relu2_1": 1, "relu4_1": 1}
    alphas.preset.value = "none"
    assert alphas.value == dict.fromkeys(LAYERS, 0) and alphas.pad.down.value == 0
    alphas.value = {"relu4_1": 0.2}  # those not named are at 1
    assert alphas.value == {"relu1_1": 1, "relu2_1": 1, "relu4_1": 0.2} and alphas.sliders["relu4_1"].value == 0.2


def test_the_pad_mixes_its_corners() -> None:
    alphas = Alphas(LAYERS)
    corners = [tuple(one.values()) for one in alphas.corners()]
    assert corners == [(0, 0, 0), (1, 0, 0), (0, 0, 1), (1, 1, 1)]
    for across, down in ((0.3, 0.6), (0.5, 0.5), (0.0, 1.0), (0.25, 0.0)):
        alphas.pad.set_state({"place": (across, down)})  # as the page sends it
        shares = ((1 - across) * (1 - down), across * (1 - down), (1 - across) * down, across * down)
        mixed = [sum(share * corner[i] for share, corner in zip(shares, corners, strict=True)) for i in range(3)]
        assert list(alphas.value.values()) == pytest.approx(mixed, abs=0.006)
        assert (alphas.pad.across.value, alphas.pad.down.value) == (across, down)  # the ring is where it was put
    alphas.preset.value = "all"
    alphas.pad.set_state({"place": (0.25, 0.0)})  # the same place as before
    assert (alphas.value["relu1_1"], alphas.value["relu4_1"]) == (0.25, 0.0)


def test_the_corners_of_the_pad_show_what_they_paint(lab: AdjustableLab, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    monkeypatch.setattr(lab.alphas.pad, "corners", lambda names, images: shown.append((names, images)))
    lab.style["style"].choose("mosaic")
    painted(lab)
    names, images = shown[-1]
    assert names == ["the photo", "relu1_1", "relu4_1", "all"] and len(images) == 4
    assert not torch.equal(images[0], images[3])


def practised(alphas: dict[str, float], photo: str = "chelsea") -> Tensor:
    *_, (_, known) = quick(NET, style("batik"), steps=60)
    return NET(content(photo), known, NET.alphas(alphas))


def test_practice_is_done_once_and_helps_with_every_photo(lab: AdjustableLab, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, begun = painted(lab), []
    monkeypatch.setattr(module.practice, "practise", lambda *given, **more: begun.append(1) or quick(*given, **more))
    lab.controls["practice"].value = 60
    close(painted(lab), practised({}))
    assert lab.stage.tooltip.endswith("after 60 steps of practice")
    lab.alphas.sliders["relu2_1"].value = 0.3
    lab.content.choose("rocket")
    close(painted(lab), practised({"relu2_1": 0.3}, "rocket"))
    assert begun == [1]
    lab.set(content="chelsea", alphas=dict.fromkeys(LAYERS, 1.0), practice=0)
    assert torch.equal(painted(lab), plain)
    assert "practice" not in lab.stage.tooltip


def test_practice_goes_on_while_a_slider_moves(lab: AdjustableLab, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []

    def interrupted(*given: Any, **more: Any) -> Iterator[Any]:
        begun.append(1)
        for number, step in enumerate(quick(*given, **more), 1):
            if number == 10:
                lab.alphas.sliders["relu1_1"].value = 0.4
            yield step

    monkeypatch.setattr(module.practice, "practise", interrupted)
    lab.controls["practice"].value = 60
    close(painted(lab), practised({"relu1_1": 0.4}))
    assert begun == [1]
    assert "60 of 60 steps of practice" in lab.stage.words


def test_randomise_paints_once_with_new_alphas_and_another_seed(lab: AdjustableLab) -> None:
    before, moves = lab.settings, []
    start = lab.start
    lab.start = lambda **given: moves.append(given) or start(**given)
    lab.controls["noise"].value = 0.2
    assert len(moves) == 1
    next(each for each in inside(lab) if isinstance(each, widgets.Button)).click()
    assert len(moves) == 2
    assert lab.settings["alphas"] != before["alphas"] and lab.settings["seed"] == before["seed"] + 1
    close(painted(lab), expected(lab.settings))


def test_what_a_slider_does_not_change_is_kept(lab: AdjustableLab, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    look = NET.encoder.forward
    monkeypatch.setattr(NET.encoder, "forward", lambda *given: looked.append(1) or look(*given))
    lab.alphas.sliders["relu2_1"].value = 0.2
    painted(lab)
    lab.controls["noise"].value = 0.2
    painted(lab)
    assert looked == []
    lab.style["style"].choose("mosaic")
    painted(lab)
    assert 1 <= len(looked) <= 2  # the pad and the picture, which begin at the same time
    done = len(looked)
    lab.alphas.sliders["relu1_1"].value = 0.3
    lab.content.choose("rocket")
    painted(lab)
    assert len(looked) == done


def test_a_network_of_one_style_has_no_style_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    one = tiny_adjustable(any_style=False, content_layers=["relu2_2", "relu3_4"])
    monkeypatch.setattr(module, "network", lambda name="adjustable": one)
    lab = AdjustableLab("chelsea", size=64, alphas={"content relu2_2": 0.3})
    assert "style" not in lab.settings
    assert list(lab.alphas.sliders) == [*LAYERS, "content relu2_2", "content relu3_4"]
    close(lab.image, one(content(), None, one.alphas({"content relu2_2": 0.3})))
    lab.alphas.preset.value = "none"
    assert lab.settings["alphas"]["content relu3_4"] == 1
    assert lab.stage.tooltip.startswith("chelsea, α: relu1_1")
    with pytest.raises(ValueError, match="one style only"):
        AdjustableLab("chelsea", "batik", size=64)


def test_one_layer_alone_needs_no_pad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "network", lambda name="adjustable": tiny_adjustable(style_layers=["relu1_1"]))
    lab = AdjustableLab(**SMALL)
    assert lab.alphas.pad is None
    lab.alphas.sliders["relu1_1"].value = 0.2
    painted(lab)
