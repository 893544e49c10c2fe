"""Masks from files, clusters and networks; what becomes of labels that only one picture has."""

import itertools
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from torch import Tensor

from stylelearn import samples, segmentation
from stylelearn.encoders import Encoder
from stylelearn.segmentation import (
    COLOURS,
    GROUPS,
    MAX_LABELS,
    Masks,
    cluster,
    course_mask,
    group_of,
    merge_orphans,
    read_mask,
    scale,
    segment,
    write_mask,
)
from stylelearn.weights import WeightsError, import_torchvision

quick = settings(max_examples=15, deadline=None)
NINE = list(COLOURS)[:9]  # the colours of Luan et al.


def masks(rows: list[str], **names: str) -> Masks:
    """Masks drawn with letters: masks(["aab", "bbb"], a="sky", b="sea")."""
    letters = list(names)
    labels = torch.tensor([[letters.index(letter) for letter in row] for row in rows])
    return Masks(labels, tuple(names.values()), tuple(COLOURS.values())[: len(names)])


def random_masks(seed: int, height: int, width: int, count: int) -> Masks:
    labels = torch.randint(count, (height, width), generator=torch.Generator().manual_seed(seed))
    return Masks(labels, tuple(f"label {i}" for i in range(count)), tuple(COLOURS.values())[:count])


def blocks(names: list[str], side: int = 24) -> Masks:
    """Square areas beside each other, three in a row."""
    rows = -(-len(names) // 3)
    labels = (torch.arange(rows * 3) % len(names)).reshape(rows, 3)
    labels = labels.repeat_interleave(side, 0).repeat_interleave(side, 1)
    return Masks(labels, tuple(names), tuple(COLOURS[name] for name in names))


def to_file(found: Masks, path, soften: float = 0.0, **options):
    levels = (found.picture()[0].permute(1, 2, 0) * 255).round().byte().numpy()
    Image.fromarray(levels).filter(ImageFilter.GaussianBlur(soften)).save(path, **options)
    return path


def by_name(found: Masks) -> np.ndarray:
    return np.array(found.names)[found.labels.numpy()]


# --- the value -------------------------------------------------------------------------------------------------------


def test_shares_size_and_picture():
    found = masks(["aab", "bbb"], a="sky", b="sea")
    assert found.size == (2, 3)
    assert found.shares() == pytest.approx({"sky": 1 / 3, "sea": 2 / 3})
    assert found.picture().shape == (1, 3, 2, 3)
    assert (found.picture()[0, :, 0, 0] * 255).tolist() == list(found.colours[0])


@quick
@given(seed=st.integers(0, 2**16), factor=st.integers(2, 4))
def test_a_resized_mask_has_the_label_of_the_same_place(seed, factor):
    found = random_masks(seed, 5, 7, 3)
    larger = found.resized((5 * factor, 7 * factor))
    assert torch.equal(larger.labels, found.labels.repeat_interleave(factor, 0).repeat_interleave(factor, 1))
    assert torch.equal(larger.resized((5, 7)).labels, found.labels)


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        (torch.zeros(2, 2), ("a",), r"whole numbers \(H, W\); this is \(2, 2\) of torch.float32"),
        (torch.zeros(0, 2).long(), ("a",), "whole numbers"),
        ("sky", ("a",), "this is str"),
        (torch.ones(2, 2).long(), ("a",), "labels go from 1 to 1, but there are 1 names"),
        (torch.zeros(2, 2).long(), ("a", "a"), "a name of its own"),
        (torch.zeros(2, 2).long(), (), f"0 labels; a mask has 1 to {MAX_LABELS}"),
        (torch.zeros(2, 2).long(), tuple(map(str, range(MAX_LABELS + 1))), f"{MAX_LABELS + 1} labels"),
    ],
)
def test_what_is_no_mask_is_refused(labels, names, message):
    with pytest.raises(ValueError, match=message):
        Masks(labels, names, ((0, 0, 0),) * len(names))


# --- scaled to a layer -----------------------------------------------------------------------------------------------


