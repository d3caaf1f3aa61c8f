"""The reasons why an item is rejected or failed. A ledger holds no others, but for those that a
stage or a gate declares itself. ``tfw reasons`` and docs/reasons.md are made of it.
"""

from dataclasses import dataclass

REVIEW = "review"
"""The stage of reviewers' rejections, and the beginning of their reasons: ``review:dubbed``."""


@dataclass(frozen=True)
class Reason:
    """One reason: ``stages`` says which stages give it without a gate, ``remedy`` what a user can
    do about it.
    """

    name: str
    group: str
    meaning: str
    remedy: str
    stages: str = ""


_FILE, _TAKE, _FACES, _LOOKS = "The file", "The take", "Faces", "Looks and sound"
_TABLE, _DOWNLOADS, _FAILED, _REVIEWERS = "The whole table", "Downloads", "Failed", "Reviewers'"
GROUPS: dict[str, str] = {
    _FILE: "Rejected for what the file is.",
    _TAKE: "Rejected for the span, or for what is said in it.",
    _FACES: "Rejected for the faces.",
    _LOOKS: "Rejected for picture, sound, or how they fit.",
    _TABLE: "Rejected beside the other clips of the table.",
    _DOWNLOADS: "Rejected by an answer of the site that is final.",
    _FAILED: "No verdict on the video: it may succeed another time, by `--retry-failed`.",
    _REVIEWERS: "Rejected by a person: the column reason of the review manifest, after `review:`.",
}
"""The groups in order, each with what its reasons have in common."""

OWN = "The recipe's own"
OWN_WORDS = "Rejected for what a gate or a stage of the recipe declares itself."
"""The group of reasons that are not in this file, and what they have in common."""

_BETTER_FILE = "fetch or export the file again; look at it with `ffprobe FILE`"
LOOSEN = "loosen the gate: `tfw recut SET --set gates.NAME=BOUND`"
_READ = "probe, shots, and later stages that decode"
_BY_HAND = "decide anew: accept it in a manifest and import that; the latest answer counts"

