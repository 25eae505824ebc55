"""The nodes as ComfyUI's executor calls them, in this process and without a server.

ComfyUI's own modules are real: its folder goes on `sys.path`, and it is told to use the CPU before any of it is
imported. The model is small and its weights are random: what is tested here holds for any weights.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from tools.host import HostError, comfyui_dir

ROOT = Path(__file__).resolve().parents[2]

try:
    COMFYUI = comfyui_dir()
except HostError as problem:
    pytest.skip(str(problem), allow_module_level=True)

EMOTIONS = ("calm", "glad", "grim")  # not the default model's: nothing may depend on those
MODEL = "tiny.safetensors"

# The contract of saved workflows. Ids never change, and a new input goes to the end of its line.
INPUTS = {
    "LoadECGAN": ["model", "precision"],
    "MaskedFaceComplete": [
        *("model", "image", "mask", "emotion", "strength", "seed", "samples", "variation", "face", "feather"),
        "face_box",
    ],
    "EmotionShift": ["model", "latent", "vector", "strength", "emotion"],
    "EmotionVectorBuild": ["model", "images", "neutral_images", "name", "face"],
}
OUTPUTS = {
    "LoadECGAN": ["ECGAN_MODEL"],
    "MaskedFaceComplete": ["IMAGE", "ECGAN_LATENT", "MASK"],
    "EmotionShift": ["IMAGE", "ECGAN_LATENT"],
    "EmotionVectorBuild": ["EMOTION_VECTOR", "STRING"],
}


@pytest.fixture(scope="module")
def comfyui(tmp_path_factory):
    """ComfyUI in this process, on the CPU, with folders of its own; `comfyui.models` is where checkpoints go."""
    path = list(sys.path)
    sys.path.insert(0, str(COMFYUI))  # before our root: both have a `nodes`
    from comfy.cli_args import args

    args.cpu = True
    import folder_paths

    base = tmp_path_factory.mktemp("comfyui")
    folder_paths.models_dir = str(base / "models")
    folder_paths.set_temp_directory(str(base / "temp"))
    (base / "models" / "ecgan").mkdir(parents=True)
    yield SimpleNamespace(models=base / "models" / "ecgan")
    sys.path[:] = path


@pytest.fixture(scope="module")
def pack(comfyui):
    """Our nodes by their ids, loaded the way ComfyUI loads a folder of custom_nodes."""
    return {node.GET_SCHEMA().node_id: node for node in load_pack(ROOT)}


def load_pack(folder: Path) -> list[type]:
    name = str(folder).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    async def nodes():
        return await (await module.comfy_entrypoint()).get_node_list()

    return asyncio.run(nodes())


@pytest.fixture(scope="module")
def tiny(comfyui, pack):
    """The name of a small installed model with random weights, in which every emotion has a visible effect."""
    save_tiny(comfyui.models / MODEL, seed=0)
    return MODEL


def save_tiny(path: Path, seed: int, emotions=EMOTIONS) -> None:
    from ecgan_core import Discriminator, ECGANPipeline, Encoder, Generator, save_checkpoint

    torch.manual_seed(seed)
    shape = {"image_size": 64, "widths": (8, 8, 16, 16)}
    encoder = Encoder(**shape, latent_channels=6)
    generator = Generator(**shape, latent_channels=6, num_emotions=len(emotions))
    discriminator = Discriminator(**shape, num_emotions=len(emotions))
    for network in (encoder, generator, discriminator):
        for parameter in network.parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
    pipeline = ECGANPipeline(encoder, generator, discriminator, emotions=list(emotions), neutral=emotions[0])
    save_checkpoint(pipeline, path, dtype=torch.float32)


def run(node, **inputs):
    """What a node hands on, with its schema's defaults for what is not given, in inference mode as in ComfyUI."""
    for slot in node.define_schema().inputs:
        default = getattr(slot, "default", None)
        if slot.id not in inputs and default is not None:
            inputs[slot.id] = default
    with torch.inference_mode():
        return node.execute(**inputs).result


@pytest.fixture(scope="module")
def model(pack, tiny):
    return run(pack["LoadECGAN"], model=tiny, precision="fp32")[0]


