"""One clip as training reads it: declared columns and plain facts, in one safetensors file.

A generator declares its columns as the fields of a subclass; each has one row a frame.
"""

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.paths import atomic_path
from talkingface_wild.models.training.training_clip import tail_id

BULK = {"bulk": True}
"""Metadata of a column that is read only when crops are asked for."""


@dataclass
class ClipFile:
    """What frozen networks say of one clip. Columns are all fields but these two."""

    FORMAT: ClassVar[str]
    """Names the file's layout in its header."""

    clip_id: str
    facts: dict[str, Any] = field(default_factory=dict, kw_only=True)
    """``identity``, ``language``, ``split``, and what was done for want of something better."""

    @property
    def columns(self) -> dict[str, Tensor]:
        """The columns that this clip has, by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}

    @property
    def frames(self) -> int:
        """T, the rows of the first column."""
        return len(next(iter(self.columns.values())))

    def save(self, path: Path) -> None:
        """Write the clip in one step."""
        tensors = {name: rows.contiguous() for name, rows in self.columns.items()}
        header = {"format": self.FORMAT, "clip": self.clip_id, "facts": json.dumps(self.facts)}
        with atomic_path(path) as temporary:
            save_file(tensors, temporary, header)

    @classmethod
    def load(cls, path: Path, *, crops: bool = False) -> Self:
        """Read a clip; crops, the bulk of it, only when asked for. Raises InputUnreadable."""
        bulk = {f.name: f for f in fields(cls) if f.metadata.get("bulk")}
        try:
            with safe_open(path, "pt") as file:
                header = file.metadata() or {}
                if header.get("format") != cls.FORMAT:
                    raise ValueError("another format")
                tensors: dict[str, Any] = {
                    name: file.get_tensor(name)
                    for name in file.keys()  # noqa: SIM118
                    if crops or name not in bulk
                }
            for name, column in bulk.items():
                if column.default is not None:
                    tensors.setdefault(name, torch.empty(0, dtype=torch.uint8))
            return cls(clip_id=header["clip"], facts=json.loads(header["facts"]), **tensors)
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            raise InputUnreadable(
                f"Expected a clip's features in {path}, found none that can be read "
                f"({type(error).__name__}); delete it and run --stage features again."
            ) from error

    @classmethod
    def read_folder(
        cls, folder: Path, *, split: str | None = None, crops: bool = False
    ) -> list[Self]:
        """All clips of a folder in the order of their names, of one split if asked for.

        Raises InputUnreadable when there are none.
        """
        clips = [cls.load(path, crops=crops) for path in sorted(folder.glob("*.safetensors"))]
        of_split = [clip for clip in clips if split in (None, clip.facts.get("split"))]
        if not of_split:
            raise InputUnreadable(
                f"Expected clips' features in {folder}"
                + (f" of the split {split!r}" if split else "")
                + ", found none; run --stage features first."
            )
        return of_split

    def parted(self, first: int) -> tuple[Self, Self]:
        """The clip up to frame ``first``, and its end as a clip for validation."""
        end = tail_id(self.clip_id, first)
        start_facts = self.facts | {"frames": first, "tail": end}
        end_facts = {"split": "val", "frames": self.frames - first, "tail_of": self.clip_id}
        kind, columns = type(self), self.columns
        return (
            kind(self.clip_id, facts=start_facts, **{n: v[:first] for n, v in columns.items()}),
            kind(end, facts=self.facts | end_facts, **{n: v[first:] for n, v in columns.items()}),
        )


def clip_facts(path: Path) -> dict[str, Any]:
    """What a file says of its clip, without its tensors; nothing where it cannot be read."""
    try:
        with safe_open(path, "pt") as file:
            return dict(json.loads((file.metadata() or {}).get("facts", "{}")))
    except (SafetensorError, OSError, ValueError):
        return {}
