"""Puts the load on a server: two clients, interrupts, and a model file that is replaced all the while."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil  # type: ignore[import-untyped]

from benchmarks.measuring.load_cases import MINE, MODELS, Case
from tools.comfyui.server import Server
from tools.host import ROOT

QUEUED = 6  # of each client at a time
SILENCE = 180.0  # seconds without a word after which a prompt counts as stuck


@dataclass
class Log:
    """What happened.

    Attributes:
        ended: prompt id → its case, in the order in which they ended.
        memory: bytes that the server held after each.
        refused: what the server said to prompts that it did not take.
        interrupts: how many were sent, at one prompt or at whatever ran.
        replaced: how often the model file was, one way or the other.
    """

    ended: dict[str, Case] = field(default_factory=dict)
    memory: list[int] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    interrupts: int = 0
    replaced: int = 0


def drive(server: Server, cases: Sequence[Case], seed: int = 0) -> Log:
    """Run all `cases`, half of them by each of two clients; returns when the last one has ended.

    Raises:
        TimeoutError: a client waited for `SILENCE` seconds and heard nothing.
    """
    return asyncio.run(_drive(server, cases, random.Random(seed)))


async def _drive(server: Server, cases: Sequence[Case], dice: random.Random) -> Log:
    log = Log()
    place_mine(server)
    async with aiohttp.ClientSession() as session:
        disturbing = asyncio.create_task(_disturb(server, session, log, dice))
        try:
            await asyncio.gather(*(_client(server, session, cases[half::2], log, dice) for half in (0, 1)))
        finally:
            disturbing.cancel()
            await asyncio.gather(disturbing, return_exceptions=True)
    place_mine(server)
    return log


async def _client(
    server: Server, session: aiohttp.ClientSession, cases: Sequence[Case], log: Log, dice: random.Random
) -> None:
    """Keep `QUEUED` prompts in the queue until all `cases` have ended, and listen as the page does."""
    name, waiting, running = uuid.uuid4().hex, list(cases)[::-1], dict[str, Case]()
    interrupted: set[str] = set()
    process = psutil.Process(server.pid)
    async with session.ws_connect(f"{server.url}/ws?clientId={name}", max_msg_size=0) as socket:
        while waiting or running:
            while waiting and len(running) < QUEUED:
                case = waiting.pop()
                async with session.post(
                    f"{server.url}/prompt", json={"prompt": case.prompt, "client_id": name}
                ) as reply:
                    answer = await reply.json()
                if reply.status == 200:
                    running[answer["prompt_id"]] = case
                else:
                    log.refused.append(f"{case.kind}: {answer}")
            kind, data = await _event(socket)
            prompt_id = data.get("prompt_id", "")
            case_now = running.get(prompt_id)
            if kind == "progress" and case_now and case_now.interrupt and prompt_id not in interrupted:
                interrupted.add(prompt_id)
                await asyncio.sleep(dice.uniform(0, 0.3))
                await _interrupt(server, session, log, {"prompt_id": prompt_id})
            if kind == "executing" and data.get("node") is None and case_now:
                log.ended[prompt_id] = running.pop(prompt_id)
                log.memory.append(process.memory_info().rss)


async def _event(socket: Any) -> tuple[str, dict[str, Any]]:
    message = await socket.receive(SILENCE)
    if message.type == aiohttp.WSMsgType.TEXT:
        event = message.json()
        return event["type"], event.get("data") or {}
    if message.type == aiohttp.WSMsgType.BINARY:
        return "preview", {}
    raise ConnectionError(f"The server closed the connection: {message}")


async def _interrupt(server: Server, session: aiohttp.ClientSession, log: Log, whom: dict[str, str]) -> None:
    log.interrupts += 1
    (await session.post(f"{server.url}/interrupt", json=whom)).close()


# What comes from outside ----------------------------------------------------------------------------------------------


async def _disturb(server: Server, session: aiohttp.ClientSession, log: Log, dice: random.Random) -> None:
    while True:
        await asyncio.sleep(dice.uniform(0.2, 1.5))
        if dice.random() < 0.1:
            await _interrupt(server, session, log, {})  # whatever runs
        else:
            await _replace(mine(server), log.replaced)
            log.replaced += 1


async def _replace(path: Path, turn: int) -> None:
    """Another file in the place of `path`, in one step or written over it; broken every other time."""
    good = (ROOT / "models" / MODELS[turn // 2 % 2]).read_bytes()
    content = good if turn % 2 else (b"broken" * 1000, good[: len(good) // 2], b"")[turn // 2 % 3]
    if turn // 4 % 2:
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(content)
        os.replace(part, path)
        return
    with path.open("wb", buffering=0) as file:
        file.write(content[: len(content) // 2])
        await asyncio.sleep(0.05)
        file.write(content[len(content) // 2 :])


def mine(server: Server) -> Path:
    return server.base / "models" / "ecgan" / MINE


def place_mine(server: Server) -> None:
    mine(server).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "models" / MODELS[0], mine(server))