@pytest.fixture
def complete(pack, model):
    """`complete(image, mask, …)` with the node's defaults, the picture taken as the face."""

    def call(image, mask, **inputs):
        return run(pack["MaskedFaceComplete"], model=model, image=image, mask=mask, **{"face": "whole image", **inputs})

    return call


def picture(height=150, width=200, count=1, channels=3, seed=1) -> torch.Tensor:
    """Pictures of 8-bit noise, larger than the model's frame: IMAGE [count,height,width,channels]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, height, width, channels), generator=generator).float() / 255


def hole(height=150, width=200, count=1) -> torch.Tensor:
    """A MASK [count,height,width] with a box to fill, farther right in each."""
    mask = torch.zeros(count, height, width)
    for i in range(count):
        mask[i, height // 3 : 2 * height // 3, width // 4 + 5 * i : width // 2 + 5 * i] = 1
    return mask


# The door ---------------------------------------------------------------------------------------------------------


def test_the_pack_offers_its_nodes_with_the_contract_of_saved_workflows(pack):
    assert {id: [slot.id for slot in node.define_schema().inputs] for id, node in pack.items()} == INPUTS
    assert {id: [slot.io_type for slot in node.define_schema().outputs] for id, node in pack.items()} == OUTPUTS


def test_everything_is_explained_to_the_artist(pack):
    for id, node in pack.items():
        schema = node.define_schema()
        assert schema.category == "ECGAN"
        assert schema.display_name != id
        assert schema.description
        for slot in [*schema.inputs, *schema.outputs]:
            assert slot.tooltip, f"{id}.{slot.id} has no tooltip"
        page = (ROOT / "comfy_ecgan" / "web" / "docs" / f"{id}.md").read_text(encoding="utf-8")
        named = [slot.display_name or slot.id for slot in [*schema.inputs, *schema.outputs]]
        assert [name for name in named if f"**{name}**" not in page] == [], f"missing on the help page of {id}"


PROBE = """
import asyncio, importlib.util, sys
sys.path.insert(0, {comfyui!r})
from comfy.cli_args import args
args.cpu = True
folder = {folder!r}
name = folder.replace(".", "_x_")
spec = importlib.util.spec_from_file_location(name, folder + "/__init__.py")
pack = sys.modules[name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pack)
nodes = asyncio.run(asyncio.run(pack.comfy_entrypoint()).get_node_list())
assert len([node.GET_SCHEMA() for node in nodes]) == 4
import comfy_ecgan, ecgan_core
for package in (comfy_ecgan, ecgan_core):
    assert package.__name__ in ("comfy_ecgan", "ecgan_core")
files = [module.__file__ for module in list(sys.modules.values()) if "ecgan" in (getattr(module, "__file__", "") or "")]
assert len(files) == len(set(files)), "loaded twice: " + str(sorted(files))
print("diffusers" in sys.modules, comfy_ecgan.sockets.__file__, ecgan_core.__file__, sep="|")
print(*sys.path, sep="|")
"""


def probe(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Load the pack from `folder` in a fresh Python that works elsewhere."""
    code = PROBE.format(comfyui=str(COMFYUI), folder=str(folder))
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, cwd=COMFYUI, env=clean | environment)


@pytest.mark.parametrize("name", ["comfy_ecgan", "comfy-ecgan-main", "my faces 2.0"])
def test_it_loads_under_any_folder_name_without_diffusers_and_leaves_sys_path_alone(tmp_path, name):
    folder = tmp_path / name
    folder.symlink_to(ROOT, target_is_directory=True)
    result = probe(folder)
    assert result.returncode == 0, result.stderr
    first, path = result.stdout.splitlines()[-2:]
    assert first.split("|") == [
        "False",
        str(ROOT / "comfy_ecgan" / "sockets.py"),
        str(ROOT / "ecgan_core" / "__init__.py"),
    ]
    assert not {str(ROOT), str(folder)} & set(path.split("|"))


