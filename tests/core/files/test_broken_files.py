"""Files that are cut, changed, made up or something else: one sentence each, nothing executed, no memory taken.

`BROKEN` is what was tried on each kind of file: how it is broken, and what the sentence says ("" where any will do).
"""

from __future__ import annotations

import json
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ecgan_core.emotions.vectors import EmotionVector
from ecgan_core.face.frame import Frame
from ecgan_core.face.portrait_latent import PortraitLatent
from ecgan_core.files.checkpoint import inspect_checkpoint, load_checkpoint, save_checkpoint
from ecgan_core.files.latents import FaceLatent
from ecgan_core.files.tensors import BadFile, read_header

LOADERS: dict[str, Callable] = {
    "checkpoint": load_checkpoint,
    "vector": EmotionVector.load,
    "latent": FaceLatent.load,
    "portrait": PortraitLatent.load,
}
FLIPS = {"checkpoint": 60, "vector": 150, "latent": 150, "portrait": 150}  # bits of a header; a checkpoint loads slowly


@pytest.fixture(scope="module")
def whole(pipeline, tmp_path_factory) -> dict[str, Path]:
    """One whole file of each kind."""
    folder = tmp_path_factory.mktemp("whole")
    paths = {kind: folder / f"{kind}.safetensors" for kind in LOADERS}
    save_checkpoint(pipeline, paths["checkpoint"])
    pipeline.vector("joyful").save(paths["vector"])
    hole = torch.zeros(1, 1, 64, 64)
    hole[..., 20:40, 20:40] = 1
    latent = pipeline.complete(torch.zeros(1, 3, 64, 64), hole, seeds=[1])
    latent.save(paths["latent"])
    PortraitLatent(latent, torch.zeros(1, 3, 80, 80), torch.ones(1, 1, 80, 80), (Frame(0, 0, 80),)).save(
        paths["portrait"]
    )
    return paths


def raw(header: bytes, data: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + data


def header_with(content: bytes, change: Callable[[dict], object]) -> bytes:
    """The file once more, with its header's JSON changed and its data left alone."""
    length = int.from_bytes(content[:8], "little")
    entries = json.loads(content[8 : 8 + length])
    change(entries)
    return raw(json.dumps(entries).encode(), content[8 + length :])


def first_tensor(entries: dict) -> dict:
    return next(entry for name, entry in entries.items() if name != "__metadata__")


def set_first(**values):
    return lambda content: header_with(content, lambda entries: first_tensor(entries).update(values))


def grow(content: bytes) -> bytes:
    """Its first tensor claims a terabyte."""
    end = 2**40
    return header_with(
        content, lambda entries: first_tensor(entries).update(shape=[2**38], dtype="F32", data_offsets=[0, end])
    )


def overlap(entries: dict) -> None:
    """A second tensor lies where another lies already."""
    entries["again"] = dict(first_tensor(entries))


def move(entries: dict) -> None:
    """The last tensor lies four bytes farther back."""
    last = max((e for name, e in entries.items() if name != "__metadata__"), key=lambda e: e["data_offsets"][1])
    last["data_offsets"] = [place + 4 for place in last["data_offsets"]]


def twice(content: bytes) -> bytes:
    length = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + length].rstrip()
    return raw(header[:-1] + b',"__metadata__":{}}', content[8 + length :])


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, path: str):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