_REJECTED: tuple[Reason, ...] = (
    Reason(
        "undecodable",
        _FILE,
        "the file or its picture stream cannot be decoded",
        _BETTER_FILE,
        _READ,
    ),
    Reason(
        "not_a_video",
        _FILE,
        "the file holds no video stream, or is something else under a video's name",
        "take it out of the folder or the list",
        "download, probe",
    ),
    Reason("empty_file", _FILE, "the file has zero bytes", _BETTER_FILE, "download, probe"),
    Reason(
        "no_audio",
        _FILE,
        "there is no sound stream, or none that overlaps the picture",
        "export it with its sound, or switch the gate off",
        "probe, encode",
    ),
    Reason("silent", _FILE, "the sound is quieter than the bound", LOOSEN),
    Reason(
        "low_sample_rate",
        _FILE,
        "the sound is sampled below the bound",
        f"{_BETTER_FILE}; {LOOSEN}",
    ),
    Reason(
        "too_large",
        _FILE,
        "the picture's declared size is beyond what is decoded",
        "scale the file down first; a damaged header declares sizes like that",
        "probe",
    ),
    Reason(
        "too_long",
        _FILE,
        "the source is longer than the bound",
        "cut it into parts, list start and end, or raise download.max_minutes and the gate",
        "download",
    ),
    Reason(
        "low_resolution",
        _FILE,
        "the picture has fewer lines than the bound",
        "look for a larger version; lower download.min_height and the gate",
        "download",
    ),
    Reason(
        "too_short",
        _TAKE,
        "the usable span, or the shot, is shorter than the least length",
        "lower gates.length; keep the last part of a shot by shots.tail=keep",
        "shots",
    ),
    Reason("little_speech", _TAKE, "speech fills less of the clip than the bound", LOOSEN),
    Reason("long_pause", _TAKE, "a pause is longer than the bound", LOOSEN),
    Reason(
        "wrong_language",
        _TAKE,
        "another language is spoken",
        "correct the language in the list; a gate of your own may use this reason",
    ),
    Reason(
        "language_unsure",
        _TAKE,
        "the spoken language is neither the claimed one nor surely another",
        "correct the language in the list; lower languages.keep_probability",
    ),
    Reason(
        "cut_inside",
        _TAKE,
        "there is a cut inside the clip",
        "lower shots.threshold, so that it is cut there",
    ),
    Reason(
        "no_face",
        _FACES,
        "a face is missing in too many samples",
        "look at the clip; try another faces.detector, or lower the gate",
        "face_cuts, faces",
    ),
    Reason("face_gap", _FACES, "the face is gone for longer than the bound", LOOSEN),
    Reason(
        "multiple_faces",
        _FACES,
        "a second face of relevant size is seen in too many samples",
        "give a crop in the list that holds one face; raise gates.second_face",
        "face_cuts",
    ),
    Reason("incomplete_face", _FACES, "the face leaves the picture", LOOSEN),
    Reason(
        "small_face",
        _FACES,
        "the face has too few pixels in the source",
        "look for a larger version; lower the gate",
    ),
    Reason(
        "small_crop",
        _FACES,
        "the crop window has too few pixels in the source",
        "look for a larger version; lower the gate",
    ),
    Reason("profile", _FACES, "the head turns too far", LOOSEN),
    Reason("too_much_motion", _FACES, "the face moves too much for a fixed window", LOOSEN),
    Reason(
        "padded",
        _FACES,
        "more of the crop window than the bound lies outside the picture",
        "look for a wider shot, or raise the gate",
    ),
    Reason(
        "still_photo",
        _FACES,
        "the mouth does not move with the speech",
        "look at the clip: a photograph, or a voice from off the picture",
    ),
    Reason("blurry", _LOOKS, "the face crop is not sharp", LOOSEN),
    Reason("low_quality", _LOOKS, "the image quality score is below the bound", LOOSEN),
    Reason(
        "no_sync",
        _LOOKS,
        "picture and sound do not belong together",
        "look at the clip: a dub, or a voice from off the picture",
    ),
    Reason(
        "low_sync",
        _LOOKS,
        "the lip-sync confidence is below the bound",
        "lower the gate, for one language by gates.sync.LANGUAGE",
    ),
    Reason(
        "sync_offset",
        _LOOKS,
        "picture and sound are too far apart to correct",
        "shift the sound in the source; raise sync.correct_frames and the gate",
    ),
    Reason("sync_drift", _LOOKS, "the offset changes inside the clip", LOOSEN),
    Reason(
        "too_few_windows",
        _LOOKS,
        "too few windows to judge the lip-sync",
        "take longer clips, or lower the gate",
    ),
    Reason(
        "duplicate",
        _TABLE,
        "the same picture and sound occur in an earlier clip",
        "nothing: the earlier clip stays",
    ),
    Reason(
        "over_identity_cap",
        _TABLE,
        "the identity already has its share of the set",
        "raise the gate, or add sources of other people",
    ),
    Reason(
        "over_source_cap",
        _TABLE,
        "the source already has its share of the set",
        "raise the gate, or add other sources",
    ),
    Reason(
        "over_channel_cap",
        _TABLE,
        "the channel already has its share of the set",
        "raise the gate, or add other channels",
    ),
    Reason(
        "target_met",
        _TABLE,
        "the language already has its hours",
        "raise --hours-per-language",
        "targets",
    ),
    Reason(
        "beyond_bound",
        _TABLE,
        "a measure is beyond a bound that was set by hand",
        LOOSEN,
        "gates set on a column: `--set gates.COLUMN.at_most=BOUND`",
    ),
    Reason(
        "unmeasured",
        _TABLE,
        "a gate asks for a measure that could not be taken",
        "bring the weight that `tfw weights list` names, or let clips pass by "
        "--set gates.NAME.missing=pass",
        "any gate whose column is null",
    ),
    Reason(
        "dubbed_audio",
        _DOWNLOADS,
        "several sound tracks and none marked as the original",
        "fetch the right track by hand, and list the file",
        "download",
    ),
    Reason(
        "gone",
        _DOWNLOADS,
        "the video no longer exists (404, removed)",
        "take it out of the list",
        "download",
    ),
    Reason(
        "private",
        _DOWNLOADS,
        "the video is private or members-only",
        "take it out of the list, or give --cookies of an account that may see it",
        "download",
    ),
    Reason(
        "age",
        _DOWNLOADS,
        "the video asks for a signed-in adult",
        "give --cookies of an account that may see it",
        "download",
    ),
    Reason(
        "geo",
        _DOWNLOADS,
        "the video is not offered in this country",
        "give a --proxy where it is offered",
        "download",
    ),
    Reason(
        "live",
        _DOWNLOADS,
        "the video is a live stream or a premiere",
        "list it again when it is over",
        "download",
    ),
    Reason(
        "no_format",
        _DOWNLOADS,
        "no format fits what was asked for",
        "update yt-dlp; lower download.min_height",
        "download",
    ),
)