def test_packages_of_ours_that_are_importable_already_stay_the_ones_in_use(tmp_path):
    (tmp_path / "ecgan_core").symlink_to(ROOT / "ecgan_core", target_is_directory=True)  # as pip would install it
    result = probe(ROOT, PYTHONPATH=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-2].split("|")[2] == str(tmp_path / "ecgan_core" / "__init__.py")


def test_the_parent_folder_on_the_path_does_not_make_the_pack_its_own_inner_package(tmp_path):
    (tmp_path / "comfy_ecgan").symlink_to(ROOT, target_is_directory=True)
    result = probe(tmp_path / "comfy_ecgan", PYTHONPATH=str(tmp_path))
    assert result.returncode == 0, result.stderr
    code = "import comfy_ecgan.pictures, ecgan_core; print(comfy_ecgan.pictures.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", code]
    imported = subprocess.run(command, capture_output=True, text=True, cwd=COMFYUI, env=environment)
    assert imported.stdout.strip() == str(ROOT / "comfy_ecgan" / "pictures.py"), imported.stderr


def test_a_foreign_package_of_our_name_is_refused_by_name_and_place(tmp_path):
    (tmp_path / "ecgan_core").mkdir()
    (tmp_path / "ecgan_core" / "__init__.py").touch()
    result = probe(ROOT, PYTHONPATH=str(tmp_path))
    assert result.returncode != 0
    last = result.stderr.splitlines()[-1]
    assert "'ecgan_core'" in last
    assert str(tmp_path) in last


# Loading ----------------------------------------------------------------------------------------------------------


def test_the_combos_offer_what_is_installed(pack, comfyui, tiny):
    from ecgan_core import DEFAULT_CHECKPOINT

    (comfyui.models / "notes.txt").write_text("not a model")
    (comfyui.models / "broken.safetensors").write_bytes(b"\x00" * 40)
    try:
        options = {slot.id: slot.options for slot in pack["LoadECGAN"].define_schema().inputs}["model"]
        emotions = {slot.id: slot for slot in pack["MaskedFaceComplete"].define_schema().inputs}["emotion"]
        shifts = {slot.id: slot for slot in pack["EmotionShift"].define_schema().inputs}["emotion"]
    finally:
        (comfyui.models / "notes.txt").unlink()
        (comfyui.models / "broken.safetensors").unlink()
    assert tiny in options
    assert "notes.txt" not in options
    assert DEFAULT_CHECKPOINT.name in options or not DEFAULT_CHECKPOINT.exists()
    assert emotions.default == "as the face suggests"
    assert set(EMOTIONS) < set(emotions.options)
    assert set(EMOTIONS[1:]) <= set(shifts.options)
    assert EMOTIONS[0] not in shifts.options, "a shift along neutral goes nowhere"


def test_a_replaced_file_is_loaded_again(pack, comfyui):
    path = comfyui.models / "replaced.safetensors"
    save_tiny(path, seed=1)
    first = pack["LoadECGAN"].fingerprint_inputs(model=path.name, precision="auto")
    assert first == pack["LoadECGAN"].fingerprint_inputs(model=path.name, precision="auto")
    os.utime(path, (1, 1))
    assert first != pack["LoadECGAN"].fingerprint_inputs(model=path.name, precision="auto")
    path.unlink()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pickle.dumps({"state_dict": 1}, protocol=2) + b" " * 64, ["pickle"]),
        (b"PK\x03\x04" + b"\x00" * 64, ["zip"]),
        (b"\x02\x00\x00\x00\x00\x00\x00\x00{}", ["not an EC-GAN checkpoint"]),
        ("newer", ["format 9", "update"]),
    ],
    ids=["pickle", "zip", "other safetensors", "newer format"],
)
def test_a_file_that_is_no_checkpoint_is_refused_in_one_sentence(pack, comfyui, content, words):
    path = comfyui.models / "unfit.safetensors"
    if content == "newer":
        from safetensors.torch import save_file

        save_file({"x": torch.zeros(1)}, path, {"ecgan_format": "9"})
    else:
        path.write_bytes(content)
    try:
        with pytest.raises(ValueError, match=r"unfit\.safetensors") as refusal:
            run(pack["LoadECGAN"], model=path.name)
    finally:
        path.unlink()
    assert [word for word in words if word not in str(refusal.value)] == []
    assert "\n" not in str(refusal.value)


