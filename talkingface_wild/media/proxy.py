"""Writes the small H.264 stand-in of a source's picture, bit for bit the same each run."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from talkingface_wild.media.geometry import Picture

_PROXY_GOP = 10


class ProxyWriter:
    """A small H.264 file, one frame per tick, the same bits on every run."""

    def __init__(self, path: Path, rate: Fraction) -> None:
        self.count = 0
        self._rate = rate
        self._path = path
        self._output: Any = None
        self._stream: Any = None
        self._reformatter = VideoReformatter()

    def write(self, rgb: Picture) -> None:
        """Append one picture, (H, W, 3) with even sides."""
        if self._output is None:
            self._open(rgb.shape[1], rgb.shape[0])
        frame = self._reformatter.reformat(
            av.VideoFrame.from_ndarray(rgb, format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU601,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.AREA,
        )
        frame.pts, frame.time_base = self.count, 1 / self._rate
        self.count += 1
        self._output.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what the encoder still holds and finish the file."""
        if self._output is not None:
            self._output.mux(self._stream.encode(None))
            self._output.close()

    def _open(self, width: int, height: int) -> None:
        target = "file:" + str(self._path.absolute())
        self._output = av.open(target, "w", format="mp4", options={"fflags": "+bitexact"})
        self._stream = self._output.add_stream("libx264", rate=self._rate)
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"crf": "18", "preset": "veryfast", "bf": "0"}
        context = self._stream.codec_context
        context.gop_size = _PROXY_GOP
        context.thread_count = 1
        context.time_base = 1 / self._rate
        context.flags |= av.codec.context.Flags.bitexact.value
