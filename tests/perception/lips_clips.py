"""Windows of lips and sound of real clips, read once for all tests of lip sync."""

from pathlib import Path

from talkingface_wild.functional.face_region import region_of_box
from talkingface_wild.functional.lips_shape import lips_windows, sound_windows
from talkingface_wild.media.decode import frames
from talkingface_wild.media.sound import read_sound
from talkingface_wild.perception.face_detector import make_detector
from talkingface_wild.perception.face_mesh import FaceMesh
from talkingface_wild.perception.lips_network import LipsClip

TRAINING = (
    *("clips/hdtf_hill", "clips/hdtf_ocasio", "clips/head_3", "clips/may", "clips/selfie_10"),
    *("clips/portrait_hevc_1080x1920", "clips/synthetic_5", "clips/synthetic_9"),
    *("talking/talking_10", "talking/talking_13", "talking/talking_l2", "talking/talking_l4"),
)
"""One face, two streams, speech: two minutes and a half. None of SyncNet's own clips."""


class LipsReader:
    """Reads clips by the face detector and the mesh of the open weights."""

    def __init__(self, centerface: Path, face_mesh: Path) -> None:
        self._detector = make_detector("centerface", centerface).open()
        self._mesh = FaceMesh(face_mesh).open()

    def read(self, path: Path, delay_frames: int = 0) -> LipsClip:
        """A clip's windows; its sound may be read so many frames earlier, so that it comes late."""
        pictures, start = [], None
        for frame in frames(path, fps=25):
            start = frame.seconds if start is None else start
            pictures.append(frame.rgb)
        points = self._mesh.follow(pictures, self._region).points_N4683
        begin = start - delay_frames / 25
        sound = read_sound(path, begin, begin + len(pictures) / 25)
        return LipsClip(lips_windows(points), sound_windows(sound, len(pictures)))

    def _region(self, picture):
        faces = self._detector.detect(picture)
        if not len(faces.boxes_N5):
            return None
        return region_of_box(faces.boxes_N5[0, :4], faces.points_N52[0])
