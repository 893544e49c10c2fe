"""The course's pictures: all there, offline, with their credits."""

import pytest

from stylelearn import samples
from stylelearn.images import write_image


@pytest.mark.parametrize("name", samples.content_names())
def test_every_photograph_loads_and_has_a_credit(name):
    image = samples.content(name, size=64)
    assert image.shape[:2] == (1, 3) and min(image.shape[-2:]) == 64
    assert float(image.std()) > 0.05
    credit = samples.credit(name)
    assert credit.title and credit.author and credit.licence and credit.source.startswith("http")
    assert all(part in str(credit) for part in (credit.title, credit.author, credit.licence, credit.source))


def test_unknown_names():
    with pytest.raises(ValueError, match="no content 'astronot'; did you mean 'astronaut'"):
        samples.content("astronot")
    with pytest.raises(ValueError, match="no style 'zzz'; choose from"):
        samples.style("zzz")
    with pytest.raises(ValueError, match="no picture 'zzz'"):
        samples.credit("zzz")


def test_a_package_that_lost_its_pictures(monkeypatch):
    monkeypatch.setitem(samples._FILES, "coffee", "skimage/data/lost.png")
    with pytest.raises(FileNotFoundError, match=r"scikit-image.*data/lost\.png.*pip install"):
        samples.content("coffee")


def test_every_style_loads_and_has_a_credit():
    names = samples.style_names()
    assert len(names) >= 10 and names == sorted(names)
    assert not set(names) & set(samples.content_names())
    for name in names:
        image = samples.style(name)
        assert min(image.shape[-2:]) >= 512, name
        assert samples.credit(name).author == "stylelearn project"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """As if the package lay in tmp_path/NAME/stylelearn."""

    def move(name: str):
        package = tmp_path / name / "stylelearn"
        package.mkdir(parents=True)
        monkeypatch.setattr(samples, "__file__", str(package / "samples.py"))
        return package

    return move


def test_data_of_a_clone_and_of_an_installed_wheel(elsewhere):
    package = elsewhere("clone")
    beside, inside = package.parent / "data", package / "data"
    for data in (beside, inside):  # what is installed inside the package wins
        (data / "styles").mkdir(parents=True)
        write_image(samples.content("coffee", 32), data / "styles" / "ink_waves.jpg")
        assert samples.data_file("styles", "ink_waves.jpg") == data / "styles" / "ink_waves.jpg"
    assert samples.style_names() == ["ink_waves"]
    assert samples.style("ink_waves", 16).shape == (1, 3, 16, 24)
    credit = samples.Credit("Ink waves", "stylelearn project", "CC BY 4.0", "data/styles/ink_waves.jpg")
    assert samples.credit("ink_waves") == credit


def test_data_beside_an_installed_package_is_someone_elses(elsewhere):
    package = elsewhere("site-packages")
    (package.parent / "data" / "styles").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"data/styles.*looked in.*install stylelearn again"):
        samples.data_file("styles")
