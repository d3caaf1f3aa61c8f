"""What a video file is: streams, clock, codecs, sound. No pixels are kept."""

from collections.abc import Sequence

from talkingface_wild.core.columns import Column
from talkingface_wild.core.outcome import Done, Outcome, Rejected, Value
from talkingface_wild.engine.stage import Item, Stage
from talkingface_wild.media.container_probe import Probe, probe
from talkingface_wild.pipelines.source_items import media_file, source_of


class ProbeStage(Stage):
    """Reads headers and packets, decodes a few samples; see ``media/container_probe.py``."""

    name = "probe"
    level = "source"
    needs = ("source_sha256",)
    columns = (
        Column("container", "string", "container format"),
        Column("video_codec", "string", "codec of the picture"),
        Column("audio_codec", "string", "codec of the sound; null without sound"),
        Column("width", "int", "displayed width: rotation and pixel aspect applied", "px", 1),
        Column("height", "int", "displayed height", "px", 1),
        Column("short_side", "int", "the smaller of width and height", "px", 1),
        Column("source_fps", "float", "average frame rate of the source", "1/s", 0, None, 3),
        Column("variable_rate", "bool", "whether the frames are unevenly spaced"),
        Column("rotation", "int", "rotation that the container asks for", "degrees"),
        Column("source_seconds", "float", "duration measured from packets", "s", 0, None, 3),
        Column(
            "usable_start_seconds",
            "float",
            "where picture and sound both run, on the source's clock",
            "s",
            0,
            None,
            3,
        ),
        Column("usable_end_seconds", "float", "where the first of them ends", "s", 0, None, 3),
        Column("has_audio", "bool", "whether there is a sound stream"),
        Column("audio_tracks", "int", "number of sound streams", "", 0),
        Column("sample_rate", "int", "sample rate of the sound", "Hz", 0),
        Column("channels", "int", "sound channels", "", 0),
        Column("bit_depth", "int", "bits per colour component", "", 8),
        Column("hdr", "bool", "whether the transfer function is HDR (flagged, not tone-mapped)"),
        Column("interlaced", "bool", "whether the picture is interlaced"),
        Column("truncated", "bool", "whether packets end well before the declared duration"),
        Column("decodable_ratio", "float", "share of the sampled points that decode", "", 0, 1, 3),
    )

    def process(self, items: Sequence[Item]) -> list[Outcome]:
        """One answer per source; raises ItemRejected or ItemFailed for a single bad file."""
        return [self._one(item) for item in items]

    def _one(self, item: Item) -> Outcome:
        found = probe(media_file(item, self.place))
        source = source_of(item)
        start = max(found.usable_start, source.start_seconds or 0.0)
        end = min(
            found.usable_end,
            source.end_seconds if source.end_seconds is not None else found.usable_end,
        )
        values = {**_values(found), "usable_start_seconds": start, "usable_end_seconds": end}
        if end <= start:
            reason = "no_audio" if found.audio_codec else "undecodable"
            return Rejected(
                reason, "picture and sound never run together in the span asked for", values
            )
        return Done(values)


def _values(found: Probe) -> dict[str, Value]:
    return {
        "container": found.container,
        "video_codec": found.video_codec,
        "audio_codec": found.audio_codec,
        "width": found.width,
        "height": found.height,
        "short_side": min(found.width, found.height),
        "source_fps": found.fps,
        "variable_rate": found.variable_rate,
        "rotation": found.rotation,
        "source_seconds": found.duration,
        "has_audio": found.audio_codec is not None,
        "audio_tracks": found.audio_tracks,
        "sample_rate": found.sample_rate,
        "channels": found.channels,
        "bit_depth": found.bit_depth,
        "hdr": found.hdr,
        "interlaced": found.interlaced,
        "truncated": found.truncated,
        "decodable_ratio": found.decodable,
    }
