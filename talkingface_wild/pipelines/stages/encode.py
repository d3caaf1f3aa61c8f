"""The finished clip: one encode that trims, crops, corrects the offset and sets 25 fps."""

from dataclasses import dataclass

from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.dataset.clip_store import move_in, temporary_name
from talkingface_wild.engine.stage import Item
from talkingface_wild.media.clip_encoder import encode_clip
from talkingface_wild.pipelines.clip_crops import WINDOW, window_of
from talkingface_wild.pipelines.column_kinds import count, measure, text
from talkingface_wild.pipelines.source_items import ItemByItem, media_file, number


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


class Encode(ItemByItem):
    """Writes an MP4 and a WAV into the store, for kept clips only."""

    name = "encode"
    version = 2
    needs = (*WINDOW, "sync_correction", "start_seconds", "end_seconds", "has_audio")
    columns = (
        text("media_path", "the finished clip, relative to the output folder"),
        text("audio_path", "its sound as 16 kHz mono WAV, relative to the output folder"),
        text("media_sha256", "sha256 of the finished clip"),
        text("audio_sha256", "sha256 of the WAV"),
        count("media_frames", "frames of the finished clip", "frames", 1),
        measure("fps", "frame rate of the finished clip", "1/s"),
    )
    Config = EncodeConfig
    scored = False
    files = ("media_path", "audio_path")

    def answer(self, item: Item) -> Outcome:
        """One answer per clip."""
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
