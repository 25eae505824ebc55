"""Each loss against a value worked out by hand."""

import math

import pytest
import torch
import torch.nn.functional as F

from ecgan_core.networks.encoder import DiagonalGaussian
from train.data.light import luminance
from train.learning import losses


def gaussian(mean, std):
    return DiagonalGaussian(torch.tensor([mean]), torch.tensor([std]))


def test_kl_of_two_normals():
    # KL(N(1, 2²) ‖ N(0, 1)) = ln(1/2) + (4 + 1)/2 − 1/2
    assert losses.kl_divergence(gaussian(1.0, 2.0), gaussian(0.0, 1.0)).item() == pytest.approx(math.log(0.5) + 2.0)
    assert losses.kl_divergence(gaussian(0.3, 0.7), gaussian(0.3, 0.7)).item() == pytest.approx(0.0, abs=1e-6)


def test_hole_prior_opens_with_the_missing_share():
    hole = torch.zeros(1, 1, 4, 4)
    hole[..., :2, :] = 1
    like = DiagonalGaussian(torch.ones(1, 2, 2, 2), torch.ones(1, 2, 2, 2))
    prior = losses.hole_prior(like, hole)
    assert prior.mean.eq(0).all()
    assert prior.std.flatten().tolist() == pytest.approx([math.sqrt(0.5)] * 8)


def test_hinge_losses():
    real, generated = torch.tensor([[[[2.0, 0.5]]]]), torch.tensor([[[[-2.0, 0.5]]]])
    even = torch.ones(1, 1, 1, 2)
    assert losses.adversarial_discriminator(real, generated, even).item() == pytest.approx((0 + 0.5 + 0 + 1.5) / 2)
    assert losses.adversarial_generator(generated, even).item() == pytest.approx(0.75)
    only_second = torch.tensor([[[[0.0, 1.0]]]])
    assert losses.adversarial_generator(generated, only_second).item() == pytest.approx(-0.5)


def test_patch_weight_counts_patches_that_touch_the_hole():
    hole = torch.zeros(1, 1, 8, 8)
    hole[..., 0, 0] = 1
    weight = losses.patch_weight(hole, torch.zeros(1, 1, 2, 2))
    assert weight.flatten().tolist() == pytest.approx([1.0, 0.1, 0.1, 0.1])


def test_emotion_losses():
    logits, label = torch.log(torch.tensor([[0.7, 0.2, 0.1]])), torch.tensor([[1.0, 0.0, 0.0]])
    assert losses.emotion_cross_entropy(logits, label, smoothing=0).item() == pytest.approx(-math.log(0.7))
    smoothed = -(0.8 * math.log(0.7) + 0.1 * math.log(0.2) + 0.1 * math.log(0.1))
    assert losses.emotion_cross_entropy(logits, label, smoothing=0.3).item() == pytest.approx(smoothed)
    assert losses.emotion_l1(logits, label).item() == pytest.approx(0.3 + 0.2 + 0.1)


def test_mutual_information_of_a_mixture_stops_where_q_reads_nothing_else():
    logits, half = torch.tensor([[0.7, 0.25, 0.05], [0.2, 0.2, 0.6]]).log(), torch.tensor([[0.5, 0.5, 0.0]] * 2)
    assert losses.mutual_information(logits, half, enough=0.9).item() == pytest.approx(-math.log(0.4) / 2)


def test_mutual_information_stops_where_q_is_sure():
    logits = torch.log(torch.tensor([[0.5, 0.5], [0.95, 0.05]]))
    label = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert losses.mutual_information(logits, label, enough=0.9).item() == pytest.approx(-math.log(0.5) / 2)
    assert losses.mutual_information(logits, label, enough=1.0).item() == pytest.approx(-math.log(0.5 * 0.95) / 2)


def test_mutual_information_counts_each_item_by_its_weight():
    logits, label = torch.tensor([[0.5, 0.5], [0.2, 0.8]]).log(), torch.tensor([[1.0, 0.0]] * 2)
    weight = torch.tensor([1.0, 3.0])
    expected = -(math.log(0.5) + 3 * math.log(0.2)) / 2
    assert losses.mutual_information(logits, label, weight=weight).item() == pytest.approx(expected)


