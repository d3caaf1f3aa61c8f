"""A small talking face, drawn and spoken by the package itself, as an item for any stage."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from talkingface_wild.core.clip import Source, make_clip
from talkingface_wild.core.columns import clean_values
from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.plan import needs_of
from talkingface_wild.engine.stage import Item, Workplace
from talkingface_wild.pipelines.demo import face, recording, vocal_tract, voice
from talkingface_wild.pipelines.stages import stage_class

SECONDS = 2.0


@dataclass
class ClipItem:
    """A clip of 2 s with the measures that stages took so far; ``place`` is where they work."""

    item: Item
    place: Workplace

    def outcome(self, name: str, **settings) -> Outcome:
        """What a stage answers; it gets the values that it needs, and no others."""
        cls = stage_class(name)
        stage = cls(cls.Config(**settings), self.place)
        stage.open()
        names = needs_of(cls)
        values = {
            column: self.item.values[column] for column in names if column in self.item.values
        }
        (outcome,) = stage.process([replace(self.item, values=values)])
        return outcome

    def measure(self, name: str, **settings) -> dict:
        """The values that a stage measures, as declared; the item has them from now on."""
        outcome = self.outcome(name, **settings)
        assert isinstance(outcome, Done), outcome
        values = clean_values(stage_class(name).columns, outcome.values)
        self.item = replace(self.item, values={**self.item.values, **values})
        return values


@pytest.fixture(scope="session")
def talking_face(tmp_path_factory) -> Path:
    """An MP4 of 2 s, 192 px: a face that speaks for a second and a half."""
    path = tmp_path_factory.mktemp("talking") / "face.mp4"
    spoken = voice.speak(SECONDS, voice.Manner(), 3)
    frames = face.frames(face.Look(), spoken.opening, 192, 192, 3)
    recording.record(path, frames, spoken.samples, vocal_tract.RATE)
    return path


@pytest.fixture
def clip_item(talking_face, tmp_path) -> ClipItem:
    """The talking face as a clip that was probed; ``clip_item.measure(NAME)`` runs a stage."""
    return whole_clip(talking_face, tmp_path)


def source_item(path: Path, out: Path) -> ClipItem:
    """A video as a source that was probed."""
    source = Source("s1", "sha256:0", "en", path=path.name, root=str(path.parent))
    root = ClipItem(Item("s1", "source", "en", {"source": source.to_json()}), Workplace(out))
    root.measure("probe")
    return root


def whole_clip(path: Path, out: Path) -> ClipItem:
    """All of a video as one clip that was probed."""
    root = source_item(path, out)
    end = float(root.item.values["usable_end_seconds"])
    clip = make_clip("s1", 0.0, end)
    span = {"start_seconds": 0.0, "end_seconds": clip.end_seconds, "clip_seconds": clip.seconds}
    payload = {**root.item.payload, "clip": clip.to_json()}
    item = Item(clip.id, "clip", "en", payload, {**root.item.values, **span})
    return ClipItem(item, root.place)
