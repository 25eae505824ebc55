"""The pack under load in a real ComfyUI: `python -m benchmarks.load` prints a table, and JSON as its last line.

Prompts of every kind from two clients at once; some are wrong, some are interrupted while they run, and meanwhile a
model file is replaced again and again, by good ones and by broken ones. Afterwards every prompt must have ended as it
should, with its pictures in the history and on disk or with a sentence, and the memory must be where it was. Ends with
1 if anything did not.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil  # type: ignore[import-untyped]
from PIL import Image

from benchmarks.measuring import load_cases
from benchmarks.measuring.load_cases import Case
from benchmarks.measuring.load_drive import Log, drive
from tools.comfyui.client import RunError
from tools.comfyui.server import Server, prepare_base

WARM_UP = 24  # prompts, each kind at least once
SLOPE = 0.2  # MB a prompt, over the last half of them
GROWTH = 60  # MB between the warm-up and the end, both with everything freed: malloc's holes come and go by 45


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--prompts", type=int, default=200, help="how many (default 200)")
    parser.add_argument("--seed", type=int, default=0, help="of what they are and what happens meanwhile (default 0)")
    parser.add_argument("--server", default="", metavar="FLAGS", help="of ComfyUI's own, as in --server=--cache-none")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepare_base(Path(folder))
        load_cases.prepare_inputs(Path(folder) / "input")
        with Server(Path(folder), arguments=arguments.server.split()) as server:
            try:
                return measure(server, arguments.prompts, arguments.seed)
            except (OSError, TimeoutError, RunError) as problem:
                print(server.tail(60), problem, sep="\n", file=sys.stderr)
                return 1


def measure(server: Server, prompts: int, seed: int) -> int:
    server.client.run(load_cases.first().prompt)
    drive(server, load_cases.cases(WARM_UP, seed + 1), seed)
    warm = freed(server)
    started = time.monotonic()
    log = drive(server, load_cases.cases(prompts, seed), seed)
    seconds = time.monotonic() - started
    found, counts = problems(server, log), table(server, log)
    end = freed(server)
    half = np.asarray(log.memory[len(log.memory) // 2 :]) / 2**20
    slope = float(np.polyfit(np.arange(len(half)), half, 1)[0])
    if slope > SLOPE:
        found.append(f"the memory grew by {slope:.2f} MB a prompt")
    if end - warm > GROWTH:
        found.append(f"with everything freed the server held {warm:.0f} MB and now {end:.0f} MB")
    for kind, outcomes in sorted(counts.items()):
        print(f"{kind:<24} {', '.join(f'{number} {outcome}' for outcome, number in sorted(outcomes.items()))}")
    print(
        f"{prompts} prompts in {seconds:.0f} s, {log.interrupts} interrupts, model file replaced {log.replaced} times"
    )
    print(f"memory: {slope:+.3f} MB a prompt over the last half; freed {warm:.0f} MB warm, {end:.0f} MB at the end")
    for problem in found:
        print(f"NOT AS IT SHOULD BE: {problem}")
    summary: dict[str, Any] = {
        "prompts": prompts,
        "seed": seed,
        "seconds": round(seconds),
        "interrupts": log.interrupts,
    }
    summary |= {"replaced": log.replaced, "slope_mb": round(slope, 3), "freed_mb": [round(warm), round(end)]}
    print(json.dumps({**summary, "outcomes": counts, "problems": found, "memory_mb": [m >> 20 for m in log.memory]}))
    return 1 if found else 0


def freed(server: Server) -> float:
    """MB that the server holds with its cache empty and no model loaded."""
    server.client.post("/free", {"unload_models": True, "free_memory": True})
    time.sleep(3)  # it frees between two prompts, at its next look at the queue
    return psutil.Process(server.pid).memory_info().rss / 2**20


def problems(server: Server, log: Log) -> list[str]:
    """Everything that is not as it should be after the load; one sentence each."""
    found = [f"refused at the door: {answer}" for answer in log.refused]
    interrupted = 0
    for prompt_id, case in log.ended.items():
        entry = history(server, prompt_id)
        outcome, sentence = outcome_of(entry)
        interrupted += outcome == "interrupted"
        if outcome == "failed" and not any(words in sentence for words in case.sentences):
            found.append(f"{case.kind}: failed with '{sentence}'")
        if outcome == "failed" and len(sentence.splitlines()) != 1:
            found.append(f"{case.kind}: '{sentence}' is not one sentence")
        if outcome == "done" and case.must_fail:
            found.append(f"{case.kind}: ran, and should have failed with '{case.sentences[0]}'")
        if outcome == "done":
            found += [f"{case.kind}: {what}" for what in missing_pictures(server, case, entry["outputs"])]
    if interrupted > log.interrupts:
        found.append(f"{interrupted} prompts were interrupted by {log.interrupts} interrupts")
    waiting = server.client.get_json("/queue")
    if waiting["queue_running"] or waiting["queue_pending"]:
        found.append("the queue is not empty")
    if not server.is_running() or not server.client.run(load_cases.first().prompt).outputs:
        found.append("the server does not answer any more")
    return found


def history(server: Server, prompt_id: str) -> Mapping[str, Any]:
    return dict(server.client.get_json(f"/history/{prompt_id}"))[prompt_id]


def outcome_of(entry: Mapping[str, Any]) -> tuple[str, str]:
    """("done" or "interrupted", "") or ("failed", the sentence), as the history tells it."""
    messages = dict(entry["status"]["messages"])
    if entry["status"]["completed"]:
        return "done", ""
    if "execution_interrupted" in messages:
        return "interrupted", ""
    return "failed", messages["execution_error"]["exception_message"].strip()


def missing_pictures(server: Server, case: Case, outputs: Mapping[str, Any]) -> list[str]:
    """What the history lacks of a prompt that is done, or the disk of the history."""
    found = []
    for node, number in case.pictures.items():
        images = outputs.get(node, {}).get("images", [])
        if len(images) != number:
            found.append(f"node {node} has {len(images)} pictures in the history, not {number}")
        for image in images:
            path = server.base / image["type"] / image["subfolder"] / image["filename"]
            try:
                with Image.open(path) as picture:
                    picture.load()
            except OSError as problem:
                found.append(f"{path.name} of node {node} cannot be opened: {problem}")
    return found


def table(server: Server, log: Log) -> dict[str, dict[str, int]]:
    """How many prompts of each kind ended how."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for prompt_id, case in log.ended.items():
        counts[case.kind][outcome_of(history(server, prompt_id))[0]] += 1
    return {kind: dict(outcomes) for kind, outcomes in counts.items()}


if __name__ == "__main__":
    sys.exit(main())