def test_appearance_at_every_scale_and_only_where_it_counts():
    face, weight = torch.zeros(1, 3, 4, 4), torch.ones(1, 1, 4, 4)
    images = [torch.full((1, 3, 2, 2), 0.5), torch.full((1, 3, 4, 4), 0.25)]
    assert losses.appearance(images, face, weight).item() == pytest.approx((0.5 + 0.25) / 2)
    weight[..., :2, :] = 0
    assert losses.appearance(images, face, weight).item() == pytest.approx((0.25 + 0.125) / 2)


def test_chroma_sees_colour_and_not_brightness():
    face, weight = torch.zeros(1, 3, 2, 2), torch.ones(1, 1, 2, 2)
    assert losses.chroma(face + 0.5, face, weight).item() == pytest.approx(0, abs=1e-6)
    red = face.clone()
    red[:, 0] = 1.0  # luminance .299: differences .701, −.299, −.299
    assert losses.chroma(red, face, weight).item() == pytest.approx((0.701 + 0.299 * 2) / 3, rel=1e-5)


def test_palette_lets_a_pixel_have_any_colour_of_the_face_and_no_other():
    face, hole = torch.full((1, 3, 32, 32), 0.5), torch.zeros(1, 1, 32, 32)
    face[:, 1:, :8] = 0  # a red part, far from the hole
    hole[..., 16:, :] = 1
    assert losses.palette(face, face, hole).item() == 0
    elsewhere, grey, green = face.clone(), face.clone(), face.clone()
    elsewhere[..., 16:, :] = face[:, :, :1, :1]
    grey[..., 16:, :] = -0.9
    green[:, 1, 16:] += 0.5  # luminance .587 of it: differences −.2935, .2065, −.2935
    assert losses.palette(elsewhere, face, hole).item() == 0
    assert losses.palette(grey, face, hole).item() == 0
    expected = math.hypot(0.2935, 0.2065, 0.2935) - losses.ALIKE
    assert losses.palette(green, face, hole).item() == pytest.approx(expected, abs=1e-3)
    assert losses.palette(green, face, 1 - hole).item() == 0


def test_shades_are_as_many_as_the_truths_wherever_they_lie():
    truth, hole, known = torch.zeros(1, 3, 32, 32), torch.zeros(1, 1, 32, 32), torch.ones(1)
    hole[..., 16:, :] = 1
    truth[..., 16:20, :] = -0.5  # a quarter of the hole is dark
    elsewhere = truth.flip(-2).roll(16, dims=-2)
    assert losses.shades(elsewhere, truth, hole, known).item() == pytest.approx(0, abs=1e-6)
    light = torch.where(truth < 0, 0.0, truth)
    assert losses.shades(light, truth, hole, known).item() == pytest.approx(0.5 / 4, abs=1e-6)
    assert losses.shades(light, truth, 0 * hole, known).item() == 0


def test_shades_have_the_truths_colours_too_wherever_they_lie():
    truth, hole = torch.zeros(1, 3, 32, 32), torch.ones(1, 1, 32, 32)
    red = torch.tensor([0.6, -0.3, -0.03]).view(3, 1, 1)
    red = red - luminance(red[None])[0]
    truth[..., :8, :] = red  # a quarter are lips, as light as skin
    lower, pale = truth.roll(16, dims=-2), truth / 2
    assert losses.shades(lower, truth, hole, torch.ones(1)).item() == pytest.approx(0, abs=1e-6)
    missing = (red[0].abs() + red[2].abs()).item() / 2 / 4
    assert losses.shades(pale, truth, hole, torch.ones(1)).item() == pytest.approx(missing, abs=1e-5)
    assert losses.shades(pale, truth, hole, torch.zeros(1)).item() == 0  # what a smile leaves of lips is not known


def test_another_expression_may_have_lighter_shades_and_few_darker_ones():
    truth, hole, moved = torch.zeros(1, 3, 64, 64), torch.ones(1, 1, 64, 64), torch.zeros(1)
    teeth, opened, bearded = truth.clone(), truth.clone(), truth.clone()
    teeth[..., :16, :] = 0.8
    opened[..., :6, :] = -0.8  # 9 % of it
    bearded[..., :32, :] = -0.8
    assert losses.shades(teeth, truth, hole, moved).item() == 0
    assert losses.shades(opened, truth, hole, moved).item() == 0
    share = (0.5 - losses.OPENED) / (1 - losses.OPENED)
    assert losses.shades(bearded, truth, hole, moved).item() == pytest.approx(share * (0.8 - losses.ALIKE), abs=1e-3)


