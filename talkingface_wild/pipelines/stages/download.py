"""The file of each source: fetched once for remote ones, found for local ones."""

from collections.abc import Sequence
from pathlib import Path

from talkingface_wild.core.columns import Column
from talkingface_wild.core.fingerprint import file_sha256
from talkingface_wild.core.outcome import Done, Outcome
from talkingface_wild.engine.stage import Item, Resources, Stage
from talkingface_wild.pipelines.download.ytdlp_options import DownloadOptions
from talkingface_wild.pipelines.source_items import download_name, media_file, source_of


class Download(Stage):
    """Remote sources through yt-dlp into ``downloads/``: complete, probed and hashed."""

    name = "download"
    level = "source"
    columns = (
        Column("source_sha256", "string", "sha256 of the video file"),
        Column("source_bytes", "int", "size of the video file", "bytes", 0),
        Column(
            "download_path",
            "string",
            "the fetched file, relative to the output folder; null for local ones",
            locates=True,
        ),
        Column("download_note", "string", "formats that were fetched"),
        Column("title", "string", "title as the site gives it"),
        Column("channel", "string", "channel as the site or the list gives it"),
        Column("upload_date", "string", "day of the upload, YYYYMMDD"),
        Column(
            "audio_track",
            "string",
            "language of the sound track, and whether it is marked as the original",
        ),
    )
    Config = DownloadOptions
    resources = Resources(cpus=0.1, network=True)

    def process(self, items: Sequence[Item]) -> list[Outcome]:
        """One answer per source."""
        return [self._one(item) for item in items]

    def _one(self, item: Item) -> Outcome:
        source = source_of(item)
        if source.url is None:
            path = media_file(item, self.place)
            known = source.media_key.removeprefix("sha256:")
            sha256 = known if source.media_key.startswith("sha256:") else file_sha256(path)
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

        found = fetch(
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
                "source_sha256": found.sha256,
                "source_bytes": found.bytes,
                "download_path": (Path("downloads") / found.path.name).as_posix(),
                "download_note": found.format_note,
                "title": found.title,
                "channel": found.channel or source.channel,
                "upload_date": found.upload_date,
                "audio_track": found.audio_track,
            }
        )
