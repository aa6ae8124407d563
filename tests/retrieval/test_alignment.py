"""A probe is laid over its exemplar to the pixel, whatever the sizes, and in the exemplar's colours."""

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from retrieval.comparing.alignment import _GREY, SIDE, AlignedPair, _between, align, fit_colours, lay_over
from retrieval.comparing.registration import project
from tests.pictures import SIZE, VIEWS, corners_of, painting, photograph, turned, warped

NEARLY = np.array([[1.008, 0.004, 2.0], [-0.003, 0.993, -1.5], [0, 0, 1]])  # what a registration may be off by


def off(found: np.ndarray, truth: np.ndarray, points: np.ndarray) -> float:
    """Return how far apart two homographies take points, at most, in pixels."""
    return float(np.linalg.norm(project(found, points) - project(truth, points), axis=1).max())


def seen_points(truth: np.ndarray, size: tuple[int, int], probe_size: tuple[int, int]) -> np.ndarray:
    """Return those points of a grid on the exemplar that the probe shows."""
    grid = np.stack(np.meshgrid(np.linspace(0, size[0] - 1, 9), np.linspace(0, size[1] - 1, 9)), -1).reshape(-1, 2)
    there = project(truth, grid)
    return grid[((there >= 0) & (there <= np.array(probe_size) - 1)).all(axis=1)]


def residual(found: AlignedPair) -> float:
    """Return the mean difference where the probe is seen, colours fitted, in grey levels."""
    fitted = fit_colours(found.exemplar, found.probe, found.seen)
    return float(np.abs(fitted - found.exemplar)[found.seen].mean())


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("view", VIEWS)
def test_the_true_homography_is_kept_and_the_two_lie_point_on_point(view, mirrored):
    truth, probe_size = VIEWS[view]
    image = painting(1)
    probe = warped(image, truth, probe_size)
    if mirrored:
        probe = ImageOps.mirror(probe)
        truth = np.array([[-1.0, 0, probe_size[0] - 1], [0, 1, 0], [0, 0, 1]]) @ truth
    found = align(photograph(image), photograph(probe), truth)
    assert found.exemplar.shape == found.probe.shape == (SIDE, SIDE, 3) and found.seen.shape == (SIDE, SIDE)
    assert found.exemplar.dtype == found.probe.dtype == np.uint8 and found.seen.dtype == bool
    assert found.homography.dtype == np.float64 and found.homography[2, 2] == 1.0
    assert off(found.homography, truth, seen_points(truth, SIZE, probe_size)) < 0.2
    assert residual(found) < 8  # the least sharp view; a pixel aside it is 12 on the sharpest
    assert found.seen.mean() == pytest.approx(0.37 if view == "a detail" else 1.0, abs=0.02)


@pytest.mark.parametrize("view", VIEWS)
def test_a_slightly_wrong_homography_is_refined(view):
    truth, probe_size = VIEWS[view]
    image, wrong = painting(2), NEARLY @ truth
    found = align(photograph(image), photograph(warped(image, truth, probe_size)), wrong)
    points = seen_points(truth, SIZE, probe_size)
    assert off(found.homography, truth, points) < min(0.5, 0.1 * off(wrong, truth, points))


@pytest.mark.parametrize(("exemplar", "probe"), [(1, 1), (2, 1), (1, 2), (1.5, 3)])
def test_homographies_are_in_full_size_pixels_whatever_was_kept_of_them(exemplar, probe):
    size, probe_size = (1040, 800), (1700, 1300)
    truth = np.array([[1.5, 0.05, 40], [-0.03, 1.4, 60], [1e-5, 0, 1]])
    image = painting(3, size)
    one, other = photograph(image, reduced=exemplar), photograph(warped(image, truth, probe_size), reduced=probe)
    for start in (truth, np.diag([1.004, 0.997, 1.0]) @ truth):
        assert off(align(one, other, start).homography, truth, corners_of(size)) < 1.0  # a third of a pixel kept