def test_a_teacher_has_a_say_where_it_is_nearer_to_the_truth_or_that_is_not_known():
    truth, hole = torch.zeros(4, 3, 32, 32), torch.zeros(4, 1, 32, 32)
    hole[..., 16:, :] = 1
    due, image = torch.full_like(truth, 0.1), torch.full_like(truth, 0.2)
    due[1:] = 0.3
    image[..., :16, :] = 1  # outside the hole
    known = torch.tensor([1.0, 1.0, 0.0, 0.5])
    assert losses.nearer(due, image, truth, hole, known).flatten().tolist() == [1, 0, 1, 1]


def test_perceptual_compares_directions_of_feature_vectors():
    a = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1)
    assert losses.perceptual([3 * a], [a]).item() == pytest.approx(0)
    b = torch.tensor([0.0, 1.0]).view(1, 2, 1, 1)
    assert losses.perceptual([a, a], [b, b]).item() == pytest.approx(2 + 2)
    assert losses.perceptual([a], [b], keep=torch.zeros(1)).item() == 0


def test_perceptual_l1_compares_features_as_they_are():
    a, b = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1), torch.tensor([0.0, 3.0]).view(1, 2, 1, 1)
    assert losses.perceptual_l1([3 * a], [a]).item() == pytest.approx(1)
    assert losses.perceptual_l1([a, a], [b, b]).item() == pytest.approx(2 + 2)
    two, others = torch.cat([a, a]), torch.cat([b, 3 * a])
    assert losses.perceptual_l1([two], [others], keep=torch.tensor([0.0, 1.0])).item() == pytest.approx(1 / 2)


def test_sharpness_asks_for_as_much_detail_wherever_it_lies():
    torch.manual_seed(0)
    face, other = (0.2 * torch.randn(1, 3, 64, 64) for _ in range(2))
    hole = torch.zeros(1, 1, 64, 64)
    hole[..., 16:48] = 1
    windows = losses.window_weight(hole, torch.ones(1))
    blurred = torch.where(hole > 0, 0.5 * face, face)
    assert losses.sharpness(face, face, windows).item() == 0
    assert losses.sharpness(other, face, windows).item() < 0.1, "the same detail elsewhere"
    assert 0.4 < 2 * losses.sharpness(blurred, face, windows).item() < math.log(2), "of the main direction alone"
    assert 0.2 < losses.sharpness(2 * face - blurred, face, windows).item() < math.log(1.5), "of both"
    assert losses.sharpness(torch.where(hole > 0, face, 3 * face), face, windows).item() < 0.3, "beside the hole"
    assert losses.sharpness(blurred, face, losses.window_weight(hole, torch.zeros(1))).item() == 0
    flat = torch.zeros(1, 3, 64, 64)
    assert losses.sharpness(flat + 0.001 * other, flat, windows).item() < 0.1, "what nobody sees"


def test_sharpness_takes_no_beads_for_an_edge():
    edges = torch.linspace(-0.3, 0.3, 3)[torch.arange(64) // 8 % 3, None].expand(1, 3, 64, 64)
    blurred = torch.nn.functional.avg_pool2d(edges, 5, stride=1, padding=2, count_include_pad=False)
    beads = 0.1 * torch.cos(torch.arange(64) * 2 * math.pi / 3)
    windows = losses.window_weight(torch.ones(1, 1, 64, 64), torch.ones(1))
    soft, beaded = (losses.sharpness(face, edges, windows).item() for face in (blurred, blurred + beads))
    assert beaded > 2 * soft > 0.2
    assert losses.sharpness(edges, edges + beads, windows).item() < soft / 4, "nor does it ask for them"


def test_diversity_asks_samples_to_differ_inside_the_hole_and_no_further():
    generator = torch.Generator().manual_seed(0)
    real = [torch.randn(4, 8, 16, 16, generator=generator), torch.randn(4, 16, 8, 8, generator=generator)]
    hole = torch.zeros(4, 1, 16, 16)
    hole[..., 4:12, 4:12] = 1
    twice = [m.clone() for m in real]
    assert losses.diversity(real, twice, real, hole, share=0.2) == pytest.approx(0.2)
    people = [m.roll(1, dims=0) for m in real]
    assert losses.diversity(real, people, real, hole, share=0.2) == 0
    changed = []
    for m in real:
        inside = F.adaptive_max_pool2d(hole, m.shape[-2:])
        changed.append(m * inside + m.roll(1, dims=0) * (1 - inside))
    assert losses.diversity(real, changed, real, hole, share=0.2) == pytest.approx(0.2)