BROKEN: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda c: b"", "does not begin"),
    "seven bytes": (lambda c: c[:7], "does not begin"),
    "length alone": (lambda c: c[:8], "does not begin"),
    "half a header": (lambda c: c[:40], "its header claims"),
    "no data": (lambda c: c[: 8 + int.from_bytes(c[:8], "little")], "cut short"),
    "last byte gone": (lambda c: c[:-1], "cut short"),
    "one byte more": (lambda c: c + b"\0", "cut short or changed"),
    "twice in a row": (lambda c: c + c, "cut short or changed"),
    "a header of 2^60 bytes": (lambda c: (2**60).to_bytes(8, "little") + c[8:], "does not begin"),
    "a header longer than the file": (lambda c: (len(c)).to_bytes(8, "little") + c[8:], ""),
    "a header of one byte less": (lambda c: (int.from_bytes(c[:8], "little") - 9).to_bytes(8, "little") + c[8:], ""),
    "a tensor of a terabyte": (grow, "cut short or changed"),
    "tensors that overlap": (lambda c: header_with(c, overlap), "overlap"),
    "a gap": (lambda c: header_with(c + b"\0" * 4, move), "leave a gap"),
    "a negative side": (set_first(shape=[-1, -4]), "none can have"),
    "negative offsets": (set_first(data_offsets=[-8, 0]), "none can have"),
    "offsets in reverse": (lambda c: header_with(c, lambda e: first_tensor(e)["data_offsets"].reverse()), ""),
    "sides that multiply to 2^80": (set_first(shape=[2**40, 2**40]), "where its shape asks for"),
    "a side of 2^64": (set_first(shape=[2**64]), "none can have"),
    "a thousand sides": (set_first(shape=[1] * 1000), "none can have"),
    "a broken side": (set_first(shape=[1.5]), "none can have"),
    "a side that is text": (set_first(shape=["3"]), "none can have"),
    "a side that is true": (set_first(shape=[True]), "none can have"),
    "no shape": (lambda c: header_with(c, lambda e: first_tensor(e).pop("shape")), "damaged"),
    "another shape": (set_first(shape=[3]), "where its shape asks for"),
    "an unknown type": (set_first(dtype="F12"), "unknown type"),
    "a type that is a list": (set_first(dtype=[1]), "damaged"),
    "a tensor that is a list": (lambda c: header_with(c, lambda e: e.update(x=[1, 2])), "damaged"),
    "metadata that is a list": (lambda c: header_with(c, lambda e: e.update(__metadata__=["a"])), "damaged"),
    "metadata that is a number": (lambda c: header_with(c, lambda e: e["__metadata__"].update(x=3)), "not text"),
    "metadata in metadata": (lambda c: header_with(c, lambda e: e["__metadata__"].update(x={"y": {}})), "not text"),
    "metadata twice": (twice, "twice"),
    "a header that is a list": (lambda c: raw(b"[1,2,3]", c), "does not begin"),
    "a header in Latin-1": (lambda c: raw(b'{"\xe9":1}'), "damaged"),
    "a header that never ends": (lambda c: raw(b'{"a":' * 50_000), "damaged"),
    "a number without end": (lambda c: raw(b'{"a":' + b"9" * 100_000 + b"}"), "damaged"),
    "NaN for JSON": (lambda c: raw(b'{"a":NaN}'), "damaged"),
    "no tensors": (lambda c: raw(b"{}"), "something else"),
    "something else": (lambda c: raw(b'{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"), "something else"),
    "a picture": (lambda c: b"\x89PNG\r\n\x1a\n" + c, "does not begin"),
    "a page": (lambda c: b"<!DOCTYPE html><title>404</title>" * 9, "does not begin"),
    "a zip archive": (lambda c: b"PK\x03\x04" + c, "zip archive"),
    "zeros": (lambda c: bytes(len(c)), "does not begin"),
    "an archive": (lambda c: b"\x1f\x8b\x08\x00" + c, "does not begin"),
}  # fmt: skip


def refused(kind: str, path: Path) -> str:
    with pytest.raises(BadFile) as refusal:
        LOADERS[kind](path)
    text = str(refusal.value)
    assert "\n" not in text
    assert str(path) in text
    assert len(text) < 700
    return text


@pytest.mark.parametrize("kind", LOADERS)
@pytest.mark.parametrize(("change", "phrase"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_one_sentence(whole, tmp_path, kind, change, phrase):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(change(whole[kind].read_bytes()))
    assert phrase in refused(kind, path)


@pytest.mark.parametrize("kind", LOADERS)
def test_the_files_that_were_broken_are_whole(whole, kind):
    LOADERS[kind](whole[kind])


@pytest.mark.slow
def test_any_bit_flipped_and_any_byte_cut_gives_a_file_or_a_sentence(whole, tmp_path):
    """Never another error; and a number is not another one because a bit of it has flipped."""
    chance, path, refusals = random.Random(0), tmp_path / "flipped.safetensors", 0
    for kind in LOADERS:
        content = whole[kind].read_bytes()
        header = 8 + int.from_bytes(content[:8], "little")
        places = [(i, bit) for i in range(8) for bit in range(8)]
        places += [(chance.randrange(8, header), chance.randrange(8)) for _ in range(FLIPS[kind])]
        places += [(chance.randrange(header, len(content)), chance.randrange(8)) for _ in range(30)]
        for place, bit in places:
            changed = bytearray(content)
            changed[place] ^= 1 << bit
            path.write_bytes(changed)
            try:
                LOADERS[kind](path)
                assert place < header, "a bit of a number"
            except BadFile:
                refusals += 1
        for length in {
            *range(24),
            header - 1,
            header,
            header + 1,
            *(chance.randrange(len(content)) for _ in range(30)),
        }:
            path.write_bytes(content[:length])
            refused(kind, path)
    assert refusals > 200


def unsealed(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """A file's tensors and metadata without the digest, as a program that knows of none would write them."""
    metadata = dict(read_header(path, "a file").metadata)
    del metadata["digest"]
    return load_file(path), metadata


@pytest.mark.parametrize("kind", LOADERS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_are_refused(whole, tmp_path, kind, value):
    tensors, metadata = unsealed(whole[kind])
    name = next(name for name, tensor in tensors.items() if tensor.is_floating_point())
    tensors[name].view(-1)[-1] = value
    save_file(tensors, tmp_path / "spoilt.safetensors", metadata)
    assert "finite" in refused(kind, tmp_path / "spoilt.safetensors")


def test_weights_of_another_type_are_refused(whole, tmp_path):
    tensors, metadata = unsealed(whole["checkpoint"])
    name = "generator.emotion_codes"
    for kind in (torch.int64, torch.bool, torch.float8_e4m3fn):
        save_file(tensors | {name: tensors[name].to(kind)}, tmp_path / "odd.safetensors", metadata)
        assert f"the tensor {name} is of the type" in refused("checkpoint", tmp_path / "odd.safetensors")


FRAMES = [
    *("[]", "{}", "3", "[3]", '[{"x":0}]', "[" * 9999, '[{"x":0,"y":0,"side":1000000000}]'),
    *('[{"x":0,"y":0,"side":0}]', '[{"x":0,"y":0,"side":80,"roll":NaN}]', '[{"x":1e400,"y":0,"side":80}]'),
    '[{"x":0,"y":0,"side":"80"}]',
]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("frames", frames) for frames in FRAMES),
        *(("asked", f'{{"feather": {feather}}}') for feather in ("-1", "9" * 30, '"x"')),
        *(("asked", f'{{"color_match": {share}}}') for share in ("NaN", "Infinity", "2")),
        *(("asked", asked) for asked in ("[]", "7", '{"texture": -1}', '{"beauty": 1}')),
        *(("owners", owners) for owners in ("[5]", "7", '["a"]', "[0.0]", "[false]")),
    ],
)
def test_a_portrait_whose_metadata_makes_no_sense_is_refused(whole, tmp_path, key, value):
    tensors, metadata = unsealed(whole["portrait"])
    save_file(tensors, tmp_path / "odd.safetensors", metadata | {key: value})
    assert "damaged" in refused("portrait", tmp_path / "odd.safetensors")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("feather", feather) for feather in ("-1", "9" * 30, "x")),
        *(("color_match", share) for share in ("nan", "inf", "2")),
    ],
)
def test_an_older_portrait_whose_settings_make_no_sense_is_refused(whole, tmp_path, key, value):
    """Formats 1 and 2 say two settings by name."""
    tensors, metadata = unsealed(whole["portrait"])
    older = {name: said for name, said in metadata.items() if name != "asked"} | {"feather": "8", key: value}
    save_file(tensors, tmp_path / "odd.safetensors", older)
    assert "damaged" in refused("portrait", tmp_path / "odd.safetensors")


