"""Each measure against a known answer or an independent implementation."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from ecgan_core.face.holes import region
from train.evaluation import metrics


@pytest.fixture
def pictures():
    generator = torch.Generator().manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.rand(2, 3, 9, 9, generator=generator), size=48, mode="bilinear")
    other = (smooth + 0.1 * torch.randn(2, 3, 48, 48, generator=generator)).clamp(0, 1)
    return 2 * smooth - 1, 2 * other - 1


HOLE = region("mouth", 1, 48, torch.Generator(), jitter=0).expand(2, -1, -1, -1)


def test_only_the_hole_counts():
    a = torch.zeros(2, 3, 48, 48)
    b = torch.where(HOLE > 0, 20 / 127.5, 1.0).expand_as(a)
    assert metrics.l1_in(a, b, HOLE).tolist() == pytest.approx([20, 20], rel=1e-5)
    assert metrics.psnr_in(a, b, HOLE).tolist() == pytest.approx([10 * np.log10(255**2 / 20**2)] * 2, rel=1e-5)
    assert metrics.psnr_in(a, a, HOLE).tolist() == [float("inf")] * 2


def test_ssim_is_scikit_images(pictures):
    a, b = pictures
    ours = metrics.ssim_map(a, b)[..., 5:-5, 5:-5]  # at the edges the two pad differently
    for i in range(2):
        _, theirs = structural_similarity(
            a[i].numpy(), b[i].numpy(), data_range=2, channel_axis=0, full=True, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False,
        )  # fmt: skip
        np.testing.assert_allclose(ours[i], theirs[..., 5:-5, 5:-5], atol=1e-3)
    assert metrics.ssim_in(a, a, HOLE).tolist() == pytest.approx([1, 1], abs=1e-5)


def test_spread_is_the_mean_over_pairs_of_samples():
    samples = [torch.full((1, 3, 48, 48), value / 127.5) for value in (0.0, 10.0, 40.0)]
    assert metrics.spread_in(samples, HOLE[:1]).item() == pytest.approx((10 + 40 + 30) / 3, rel=1e-5)
    assert metrics.spread_in(samples[:1] * 4, HOLE[:1]).item() == 0


def test_frechet_distance_of_known_normal_distributions():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(20_000, 3, generator=generator)
    scale, shift = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 0.0, -2.0])
    y = torch.randn(20_000, 3, generator=generator) * scale + shift
    exact = (shift**2).sum() + ((scale - 1) ** 2).sum()  # of N(0, 1) and N(shift, scale²), independent
    assert metrics.frechet_distance(x, y) == pytest.approx(exact.item(), rel=0.03)
    assert metrics.frechet_distance(x, x) == pytest.approx(0, abs=1e-6)
    few = x[:2]  # fewer than features: the covariances are singular
    assert metrics.frechet_distance(few, few) == pytest.approx(0, abs=1e-5)
