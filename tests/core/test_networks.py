"""Shapes and promises of E, G, D and Q."""

import pytest
import torch

from ecgan_core.networks.blocks import VisibleAttention, joined, missing_shares
from ecgan_core.networks.discriminator import Discriminator
from ecgan_core.networks.encoder import Encoder
from ecgan_core.networks.generator import DetailBlock, Generator, composite

WIDTHS = {64: (8, 8, 16, 16), 128: (8, 8, 8, 16, 16), 512: (4, 4, 4, 8, 8, 8, 16)}


def face_and_hole(size, batch=2):
    torch.manual_seed(0)
    hole = torch.zeros(batch, 1, size, size)
    hole[..., size // 2 :, size // 4 : 3 * size // 4] = 1
    return torch.rand(batch, 3, size, size) * 2 - 1, hole


@pytest.mark.parametrize("size", [64, 128, 512])
def test_every_size_encodes_to_8x8_and_generates_three_scales(size):
    face, hole = face_and_hole(size, 1)
    encoder, generator = Encoder(size, WIDTHS[size], 14), Generator(size, WIDTHS[size], 14, 7)
    out = encoder(face * (1 - hole), hole)
    assert out.prior.mean.shape[1:] == encoder.latent_shape == (14, 8, 8)
    seen = out.prior.mean, generator.emotion_codes[:1], out.features, face * (1 - hole), hole
    images = generator(*seen)
    [largest] = generator(*seen, scales=1)
    assert torch.equal(largest, images[-1])
    assert [tuple(i.shape[1:]) for i in images] == [
        (3, size // 4, size // 4),
        (3, size // 2, size // 2),
        (3, size, size),
    ]
    assert all(i.abs().max() <= 1 for i in images)


def test_a_grown_level_draws_no_pattern_that_is_as_fine_as_its_pixels():
    torch.manual_seed(0)
    block = DetailBlock(8, 8, 14)
    torch.nn.init.normal_(block.to_rgb.weight, std=0.02)
    blank, style = torch.zeros(1, 3, 64, 64), torch.randn(1, 14)
    _, drawn = block(torch.randn(1, 8, 64, 64), blank, torch.randn(1, 8, 128, 128), torch.ones(1, 1, 128, 128), style)
    [spectrum] = torch.fft.fft2(drawn).abs().square().mean(dim=1)
    frequency = torch.fft.fftfreq(128).abs()
    as_fine, quarter = frequency > 0.47, (frequency > 0.2) & (frequency < 0.25)
    assert drawn.std() > 0.01
    for across in (spectrum, spectrum.mT):
        assert across[as_fine].mean() < 0.02 * across[quarter].mean()


def test_both_paths_in_one_pass_equal_each_alone():
    face, hole = face_and_hole(64)
    encoder = Encoder(64, WIDTHS[64], 14).eval()
    out, posterior = encoder.both(face, hole)
    torch.testing.assert_close(out.prior.mean, encoder(face * (1 - hole), hole).prior.mean)
    torch.testing.assert_close(posterior.std, encoder.posterior(face).std)


def test_the_encoder_cannot_see_into_the_hole():
    face, hole = face_and_hole(64)
    encoder = Encoder(64, WIDTHS[64], 14)
    other = torch.where(hole > 0, -face, face)
    assert torch.equal(encoder.both(face, hole)[0].prior.mean, encoder.both(other, hole)[0].prior.mean)


def test_noise_varies_as_real_faces_deviate_from_what_is_expected():
    """Its covariance is theirs; what all of them have in common is in no sample."""
    torch.manual_seed(0)
    encoder = Encoder(64, WIDTHS[64], 14, noise_rank=6)
    encoder.deviations.normal_(mean=3.0)
    assert encoder.noise_shape == (6,)
    noise = encoder.noise(torch.randn(20_000, 6)).flatten(1)
    theirs = encoder.deviations.flatten(1).T.cov()
    torch.testing.assert_close(noise.mean(dim=0), torch.zeros(len(theirs)), atol=0.05, rtol=0)
    torch.testing.assert_close(noise.T.cov(), theirs, atol=0.1, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_noise_is_the_same_alone_and_in_any_batch(dtype):
    torch.manual_seed(0)
    encoder = Encoder(64, WIDTHS[64], 64, noise_rank=128)
    encoder.deviations.normal_()
    encoder.to(dtype)
    numbers = torch.randn(33, *encoder.noise_shape)
    alone = torch.cat([encoder.noise(row) for row in numbers.split(1)])
    for together in (2, 4, 8, 33):
        assert torch.equal(encoder.noise(numbers[:together]), alone[:together]), f"{together} at once"


@pytest.mark.parametrize("rank", [1, -1])
def test_noise_needs_faces_that_differ(rank):
    with pytest.raises(ValueError, match="use 0, or 2 and more"):
        Encoder(64, WIDTHS[64], 14, noise_rank=rank)


def test_without_deviations_noise_is_independent():
    encoder = Encoder(64, WIDTHS[64], 14)
    numbers = torch.randn(2, *encoder.noise_shape)
    assert encoder.noise_shape == encoder.latent_shape
    assert torch.equal(encoder.noise(numbers), numbers)
    assert "deviations" not in encoder.state_dict()


def test_attention_copies_nothing_out_of_a_hole_and_nothing_into_the_visible():
    torch.manual_seed(1)
    attention = VisibleAttention(16)
    torch.nn.init.normal_(attention.out.weight)
    x, source = torch.randn(1, 16, 8, 8), torch.randn(1, 16, 8, 8)
    missing = torch.zeros(1, 1, 8, 8)
    missing[..., 4:, :] = 1
    before = attention(x, source, missing)
    assert torch.equal(before[:, :, :4], x[:, :, :4])
    assert not torch.allclose(before[:, :, 4:], x[:, :, 4:])
    attention.norm_source = torch.nn.Identity()  # GroupNorm would let the hole's statistics through
    before, source = attention(x, source, missing), source.clone()
    source[:, :, 4:] += 1.0
    torch.testing.assert_close(attention(x, source, missing), before, atol=0.05, rtol=0.05)


def test_channels_last_draws_the_same_face_and_stays_channels_last():
    torch.manual_seed(2)
    encoder, generator = Encoder(64, WIDTHS[64], 14), Generator(64, WIDTHS[64], 14, 7)
    for parameter in (*encoder.parameters(), *generator.parameters()):  # many branches of a new network are zero
        parameter.data += 0.02 * torch.randn_like(parameter)
    face, hole = face_and_hole(64)
    hole[:, :, 20:41, 10:33] = 1

    def drawn():
        visible = face * (1 - hole)
        out = encoder(visible, hole)
        return out.features, generator(out.prior.mean, generator.emotion_codes[:1], out.features, visible, hole)

    with torch.no_grad():
        _, plain = drawn()
        for network in (encoder, generator):
            network.to(memory_format=torch.channels_last)
        features, images = drawn()
    with_hole = joined(features[0], hole)
    assert torch.equal(with_hole, torch.cat([features[0], hole], dim=1))
    assert all(x.is_contiguous(memory_format=torch.channels_last) for x in (*features, with_hole, *images))
    for image, expected in zip(images, plain, strict=True):
        torch.testing.assert_close(image, expected, atol=1e-5, rtol=1e-4)


def test_the_missing_share_of_a_cell_is_the_mean_of_its_pixels():
    hole = (torch.rand(2, 1, 64, 64) > 0.7).to(torch.bfloat16)
    for share, size in zip(missing_shares(hole, 4), (64, 32, 16, 8), strict=True):
        mean = torch.nn.functional.adaptive_avg_pool2d(hole.float(), size)
        assert torch.equal(share, mean.to(torch.bfloat16))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_wholly_missing_picture_still_gives_numbers(dtype):
    visible, hole = torch.zeros(1, 3, 64, 64, dtype=dtype), torch.ones(1, 1, 64, 64, dtype=dtype)
    encoder, generator = Encoder(64, WIDTHS[64], 14).to(dtype), Generator(64, WIDTHS[64], 14, 7).to(dtype)
    out = encoder(visible, hole)
    image = generator(out.prior.mean, generator.emotion_codes[:1], out.features, visible, hole)[-1]
    assert image.isfinite().all()


def test_composite_keeps_visible_pixels_exactly():
    face, hole = face_and_hole(64)
    hole[..., 40:44, :] = 0.5
    made = composite(face, torch.rand_like(face), hole)
    outside = (hole == 0).expand_as(face)
    assert torch.equal(made[outside], face[outside])
    assert (made != face)[~outside].any()


@pytest.mark.parametrize("shared", [False, True])
def test_q_on_its_own_or_the_shared_trunk(shared):
    face, hole = face_and_hole(64)
    network = Discriminator(64, (8, 16, 16), (8, 8, 16, 16), num_emotions=5, shared_trunk=shared)
    assert network(face, hole).shape == (2, 1, 8, 8)
    logits = network.emotion_logits(face, hole)
    assert logits.shape == (2, 5)
    logits.sum().backward()
    assert all(p.grad is not None for p in network.emotion_head.parameters())
    trunk_learns = network.trunk[0].bias.grad is not None
    assert trunk_learns == shared


def test_sizes_that_cannot_be_are_refused_in_words():
    with pytest.raises(ValueError, match="multiple of 8"):
        Encoder(100, (8, 8, 8, 8), 14)
    with pytest.raises(ValueError, match="at least 7 latent channels"):
        Generator(64, (8, 8, 8, 8), 4, 7)