@pytest.mark.parametrize("kind", LOADERS)
@pytest.mark.parametrize("what", ["missing", "folder", "below a file", "pipe", "device", "long name", "loop"])
def test_what_is_no_file_is_one_sentence(whole, tmp_path, kind, what):
    """A pipe that nobody writes to would be waited for for ever."""
    path = tmp_path / "x.safetensors"
    if what == "folder":
        path.mkdir()
    elif what == "below a file":
        path = whole[kind] / "x.safetensors"
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "device":
        path = Path("/dev/zero")
    elif what == "long name":
        path = tmp_path / ("x" * 300)
    elif what == "loop":
        path.symlink_to(path)
    refused(kind, path)


@pytest.mark.skipif(not hasattr(os, "seteuid") or os.geteuid() != 0, reason="needs rights to give away")
def test_a_file_that_one_may_not_read_is_one_sentence(whole, tmp_path):
    path = tmp_path / "secret.safetensors"
    path.write_bytes(whole["vector"].read_bytes())
    path.chmod(0)
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(folder.stat().st_mode | 0o011)
    os.seteuid(65534)
    try:
        text = refused("vector", path)
    finally:
        os.seteuid(0)
    assert "who may read it" in text


def test_a_pickle_is_never_opened(tmp_path):
    harm, path = tmp_path / "harm", tmp_path / "evil.safetensors"
    torch.save({"x": Bomb(str(harm))}, path)
    for kind in LOADERS:
        refused(kind, path)
    path.write_bytes(pickle.dumps(Bomb(str(harm))))
    for kind in LOADERS:
        refused(kind, path)
        assert not harm.exists()
    pickle.loads(path.read_bytes())  # noqa: S301 - the bomb is a real one
    assert harm.exists()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_header_as_long_as_a_pickle_begins_is_no_pickle(tmp_path, protocol):
    length = int.from_bytes(bytes([0x80, protocol]), "little")
    path = tmp_path / "cut.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + b'{"__metadata__": {')
    for kind in LOADERS:
        assert f"its header claims {length} bytes" in refused(kind, path)


