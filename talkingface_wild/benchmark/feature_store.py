"""Stored features: a small npz by (pixels and sound, extractor). Nothing is measured twice,
and tables can be made on any subset without a video. A refusal is stored as well, with its reason.
"""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.paths import atomic_path, write_text

_REFUSED = "refused"


@dataclass(frozen=True)
class FeatureStore:
    """``folder/ab/<key>.npz`` holds features, ``folder/ab/<key>.json`` facts of a video."""

    folder: Path

    def path(self, content: str, fingerprint: str) -> Path:
        """Where the features of some content by one extractor lie."""
        key = digest([content, fingerprint], 32)
        return self.folder / key[:2] / f"{key}.npz"

    def has(self, content: str, fingerprint: str) -> bool:
        """Whether they were measured, or refused."""
        return self.path(content, fingerprint).is_file()

    def save(
        self, content: str, fingerprint: str, features: Mapping[str, npt.NDArray[Any]]
    ) -> None:
        """Store features in one step."""
        with atomic_path(self.path(content, fingerprint)) as temporary:
            np.savez_compressed(temporary, **dict(features))  # type: ignore[arg-type]

    def refuse(self, content: str, fingerprint: str, reason: str) -> None:
        """Store why there are none."""
        self.save(content, fingerprint, {_REFUSED: np.array(reason)})

    def load(
        self, content: str, fingerprint: str
    ) -> tuple[dict[str, npt.NDArray[Any]], str | None]:
        """The features, or the reason why there are none.

        Raises InputUnreadable when the file is absent or damaged.
        """
        path = self.path(content, fingerprint)
        try:
            with np.load(path, allow_pickle=False) as data:
                arrays = {name: data[name] for name in data.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise InputUnreadable(
                f"Expected stored features at {path}, found none that can be read ({error}); "
                "delete that file and run the same `tfw bench` again to measure them anew."
            ) from error
        if _REFUSED in arrays:
            return {}, str(arrays[_REFUSED])
        return arrays, None

    def facts(self, content: str) -> dict[str, Any] | None:
        """What is known of a decoded video (frames, flags, start), or None."""
        try:
            data = json.loads(self._facts(content).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return data if isinstance(data, dict) else None

    def note(self, content: str, facts: Mapping[str, Any]) -> None:
        """Remember facts of a decoded video."""
        write_text(self._facts(content), json.dumps(dict(facts)))

    def _facts(self, content: str) -> Path:
        return self.folder / content[:2] / f"{content}.json"
