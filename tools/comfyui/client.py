"""A small client of ComfyUI's HTTP and WebSocket interface: queue a workflow, follow it, fetch its pictures."""

from __future__ import annotations

import asyncio
import json
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

Prompt = Mapping[str, Mapping[str, Any]]
"""A workflow in API form: node id → {"class_type": …, "inputs": {…}}."""

OnEvent = Callable[[str, dict[str, Any]], None]


class RunError(RuntimeError):
    """The server refused or failed a workflow; the message says which node and why."""


@dataclass
class Run:
    """A workflow that has run.

    Attributes:
        outputs: node id → what that node showed or saved, as in ComfyUI's history.
        events: (type, data) of everything the server sent meanwhile; a preview is ("preview", {"bytes": length}).
    """

    prompt_id: str
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def images(self, node_id: str) -> list[dict[str, str]]:
        """References for `Client.image` of the pictures that a node showed or saved."""
        return list(self.outputs.get(node_id, {}).get("images", []))


class Client:
    def __init__(self, url: str) -> None:
        self.url = url

    def is_up(self) -> bool:
        try:
            self.get_json("/system_stats")
        except (OSError, ValueError):
            return False
        return True

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return bytes(answer.read())

    def get_json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def post(self, path: str, body: Mapping[str, Any]) -> None:
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), headers={"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=30).close()

    def image(self, reference: Mapping[str, str]) -> bytes:
        """The bytes of a picture that `Run.images` names."""
        return self.get("/view?" + urllib.parse.urlencode(reference))

    def run(self, prompt: Prompt, on_event: OnEvent | None = None, timeout: float = 300.0) -> Run:
        """Queue `prompt`, wait until it is through, and return its outputs.

        Args:
            on_event: called with each event's type and data as it arrives.
            timeout: seconds of silence from the server after which to give up.

        Raises:
            RunError: the server refused the workflow, or a node failed, or the run was interrupted.
        """
        return asyncio.run(self._run(prompt, on_event or (lambda kind, data: None), timeout))

    async def _run(self, prompt: Prompt, on_event: OnEvent, timeout: float) -> Run:
        client_id = uuid.uuid4().hex
        async with aiohttp.ClientSession() as session:
            # Listening comes first: a short workflow is through before a late listener hears of it.
            async with session.ws_connect(f"{self.url}/ws?clientId={client_id}", max_msg_size=0) as socket:
                async with session.post(f"{self.url}/prompt", json={"prompt": prompt, "client_id": client_id}) as reply:
                    answer = await reply.json()
                if reply.status != 200:
                    raise RunError(_refusal(answer))
                run = Run(answer["prompt_id"])
                while not _is_through(run):
                    kind, data = _event(await socket.receive(timeout))
                    run.events.append((kind, data))
                    on_event(kind, data)
            async with session.get(f"{self.url}/history/{run.prompt_id}") as reply:
                history = (await reply.json()).get(run.prompt_id, {})
        _raise_if_failed(run)
        run.outputs = history.get("outputs", {})
        return run


def _event(message: Any) -> tuple[str, dict[str, Any]]:
    if message.type == aiohttp.WSMsgType.TEXT:
        event = json.loads(message.data)
        return event["type"], event.get("data") or {}
    if message.type == aiohttp.WSMsgType.BINARY:
        return "preview", {"bytes": len(message.data)}
    raise RunError("The server closed the connection while the workflow ran.")


def _is_through(run: Run) -> bool:
    """The history is complete only once `executing` with no node has come."""
    if not run.events:
        return False
    kind, data = run.events[-1]
    return kind == "executing" and data.get("node") is None and data.get("prompt_id") == run.prompt_id


def _raise_if_failed(run: Run) -> None:
    for kind, data in run.events:
        if kind == "execution_error" and data.get("prompt_id") == run.prompt_id:
            raise RunError(f"Node {data['node_id']} ({data['node_type']}): {data['exception_message'].strip()}")
        if kind == "execution_interrupted" and data.get("prompt_id") == run.prompt_id:
            raise RunError("The run was interrupted.")


def _refusal(answer: Mapping[str, Any]) -> str:
    lines = []
    for node_id, node in (answer.get("node_errors") or {}).items():
        for error in node["errors"]:
            lines.append(f"Node {node_id} ({node['class_type']}): {error['message']}: {error['details']}")
    error = answer.get("error") or {}
    return "\n".join(lines) or str(error.get("message", answer) if isinstance(error, Mapping) else error)
