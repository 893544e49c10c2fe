"""Every kind of picture file against values computed by hand; every broken one ends in an ImageError."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageCms, features

from stylelearn import decoding
from stylelearn.images import ImageError, psnr, read_image

quick = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
pixels = hnp.arrays(np.uint8, st.tuples(st.integers(1, 7), st.integers(1, 7), st.just(3)))
STEP = 1 / 255
AVIF = ["AVIF"] if features.check("avif") else []  # not every build of PIL has it


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour: int, raw: bytes, extra: bytes = b"") -> bytes:
    """A PNG written by hand after its specification: `raw` is filter byte + samples for each row."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def saved(picture: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def values(data) -> np.ndarray:
    """What read_image makes of it, as (H, W, 3)."""
    image = read_image(data)
    assert image.dtype == torch.float32 and image.ndim == 4 and image.shape[:2] == (1, 3)
    assert image.is_contiguous()
    return image[0].permute(1, 2, 0).numpy()


def photo(height: int = 48, width: int = 64) -> np.ndarray:
    """A smooth coloured picture that lossy formats keep well."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    return np.stack([x, y, 1 - x], axis=-1)


# ------------------------------------------------------------------------------------------------ the good ones


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
@quick
@given(array=pixels)
def test_lossless_files_give_exactly_their_values(kind, array):
    options = {"lossless": True} if kind == "WEBP" else {}
    assert np.array_equal(values(saved(Image.fromarray(array), kind, **options)), array.astype(np.float32) / 255)


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True})])
def test_a_photo_taken_sideways_is_turned_upright(kind, options):
    """EXIF's orientation 6: the first row of the file is the right side of the scene."""
    array = np.random.default_rng(0).integers(0, 256, (3, 5, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.fromarray(array), kind, exif=exif, **options)
    assert np.array_equal(values(data), np.rot90(array, -1).astype(np.float32) / 255)
    with Image.open(io.BytesIO(data)) as picture:
        assert np.array_equal(values(picture), values(data))


@pytest.mark.skipif(not AVIF, reason="this build of PIL reads no AVIF")
def test_avif():
    data = saved(Image.fromarray(np.uint8(photo() * 255)), "AVIF", quality=95)
    assert psnr(torch.from_numpy(values(data)), torch.from_numpy(photo())) > 30


def test_a_meaningless_orientation_is_ignored():
    exif = Image.Exif()
    exif[0x0112] = 77
    array = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    assert np.array_equal(values(saved(Image.fromarray(array), "PNG", exif=exif)), array.astype(np.float32) / 255)


@quick
@given(rgb=pixels, seed=st.integers(0, 2**16))
def test_alpha_is_laid_on_white(rgb, seed):
    alpha = np.random.default_rng(seed).integers(0, 256, (*rgb.shape[:2], 1), dtype=np.uint8)
    a, colour = alpha / 255, rgb / 255
    expected = colour * a + (1 - a)
    rgba = np.concatenate([rgb, alpha], axis=2)
    assert np.abs(values(saved(Image.fromarray(rgba), "PNG")) - expected).max() < 1.01 * STEP
    assert np.abs(values(rgba) - expected).max() < 1e-6


def test_grey_with_alpha():
    la = Image.fromarray(np.array([[[100, 255], [100, 0], [100, 51]]], np.uint8), "LA")
    expected = np.array([100, 255, 100 * 0.2 + 255 * 0.8])[None, :, None] / 255
    assert np.abs(values(saved(la, "PNG")) - expected).max() < 1.01 * STEP


def test_palette_with_and_without_transparency():
    palette = chunk(b"PLTE", bytes([255, 0, 0, 0, 128, 0]))
    raw = b"\0\0\1"
    assert np.array_equal(values(png(2, 1, 8, 3, raw, palette)) * 255, [[[255, 0, 0], [0, 128, 0]]])
    half = palette + chunk(b"tRNS", bytes([0]))  # the first colour is clear, the second opaque
    assert np.array_equal(values(png(2, 1, 8, 3, raw, half)) * 255, [[[255, 255, 255], [0, 128, 0]]])


def test_low_depths():
    assert np.array_equal(values(png(8, 1, 1, 0, b"\0\xaa"))[0, :, 0], [1, 0, 1, 0, 1, 0, 1, 0])
    assert np.allclose(values(png(4, 1, 2, 0, b"\0\x1b"))[0, :, 1], [0, 1 / 3, 2 / 3, 1])
    keyed = png(8, 1, 1, 0, b"\0\xaa", chunk(b"tRNS", b"\0\0"))  # black is clear
    assert np.array_equal(values(keyed)[0, :, 2], np.ones(8))


def test_deep_grey_keeps_its_sixteen_bits():
    raw = b"\0" + struct.pack(">3H", 0, 1000, 65535)
    assert np.allclose(values(png(3, 1, 16, 0, raw))[0, :, 0], [0, 1000 / 65535, 1], atol=1e-7)
    keyed = png(3, 1, 16, 0, raw, chunk(b"tRNS", struct.pack(">H", 1000)))
    assert np.allclose(values(keyed)[0, :, 0], [0, 1, 1], atol=1e-7)


def test_deep_colour_and_deep_alpha():
    colour = png(1, 1, 16, 2, b"\0" + struct.pack(">3H", 1000, 40000, 65535))
    assert np.abs(values(colour)[0, 0] - np.array([1000, 40000, 65535]) / 65535).max() < STEP
    clear = png(1, 1, 16, 6, b"\0" + struct.pack(">4H", 1000, 40000, 5, 0))
    assert np.array_equal(values(clear)[0, 0], [1, 1, 1])


def test_tiff_of_32_bits():
    levels = np.array([[0, 30000, 65535]], np.int32)
    assert np.allclose(values(saved(Image.fromarray(levels), "TIFF"))[0, :, 0], levels[0] / 65535)
    floats = np.array([[0.0, 0.25, 1.0]], np.float32)
    assert np.allclose(values(saved(Image.fromarray(floats), "TIFF"))[0, :, 0], floats[0])
    with pytest.raises(ImageError, match="deeper than 16 bits"):
        read_image(saved(Image.fromarray(levels * 2), "TIFF"))
    with pytest.raises(ImageError, match="values from 0 to 10"):
        read_image(saved(Image.fromarray(floats * 10), "TIFF"))


def test_a_tiff_in_lab_is_converted():
    rgb = Image.fromarray(np.uint8(photo() * 60 + 100))  # 8 bits of Lab are coarse for stronger colours
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    stored = ImageCms.profileToProfile(rgb, srgb, lab, outputMode="LAB")
    assert np.abs(values(saved(stored, "TIFF")) - np.asarray(rgb) / 255).max() < 4 * STEP


def test_grey_and_cmyk_jpeg():
    grey = np.uint8(photo()[..., 0] * 255)
    data = saved(Image.fromarray(grey), "JPEG", quality=95)
    assert np.abs(values(data) - grey[..., None] / 255).max() < 4 * STEP
    ink = Image.new("CMYK", (16, 16), (0, 255, 51, 51))  # no cyan, all magenta, a fifth of yellow and of black
    expected = np.array([0.8, 0.0, 0.8 * 0.8])
    assert np.abs(values(saved(ink, "JPEG", quality=95)) - expected).max() < 5 * STEP


def test_gif_gives_its_first_frame():
    frames = [Image.new("RGB", (4, 3), colour) for colour in ("red", "lime")]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert np.array_equal(values(data), np.broadcast_to([1, 0, 0], (3, 4, 3)))


@pytest.mark.parametrize("alpha", [False, True])
def test_an_embedded_profile_is_converted(alpha):
    """A profile like sRGB but with red and green exchanged: reading must exchange the channels."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exchanged = srgb.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    array = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    picture = Image.fromarray(array).convert("RGBA") if alpha else Image.fromarray(array)
    assert np.abs(values(saved(picture, "PNG", icc_profile=srgb)) - array / 255).max() < 1.01 * STEP
    result = values(saved(picture, "PNG", icc_profile=exchanged))
    assert np.abs(result - array[:, :, [1, 0, 2]] / 255).max() < 1.01 * STEP


def test_an_unusable_profile_is_ignored():
    array = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    data = saved(Image.fromarray(array), "PNG", icc_profile=b"not a profile")
    assert np.array_equal(values(data), array.astype(np.float32) / 255)


# ------------------------------------------------------------------------------------------- arrays and tensors


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[True, False]]), [1, 0]),
        (np.array([[0, 51]], np.uint8), [0, 0.2]),
        (np.array([[0, 13107]], np.uint16), [0, 0.2]),
        (np.array([[0, 13107]], ">u2"), [0, 0.2]),
        (np.array([[0.5, 1.0]], np.float64), [0.5, 1]),
        (np.array([[0.5, 1.0]], np.float16), [0.5, 1]),
    ],
)
def test_arrays_of_every_kind(array, expected):
    for shaped in (array, array[..., None], np.repeat(array[..., None], 3, axis=2)):
        assert np.allclose(values(shaped), np.array(expected)[None, :, None])


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 2), np.int64), "int64.*astype"),
        (np.zeros((2, 2), complex), "complex128"),
        (np.full((2, 2), 200.0), "from 200 to 200.*255"),
        (np.full((2, 2), -0.5), "from -0.5"),
        (np.full((2, 2), np.nan), "not finite"),
        (np.zeros((3, 5, 7)), r"\(3, 5, 7\).*transpose"),
        (np.zeros((4, 5, 2)), r"\(4, 5, 2\)"),
        (np.zeros(4), r"\(4,\)"),
        (np.zeros((0, 5), np.uint8), "no pixels"),
        (np.zeros((5, 0, 3), np.uint8), "no pixels"),
    ],
)
def test_arrays_that_are_no_pictures(array, message):
    with pytest.raises(ImageError, match=message):
        read_image(array)


def test_tensors():
    image = torch.rand(1, 3, 4, 5)
    copy = read_image(image)
    assert torch.equal(copy, image) and copy.data_ptr() != image.data_ptr()
    assert torch.equal(read_image(image[0]), image)
    for wrong in (torch.rand(2, 3, 4, 4), torch.rand(1, 1, 4, 4), torch.zeros(1, 3, 4, 4, dtype=torch.uint8)):
        with pytest.raises(ImageError, match="tensor has the shape"):
            read_image(wrong)
    with pytest.raises(ImageError, match="values from"):
        read_image(image * 255 + 2)


# -------------------------------------------------------------------------------------------------- the bad ones


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"not a picture at all", r"is not a picture \(it begins with the text 'not a picture at'\)"),
        (b'{"error":"forbidden"}', """the text '{"error":"forbid'"""),
        (bytes(range(200, 220)), "the bytes c8 c9 ca cb cc cd ce cf"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b'\n\n<html lang="en">', "web page"),
        (b'<svg xmlns="http://www.w3.org/2000/svg">', "SVG"),
        (b'<?xml version="1.0"?>' + b"<!-- made by hand -->" * 9 + b"<svg>", "SVG"),
        (b"%PDF-1.7", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "drawing for printers"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\xff\x0a\xfa\x1f", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\0\5\x16\7\0\2\0\0Mac OS X", r"macOS.*without '\._'"),
        (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        (b"\x1aE\xdf\xa3", "a film"),
        (b"FUJIFILMCCD-RAW 0201", "raw file"),
        (b"IIRO\x08\0\0\0", "raw file"),
        (b"II*\0\x08\0\0\0", "perhaps a camera's raw file"),
        (b"\x89PNG\r\n\x1a\n\0\0", "begins like a PNG"),
        (b"\xff\xd8\xff\xe0", "begins like a JPEG"),
        (png(0, 1, 8, 0, b""), "no pixels"),
        (png(1, 0, 8, 0, b""), "no pixels"),
    ],
)
def test_files_that_are_no_pictures(data, message):
    with pytest.raises(ImageError, match=message):
        read_image(data)


HEIC = ["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "mif2", "msf1"]


@pytest.mark.parametrize(
    ("brands", "message"),
    [
        *(([brand], "is a HEIC photo; export it as JPEG") for brand in HEIC),
        (["1234", "mif1", "heix"], "HEIC"),
        (["mif1", "avif", "miaf"], "is an AVIF picture"),
        (["crx ", "isom"], "raw file"),
        (["isom", "avc1"], "is a film; save one of its frames"),
        (["qt  "], "is a film"),
    ],
)
def test_media_files_are_known_by_their_brands(brands, message):
    """ftyp: length, major brand, version, compatible brands; what follows is of no interest."""
    box = b"ftyp" + brands[0].encode() + bytes(4) + "".join(brands[1:]).encode()
    with pytest.raises(ImageError, match=message):
        read_image(struct.pack(">I", len(box) + 4) + box + b"\0\0\0\x08heicavif" * 20)


def test_a_damaged_length_of_a_media_file_costs_no_time():
    data = b"\xff\xff\xff\xffftypavif" + bytes(100)  # the brands would go on for 4 GB
    with pytest.raises(ImageError, match="is an AVIF picture"):
        read_image(data)


def test_the_preview_of_a_raw_photo_is_not_taken_for_the_photo():
    preview = saved(Image.new("RGB", (16, 12)), "TIFF", tiffinfo={254: 1})
    with pytest.raises(ImageError, match="raw file, of which only a small preview"):
        read_image(preview)
    whole = saved(Image.new("RGB", (16, 12)), "TIFF", tiffinfo={254: 0})
    assert read_image(whole).shape == (1, 3, 12, 16)
    canon = bytearray(whole)  # Canon's CR2: the mark stands where TIFF leaves room, behind the header
    first = struct.unpack("<I", whole[4:8])[0]
    canon[8:8] = b"CR\2\0" + bytes(4)
    assert first == 8  # PIL puts the directory there, so that it only moves
    canon[4:8] = struct.pack("<I", 16)
    with pytest.raises(ImageError, match="raw file"):
        read_image(bytes(canon))


def test_a_zero_sized_pil_image():
    with pytest.raises(ImageError, match="no pixels"):
        read_image(Image.new("RGB", (0, 4)))


def test_a_bomb_is_stopped_by_its_header():
    """The pixels behind these headers are rubbish: unpacking them would fail with another message."""
    with pytest.raises(ImageError, match=r"11000 × 10000 = 110\.0 million pixels.*100\.0 million; .*save it as JPEG"):
        read_image(png(10_000, 11_000, 8, 2, b"rubbish"))
    with pytest.raises(ImageError, match=r"10,000\.0 million pixels, more than the limit of 250\.0 million"):
        read_image(png(100_000, 100_000, 8, 2, b"rubbish"))


@quick
@given(height=st.integers(1, 9), width=st.integers(1, 9), spare=st.integers(-3, 3))
def test_the_limits_are_exact(height, width, spare):
    data = saved(Image.new("RGB", (width, height)), "PNG")
    for limit in ("_MAX_DECODED", "_MAX_IN_FILE"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(decoding, limit, height * width + spare)
            if spare >= 0:
                assert read_image(data).shape == (1, 3, height, width)
            else:
                with pytest.raises(ImageError, match="more than the limit"):
                    read_image(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize(("limit", "factor"), [(48 * 64, 1), (48 * 64 - 1, 2), (48 * 64 // 9 + 1, 3), (40, 9)])
def test_large_pictures_are_shrunk_by_a_whole_factor_and_turned_upright(kind, limit, factor, monkeypatch):
    """Against means over squares; JPEG's decoder shrinks by 2, 4 and 8 itself."""
    monkeypatch.setattr(decoding, "MAX_PIXELS", limit)
    factor = {3: 4, 9: 16}.get(factor, factor) if kind == "JPEG" else factor
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.fromarray(np.uint8(photo() * 255)), kind, exif=exif, **{"quality": 95} if kind == "JPEG" else {})
    found = values(data)
    assert found.shape == (-(-64 // factor), -(-48 // factor), 3)
    height, width = 64 // factor, 48 // factor
    whole = np.rot90(photo(), -1)[: height * factor, : width * factor]
    means = whole.reshape(height, factor, width, factor, 3).mean(axis=(1, 3))
    assert np.abs(found[:height, :width] - means).max() < 0.04


@pytest.mark.parametrize(("height", "width"), [(6144, 8160), (12_240, 16_320)])
def test_photos_of_phones_are_not_too_large(height, width):
    """50 and 200 megapixels. Only their header is there; the message is about the missing pixels."""
    small = saved(Image.new("L", (16, 16)), "JPEG")
    size = small.index(b"\xff\xc0") + 5  # in the frame's header: height and width
    with pytest.raises(ImageError, match="broken or cut off"):
        read_image(small[:size] + struct.pack(">2H", height, width) + small[size + 4 : -12])


def test_deep_grey_is_shrunk_in_its_depth(monkeypatch):
    monkeypatch.setattr(decoding, "MAX_PIXELS", 2)
    raw = b"\0" + struct.pack(">2H", 1000, 3000) + b"\0" + struct.pack(">2H", 2000, 2000)
    assert np.allclose(values(png(2, 2, 16, 0, raw)), 2000 / 65535, atol=1e-7)


def test_pil_s_own_limit_stays_for_others():
    before = Image.MAX_IMAGE_PIXELS
    read_image(WHOLE["PNG"])
    with pytest.raises(ImageError):
        read_image(b"nothing")
    assert before == Image.MAX_IMAGE_PIXELS


WHOLE = {
    kind: saved(Image.fromarray(np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)), kind)
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", *AVIF)
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_file_cut_in_half_is_refused(kind):
    data = WHOLE[kind]
    with pytest.raises(ImageError, match=r"broken or cut off|not a picture"):
        read_image(data[: len(data) // 2])


@pytest.mark.filterwarnings("ignore")  # PIL also warns of broken notes inside a file
@pytest.mark.parametrize("kind", WHOLE)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damage_never_ends_in_another_error(kind, data):
    """Cut anywhere, with any few bytes changed: an image in [0, 1], or an ImageError."""
    whole = bytearray(WHOLE[kind])
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, min(len(whole) - 1, 200)))] = data.draw(st.integers(0, 255))
    damaged = bytes(whole[: data.draw(st.integers(1, len(whole)))])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "_MAX_DECODED", 1_000_000)
        try:
            image = read_image(damaged)
        except ImageError:
            return
    assert image.shape[:2] == (1, 3) and float(image.min()) >= 0 and float(image.max()) <= 1