def test_a_model_that_is_not_installed_is_named_beside_those_that_are(pack, tiny):
    with pytest.raises(ValueError, match="nowhere") as refusal:
        run(pack["LoadECGAN"], model="../nowhere.safetensors")
    assert tiny in str(refusal.value)


def test_half_precision_completes_and_still_leaves_the_rest_alone(pack, tiny):
    model = run(pack["LoadECGAN"], model=tiny, precision="bf16")[0]
    image, mask = picture(), hole()
    out, _, _ = run(pack["MaskedFaceComplete"], model=model, image=image, mask=mask, face="whole image")
    assert out.dtype == torch.float32
    assert torch.equal(out[mask == 0], image[mask == 0])
    assert not torch.equal(out[mask == 1], image[mask == 1])


def test_comfyui_knows_the_networks_and_can_take_them_back(model, complete):
    import comfy.model_management as memory

    complete(picture(), hole())
    assert any(loaded.model is model.patcher for loaded in memory.current_loaded_models)
    memory.unload_all_models()  # outside of inference mode, as ComfyUI does it
    assert not any(loaded.model is model.patcher for loaded in memory.current_loaded_models)
    complete(picture(), hole())


# Completing -------------------------------------------------------------------------------------------------------


def test_outside_the_hole_every_pixel_is_the_inputs(complete):
    image, mask = picture(300, 260), hole(300, 260)
    kept = image.clone()
    out, _, changed = complete(image, mask)
    assert out.shape == image.shape
    assert torch.equal(out[mask == 0], image[mask == 0])
    assert (out[mask == 1] != image[mask == 1]).float().mean() > 0.9
    assert torch.equal(image, kept), "the input is in ComfyUI's cache and must not change"
    assert changed.shape == mask.shape
    assert (changed[mask == 0] == 0).all()
    different = (out != image).any(dim=-1)
    assert (changed[different] > 0).all()


def test_transparency_stays_as_it_came(complete):
    image, mask = picture(channels=4), hole()
    out, latent, _ = complete(image, mask, samples=2)
    assert out.shape == (2, *image.shape[1:])
    assert torch.equal(out[..., 3], image[..., 3].expand(2, -1, -1))
    assert torch.equal(out[1][mask[0] == 0], image[0][mask[0] == 0])
    assert torch.equal(out[..., :3], complete(image[..., :3], mask, samples=2)[0])
    assert latent.image is out


def test_masks_and_pictures_pair_up(complete):
    one, three = picture(), picture(count=3)
    assert len(complete(three, hole())[0]) == 3
    out, _, changed = complete(one, hole(count=3))
    assert len(out) == len(changed) == 3
    assert not torch.equal(changed[0], changed[2])
    assert len(complete(three, hole(count=3))[0]) == 3
    assert torch.equal(complete(three, hole()[0])[0], complete(three, hole())[0]), "[H,W] is one mask"
    with pytest.raises(ValueError, match=r"3 .*2 "):
        complete(three, hole(count=2))


def test_a_mask_of_the_same_proportions_is_scaled(complete):
    image, small = picture(150, 200), hole(75, 100)
    out, _, changed = complete(image, small)
    assert changed.shape == (1, 150, 200)
    assert torch.equal(out[changed == 0], image[changed == 0])
    assert (changed > 0).any()


def test_samples_differ_and_a_seed_gives_the_same_face_alone_or_among_others(complete):
    image, mask = picture(count=2), hole()
    out, _, _ = complete(image, mask, seed=7, samples=3, variation=2.0)
    assert len(out) == 6
    assert len({tuple(sample[mask[0] == 1].flatten()[:3000].tolist()) for sample in out}) == 6
    assert torch.equal(out[0][mask[0] == 0], image[0][mask[0] == 0])
    assert torch.equal(out[3][mask[0] == 0], image[1][mask[0] == 0]), "samples of one picture stay together"
    alone, _, _ = complete(image[1:], mask, seed=8, samples=1, variation=2.0)
    torch.testing.assert_close(alone[0], out[4], atol=1e-4, rtol=0)
    largest, _, _ = complete(image[:1], mask, seed=2**64 - 1, samples=2)
    torch.testing.assert_close(largest[1], complete(image[:1], mask, seed=0)[0][0], atol=1e-4, rtol=0)


