"""What a video file is: streams, clock, codecs, sound. No pixels are kept."""

from talkingface_wild.core.outcome import Done, Outcome, Rejected, Value
from talkingface_wild.engine.stage import Item
from talkingface_wild.media.container_probe import Probe, probe
from talkingface_wild.pipelines.column_kinds import count, flag, measure, share, text
from talkingface_wild.pipelines.source_items import ItemByItem, media_file, source_of

_SAME = (
    *("container", "video_codec", "audio_codec", "width", "height", "variable_rate", "rotation"),
    *("audio_tracks", "sample_rate", "channels", "bit_depth", "hdr", "interlaced", "truncated"),
)
"""Columns that are called as the probe calls them."""


class ProbeStage(ItemByItem):
    """Reads headers and packets, decodes a few samples; see ``media/container_probe.py``."""

    name = "probe"
    level = "source"
    needs = ("source_sha256",)
    columns = (
        text("container", "container format"),
        text("video_codec", "codec of the picture"),
        text("audio_codec", "codec of the sound; null without sound"),
        count("width", "displayed width: rotation and pixel aspect applied", "px", 1),
        count("height", "displayed height", "px", 1),
        count("short_side", "the smaller of width and height", "px", 1),
        measure("source_fps", "average frame rate of the source", "1/s"),
        flag("variable_rate", "whether the frames are unevenly spaced"),
        count("rotation", "rotation that the container asks for", "degrees", None),
        measure("source_seconds", "duration measured from packets", "s"),
        measure(
            "usable_start_seconds", "where picture and sound both run, on the source's clock", "s"
        ),
        measure("usable_end_seconds", "where the first of them ends", "s"),
        flag("has_audio", "whether there is a sound stream"),
        count("audio_tracks", "number of sound streams"),
        count("sample_rate", "sample rate of the sound", "Hz"),
        count("channels", "sound channels"),
        count("bit_depth", "bits per colour component", low=8),
        flag("hdr", "whether the transfer function is HDR (flagged, not tone-mapped)"),
        flag("interlaced", "whether the picture is interlaced"),
        flag("truncated", "whether packets end well before the declared duration"),
        share("decodable_ratio", "share of the sampled points that decode", 3),
    )

    def answer(self, item: Item) -> Outcome:
        """One answer per source; raises ItemRejected or ItemFailed for a single bad file."""
        probed = probe(media_file(item, self.place))
        source = source_of(item)
        start = max(probed.usable_start, source.start_seconds or 0.0)
        end = min(
            probed.usable_end,
            source.end_seconds if source.end_seconds is not None else probed.usable_end,
        )
        values = {**_values(probed), "usable_start_seconds": start, "usable_end_seconds": end}
        if end <= start:
            reason = "no_audio" if probed.audio_codec else "undecodable"
            return Rejected(
                reason, "picture and sound never run together in the span asked for", values
            )
        return Done(values)


def _values(probed: Probe) -> dict[str, Value]:
    return {
        **{name: getattr(probed, name) for name in _SAME},
        "short_side": min(probed.width, probed.height),
        "source_fps": probed.fps,
        "source_seconds": probed.duration,
        "has_audio": probed.audio_codec is not None,
        "decodable_ratio": probed.decodable,
    }
