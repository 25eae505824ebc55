"""`export`: from a run's newest state to one shareable checkpoint."""

from __future__ import annotations

from pathlib import Path

from diffusers.training_utils import EMAModel

from ecgan_core.files.checkpoint import load_checkpoint, save_checkpoint
from ecgan_core.networks.generator import Generator
from ecgan_core.pipeline import ECGANPipeline

from .data.light import luminance
from .learning.networks import build_networks, pipeline_of
from .runs.run_folder import config_of, newest_state
from .runs.state import StateError, put_back


def export(run: Path, file: Path, card: str = "", keep: float = 0.0, start: Path | None = None) -> list[str]:
    """Write the EMA weights of the run in folder `run` as the checkpoint `file`, with `card` in it.

    What grown levels add counts as much as the run's `detail_gain` says.

    Args:
        keep: the share, 0 to 1, that the model which the run went on from has in E's and G's weights. A run that
            teaches new faces takes something from those of before; a mean of both models has most of both (WiSE-FT,
            Wortsman et al. 2022).
        start: where that model is, if not where it was when the run began.

    Returns what is wrong with newer states than the one that could be read, a sentence each.

    Raises:
        StateError: the folder holds no run; or `keep` is above 0, and the run went on from no model, from one that is
            not there any more, or from one of other sizes or emotions.
        CheckpointError: the model that it went on from cannot be read.
    """
    state, damaged = newest_state(run)
    config = config_of(state)
    networks = build_networks(config)
    smoothed = [*networks["encoder"].parameters(), *networks["generator"].parameters()]
    ema = EMAModel(smoothed)
    put_back(state, networks, {}, ema)
    ema.copy_to(smoothed)
    origin = state.meta.get("origin", "")
    pipeline = pipeline_of(networks, config)
    amplify_detail(pipeline.generator, config.detail_gain)
    if keep:
        _keep(pipeline, start or Path(config.start_from), keep, run, origin)
    save_checkpoint(pipeline, file, card, origin=origin)
    return [f"{problem}; {file} is made from {state.path.name}" for problem in damaged]


def amplify_detail(generator: Generator, gain: float) -> None:
    """Have the brightness of what the grown levels of G add count `gain` times as much, and their colours as before."""
    for level in generator.detail:
        last = (weights for name, weights in level.named_parameters() if name.startswith("to_rgb."))
        for weights in last:  # [3,…] of a convolution: one set for each colour
            brightness = luminance(weights.data.reshape(1, 3, 1, -1)).reshape(1, *weights.shape[1:])
            weights.data += (gain - 1) * brightness


def must_have_gone_on_from(run: Path, origin: str, start: Path, fingerprint: str) -> None:
    """Raise StateError if the run in `run`, of that origin, went on from another model than the file `start` is now."""
    if fingerprint not in origin:
        raise StateError(
            f"{run} went on from {origin}, and {start} is another model by now ({fingerprint}): to go on from that one "
            "it must be trained anew, in another folder or after this one is removed"
        )


def _keep(pipeline: ECGANPipeline, start: Path, share: float, run: Path, origin: str) -> None:
    """Give E and G of the run in `run` a share of the weights of the model `start`, which it went on from."""
    if not origin:
        raise StateError(f"{run} went on from no model, so that there is nothing to keep of one; leave out keep")
    if not start.is_file():
        raise StateError(f"{run} went on from {start}, of which a share shall be kept, but which is not there any more")
    before = load_checkpoint(start)
    must_have_gone_on_from(run, origin, start, before.fingerprint)
    if before.emotion_set.names != pipeline.emotion_set.names:
        raise StateError(f"{run} has other emotions than {start}: of such a model no share can be kept")
    for own, old in ((pipeline.encoder, before.encoder), (pipeline.generator, before.generator)):
        theirs = dict(old.named_parameters())
        if {key: weight.shape for key, weight in theirs.items()} != {k: w.shape for k, w in own.named_parameters()}:
            raise StateError(f"{run} has networks of other sizes than {start}: of such a model no share can be kept")
        for key, weight in own.named_parameters():
            weight.data.lerp_(theirs[key].data.to(weight.dtype), share)
