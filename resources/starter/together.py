"""Workers that train one model side by side, each on its own share of the data, and meet now and then to average what they have learned
(local SGD; Stich 2019). Threads that share one step wait for each other some ten thousand times in it; workers meet every few minutes, so that
two cores do twice the work, and one that is slowed down by other programs only brings less."""

import time
from pathlib import Path

import torch


class Together:
    """Worker `worker` of `workers`, which meet in `folder` (empty at the start, the same for all)."""

    def __init__(self, folder: Path, worker: int, workers: int):
        self.folder, self.worker, self.workers, self.meeting = folder, worker, workers, 0
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.glob(f"*-worker-{worker}.pt")):
            raise SystemExit(f"{folder} holds meetings of an earlier run, which would be averaged in: give an empty folder")

    def _file(self, meeting: int, worker: int) -> Path:
        return self.folder / f"meeting-{meeting}-worker-{worker}.pt"

    def average(self, tensors, tokens: int) -> int:
        """Replaces the tensors, which are the same of all workers, by their mean weighted with the tokens of each since the last meeting (evenly where
        nobody has any); returns all their tokens. Waits for the others without an end."""
        self.meeting += 1
        mine = self._file(self.meeting, self.worker)
        part = mine.with_suffix(".part")
        torch.save({"tensors": [t.detach() for t in tensors], "tokens": tokens}, part)
        part.replace(mine)
        brought = []
        for worker in range(self.workers):
            while not self._file(self.meeting, worker).exists():
                time.sleep(0.2)
            brought.append(torch.load(self._file(self.meeting, worker), weights_only=True))
        total = sum(b["tokens"] for b in brought)
        shares = [b["tokens"] / total if total else 1 / self.workers for b in brought]
        with torch.no_grad():
            for i, tensor in enumerate(tensors):
                tensor.copy_(sum(b["tensors"][i] * share for b, share in zip(brought, shares)))
        self._file(self.meeting - 1, self.worker).unlink(missing_ok=True)  # all have read it: they are at this meeting
        return total
