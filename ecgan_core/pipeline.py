"""ECGANPipeline: complete a face, shift its emotion, read its emotion.

METHOD in one line: E → prior (mean, std) → z → G(z + z_e, visible features) → composite. A `FaceLatent` keeps all that
the last two steps need, so a shift runs the generator alone.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from diffusers.image_processor import VaeImageProcessor
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.utils import BaseOutput
from PIL import Image
from torch import Tensor, nn

from .emotions.codes import SeparationReport, separation
from .emotions.sets import EmotionSet
from .emotions.vectors import EmotionVector
from .files.latents import FaceLatent
from .networks.discriminator import Discriminator
from .networks.encoder import Encoder
from .networks.generator import Generator, composite
from .unit import unit_tensor
from .words import finite, kind, shown

COUNTABLE = (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.bool, torch.uint8, torch.int64)
# Where version 0.1 had the networks, as the folders that it saved name them in their model_index.json.
MOVED = {f"ecgan_core.{name}": f"ecgan_core.networks.{name}" for name in ("encoder", "generator", "discriminator")}
PARTLY_MISSING = 0.05  # a pixel that is masked by more than this share is missing for the networks


@dataclass
class ECGANOutput(BaseOutput):
    """`images` in the asked-for `output_type`, and the `latent` to shift them by."""

    images: list[Image.Image] | np.ndarray | Tensor
    latent: FaceLatent


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Put a module into evaluation mode and back: batch statistics must not leak from one face into another."""
    was_training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(was_training)