def test_a_registration_too_far_off_is_left_as_it_is():
    image, far = painting(4), turned(0, 1, (90, 0))
    assert np.allclose(align(photograph(image), photograph(image), far).homography, far, atol=1e-9)


@pytest.mark.parametrize("colours", [(0, 255), (128, 128), (255, 0)])
def test_flat_pictures_give_the_homography_back(colours):
    truth, probe_size = VIEWS["aslant"]
    one, other = Image.new("RGB", SIZE, (colours[0],) * 3), Image.new("RGB", probe_size, (colours[1],) * 3)
    found = align(photograph(one), photograph(other), truth)
    assert np.allclose(found.homography, truth, atol=1e-9)
    fitted = fit_colours(found.exemplar, found.probe, found.seen)
    assert np.isfinite(fitted).all() and np.abs(fitted - colours[0]).max() < 1
    assert np.allclose(align(photograph(painting(1)), photograph(other), truth).homography, truth, atol=1e-9)


def test_seen_is_what_the_probe_shows_and_nothing_more():
    image = painting(5)
    found = align(photograph(image), photograph(image.crop((130, 0, 390, 200))), turned(0, 1, (-130, 0)))
    wanted = np.zeros((SIDE, SIDE), bool)
    wanted[: SIDE // 2, SIDE // 4 : 3 * SIDE // 4] = True
    assert (found.seen & ~wanted).sum() == 0
    assert found.seen.sum() > 0.98 * wanted.sum()


def test_nothing_seen_is_no_error():
    image = painting(5)
    for reduced in (1, 2):
        beside = align(photograph(image, reduced=reduced), photograph(image), turned(0, 1, (2000, 0)))
        assert not beside.seen.any()
        assert np.array_equal(fit_colours(beside.exemplar, beside.probe, beside.seen), beside.probe)
    _, laid = lay_over(photograph(image), photograph(image), turned(0, 1, (2000, 0)), long_side=200)
    assert (np.asarray(laid) == _GREY).all()


@pytest.mark.parametrize("size", [(64, 64), (64, 48), (800, 100), (100, 800)])
def test_tiny_and_drawn_out_works_are_laid_over(size):
    image, truth = painting(6, size), np.array([[0.7, 0.02, 10], [-0.01, 0.8, 5], [0, 0, 1]])
    one, other = photograph(image), photograph(warped(image, truth, size))
    found = align(one, other, np.diag([1.003, 0.998, 1.0]) @ truth)
    assert off(found.homography, truth, seen_points(truth, size, size)) < 0.4
    target, laid = lay_over(one, other, found.homography, long_side=400)
    assert target.size == laid.size == tuple(round(length * min(1, 400 / max(size))) for length in size)


@pytest.mark.parametrize(("long_side", "size"), [(260, (260, 200)), (520, (520, 400)), (9000, (520, 400))])
def test_what_is_laid_over_is_at_most_so_long_and_grey_where_nothing_is_seen(long_side, size):
    image = painting(7)
    probe = warped(image.crop((0, 0, 260, 400)), turned(0, 2, (0, 0)), (520, 800))
    target, laid = lay_over(photograph(image), photograph(probe), turned(0, 2, (0, 0)), long_side=long_side)
    assert target.size == laid.size == size and target.mode == laid.mode == "RGB"
    half = size[0] // 2
    apart = np.abs(np.asarray(target).astype(float) - np.asarray(laid))
    assert apart[2:-2, 2 : half - 2].mean() < 8
    assert (np.asarray(laid)[:, half + 1 :] == _GREY).all()


def test_a_probe_much_larger_than_the_result_is_averaged_not_sampled():
    """Every pixel of the probe counts: dots finer than the result come out as the tone that they make."""
    dots = np.kron(np.indices((600, 800)).sum(axis=0) % 2 * 255, np.ones((2, 2))).astype(np.uint8)
    other = Image.fromarray(dots).convert("RGB")
    _, laid = lay_over(photograph(painting(8, (800, 600))), photograph(other), turned(0, 2, (0.5, 0.5)), long_side=200)
    found = align(photograph(painting(8)), photograph(other), np.diag([1600 / 520, 1200 / 400, 1.0]))
    inner = found.probe[20:-20, 20:-20].astype(float)
    assert inner.mean() == pytest.approx(127.5, abs=4) and inner.std() < 30  # sampled: 127
    assert laid.size == (200, 150)


def test_the_map_between_sizes_keeps_the_outline():
    onto = _between((300, 200), (520, 520))
    outline = np.array([(-0.5, -0.5), (299.5, 199.5)])
    assert np.allclose(project(onto, outline), [(-0.5, -0.5), (519.5, 519.5)])
    assert np.allclose(onto @ _between((520, 520), (300, 200)), np.eye(3))


# -- colours


def lights(pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Return a picture in other lights, float32, all of them within the range."""
    x, y = np.meshgrid(np.linspace(0, 1, pixels.shape[1]), np.linspace(0, 1, pixels.shape[0]))
    return {
        "as it is": pixels * 1.0,
        "dim": pixels * 0.6,
        "flat": pixels * 0.5 + 90,
        "warm": pixels * np.array([0.9, 0.75, 0.6]) + np.array([20, 5, 0]),
        "from one side": pixels * (1 - 0.4 * x[..., None]),
        "with dark corners": pixels * (1 - 0.7 * ((x - 0.5) ** 2 + (y - 0.5) ** 2))[..., None],
    }


SOFT = np.asarray(painting(9, (SIDE, SIDE)).filter(ImageFilter.GaussianBlur(1))).astype(np.float32)
ALL = np.ones((SIDE, SIDE), bool)


@pytest.mark.parametrize(
    ("light", "most", "unevenly"),
    [
        ("as it is", 1, False),
        ("dim", 1.5, False),
        ("flat", 1.5, False),
        ("warm", 1.5, False),
        ("from one side", 4, True),
        ("with dark corners", 3, True),
    ],
)
def test_other_light_is_taken_away(light, most, unevenly):
    exemplar, probe = SOFT.astype(np.uint8), lights(SOFT)[light].round().astype(np.uint8)
    before, whole, fitted = (
        np.abs(values - exemplar.astype(np.float32)).mean()
        for values in (probe, fit_colours(exemplar, probe, ALL, locally=False), fit_colours(exemplar, probe, ALL))
    )
    assert fitted < most and (light == "as it is" or fitted < 0.3 * before)
    assert (whole > 1.5 * fitted and whole > 4) if unevenly else whole < 1.5  # one gain cannot undo uneven light


def test_only_what_is_seen_counts():
    exemplar, probe = SOFT.astype(np.uint8), (SOFT * 0.7 + 20).astype(np.uint8)
    seen = ALL.copy()
    seen[:, 300:] = False
    covered = probe.copy()
    covered[:, 300:] = (255, 0, 255)
    one, other = (fit_colours(exemplar, image, seen) for image in (probe, covered))
    assert np.array_equal(one[:, :300], other[:, :300])
    assert np.abs(one - exemplar)[seen].mean() < 1.5
    assert one.dtype == np.float32 and one.min() >= 0 and one.max() <= 255


def test_what_was_painted_over_does_not_fade():
    """The fit brings light together, not pictures: a patch of another picture stays another."""
    exemplar, probe = SOFT.astype(np.uint8), (SOFT * 0.8).astype(np.uint8)
    patch = (slice(200, 280), slice(220, 320))
    probe[patch] = np.asarray(painting(10, (100, 80)))
    apart = np.abs(fit_colours(exemplar, probe, ALL) - exemplar).mean(axis=2)
    assert apart[patch].mean() > 25
    apart[patch] = 0
    assert apart.mean() < 4
