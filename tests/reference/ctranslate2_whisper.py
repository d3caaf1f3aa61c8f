"""Whisper out of CTranslate2's ``model.bin`` into transformers' network: a second implementation.

The file by its specification (CTranslate2, ``docs/conversion.md`` and ``ModelSpec._serialize``):
little-endian; format, then name and revision, then each variable's name, shape, type and bytes.
"""

import struct
from pathlib import Path

import numpy as np
import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)


def variables(path: Path) -> dict[str, np.ndarray]:
    """The file's arrays by their names, as 32-bit floats where they are floats."""
    data, place = path.read_bytes(), 0

    def number(kind: str) -> int:
        nonlocal place
        (value,) = struct.unpack_from(f"<{kind}", data, place)
        place += struct.calcsize(kind)
        return value

    def piece(size: int) -> bytes:
        nonlocal place
        place += size
        return data[place - size : place]

    def text() -> str:
        return piece(number("H"))[:-1].decode()

    assert number("I") >= 5
    assert text() == "WhisperSpec"
    number("I")
    arrays = {}
    for _ in range(number("I")):
        name, rank = text(), number("B")
        shape = [number("I") for _ in range(rank)]
        kind = TYPES[number("B")]
        array = np.frombuffer(piece(number("I")), kind).reshape(shape)
        arrays[name] = array.astype(np.float32) if array.dtype.kind == "f" else array
    return arrays


def network(path: Path) -> WhisperForConditionalGeneration:
    """Whisper base with the file's numbers."""
    arrays = variables(path)
    config = WhisperConfig(
        vocab_size=51_865,
        num_mel_bins=80,
        d_model=512,
        encoder_layers=6,
        decoder_layers=6,
        encoder_attention_heads=8,
        decoder_attention_heads=8,
        encoder_ffn_dim=2048,
        decoder_ffn_dim=2048,
    )
    state = {
        "decoder.embed_tokens.weight": arrays["decoder/embeddings/weight"],
        "decoder.embed_positions.weight": arrays["decoder/position_encodings/encodings"],
        "encoder.embed_positions.weight": arrays["encoder/position_encodings/encodings"],
    }
    for name in ("conv1", "conv2"):
        for part in ("weight", "bias"):
            state[f"encoder.{name}.{part}"] = arrays[f"encoder/{name}/{part}"]
    for side in ("encoder", "decoder"):
        _norm(state, f"{side}.layer_norm", arrays, f"{side}/layer_norm")
        for layer in range(6):
            _layer(state, f"{side}.layers.{layer}", arrays, f"{side}/layer_{layer}")
    made = WhisperForConditionalGeneration(config).eval()
    tensors = {name: torch.from_numpy(array) for name, array in state.items()}
    lacking, foreign = made.model.load_state_dict(tensors, strict=False)
    assert not foreign
    # Whisper's keys carry no bias; nothing else may be absent.
    assert not [name for name in lacking if not name.endswith("k_proj.bias")]
    return made


def _norm(state, name, arrays, source):
    state[f"{name}.weight"] = arrays[f"{source}/gamma"]
    state[f"{name}.bias"] = arrays[f"{source}/beta"]


def _layer(state, name, arrays, source):
    attentions = [("self_attn", "self_attention", ("qkv", "o"))]
    if name.startswith("decoder"):
        attentions.append(("encoder_attn", "attention", ("q", "kv", "o")))
    for own, theirs, pieces in attentions:
        _norm(state, f"{name}.{own}_layer_norm", arrays, f"{source}/{theirs}/layer_norm")
        for index, letters in enumerate(pieces):
            for part in ("weight", "bias"):
                whole = arrays[f"{source}/{theirs}/linear_{index}/{part}"]
                for letter, rows in zip(letters, np.split(whole, len(letters)), strict=True):
                    projection = "out_proj" if letter == "o" else f"{letter}_proj"
                    if (letter, part) == ("k", "bias"):
                        assert not rows.any()
                        continue
                    state[f"{name}.{own}.{projection}.{part}"] = rows
    _norm(state, f"{name}.final_layer_norm", arrays, f"{source}/ffn/layer_norm")
    for index in (0, 1):
        for part in ("weight", "bias"):
            state[f"{name}.fc{index + 1}.{part}"] = arrays[f"{source}/ffn/linear_{index}/{part}"]
