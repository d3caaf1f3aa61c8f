"""The file of each source: fetched once for remote ones, found for local ones."""

from pathlib import Path

from talkingface_wild.core.columns import Column
from talkingface_wild.core.fingerprint import file_sha256
from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item, Resources
from talkingface_wild.pipelines.column_kinds import count, text
from talkingface_wild.pipelines.download.ytdlp_options import DownloadOptions
from talkingface_wild.pipelines.source_items import ItemByItem, download_name, media_file, source_of


class Download(ItemByItem):
    """Remote sources through yt-dlp into ``downloads/``: complete, probed and hashed."""

    name = "download"
    level = "source"
    columns = (
        text("source_sha256", "sha256 of the video file"),
        count("source_bytes", "size of the video file", "bytes"),
        Column(
            "download_path",
            "string",
            "the fetched file, relative to the output folder; null for local ones",
            locates=True,
        ),
        text("download_note", "formats that were fetched"),
        text("title", "title as the site gives it"),
        text("channel", "channel as the site or the list gives it"),
        text("upload_date", "day of the upload, YYYYMMDD"),
        text(
            "audio_track", "language of the sound track, and whether it is marked as the original"
        ),
    )
    Config = DownloadOptions
    resources = Resources(cpus=0.1, network=True)

    def answer(self, item: Item) -> Outcome:
        """One answer per source."""
        source = source_of(item)
        if source.url is None:
            path = media_file(item, self.place)
            kind, _, key = source.media_key.partition(":")
            sha256 = key if kind == "sha256" else file_sha256(path)
            return Done(
                {
                    "source_sha256": sha256,
                    "source_bytes": path.stat().st_size,
                    "channel": source.channel,
                }
            )
        from talkingface_wild.media.container_probe import probe
        from talkingface_wild.pipelines.download.politeness import Politeness
        from talkingface_wild.pipelines.download.video_download import fetch
        from talkingface_wild.pipelines.download.ytdlp_options import Access

        video = fetch(
            source.url,
            self.place.out / "downloads",
            download_name(source),
            self.config,
            probe=probe,
            politeness=Politeness(run=self.place.run),
            access=Access.from_environment(),
        )
        return Done(
            {
                "source_sha256": video.sha256,
                "source_bytes": video.bytes,
                "download_path": (Path("downloads") / video.path.name).as_posix(),
                "download_note": video.format_note,
                "title": video.title,
                "channel": video.channel or source.channel,
                "upload_date": video.upload_date,
                "audio_track": video.audio_track,
            }
        )