class ECGANPipeline(DiffusionPipeline):
    """The three networks and the names of their emotions.

    Faces are float [B,3,S,S] in −1..1 and holes [B,1,S,S] with 1 = to fill, on any device and in any precision: the
    networks' own decide, and images come back float32.

    Args:
        encoder: E.
        generator: G, which has the recorded emotion codes.
        discriminator: D; its emotion head Q reads emotions.
        emotions: names in the order of the labels.
        neutral: the one of them that is the origin of all vectors.
    """

    encoder: Encoder
    generator: Generator
    discriminator: Discriminator

    def __init__(
        self,
        encoder: Encoder,
        generator: Generator,
        discriminator: Discriminator,
        emotions: list[str] | tuple[str, ...] = (),
        neutral: str = "",
    ):
        # diffusers takes what has no default for a network: hence the two defaults, although both are required
        super().__init__()
        self.emotion_set = EmotionSet(tuple(emotions), neutral)
        if len(self.emotion_set) != len(generator.emotion_codes):
            raise ValueError(
                f"the generator was built for {len(generator.emotion_codes)} emotions but "
                f"{len(self.emotion_set)} are named: {', '.join(emotions)}"
            )
        self.register_modules(encoder=encoder, generator=generator, discriminator=discriminator)
        self.register_to_config(emotions=list(emotions), neutral=neutral)

    @classmethod
    def from_pretrained(cls, *where: Any, **how: Any) -> ECGANPipeline:
        """As in diffusers, but weights are safetensors or nothing: where there are none, diffusers would unpickle."""
        return super().from_pretrained(*where, **how | {"use_safetensors": True})

    @classmethod
    def load_config(cls, *where: Any, **how: Any) -> Any:
        """As in diffusers; a folder saved before the networks moved names them where they are now."""
        config = super().load_config(*where, **how)
        if isinstance(config, dict):
            for name, value in config.items():
                if isinstance(value, list) and len(value) == 2 and value[0] in MOVED:
                    config[name] = [MOVED[value[0]], value[1]]
        return config

    @property
    def frame_size(self) -> int:
        """S, the side of the square that the networks see."""
        return self.encoder.config["image_size"]

    @property
    def fingerprint(self) -> str:
        """12 hex digits that name this model: the same in every file form, precision and device.

        Hashed are the emotions' names and the *signs* of a sample of the generator's weights. Training changes some of
        them at once, and no cast to a lower precision changes any.
        """
        digest = hashlib.sha256("\n".join(self.emotion_set.names).encode())
        weights = [_first_values(p.detach(), 1024) for _, p in sorted(self.generator.named_parameters())]
        signs = torch.signbit(torch.cat(weights))
        digest.update(np.packbits(signs.cpu().numpy()).tobytes())
        return digest.hexdigest()[:12]

    @torch.no_grad()
    def complete(
        self,
        face: Tensor,
        hole: Tensor,
        *,
        emotion: str | None = None,
        strength: float = 1.0,
        seeds: Sequence[int],
        variation: float = 1.0,
        of: Sequence[int] | None = None,
    ) -> FaceLatent:
        """Imagine what is in the hole.

        Args:
            face: [B,3,S,S] in −1..1; what is in the hole does not matter.
            hole: [B,1,S,S]; a pixel above 0 is missing.
            emotion: a name, or None for the one that the visible part suggests.
            strength: 0 is neutral, 1 the emotion as trained; above exaggerates, below 0 goes to its opposite.
            seeds: one for each face. The noise of a face depends on its own seed alone.
            variation: how far samples stray from the likeliest face; 0 gives that one for every seed.
            of: the number of the face that each seed draws, where they are not one each: the samples of a face share
                what is visible, which is looked at once.

        Raises:
            UnknownEmotion: this model has no such emotion.
            ValueError: shapes or the number of seeds do not fit.
        """
        strength, variation = finite("strength", strength), finite("variation", variation)
        face, hole = self._checked(face, hole)
        if of is not None and len(of) != len(seeds):
            raise ValueError(f"each seed needs the number of its face, but there are {len(of)} for {len(seeds)} seeds")
        if of is None and len(seeds) != len(face):
            raise ValueError(f"each face needs its own seed, but there are {len(face)} faces and {len(seeds)} seeds")
        if emotion is None:
            code = self.infer_emotion(face, hole) @ self._codes
        else:
            code = self._codes[self.emotion_set.index(emotion)].expand(len(face), -1)
        code = self._neutral_code + strength * (code - self._neutral_code)

        encoded = self.encoder(self._cast(face * (1 - hole)), self._cast(hole))
        shape = self.encoder.noise_shape
        drawn = torch.stack([torch.randn(shape, generator=torch.Generator("cpu").manual_seed(_seed(s))) for s in seeds])
        noise = self.encoder.noise(drawn.to(self._weight.device))
        seen = FaceLatent(encoded.prior.mean, code, encoded.features, face, hole, self.fingerprint)
        std = encoded.prior.std
        if of is not None:
            seen, std = seen[list(of)], std[list(of)]
        return replace(seen, z=seen.z + variation * std * self._cast(noise))

    @torch.no_grad()
    def decode(self, latent: FaceLatent) -> Tensor:
        """The completed faces [B,3,S,S] float32 in −1..1: exactly the input's outside the hole."""
        self._must_be_ours(latent)
        latent = latent.to(self._weight.device, self._weight.dtype)
        visible = latent.face * (1 - latent.hole)
        code, visible, hole = self._cast(latent.code), self._cast(visible), self._cast(latent.hole)
        [generated] = self.generator(latent.z, code, latent.features, visible, hole, scales=1)
        if not torch.isfinite(generated).all():
            raise ValueError(
                "the model drew no picture but numbers beyond all bounds; use a smaller strength and variation, or "
                "load the model in fp32"
            )
        return composite(latent.face, generated.float(), latent.hole)

    def shift(self, latent: FaceLatent, vector: EmotionVector, strength: float | Sequence[float]) -> FaceLatent:
        """z_e' = z_e + α·v with α = `strength`: towards the emotion, or away from it below 0. At 0 nothing changes.

        Args:
            strength: of all faces, or one for each.

        Raises:
            ValueError: the vector, or the latent, is another model's, or there are not as many strengths as faces.
        """
        if isinstance(strength, Sequence):
            strengths = [finite("strength", each) for each in strength]
        else:
            strengths = [finite("strength", strength)] * len(latent)
        if len(strengths) != len(latent):
            raise ValueError(f"each face needs a strength, but there are {len(strengths)} for {len(latent)} faces")
        self._must_be_ours(latent)
        self.must_fit(vector)
        if not any(strengths):
            return replace(latent)
        by = torch.tensor(strengths).to(latent.code)[:, None]
        return replace(latent, code=latent.code + by * vector.direction.to(latent.code))

    def must_fit(self, vector: EmotionVector) -> None:
        """Raise ValueError if the vector belongs to another model."""
        if vector.model != self.fingerprint:
            raise ValueError(
                f"the emotion vector {vector.name!r} belongs to another model ({vector.model or 'unknown'}, this one "
                f"is {self.fingerprint}); build or load the vector with this model"
            )

    @torch.no_grad()
    def infer_emotion(self, face: Tensor, hole: Tensor | None = None) -> Tensor:
        """Probabilities [B,m] float32 of each emotion, from the part of the faces [B,3,S,S] that is not in the hole."""
        face, hole = self._checked(face, hole)
        with evaluating(self.discriminator):
            logits = self.discriminator.emotion_logits(self._cast(face * (1 - hole)), self._cast(hole))
        if not torch.isfinite(logits).all():
            raise ValueError(
                "the model reads no emotion but numbers beyond all bounds; load it in fp32, or another one"
            )
        return logits.float().softmax(dim=-1)

    def vector(self, name: str) -> EmotionVector:
        """v_i = z_e^i − z_e^neutral, from the codes recorded in training; raises `UnknownEmotion`."""
        direction = self._codes[self.emotion_set.index(name)] - self._neutral_code
        return EmotionVector(name, direction, self.fingerprint)

    def build_vector(
        self, name: str, faces: Tensor, neutral_faces: Tensor | None = None
    ) -> tuple[EmotionVector, SeparationReport]:
        """The vector from neutral faces to `faces` (both [B,3,S,S] in −1..1), and how well it tells them apart.

        A face's code is the mix of recorded codes that the emotion head reads from it, so an emotion that was never
        trained becomes a blend of those that were. Without neutral faces the model's own neutral is the origin.
        """
        if isinstance(faces, Tensor) and not faces.numel():
            raise ValueError(f"the emotion vector {shown(name)} needs at least one picture of the emotion")
        codes = self.infer_emotion(faces) @ self._codes
        if neutral_faces is None or not len(neutral_faces):
            neutral_codes = self._neutral_code[None]
        else:
            neutral_codes = self.infer_emotion(neutral_faces) @ self._codes
        direction = codes.mean(dim=0) - neutral_codes.mean(dim=0)
        report = separation(codes, neutral_codes, direction)
        if neutral_faces is None or not len(neutral_faces):
            report = replace(report, neutral_count=0)
        return EmotionVector(name, direction, self.fingerprint), report

    @torch.no_grad()
    def __call__(
        self,
        image: Image.Image | np.ndarray | Tensor | Sequence,
        hole: Image.Image | np.ndarray | Tensor | Sequence,
        emotion: str | None = None,
        strength: float = 1.0,
        seed: int = 0,
        samples: int = 1,
        variation: float = 1.0,
        output_type: str = "pil",
    ) -> ECGANOutput:
        """Complete pictures that are a face as a whole; they come back S×S. (`face.portrait` is for faces in pictures.)

        Args:
            image: pictures of any size, as PIL images, arrays [H,W,3] or tensors [B,3,H,W], the latter two in 0..1.
            hole: their holes, white (1) = to fill: PIL images, arrays [H,W] or tensors [B,1,H,W] in 0..1.
            emotion, strength, variation: as in `complete`.
            seed: of the first sample; the next samples have seed + 1, seed + 2 …
            samples: completions of each picture; those of the first picture come first.
            output_type: "pil", "np" ([B,S,S,3] in 0..1) or "pt" ([B,3,S,S] in 0..1).

        Numbers of 8 bits, 0..255, are taken as well.

        Raises:
            ValueError: the picture or the mask is none that can be taken; the text says why.
        """
        if samples < 1:
            raise ValueError(f"there must be at least 1 sample, not {samples}")
        face = 2 * unit_tensor(image, self.frame_size, do_convert_rgb=True) - 1
        soft_hole = unit_tensor(hole, self.frame_size, do_convert_grayscale=True)
        if face.shape[1] != 3:
            raise ValueError(f"the picture has {face.shape[1]} channels; give red, green and blue only")
        if not (soft_hole > PARTLY_MISSING).any():
            raise ValueError("the mask is empty: nothing is white in it, so there is nothing to fill")
        if len(face) != len(soft_hole) and 1 not in (len(face), len(soft_hole)):
            raise ValueError(
                f"{len(face)} pictures and {len(soft_hole)} masks do not pair up; give as many masks as pictures"
            )
        batch = max(len(face), len(soft_hole))
        face = face.expand(batch, -1, -1, -1).repeat_interleave(samples, dim=0)
        missing = (soft_hole > PARTLY_MISSING).float().expand(batch, -1, -1, -1).repeat_interleave(samples, dim=0)
        seeds = [seed + k for _ in range(batch) for k in range(samples)]
        latent = self.complete(face, missing, emotion=emotion, strength=strength, seeds=seeds, variation=variation)
        images = VaeImageProcessor().postprocess(self.decode(latent), output_type=output_type)
        return ECGANOutput(images=images, latent=latent)

    @property
    def _codes(self) -> Tensor:
        return self.generator.emotion_codes.float()

    @property
    def _neutral_code(self) -> Tensor:
        return self._codes[self.emotion_set.index(self.emotion_set.neutral)]

    @property
    def _weight(self) -> Tensor:
        """One of the weights, to see where and in what precision they are: diffusers goes through all of them."""
        return self.generator.latent_in.weight

    def _cast(self, tensor: Tensor) -> Tensor:
        return tensor.to(self._weight.device, self._weight.dtype)

    def _checked(self, face: Tensor, hole: Tensor | None) -> tuple[Tensor, Tensor]:
        """Face and binary hole as float32 on the model's device; raises ValueError if their shapes do not fit."""
        side = self.frame_size
        if hole is None:
            hole = torch.zeros(len(face) if isinstance(face, Tensor) and face.ndim else 1, 1, side, side)
        for what, tensor, channels in (("faces", face, 3), ("holes", hole, 1)):
            if not isinstance(tensor, Tensor):
                raise ValueError(
                    f"this model takes {what} as a tensor [B,{channels},{side},{side}], not {kind(tensor)}"
                )
            if tensor.ndim != 4 or tensor.shape[1:] != (channels, side, side):
                raise ValueError(f"this model takes {what} [B,{channels},{side},{side}], not {list(tensor.shape)}")
            if tensor.dtype not in COUNTABLE or not torch.isfinite(tensor).all():
                raise ValueError(f"the {what} must be finite numbers, in −1..1 (holes: 0..1), but some are not")
        if len(face) != len(hole):
            raise ValueError(f"there must be as many holes as faces, but there are {len(hole)} and {len(face)}")
        device = self._weight.device
        return face.to(device, torch.float32), (hole > 0).to(device, torch.float32)

    def _must_be_ours(self, latent: FaceLatent) -> None:
        if latent.model and latent.model != self.fingerprint:
            raise ValueError(
                f"this latent was made by another model ({latent.model}, this one is {self.fingerprint}); "
                f"use the model that completed the face"
            )
        side, count, channels = self.frame_size, len(latent), self.encoder.config["widths"]
        due = [(count, *self.encoder.latent_shape), (count, self._codes.shape[1]), (count, 3, side, side)]
        due += [(count, 1, side, side)] + [(count, c, side >> i, side >> i) for i, c in enumerate(channels)]
        found = [latent.z, latent.code, latent.face, latent.hole, *latent.features]
        if [tuple(tensor.shape) for tensor in found] != due:
            raise ValueError("this latent has other sizes than the model's; complete the face again with this model")


def _first_values(weight: Tensor, count: int) -> Tensor:
    """The first values of a weight, flattened; without a copy of all of it, as one with channels last would take."""
    rows = weight[: math.ceil(count * len(weight) / weight.numel())] if weight.ndim > 1 else weight
    return rows.flatten()[:count]


def _seed(value: object) -> int:
    """A seed as torch takes it: 64 bits, so that one below 0 or beyond them counts round."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"a seed must be a whole number, but it is {shown(value)}")
    return int(value) % 2**64
