"""The finished clip: one encode that trims, crops, corrects the offset and sets 25 fps."""

from collections.abc import Sequence
from dataclasses import dataclass

from talkingface_wild.core.columns import Column
from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.dataset.clip_store import move_in, temporary_name
from talkingface_wild.engine.stage import Item, Stage
from talkingface_wild.media.clip_encoder import encode_clip
from talkingface_wild.pipelines.clip_crops import WINDOW, window_of
from talkingface_wild.pipelines.source_items import media_file, number


@dataclass(frozen=True)
class EncodeConfig:
    """Size, rate and quality of what is delivered."""

    size: int = 512
    """Side of the square picture, px."""
    fps: int = 25
    """Frames a second, by filter."""
    crf: int = 18
    """x264's constant rate factor; lower is better and larger."""
    sound_rate: int = 16000
    """Sample rate of the WAV, Hz; the sound in the mp4 keeps its own."""


class Encode(Stage):
    """Writes an MP4 and a WAV into the store, for kept clips only."""

    name = "encode"
    version = 2
    needs = (*WINDOW, "sync_correction", "start_seconds", "end_seconds", "has_audio")
    columns = (
        Column("media_path", "string", "the finished clip, relative to the output folder"),
        Column(
            "audio_path", "string", "its sound as 16 kHz mono WAV, relative to the output folder"
        ),
        Column("media_sha256", "string", "sha256 of the finished clip"),
        Column("audio_sha256", "string", "sha256 of the WAV"),
        Column("media_frames", "int", "frames of the finished clip", "frames", 1),
        Column("fps", "float", "frame rate of the finished clip", "1/s", 0, None, 3),
    )
    Config = EncodeConfig
    scored = False
    files = ("media_path", "audio_path")

    def process(self, items: Sequence[Item]) -> list[Outcome]:
        """One answer per clip."""
        return [self._one(item) for item in items]

    def _one(self, item: Item) -> Outcome:
        settings: EncodeConfig = self.config
        out = self.place.out
        video, audio = (temporary_name(out, item.id, suffix) for suffix in (".mp4", ".wav"))
        try:
            encoded = encode_clip(
                media_file(item, self.place),
                start=number(item, "start_seconds"),
                end=number(item, "end_seconds"),
                window=window_of(item),
                size=settings.size,
                fps=settings.fps,
                offset_frames=int(item.values.get("sync_correction") or 0),  # type: ignore[arg-type]
                video_out=video,
                audio_out=audio,
                audio_rate=settings.sound_rate,
                crf=settings.crf,
            )
            media_path, media_sha256 = move_in(out, item.id, video)
            audio_path, audio_sha256 = move_in(out, item.id, audio)
        finally:
            video.unlink(missing_ok=True)
            audio.unlink(missing_ok=True)
        return Done(
            {
                "media_path": media_path,
                "audio_path": audio_path,
                "media_sha256": media_sha256,
                "audio_sha256": audio_sha256,
                "media_frames": encoded.frames,
                "fps": float(settings.fps),
            }
        )
