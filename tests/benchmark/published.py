"""Small files of the published formats, and a folder of HDTF's lists with as many names as asked.

Names, spans and numbers are made up; only the layout is HDTF's and CelebV-HQ's.
"""

import json
from pathlib import Path


def write_hdtf(
    folder: Path,
    segments: dict[str, list[tuple[str, str]]],
    urls: dict[str, str] | None = None,
    no_crop: tuple[str, ...] = (),
    part: str = "WDA",
    height: int = 720,
) -> Path:
    """``PART_*.txt``: spans by name, a crop for each segment but those named in ``no_crop``."""
    folder.mkdir(parents=True, exist_ok=True)
    times, crops, heights, addresses = [], [], [], []
    for name, spans in segments.items():
        times.append(f"{name}.mp4 " + " ".join(f"{start}-{end}" for start, end in spans))
        heights.append(f"{name}.mp4 {height}")
        video = (urls or {}).get(name, f"id_{name}")
        addresses.append(f"{name} https://www.youtube.com/watch?v={video}&t=5s")
        for index in range(len(spans)):
            clip = f"{name}_{index}"
            if clip not in no_crop:
                crops.append(f"{clip}.mp4 320 360 90 360")
    for kind, lines in (
        ("annotion_time", times),
        ("crop_wh", crops),
        ("resolution", heights),
        ("video_url", addresses),
    ):
        (folder / f"{part}_{kind}.txt").write_text("\n".join(lines) + " \n", encoding="utf-8")
    return folder


def many(people: int, shorts: int = 0, longs: int = 0) -> dict[str, list[tuple[str, str]]]:
    """Two videos of two segments for each person, then people with short or very long ones."""
    segments = {}
    for index in range(people):
        for number in range(2):
            segments[f"Person{letters(index)}{number}"] = [("00:05", "00:25"), ("01:00", "01:20")]
    for index in range(shorts):
        segments[f"Short{letters(index)}"] = [("00:05", "00:19")]
    for index in range(longs):
        segments[f"Long{letters(index)}"] = [("00:00", "04:48")]
    return segments


def letters(index: int) -> str:
    """A number as letters: names that end in digits would share a stem."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(index))


def celebvhq(clips: int, seconds: float = 6.0, per_video: int = 2) -> dict:
    """The JSON of CelebV-HQ with ``clips`` clips, ``per_video`` from each video."""
    items = {}
    for index in range(clips):
        video = f"vid{letters(index // per_video)}"
        items[f"{video}_{index % per_video}"] = {
            "ytb_id": video,
            "duration": {"start_sec": 10.0 + index, "end_sec": 10.0 + index + seconds},
            "bbox": {"top": 0.1, "bottom": 0.7, "left": 0.25, "right": 0.75},
            "attributes": {"appearance": [0], "action": [0], "emotion": {"labels": "neutral"}},
            "version": "v0.1",
        }
    return {"meta_info": {"appearance_mapping": [], "action_mapping": []}, "clips": items}


def write_celebvhq(path: Path, data: dict) -> Path:
    """Write the JSON."""
    path.write_text(json.dumps(data), encoding="utf-8")
    return path
