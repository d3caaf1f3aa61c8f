"""The closed list of reasons why an item is rejected or failed. A ledger holds no others."""

from __future__ import annotations

REJECTED: dict[str, str] = {
    # The file itself.
    "undecodable": "the file or its picture stream cannot be decoded",
    "not_a_video": "the file holds no video stream, or is something else under a video's name",
    "empty_file": "the file has zero bytes",
    "no_audio": "there is no sound stream, or none that overlaps the picture",
    "silent": "the sound is quieter than the bound",
    "low_sample_rate": "the sound is sampled below the bound",
    "too_large": "the picture's declared size is beyond what is decoded",
    "too_long": "the source is longer than the bound",
    "low_resolution": "the picture has fewer lines than the bound",
    # The take.
    "too_short": "the usable span, or the shot, is shorter than the least length",
    "little_speech": "speech fills less of the clip than the bound",
    "long_pause": "a pause is longer than the bound",
    "wrong_language": "another language is spoken",
    "language_unsure": "the spoken language is neither the claimed one nor surely another",
    "cut_inside": "there is a cut inside the clip",
    # Faces.
    "no_face": "a face is missing in too many samples",
    "face_gap": "the face is gone for longer than the bound",
    "multiple_faces": "a second face of relevant size is seen in too many samples",
    "incomplete_face": "the face leaves the picture",
    "small_face": "the face has too few pixels in the source",
    "small_crop": "the crop window has too few pixels in the source",
    "padded": "more of the crop window than the bound lies outside the picture",
    "profile": "the head turns too far",
    "too_much_motion": "the face moves too much for a fixed window",
    "still_photo": "the mouth does not move with the speech",
    # Looks and sound.
    "blurry": "the face crop is not sharp",
    "low_quality": "the image quality score is below the bound",
    "no_sync": "picture and sound do not belong together",
    "low_sync": "the lip-sync confidence is below the bound",
    "sync_offset": "picture and sound are too far apart to correct",
    "sync_drift": "the offset changes inside the clip",
    "too_few_windows": "too few windows to judge the lip-sync",
    # The whole table.
    "duplicate": "the same picture and sound occur in an earlier clip",
    "over_identity_cap": "the identity already has its share of the set",
    "over_source_cap": "the source already has its share of the set",
    "over_channel_cap": "the channel already has its share of the set",
    "target_met": "the language already has its hours",
    "dubbed_audio": "several sound tracks and none marked as the original",
    "not_selected": "outside the languages asked for",
    "review": "a reviewer rejected it",
    "unmeasured": "a gate asks for a measure that could not be taken",
    # Downloads whose answer is final.
    "gone": "the video no longer exists (404, removed)",
    "private": "the video is private or members-only",
    "age": "the video asks for a signed-in adult",
    "geo": "the video is not offered in this country",
    "live": "the video is a live stream or a premiere",
    "no_format": "no format fits what was asked for",
}

FAILED: dict[str, str] = {
    "bot_check": "the host asks to prove that one is no robot; the host was stopped",
    "rate_limited": "the host answered that there were too many requests",
    "network": "the connection failed or broke off",
    "crash": "the worker died or the stage raised an unexpected error",
    "file_missing": "the file was listed but is not there now",
    "unreadable": "the file is there but cannot be opened (permission, input/output error)",
    "timeout": "the work took longer than its limit",
    "host_stopped": "its host was stopped earlier in this run",
}

ALL: dict[str, str] = REJECTED | FAILED


def check_reason(reason: str) -> str:
    """``reason`` itself; ``KeyError`` when it is not in the closed list (a programming error)."""
    if reason not in ALL:
        raise KeyError(f"{reason!r} is no known reason; add it to core/reasons.py")
    return reason