def test_the_emotion_and_its_strength_show(complete):
    image, mask = picture(), hole()
    faces = [complete(image, mask, emotion=name)[0] for name in EMOTIONS]
    assert not torch.equal(faces[0], faces[1])
    assert not torch.equal(faces[1], faces[2])
    assert torch.equal(complete(image, mask, emotion=EMOTIONS[1], strength=0.0)[0], faces[0]), "at 0 it is neutral"


def test_a_face_box_wins_and_one_serves_all(complete):
    image, mask = picture(count=2), hole()
    boxed, _, _ = complete(image, mask, face="auto", face_box="40, 30, 90, 90")
    assert len(boxed) == 2
    assert not torch.equal(boxed, complete(image, mask)[0])
    two, _, _ = complete(image, mask, face="auto", face_box="40, 30, 90, 90\n(40; 30; 90; 90)\n")
    assert torch.equal(two, boxed)
    with pytest.raises(ValueError, match="40, thirty") as refusal:
        complete(image, mask, face_box="40, thirty")
    assert "x, y, width, height" in str(refusal.value)


@pytest.mark.parametrize(
    ("image", "inputs", "words"),
    [
        (picture(), {"mask": None}, ["no mask", "MaskEditor"]),
        (picture(), {"mask": torch.zeros(64, 64)}, ["mask is empty", "MaskEditor"]),
        (picture(), {"mask": torch.zeros(1, 64, 64)}, ["mask is empty", "MaskEditor"]),
        (picture(), {"mask": torch.cat([hole(), 0 * hole()])}, ["mask 2 of 2 is empty"]),
        (picture(), {"mask": hole(200, 150)}, ["150×200", "200×150"]),
        (picture(channels=1), {"mask": hole()}, ["image", "RGB"]),
        (picture(), {"mask": hole(), "emotion": "gladd"}, ["'gladd'", ", ".join(EMOTIONS)]),
        (torch.full((1, 150, 200, 3), 0.5), {"mask": hole(), "face": "auto"}, ["no face", "whole image"]),
        (picture(), {"mask": hole(), "face": "elsewhere"}, ["'elsewhere'", "whole image"]),
        (picture(), {"mask": hole(), "face_box": "0, 0, 20, 20"}, ["mask does not touch the face"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_bad_input_gets_one_sentence(complete, image, inputs, words):
    with pytest.raises(ValueError, match=re.escape(words[0])) as refusal:
        complete(image, **inputs)
    text = str(refusal.value)
    assert [word for word in words if word not in text] == []
    assert "\n" not in text


def test_progress_shows_each_sample_and_cancel_is_heard_between_them(complete):
    import comfy.model_management as memory
    import comfy.utils

    seen = []

    def watch(value, total, preview, node_id=None):
        seen.append((value, total, preview))
        if len(seen) == stop_after:
            memory.interrupt_current_processing()

    comfy.utils.set_progress_bar_global_hook(watch)
    try:
        stop_after = None
        complete(picture(), hole(), samples=3)
        assert [value for value, _, _ in seen] == sorted(value for value, _, _ in seen)
        assert seen[-1][0] == seen[-1][1]
        previews = [preview for _, _, preview in seen if preview]
        assert [(kind, image.size) for kind, image, _ in previews] == [("JPEG", (200, 150))] * 3

        seen.clear()
        stop_after = 3
        with pytest.raises(memory.InterruptProcessingException):
            complete(picture(), hole(), samples=3)
        assert len(seen) == 3
    finally:
        comfy.utils.set_progress_bar_global_hook(None)
        memory.interrupt_current_processing(False)


# Shifting ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def latent(complete):
    return complete(picture(channels=4, count=2), hole(), emotion=EMOTIONS[0])[1]


@pytest.fixture
def shift(pack, model):
    def call(latent, strength, **inputs):
        return run(pack["EmotionShift"], **{"model": model, "latent": latent, "strength": strength, **inputs})

    return call


def test_a_shift_by_0_is_the_same_picture_bit_for_bit(shift, latent):
    out, same = shift(latent, 0.0, emotion=EMOTIONS[1])
    assert out is latent.image, "not drawn again: on a graphics card that could differ in the last bit"
    assert shift(same, 0.0, emotion=EMOTIONS[2])[0] is latent.image


def test_a_shift_moves_the_face_only_and_not_its_input(shift, latent):
    before = latent.image.clone()
    out, moved = shift(latent, 1.0, emotion=EMOTIONS[1])
    inside = hole()[0] == 1
    assert torch.equal(out[:, ~inside], before[:, ~inside])
    assert (out != before).any(dim=-1)[:, inside].float().mean() > 0.9
    assert torch.equal(out[..., 3], before[..., 3])
    assert torch.equal(latent.image, before)
    back, _ = shift(moved, -1.0, emotion=EMOTIONS[1])
    torch.testing.assert_close(back, before, atol=1e-4, rtol=0)


def test_a_full_shift_from_neutral_is_the_emotion_and_shifts_chain(complete, shift, latent):
    glad = complete(picture(channels=4, count=2), hole(), emotion=EMOTIONS[1])[0]
    out, half = shift(latent, 0.5, emotion=EMOTIONS[1])
    assert not torch.equal(out, glad)
    torch.testing.assert_close(shift(half, 0.5, emotion=EMOTIONS[1])[0], glad, atol=1e-4, rtol=0)


def test_a_shift_refuses_what_it_cannot_follow(pack, comfyui, shift, latent):
    with pytest.raises(ValueError, match=", ".join(EMOTIONS)):
        shift(latent, 1.0, emotion="gladd")
    for nothing in (EMOTIONS[0], None, ""):
        with pytest.raises(ValueError, match=", ".join(EMOTIONS[1:])):
            shift(latent, 1.0, emotion=nothing)
    save_tiny(comfyui.models / "other.safetensors", seed=2)
    other = run(pack["LoadECGAN"], model="other.safetensors")[0]
    (comfyui.models / "other.safetensors").unlink()
    for strength in (0.0, 1.0):
        with pytest.raises(ValueError, match="another model"):
            shift(latent, strength, emotion=EMOTIONS[1], model=other)
        with pytest.raises(ValueError, match="'glad' belongs to another model"):
            shift(latent, strength, vector=other.pipeline.vector("glad"))


# Building a vector ------------------------------------------------------------------------------------------------


@pytest.fixture
def build(pack, model):
    def call(images, neutral_images=None, **inputs):
        inputs = {"face": "whole image", "neutral_images": neutral_images, **inputs}
        return run(pack["EmotionVectorBuild"], model=model, images=images, **inputs)

    return call


def test_a_vector_from_pictures_shifts_and_is_explained(build, shift, latent):
    vector, report = build(picture(count=4), picture(90, 70, count=3, channels=4, seed=5), name=" smirk ")
    assert vector.name == "smirk"
    assert vector.direction.abs().sum() > 0
    assert report.startswith("smirk: 4 faces against 3 neutral ones")
    out, _ = shift(latent, 2.0, vector=vector, emotion="not looked at")
    assert not torch.equal(out, latent.image)


def test_without_neutral_pictures_the_models_own_neutral_is_the_origin(build):
    vector, report = build(picture(count=2))
    assert "the model's own neutral" in report
    assert vector.name == "my emotion"


def test_a_vector_needs_a_name_and_a_face_in_each_picture(build):
    with pytest.raises(ValueError, match="name"):
        build(picture(), name="  ")
    with pytest.raises(ValueError, match="picture 1 of 2 of 'images'"):
        build(torch.full((2, 150, 200, 3), 0.5), face="auto")
    with pytest.raises(ValueError, match="'neutral_images'"):
        build(picture(), picture(channels=1))


def test_the_faces_menu_is_the_cores(pack):
    from comfy_ecgan import portraits
    from ecgan_core import portrait

    assert tuple(portraits.FACES) == portrait.FACE_CHOICES