_FAILURES: tuple[Reason, ...] = (
    Reason(
        "bot_check",
        _FAILED,
        "the host asks to prove that one is no robot; the host was stopped",
        "wait some hours, give --cookies, then --retry-failed",
        "download",
    ),
    Reason(
        "rate_limited",
        _FAILED,
        "the host answered that there were too many requests",
        "wait, then --retry-failed",
        "download",
    ),
    Reason(
        "network",
        _FAILED,
        "the connection failed or broke off",
        "look at the connection and TFW_OFFLINE, then --retry-failed",
        "download",
    ),
    Reason(
        "crash",
        _FAILED,
        "the worker died or the stage raised an unexpected error",
        "read the detail in `tfw why`; fewer --workers where memory ran out; then --retry-failed",
        "any stage",
    ),
    Reason(
        "file_missing",
        _FAILED,
        "the file was listed but is not there now",
        "bring the file back to its place, then --retry-failed",
        "any stage that opens the source",
    ),
    Reason(
        "unreadable",
        _FAILED,
        "the file is there but cannot be opened (permission, input/output error)",
        "mend its permissions or its disk, then --retry-failed",
        "any stage that opens the source",
    ),
    Reason(
        "timeout",
        _FAILED,
        "the work took longer than its limit",
        "run on a calmer machine with --retry-failed; raise download.longest_minutes",
        "download, encode",
    ),
    Reason(
        "host_stopped",
        _FAILED,
        "its host was stopped earlier in this run",
        "wait some hours, then --retry-failed",
        "download",
    ),
)

REVIEW_REASONS: dict[str, str] = {
    "out_of_sync": "lips and sound do not fit",
    "dubbed": "another voice speaks",
    "off_screen_voice": "the voice is of somebody who is not in the picture",
    "silent": "nobody speaks",
    "frozen": "the picture stands still",
    "wrong_language": "another language is spoken",
    "several_faces": "more than one face matters",
    "occluded_mouth": "something covers the mouth",
    "avatar_or_generated": "a drawn, animated or generated face",
    "minor": "a child is seen",
    "no_consent_visible": "nothing shows that the person agreed",
    "low_quality": "picture or sound is poor",
    "cut_inside": "there is a cut inside the clip",
    "other": "something else: the column words must say what",
}
"""Why a reviewer may reject a clip, as written in a manifest: a closed list."""

_REVIEWED: tuple[Reason, ...] = (
    *(
        Reason(f"{REVIEW}:{name}", _REVIEWERS, meaning, _BY_HAND, "tfw review import")
        for name, meaning in REVIEW_REASONS.items()
    ),
    Reason(
        REVIEW, _REVIEWERS, "a reviewer rejected it, nobody wrote down why", _BY_HAND, "old folders"
    ),
)

CATALOGUE: dict[str, Reason] = {
    reason.name: reason for reason in (*_REJECTED, *_FAILURES, *_REVIEWED)
}
"""Every reason by its name, group by group."""
REJECTED: dict[str, str] = {reason.name: reason.meaning for reason in (*_REJECTED, *_REVIEWED)}
FAILED: dict[str, str] = {reason.name: reason.meaning for reason in _FAILURES}
ALL: dict[str, str] = REJECTED | FAILED


def review_reason(name: str) -> str:
    """The reason of a rejection for which a reviewer wrote ``name``: ``review:<name>``."""
    return f"{REVIEW}:{name}" if name in REVIEW_REASONS else REVIEW
