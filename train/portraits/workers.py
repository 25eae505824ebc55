"""Work handed out to processes, one item at a time.

The processes are spawned, with one thread each, so that the number of them changes how long it takes and not what comes
out: a linear-algebra library that splits a sum over threads rounds it differently.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
ENDING_SECONDS = 10.0  # how long a process may take to end


class WorkerError(ValueError):
    """A worker could not do its work; the text says which and why."""


@dataclass(frozen=True)
class Worker:
    """A process, and our end of the pipe to it."""

    process: BaseProcess
    pipe: Connection


def single_threaded() -> None:
    """Ask the numerical libraries for one thread, here and in all processes started from here.

    Only those that are not imported yet will hear it.
    """
    for setting in THREAD_SETTINGS:
        os.environ[setting] = "1"


def work_through(
    items: Sequence[Any], workers: int, prepare: Callable[..., Callable[[Any], Any]], arguments: tuple
) -> Generator[Any, None, None]:
    """Yield the result of each item as it is done, in no certain order.

    Args:
        items: what is handed out.
        workers: how many processes.
        prepare: called as `prepare(*arguments)` once in each process; gives the function from an item to its result. It
            must be importable, and all that crosses over should be small.

    Raises:
        WorkerError: `prepare` or the function failed, or a process died.

    All processes have ended when this does; close the generator if it is not read to its end.
    """
    if not items:
        return
    single_threaded()
    queue = iter(items)
    crew: list[Worker] = []
    try:
        # The first one prepares alone: what it leaves in a cache, the others find there.
        crew.append(_start(prepare, arguments))
        _receive(crew[0])
        crew.extend(_start(prepare, arguments) for _ in range(1, min(workers, len(items))))
        busy = _hand_out(crew[:1], queue) + crew[1:]  # these are busy preparing
        while busy:
            heard = wait([worker.pipe for worker in busy])
            ready = [worker for worker in busy if worker.pipe in heard]
            results = [result for worker in ready for result in _receive(worker)]
            busy = [worker for worker in busy if worker not in ready] + _hand_out(ready, queue)
            yield from results
    finally:
        _end(crew)


def _hand_out(idle: list[Worker], queue: Iterator[Any]) -> list[Worker]:
    """Give each its next item; returns those that got one."""
    given = list(zip(idle, queue, strict=False))
    for worker, item in given:
        with suppress(ConnectionError):  # it died while it was idle; whoever listens to it next will say so
            worker.pipe.send(item)
    return [worker for worker, _ in given]


def _receive(worker: Worker) -> list[Any]:
    """What a worker has to say: [] once it is prepared, then [result] for each item."""
    try:
        failure, results = worker.pipe.recv()
    except (EOFError, OSError):
        worker.process.join(ENDING_SECONDS)
        code = worker.process.exitcode
        why = "memory may have run out; try fewer workers" if code == -9 else "see its own message above"
        raise WorkerError(f"a worker process died with exit code {code}: {why}") from None
    if failure:
        raise WorkerError(failure)
    return results


def _start(prepare: Callable, arguments: tuple) -> Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, prepare, arguments), daemon=True)
    with _interrupts_ignored():
        process.start()
    theirs.close()  # the worker holds the only other end now, so that its death is heard
    return Worker(process, ours)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """What is started now inherits that Ctrl-C, which a terminal sends to all of us, is for the parent to answer."""
    if threading.current_thread() is not threading.main_thread():  # only there can handlers be set
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end(crew: list[Worker]) -> None:
    for worker in crew:
        worker.pipe.close()
        worker.process.terminate()
    for worker in crew:
        worker.process.join(ENDING_SECONDS)


def _serve(pipe: Connection, prepare: Callable, arguments: tuple) -> None:
    """A worker's life; it ends when the pipe's other end is closed, even if only by the death of the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    failure, work = _answer(prepare, *arguments)
    with suppress(EOFError, ConnectionError):
        pipe.send((failure, []))
        while not failure:
            item = pipe.recv()
            failure, result = _answer(work, item)
            pipe.send((failure and f"item {item}: {failure}", [result]))


def _answer(function: Callable, *arguments: Any) -> tuple[str | None, Any]:
    """(None, the result), or (why there is none, None)."""
    try:
        return None, function(*arguments)
    except (ValueError, OSError) as error:
        return str(error), None
    except Exception as error:
        traceback.print_exc()
        return f"{type(error).__name__}: {error}; this is a defect of the program, see the lines above", None
