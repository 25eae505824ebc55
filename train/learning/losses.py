"""Every loss of the method as one small function with its equation; `config.LossWeights` says how much each counts.

Symbols are METHOD's: I_g ground truth, M = 1 − hole, z latent, c emotion label, Q the emotion inference network, φ a
feature network. All means are over the batch and the elements, so weights do not depend on sizes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ecgan_core.networks.encoder import DiagonalGaussian

from ..data.light import luminance

ALIKE = 0.04  # of `palette` and `shades`: as far apart as nobody sees, 5 of 255
OPENED = 0.1  # of `shades`: the share of a hole that an expression may darken, as a mouth that opens does
WINDOW, LEAST_ENERGY = 16, 0.004  # of `sharpness`: pixels; and what is as good as none, half of 1 of 255


def kl_divergence(q: DiagonalGaussian, p: DiagonalGaussian) -> Tensor:
    """KL(q ‖ p) of independent normals: ln(σ_p/σ_q) + (σ_q² + (μ_q − μ_p)²) / 2σ_p² − ½. Zero when they are equal."""
    p_std = p.std.float()  # float: a KL in half precision loses what is small
    ratio = (q.std.float() / p_std) ** 2
    return 0.5 * (ratio + ((q.mean.float() - p.mean.float()) / p_std) ** 2 - 1 - ratio.log()).mean()


def hole_prior(like: DiagonalGaussian, hole: Tensor, floor: float = 0.05) -> DiagonalGaussian:
    """N(0, σ²(n)) with σ² = 1 − n for n, the share of observed pixels: the more is missing, the more is open.

    PIC-Net leaves σ²(n) open up to its direction; linear with a floor is our reading.
    """
    variance = hole.mean(dim=(1, 2, 3), keepdim=True).clamp(min=floor).to(like.mean.dtype)
    return DiagonalGaussian(torch.zeros_like(like.mean), variance.sqrt().expand_as(like.mean))


def adversarial_discriminator(real: Tensor, generated: Tensor, hole_weight: Tensor) -> Tensor:
    """Hinge loss of D, E[max(0, 1 − D(I_g))] + E[max(0, 1 + D(I_com))], patches weighted by `hole_weight`."""
    return weighted_mean(F.relu(1 - real), hole_weight) + weighted_mean(F.relu(1 + generated), hole_weight)


def adversarial_generator(generated: Tensor, hole_weight: Tensor) -> Tensor:
    """Hinge loss of G, −E[D(I_com)], patches weighted by `hole_weight`."""
    return -weighted_mean(generated, hole_weight)


def patch_weight(hole: Tensor, patches: Tensor) -> Tensor:
    """How much each patch of D's output counts: its share of the hole, and a tenth where nothing was filled."""
    return 0.1 + 0.9 * F.adaptive_max_pool2d(hole, patches.shape[-2:])


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Σ w·v / Σ w."""
    weight = weight.expand_as(values)
    return (values * weight).sum() / weight.sum().clamp(min=1e-6)


def emotion_cross_entropy(logits: Tensor, label: Tensor, smoothing: float = 0.1) -> Tensor:
    """L_emo as cross-entropy −Σ c_t log ĉ with label [B,m], smoothed so that Q stays humble."""
    return F.cross_entropy(logits.float(), label, label_smoothing=smoothing)


def emotion_l1(logits: Tensor, label: Tensor) -> Tensor:
    """L_emo as the paper prints it, ‖c_t − ĉ‖₁. Learns more slowly (accuracy .16 against .66 in one budget)."""
    return (label - logits.float().softmax(dim=1)).abs().sum(dim=1).mean()


def mutual_information(logits: Tensor, label: Tensor, enough: float = 0.9, weight: Tensor | None = None) -> Tensor:
    """L_MI = −E[log Q(c | G(z, c))], InfoGAN's bound on I(c; G(z, c)) up to the constant entropy of c.

    Zero for items whose emotion Q already reads with probability `enough`: past that point the gradient only teaches
    the generator patterns that please Q. `label` may be soft; Q(c) is then Σ c·Q / max c, which is 1 if Q
    reads nothing but what was asked for most. `weight` [B] is of each item.
    """
    probability = (logits.float().softmax(dim=1) * label).sum(dim=1) / label.amax(dim=1)
    loss = -probability.clamp(min=1e-6).log() * (probability < enough)
    return (loss if weight is None else loss * weight).mean()


def appearance(images: Sequence[Tensor], face: Tensor, weight: Tensor) -> Tensor:
    """L_app = ‖w ⊙ (I_gen − I_g)‖₁ at every output scale, averaged over scales.

    weight [B,1,S,S]: 1 everywhere on the reconstructive path; M on the generative one, plus what the config adds there
    for the hole when the wanted emotion is the face's own.
    """
    total = torch.zeros((), device=face.device)
    for image in images:
        size = image.shape[-1]
        target, share = F.adaptive_avg_pool2d(face, size), F.adaptive_avg_pool2d(weight, size)
        total = total + ((image - target).abs() * share).mean()
    return total / len(images)


def chroma(image: Tensor, face: Tensor, weight: Tensor) -> Tensor:
    """L1 between the colours alone, x − luminance(x); without it, colour fringes appear that no other term sees."""
    difference = (image - luminance(image)) - (face - luminance(face))
    return (difference.abs() * weight).mean()


def palette(image: Tensor, face: Tensor, hole: Tensor) -> Tensor:
    """L_pal = E[max(0, min_j ‖χ_i(I_gen) − χ_j(I_g)‖₂ − ε)] over the hole's pixels i, χ the colour without luminance.

    A pixel may have any colour that the face has somewhere, wherever that is: what another expression shows there is
    not known, but lips, skin, teeth and eyes have the colours that this light gives them. Grey is anybody's.

    Args:
        image, face: [B,3,S,S] in −1..1; the face whole, of which every fourth pixel each way is looked at.
        hole: [B,1,S,S].
    """
    colours, own = ((i - luminance(i)).float() for i in (F.avg_pool2d(image, 2), face[..., 1::4, 1::4]))
    colours, own = colours.flatten(2).mT, own.flatten(2).mT
    own = torch.cat([own, torch.zeros_like(own[:, :1])], dim=1)
    share, nearest = F.avg_pool2d(hole, 2).flatten(1), torch.zeros_like(colours)
    with torch.no_grad():
        for i, inside in enumerate(share > 0):  # most pixels are in no hole, and each is compared with a thousand
            nearest[i, inside] = own[i, torch.cdist(colours[i, inside], own[i]).argmin(dim=1)]
    apart = ((colours - nearest).square().sum(dim=2) + 1e-8).sqrt()
    return weighted_mean(F.relu(apart - ALIKE), share)


def shades(image: Tensor, truth: Tensor, hole: Tensor, known: Tensor) -> Tensor:
    """L_sha: how far a hole's shades and colours are from the truth's, wherever in it: a distance of distributions.

    With F⁻¹(u) the luminance below which a share u of the hole's pixels lies, at half the side: E|F⁻¹_gen − F⁻¹_g|, the
    Wasserstein distance, where the truth is one; and the same of red and of blue without luminance, since the mean of
    all places where lips may be is less red than lips. Of a face that shall wear another expression than its own, the
    truth tells what is skin and what is beard. Expressions move shades and hardly add any, unless a mouth opens, and
    teeth are light: so there E[max(0, F⁻¹_g(u) − F⁻¹_gen(u + `OPENED`) − ε)], of luminance alone.

    Args:
        image, truth: [B,3,S,S] in −1..1.
        hole: [B,1,S,S].
        known: [B], 1 where the truth is one, see `learning.objective.Batch`.
    """
    tones, due = (F.avg_pool2d(_tones(i.float()), 2) for i in (image, truth))
    inside = F.avg_pool2d(hole, 2)[:, 0] > 0.5
    terms = []
    for i, within in enumerate(inside):
        ours, theirs = tones[i][:, within].sort().values, due[i][:, within].sort().values
        count = ours.shape[1]
        free = int(OPENED * count)
        if known[i] == 1:
            terms.append((ours - theirs).abs().sum() / max(1, count))
        else:
            terms.append(F.relu(theirs[0, : count - free] - ours[0, free:] - ALIKE).sum() / max(1, count - free))
    return torch.stack(terms).mean()


def _tones(image: Tensor) -> Tensor:
    """Luminance, and red and blue without it: [B,3,S,S] of an RGB image [B,3,S,S]. Green without it follows."""
    light = luminance(image)
    return torch.cat([light, (image - light)[:, ::2]], dim=1)


def nearer(due: Tensor, image: Tensor, truth: Tensor, hole: Tensor, known: Tensor) -> Tensor:
    """[B,1,1,1]: 1 where the teacher's picture I_due is nearer to the truth than I_gen, else 0.

    Nearer is what has the smaller L1 at half the side, in the hole. Where the truth is not known, or not of the
    strength that was asked for, the teacher is all there is, and has 1.

    Args:
        due, image, truth: [B,3,S,S].
        hole: [B,1,S,S].
        known: [B], 1 where the truth is one, see `learning.objective.Batch`.
    """

    def off(picture: Tensor) -> Tensor:
        return (F.avg_pool2d(picture.detach() - truth, 2).abs() * F.avg_pool2d(hole, 2)).mean((1, 2, 3), keepdim=True)

    return ((off(due) < off(image)) | (known[:, None, None, None] < 1)).to(due)


def mirrored(image: Tensor, due: Tensor, weight: Tensor) -> Tensor:
    """L_mir = ‖w ⊙ (I_gen − I_due)‖₁ at half the side: a mean of two faces is soft, and no more than its shape is due.

    Args:
        image, due: [B,3,S,S].
        weight: [B,1,S,S], of each pixel.
    """
    return (F.avg_pool2d(image - due, 2).abs() * F.avg_pool2d(weight, 2)).mean()


def perceptual(features: Sequence[Tensor], target: Sequence[Tensor], keep: Tensor | None = None) -> Tensor:
    """L_per = Σ_l ‖φ_l(I_gen) − φ_l(I_g)‖² over feature maps normalised along their channels (as in LPIPS).

    keep [B]: weight of each item; 0 leaves out an item whose ground truth wears another emotion than was asked for.
    """
    total = torch.zeros((), device=target[0].device)
    for difference in feature_differences(features, target):
        distance = difference.mean(dim=(1, 2))
        total = total + (distance if keep is None else distance * keep).mean()
    return total


def perceptual_l1(features: Sequence[Tensor], target: Sequence[Tensor], keep: Tensor | None = None) -> Tensor:
    """L_per as the paper prints it, Σ_l ‖φ_l(I_gen) − φ_l(I_g)‖₁, each level's mean; keep as in `perceptual`."""
    total = torch.zeros((), device=target[0].device)
    for a, b in zip(features, target, strict=True):
        distance = (a.float() - b.float()).abs().mean(dim=(1, 2, 3))
        total = total + (distance if keep is None else distance * keep).mean()
    return total