@quick
@given(seed=st.integers(0, 2**16), height=st.integers(4, 17), width=st.integers(4, 17))
def test_scaled_masks_add_up_to_1_in_each_cell(seed, height, width):
    soft = scale(random_masks(seed, height, width, 3), (height // 2, width // 2))
    assert soft.shape == (3, height // 2, width // 2)
    assert torch.allclose(soft.sum(dim=0), torch.tensor(1.0)) and soft.min() >= 0


def test_a_cell_holds_the_part_that_the_label_covers():
    found = random_masks(1, 8, 12, 3)
    soft = scale(found, (2, 3))
    for label, y, x in itertools.product(range(3), range(2), range(3)):
        cell = found.labels[4 * y : 4 * y + 4, 4 * x : 4 * x + 4]
        assert soft[label, y, x].item() == pytest.approx((cell == label).float().mean().item())


def test_names_choose_and_order_and_a_missing_one_is_0():
    found = random_masks(2, 6, 6, 2)
    soft = scale(found, (6, 6), ["nowhere", "label 1"])
    assert not soft[0].any() and torch.equal(soft[1] > 0, found.labels == 1)


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("soften", [0.0, 1.5])
def test_nine_colours_with_soft_edges_are_found_and_every_pixel_snapped(tmp_path, soften):
    drawn = blocks(NINE)
    found = read_mask(to_file(drawn, tmp_path / "mask.png", soften))
    assert set(found.names) == set(NINE)
    wrong = by_name(found) != by_name(drawn)
    inside = np.zeros_like(wrong)
    for y, x in itertools.product(range(3), repeat=2):
        inside[24 * y + 2 : 24 * y + 22, 24 * x + 2 : 24 * x + 22] = True
    assert not wrong[inside].any()
    assert wrong.mean() <= (0.06 if soften else 0)


def test_grey_between_two_colours_is_no_third_label(tmp_path):
    drawn = blocks(["blue", "yellow", "grey"])
    found = read_mask(to_file(drawn, tmp_path / "mask.png", 1.0))
    assert not (by_name(found)[:, :40] == "grey").any()


def test_jpeg_masks_and_colours_of_ones_own(tmp_path):
    drawn = blocks(["red", "white", "blue"])
    own = Masks(drawn.labels, ("one", "two", "three"), ((200, 100, 150), (255, 255, 255), (60, 60, 140)))
    found = read_mask(to_file(own, tmp_path / "mask.jpg", quality=85))
    assert len(found.names) == 3 and "white" in found.names
    assert sum(bool(re.fullmatch("#[0-9a-f]{6}", name)) for name in found.names) == 2
    agree = torch.zeros(3, 3)
    agree.index_put_((drawn.labels.flatten(), found.labels.flatten()), torch.tensor(1.0), accumulate=True)
    assert (agree.amax(dim=1) / agree.sum(dim=1)).min() > 0.97


def test_written_masks_come_back_exactly_with_their_names(tmp_path):
    labels = torch.randint(3, (9, 11), generator=torch.Generator().manual_seed(0))
    given_masks = Masks(labels, ("sky", "sea", "a name"), ((1, 2, 3), (4, 5, 6), (7, 8, 200)))
    found = read_mask(write_mask(given_masks, tmp_path / "mask.png"))
    assert found.names == given_masks.names and found.colours == given_masks.colours
    assert torch.equal(found.labels, labels)
    with pytest.raises(ValueError, match=r"does not end in \.png"):
        write_mask(given_masks, tmp_path / "mask.jpg")


def test_size_must_have_the_masks_proportions(tmp_path):
    path = to_file(blocks(["red", "blue", "green"]), tmp_path / "mask.png")  # 24 x 72
    assert read_mask(path, (13, 39)).size == (13, 39)
    assert read_mask(path, (16, 49)).size == (16, 49)  # a side may have been rounded
    with pytest.raises(ValueError, match=r"the mask is 24x72 .* its picture 72x24: their proportions differ"):
        read_mask(path, (72, 24))


def test_a_photograph_is_no_mask():
    with pytest.raises(ValueError, match="no flat area"):
        read_mask(torch.rand(1, 3, 20, 20))
    many = torch.zeros(1, 3, 80, 100)
    steps = itertools.product([0.0, 0.35, 0.7, 1.0], [0.0, 0.5, 1.0], [0.1, 0.9])
    for number, colour in enumerate(steps):
        y, x = divmod(number, 5)
        many[0, :, 16 * y : 16 * y + 16, 20 * x : 20 * x + 20] = torch.tensor(colour)[:, None, None]
    with pytest.raises(ValueError, match="no mask but a photograph"):
        read_mask(many)


@pytest.mark.parametrize("name", ["camera", "chelsea", "hubble"])
def test_a_real_photograph_is_no_mask(name):
    """The sky of `hubble` is all black: one colour, and yet not a mask."""
    with pytest.raises(ValueError, match=r"no mask but a photograph|no flat area"):
        read_mask(samples.content(name, size=256))


@quick
@given(seed=st.integers(0, 2**16), count=st.integers(2, MAX_LABELS))
def test_grey_values_from_0_are_label_numbers(seed, count):
    labels = random_masks(seed, 9, 11, count).labels
    found = read_mask((labels / 255).expand(1, 3, 9, 11))
    assert (by_name(found) == np.char.add("label ", labels.numpy().astype(str))).all()


def test_a_mask_says_its_regions_and_their_size():
    assert str(masks(["aab", "bbb"], a="sky", b="sea")) == "sea 67 %, sky 33 %"


@pytest.mark.parametrize("name", ["camera", "china", "coffee", "flower", "rocket"])
def test_the_courses_masks_fit_their_pictures(name):
    photo = samples.content(name)
    found = course_mask(name)
    assert found.size == tuple(photo.shape[2:])
    assert set(found.names) <= set(GROUPS) | {"subject", "background"}
    assert min(found.shares().values()) > 0.01
    assert course_mask(name, (50, round(50 * found.size[1] / found.size[0]))).names == found.names


# --- clusters --------------------------------------------------------------------------------------------------------


def two_halves(top: tuple[float, ...], bottom: tuple[float, ...], height: int = 96, width: int = 112) -> Tensor:
    image = torch.empty(1, 3, height, width)
    image[..., : height // 2, :] = torch.tensor(top)[:, None, None]
    image[..., height // 2 :, :] = torch.tensor(bottom)[:, None, None]
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(1))
    return (image + 0.02 * noise).clamp(0, 1)


def test_clusters_find_what_two_pictures_share():
    content = two_halves((0.2, 0.4, 0.9), (0.1, 0.5, 0.1))
    style = two_halves((0.3, 0.5, 1.0), (0.2, 0.6, 0.1), 80, 64)
    of_content, of_style = cluster(content, style, regions=2)
    assert of_content.names == of_style.names == ("region 1", "region 2")
    assert of_content.size == (96, 112) and of_style.size == (80, 64)
    for found in (of_content, of_style):
        height = found.size[0]
        assert (found.labels[: height // 2 - 3] == found.labels[0, 0]).float().mean() > 0.97
        assert (found.labels[height // 2 + 3 :] == found.labels[-1, 0]).float().mean() > 0.97
    assert of_content.labels[0, 0] == of_style.labels[0, 0] != of_content.labels[-1, 0]


def test_each_cluster_is_in_both_pictures():
    photos = samples.content("china", size=64), samples.content("rocket", size=64)
    of_content, of_style = cluster(*photos, regions=6)
    assert 1 < len(of_content.names) <= 6
    assert min(min(found.shares().values()) for found in (of_content, of_style)) > 0
    again = cluster(*photos, regions=6)
    assert torch.equal(again[0].labels, of_content.labels) and torch.equal(again[1].labels, of_style.labels)


def test_one_region_and_flat_pictures_and_wrong_counts():
    black, white = torch.zeros(1, 3, 64, 64), torch.ones(1, 3, 64, 64)
    assert cluster(black, white, regions=1)[0].names == ("region 1",)
    assert cluster(black, white, regions=2)[1].size == (64, 64)
    described = segmentation._described(torch.full((1, 3, 64, 64), 0.4), Encoder("mini"))
    assert not described[:-1].any() and described[-1].any()  # cells differ in height alone
    for count in (0, MAX_LABELS + 1):
        with pytest.raises(ValueError, match=f"regions must be from 1 to {MAX_LABELS}; got {count}"):
            cluster(black, white, regions=count)


# --- a network -------------------------------------------------------------------------------------------------------


@pytest.fixture
def published(tmp_path, monkeypatch):
    """The network with random weights, published at an address of this machine's disk; its path and its classes."""
    models = import_torchvision().models
    torch.manual_seed(3)
    model = models.get_model(segmentation.NETWORK, weights=None, weights_backbone=None, num_classes=21)
    torch.save(model.state_dict(), tmp_path / "network.pth")
    entry = models.get_model_weights(segmentation.NETWORK).DEFAULT
    monkeypatch.setattr(entry.value, "url", (tmp_path / "network.pth").as_uri())
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    return tmp_path / "network.pth", [name.strip("_") for name in entry.meta["categories"]]


def test_segmentation_by_a_network_that_is_downloaded(published):
    path, classes = published
    image = samples.content("astronaut", size=80)
    found = segment(image)
    assert found.size == (80, 80) and set(found.names) <= set(classes)
    assert list(found.shares().values()) == sorted(found.shares().values(), reverse=True)
    path.unlink()  # from now on it comes from the cache
    assert torch.equal(segment(image).labels, found.labels)


def test_without_a_network_it_says_what_else_there_is(published):
    published[0].unlink()
    with pytest.raises(WeightsError, match=r"(?s)no weights of lraspp.*cannot be downloaded.*segmentation\.cluster"):
        segment(torch.rand(1, 3, 64, 64))


# --- orphans ---------------------------------------------------------------------------------------------------------


def test_groups_are_disjoint_and_know_all_classes_of_ade20k_and_voc():
    names = [name for group, members in GROUPS.items() for name in (group, *members)]
    assert len(names) == len(set(names))
    voc = import_torchvision().models.get_model_weights(segmentation.NETWORK).DEFAULT.meta["categories"][1:]
    assert len(set(names) - {"furniture", "ground", "object", "room", "vehicle"} - set(voc)) > 130
    assert all(group_of(name) for name in voc)
    assert group_of("lake") == group_of("sea") == group_of(" Swimming_Pool ") == "water"
    assert group_of("something else") is None and group_of("sky") == "sky"


def test_an_orphan_goes_to_its_own_kind():
    """To the largest of its kind."""
    content = masks(["sss", "lll", "ttt"], s="sky", l="lake", t="tree")
    style = masks(["yyyy", "wwgv"], v="river", w="sea", y="sky", g="grass")
    found, reference, table = merge_orphans(content, style)
    assert by_name(found).tolist() == [["sky"] * 3, ["sea"] * 3, ["grass"] * 3]
    assert reference is style and set(found.names) <= set(style.names)
    assert {row.label: (row.to, row.why) for row in table if row.share} == {
        "sky": ("sky", "both have it"),
        "lake": ("sea", "the same kind of thing"),
        "tree": ("grass", "the same kind of thing"),
    }


def test_an_orphan_of_no_known_kind_goes_where_its_border_is_longest():
    content = masks(["aaaa", "aooa", "abbb", "bbbb"], a="one", b="two", o="orphan")
    style = masks(["abbb"], a="one", b="two")
    assert merge_orphans(content, style)[0].shares() == pytest.approx({"one": 9 / 16, "two": 7 / 16})


def test_an_orphan_among_orphans_goes_to_the_largest():
    found, _, table = merge_orphans(masks(["xy"], x="x", y="y"), masks(["abb"], a="a", b="b"))
    assert set(by_name(found).ravel()) == {"b"}
    assert [(row.label, row.to, row.why) for row in table] == [
        ("x", "b", "the largest of the reference"),
        ("y", "b", "the largest of the reference"),
        ("a", "", "only the reference has it"),
    ]


def test_what_hardly_covers_anything_in_the_reference_counts_as_lacking():
    labels = torch.zeros(40, 40, dtype=torch.long)
    labels[0, 0] = 1
    style = Masks(labels, ("sky", "tree"), ((0, 0, 0), (255, 255, 255)))
    content = masks(["st"], s="sky", t="tree")
    assert merge_orphans(content, style)[0].names == ("sky",)


@quick
@given(seed=st.integers(0, 2**16))
def test_after_merging_all_of_the_content_has_labels_of_the_reference(seed):
    content, style = random_masks(seed, 6, 6, 5), random_masks(seed + 1, 5, 5, 3)
    found, reference, table = merge_orphans(content, style)
    assert set(found.names) <= set(reference.names)
    assert sum(row.share for row in table) == pytest.approx(1)
    target = {row.label: row.to for row in table if row.share > 0}
    assert (np.vectorize(target.get)(by_name(content)) == by_name(found)).all()
