"""What runs in a worker process: join the group, then do one demo after the other until the parent closes the pipe.

The parent imports this module to name `serve`, so what is heavy is imported inside: in a worker only, or before in the
fork server (see `PRELOAD`), of which workers are copies.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import threading
import traceback
from multiprocessing import connection, parent_process
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpt4lab.distributed.job import DemoReport, Job

PRELOAD = "gpt4lab.distributed.demos"


def serve(pipe: Connection, rank: int, ranks: int, folder: str) -> None:
    """Answer each (demo, job) on the pipe with ("done", report) or ("failed", traceback)."""
    _prepare(folder, rank)
    import torch.distributed as dist

    store = dist.FileStore(  # pyright: ignore
        os.path.join(folder, "meet"), ranks
    )
    dist.init_process_group("gloo", store=store, rank=rank, world_size=ranks)
    pipe.send(("ready", os.getpid()))
    while True:
        try:
            demo, job = pipe.recv()
        except EOFError:
            return
        pipe.send(_attempt(demo, job))


def loopback() -> str | None:
    """The name of the network interface that stays inside this machine; None where interfaces have no such names."""
    return next((name for _, name in socket.if_nameindex() if name.startswith("lo")), None) if os.name != "nt" else None


def quiet() -> dict[str, str]:
    """Environment of a worker; torch reads it when it is imported, gloo when a group forms."""
    wanted = {"OMP_NUM_THREADS": "1", "TORCH_CPP_LOG_LEVEL": "ERROR", "PYTHONWARNINGS": "ignore"}
    name = loopback()
    return {**wanted, "GLOO_SOCKET_IFNAME": name} if name else wanted


def _attempt(demo: str, job: Job) -> tuple[str, DemoReport | str]:
    try:
        from gpt4lab.distributed.demos import perform

        return "done", perform(demo, job)
    except Exception:  # sent to the reader, who sees it in the notebook
        return "failed", traceback.format_exc()


def _prepare(folder: str, rank: int) -> None:
    """Quiet, deaf to the keyboard, and gone when the parent is gone."""
    out = os.open(os.path.join(folder, f"log{rank}"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, args=(folder,), daemon=True).start()


def _follow_parent(folder: str) -> None:
    """End the process as soon as the parent has ended, whatever a collective is waiting for."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)
