"""What the loaders of trainers expect of a folder, written anew from reading them (docs/export.md
names repository, file and commit). Each reader takes the way through names and files that the
loader takes, and raises where the loader would fail, or would train on something else.
"""

import io
import json
import re
import tarfile
import wave
from pathlib import Path

import av
import numpy as np
from PIL import Image


def video_of(path):
    """(pictures (T, H, W, 3) RGB, frames a second, seconds of its sound)."""
    with av.open(str(path)) as container:
        rate = float(container.streams.video[0].average_rate)
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        samples = sum(frame.samples for frame in container.decode(stream))
        sound = samples / stream.sample_rate
    return np.stack(pictures), rate, sound


def sound_of(path):
    """(samples, rate) of a mono 16-bit file."""
    with wave.open(str(path), "rb") as reader:
        assert (reader.getnchannels(), reader.getsampwidth()) == (1, 2)
        return np.frombuffer(reader.readframes(reader.getnframes()), "<i2"), reader.getframerate()


def latentsync(fileslist, resolution=512, frames=16):
    """UNetDataset: a path a line; too short a video is skipped for ever, so it is an error here."""
    samples = {}
    for line in Path(fileslist).read_text().splitlines():
        pictures, rate, sound = video_of(line.rstrip())
        assert rate == 25, "audio windows are cut at 80 mel steps a second for 25 frames"
        assert len(pictures) >= 3 * frames
        assert pictures.shape[1:] == (resolution, resolution, 3)
        # The window of the last start must be whole: 16 frames are 52 of the 80 steps a second.
        last = len(pictures) - frames
        assert int(80.0 * last / 25) + -(-frames * 16 // 5) <= sound * 80 + 1
        samples[Path(line).name.replace(".mp4", "")] = pictures
    return samples


def _replaced(path, new, suffix):
    return str(path).replace("videos", new).replace(".mp4", suffix)


def hallo(root):
    """extract_meta_info_stage1 and 2, then both datasets; embeddings are what is not there yet."""
    samples = {}
    frame_folders = {path.resolve() for path in (root / "images").iterdir() if path.is_dir()}
    for video in sorted((root / "videos").iterdir()):
        assert video.suffix == ".mp4"
        video = video.resolve()
        pictures, rate, _ = video_of(video)
        assert rate == 25 and len(pictures) > 14 + 2 + 2 * 2
        masks = {}
        for folder in ("face_mask", "sep_pose_mask", "sep_face_mask", "sep_lip_mask"):
            image = Image.open(_replaced(video, folder, ".png"))
            assert image.mode == "L", "repeat(3, 1, 1) makes three channels of one"
            masks[folder] = np.array(image)
        samples_16k, sample_rate = sound_of(_replaced(video, "audios", ".wav"))
        assert sample_rate == 16000
        images = Path(_replaced(video, "images", ""))
        assert images in frame_folders
        assert Path(str(images).replace("images", "face_mask") + ".png").is_file()
        names = sorted(path.name for path in images.iterdir())
        assert names == [f"{number:04d}.png" for number in range(1, len(pictures) + 1)]
        # Its wav2vec features are one a frame; more than three off are left out.
        assert abs(len(samples_16k) / 16000 * 25 - len(pictures)) <= 3
        first = np.array(Image.open(images / names[0]).convert("RGB"))
        samples[video.stem] = {"pictures": pictures, "first": first, **masks}
    return samples


def musetalk(dataset_folder, split="train"):
    """FaceDataset: a list whose first line it skips, JSON files below meta."""
    samples = {}
    lines = (dataset_folder / f"{split}.txt").read_text().splitlines()[1:]
    for line in lines:
        data = json.loads((dataset_folder / "meta" / line.strip().split()[0]).read_text())
        pictures, rate, _ = video_of(data["mp4_path"])
        sound, sample_rate = sound_of(data["wav_path"])
        assert rate == 25 and sample_rate == 16000
        points, boxes = np.array(data["landmark_list"]), np.array(data["face_list"])
        assert data["frames"] == len(pictures) == len(boxes)
        assert points.shape == (len(pictures), 68, 2) and boxes.shape == (len(pictures), 4)
        assert points.dtype.kind == boxes.dtype.kind == "i"
        assert len(sound) / 16000 * 25 >= len(pictures) - 1
        assert data["frames"] <= 25 * 30
        mouths = []
        for frame_points, box in zip(points, boxes, strict=True):
            low = np.minimum(box[:2], frame_points.min(axis=0)).clip(0)
            high = np.maximum(box[2:], frame_points.max(axis=0))
            lips = (frame_points[48:67] - low) / (high - low) * 256
            left, right = lips[:, 0].min() - 10, lips[:, 0].max() + 10
            middle = (lips[:, 1].min() + lips[:, 1].max()) / 2
            half = (right - left) / 4
            mouths.append((left, middle - half, right, middle + half))
        mouths = np.array(mouths)
        assert (mouths[:, 2] > mouths[:, 0]).all() and (mouths > 0).all() and (mouths < 256).all()
        samples[Path(line).stem] = {"points": points, "boxes": boxes, "mouths": mouths, **data}
    return samples


def stableavatar(path_list, width=512, height=512):
    """LargeScaleTalkingFantasyVideos: folders, the prompt by a word of the path."""
    samples = {}
    for line in Path(path_list).read_text().splitlines():
        folder = Path(line.strip())
        words = ("singing", "speech", "dancing")
        prompt = next(word for word in words if word in str(folder))
        _, rate, _ = video_of(folder / "sub_clip.mp4")
        sound, sample_rate = sound_of(folder / "audio.wav")
        assert sample_rate == 16000
        names = [path.name for path in (folder / "images").iterdir()]
        names.sort(key=lambda name: int(name.split("_")[1].split(".")[0]))
        assert names == [f"frame_{index}.png" for index in range(len(names))]
        stacks = {}
        for part in ("images", "face_masks", "lip_masks"):
            pictures = [Image.open(folder / part / name) for name in names]
            if part != "images":
                assert {picture.mode for picture in pictures} == {"L"}, "stacked as (f, h, w)"
            stacks[part] = np.stack([np.array(p.resize((width, height))) for p in pictures])
        assert abs(len(sound) / 16000 * rate - len(names)) <= 1
        samples[folder.name] = {"prompt": prompt, "rate": rate, **stacks}
    return samples


def videofolder(root):
    """FolderBasedBuilder: a metadata file a split, the same columns and kinds in all of them."""
    splits, kinds = {}, set()
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        assert folder.name in ("train", "validation", "test")
        rows = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]
        videos = {path.name for path in folder.iterdir() if path.suffix == ".mp4"}
        assert {row["file_name"] for row in rows} == videos
        for row in rows:
            assert not any(name.endswith("_file_name") for name in row), "taken for a video"
            kinds.add(tuple((name, type(value)) for name, value in row.items()))
        splits[folder.name] = rows
    assert len(kinds) == 1, kinds
    assert type(None) not in {kind for _, kind in next(iter(kinds))}
    return splits


def webdataset(shards):
    """tarfile_to_samples: consecutive files that agree up to the first dot are one sample."""
    samples = []
    for shard in shards:
        current = None
        with tarfile.open(fileobj=io.BytesIO(Path(shard).read_bytes()), mode="r|*") as stream:
            for entry in stream:
                if not entry.isreg():
                    continue
                match = re.match(r"^((?:.*/|)[^.]+)[.]([^/]*)$", entry.name)
                assert match, entry.name
                key, suffix = match[1], match[2].lower()
                if current is None or current["__key__"] != key:
                    assert key not in {sample["__key__"] for sample in samples}
                    current = {"__key__": key}
                    samples.append(current)
                assert suffix not in current
                current[suffix] = stream.extractfile(entry).read()
    return samples