def window_weight(hole: Tensor, keep: Tensor) -> Tensor:
    """How much each window of `sharpness` counts: by its share of the hole [B,1,S,S], and by its item's keep [B]."""
    return F.avg_pool2d(hole, WINDOW, WINDOW // 2) * keep[:, None, None, None]


def sharpness(images: Tensor, truths: Tensor, weight: Tensor) -> Tensor:
    """L_sharp = E[|r_1| + max(0, r_2)] / 2 with r_i = log (e_i(I_gen) + ε) / (e_i(I_g) + ε), at two scales.

    e_1 and e_2 are the r.m.s. in a window of the gradient along the window's main direction and across it (square roots
    of the eigenvalues of its structure tensor). Along it as much is asked for as the truth has thereabouts, not the
    same: where an edge will be cannot be known exactly, and a mean of all places that it may be at is blur. Across it
    no more than the truth has: asked for as much there as well, an edge gets beads.

    Args:
        images, truths: [B,3,S,S] in −1..1.
        weight: of each window, see `window_weight`.
    """
    grey, of_truth = luminance(images.float()), luminance(truths.float())
    terms = []
    for apart in (1, 2):
        along, across = (
            ((energy + LEAST_ENERGY) / (due + LEAST_ENERGY)).log()
            for energy, due in zip(_contrasts(grey, apart), _contrasts(of_truth, apart), strict=True)
        )
        terms += [along.abs(), across.relu()]
    return weighted_mean(torch.cat(terms, dim=1), weight)


def _contrasts(faces: Tensor, apart: int) -> tuple[Tensor, Tensor]:
    """e_1 and e_2 of `sharpness`, [B,1,h,w] each, of grey faces [B,1,S,S]; differences are of pixels 2 · apart away."""
    smooth, slope = (torch.tensor(taps, device=faces.device) for taps in ([0.25, 0.5, 0.25], [-0.5, 0.0, 0.5]))
    kernels = torch.stack([torch.outer(smooth, slope), torch.outer(slope, smooth)])[:, None]
    x, y = F.conv2d(F.pad(faces, (apart,) * 4, mode="replicate"), kernels, dilation=apart).split(1, dim=1)
    xx, yy, xy = F.avg_pool2d(torch.cat([x * x, y * y, x * y], dim=1), WINDOW, WINDOW // 2).split(1, dim=1)
    half = (((xx - yy) / 2).square() + xy.square() + 1e-12).sqrt()
    mean = (xx + yy) / 2
    return (mean + half).sqrt(), (mean - half).clamp(min=1e-8).sqrt()


def feature_differences(features: Sequence[Tensor], others: Sequence[Tensor]) -> list[Tensor]:
    """‖φ_l(a) − φ_l(b)‖² at every place, float32 [B,H_l,W_l] each, of maps normalised along their channels.

    Written as 2 − 2 cos: three sums over the channels, and none of the four full-size maps that normalising makes.
    """
    return [_squared_distance(a.float(), b.float()) for a, b in zip(features, others, strict=True)]


def _squared_distance(a: Tensor, b: Tensor) -> Tensor:
    squares = a.square().sum(1) * b.square().sum(1)
    return 2 - 2 * (a * b).sum(1) * squares.clamp(min=1e-12).rsqrt()


def diversity(
    one: Sequence[Tensor], other: Sequence[Tensor], real: Sequence[Tensor], hole: Tensor, share: float = 0.2
) -> Tensor:
    """L_div = E[max(0, share − d(I_1, I_2) / d̄)]: two samples of one hole shall differ, but need not differ by much.

    d is the distance of feature maps inside the hole, d̄ its mean between the batch's real faces, each and the next: so
    `share` is a share of how far people differ. In the manner of mode-seeking GANs (Mao et al. 2019), with an end.

    Args:
        one, other: φ of two completions of the same holes with different z.
        real: φ of the ground truths.
        hole: [B,1,S,S].
    """

    def distance(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
        total = torch.zeros(len(hole), device=hole.device)
        for difference in feature_differences(a, b):
            inside = F.adaptive_avg_pool2d(hole, (difference.shape[1], difference.shape[2]))[:, 0]
            total = total + (difference * inside).sum(dim=(1, 2)) / inside.sum(dim=(1, 2)).clamp(min=1e-6)
        return total

    between_people = distance(real, [r.roll(1, dims=0) for r in real]).mean().detach()
    return F.relu(share - distance(one, other) / between_people.clamp(min=1e-6)).mean()
