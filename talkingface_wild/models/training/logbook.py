"""Losses of a stage as a CSV and for TensorBoard; a resumed run cuts what it will write again."""

import csv
from pathlib import Path
from typing import TextIO

from talkingface_wild.core.paths import write_text

COLUMNS = ("iteration", "loss", "rate", "validation")


class Logbook:
    """Open for one run; ``log.csv`` beside ``tensorboard/``."""

    def __init__(self, folder: Path, iteration: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "log.csv"
        rows = [row for row in read_log(self.path) if int(row["iteration"]) <= iteration]
        lines = [",".join(COLUMNS), *(",".join(row[name] for name in COLUMNS) for row in rows)]
        write_text(self.path, "\n".join(lines) + "\n")
        self._file: TextIO = self.path.open("a", 1, encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        from torch.utils.tensorboard import SummaryWriter

        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=iteration + 1)

    def add(self, iteration: int, loss: float, rate: float, validation: float | None) -> None:
        """One iteration, written at once, so that a checkpoint has its rows and a person can look.

        Numbers are written so that they read back to the bit.
        """
        self._writer.writerow(
            [iteration, repr(loss), repr(rate), "" if validation is None else repr(validation)]
        )
        self._board.add_scalar("loss", loss, iteration)
        if validation is not None:
            self._board.add_scalar("validation", validation, iteration)

    def close(self) -> None:
        """Write what is left."""
        self._file.close()
        self._board.close()


def read_log(path: Path) -> list[dict[str, str]]:
    """The rows of a log, none when there is none; a half-written last row is left out."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row for row in rows if all(row.get(name) is not None for name in COLUMNS)]