MEASURE = """
import resource, sys
from ecgan_core.files.tensors import BadFile
from ecgan_core.files.checkpoint import load_checkpoint
import ecgan_core.pipeline
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    try:
        load_checkpoint(path)
    except BadFile:
        continue
    sys.exit(f"{path} was loaded")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
def test_what_a_header_claims_takes_no_memory(whole, tmp_path):
    """Claims of a terabyte, in a process that counts its megabytes."""
    content, paths = whole["checkpoint"].read_bytes(), []
    for name in ("a tensor of a terabyte", "sides that multiply to 2^80", "a header of 2^60 bytes"):
        paths.append(tmp_path / f"{name}.safetensors")
        paths[-1].write_bytes(BROKEN[name][0](content))
    paths.append(tmp_path / "widths.safetensors")
    config = json.loads(read_header(whole["checkpoint"], "a file").metadata["config"])
    config["encoder"]["widths"] = [10**5] * 4
    paths[-1].write_bytes(header_with(content, lambda e: e["__metadata__"].update(config=json.dumps(config))))
    answer = subprocess.run([sys.executable, "-c", MEASURE, *map(str, paths)], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert int(answer.stdout) < 200


def test_inspecting_refuses_what_loading_refuses(whole, tmp_path):
    path = tmp_path / "broken.safetensors"
    for change, _ in BROKEN.values():
        path.write_bytes(change(whole["checkpoint"].read_bytes()))
        with pytest.raises(BadFile):
            inspect_checkpoint(path)
