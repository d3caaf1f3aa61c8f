"""From a map of "this pixel is text" to boxes around lines of text, and how much they cover.
Pure numbers, no network. Shape legend: h, w map; H, W picture; N boxes.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TextRule:
    """How a map becomes boxes: PaddleOCR's values for its detector, and the last one of our own."""

    threshold: float = 0.3
    """Pixels above it are text."""
    least_score: float = 0.6
    """Mean of the map within a box; boxes below are none."""
    growth: float = 1.6
    """The network sees lines shrunk: a box grows on each side by so many times its area by its
    perimeter."""
    least_side: float = 3.0
    """Pixels of the map; a thinner box is none, nor is one of less than 2 more once it is grown."""
    most_side: float = 0.2
    """Of the picture's shorter side; a thicker box is no line of text. Without letters in sight the
    network takes some faces for one, at scores of up to 0.87."""


LINES = TextRule()


def text_boxes(
    probabilities_hw: npt.NDArray[np.float32], height: int, width: int, rule: TextRule = LINES
) -> Boxes:
    """Corners (N, 4, 2) as x, y of the lines of text, in pixels of a picture of that size.

    The map may be of another size than the picture. Boxes may be slanted, and reach to the edge.
    Source: Liao et al., "Real-time Scene Text Detection with Differentiable Binarization", AAAI
    2020, section 3.5, with a rectangle around each region, as PaddleOCR has it.
    """
    mask = (probabilities_hw > rule.threshold).astype(np.uint8)
    # Two by two, as published: joins regions that touch at a corner.
    mask = np.asarray(cv2.dilate(mask, np.ones((2, 2), np.uint8)), dtype=np.uint8)
    outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    boxes = [box for outline in outlines if (box := _box(probabilities_hw, outline, rule)).size]
    scale = np.array([width, height]) / probabilities_hw.shape[::-1]
    corners_N42 = np.array(boxes).reshape(-1, 4, 2) * scale
    sides_N2 = np.linalg.norm(corners_N42[:, 1:3] - corners_N42[:, :2], axis=2)
    is_line_N = sides_N2.min(axis=1) <= rule.most_side * min(height, width)
    lines_N42: Boxes = np.clip(corners_N42[is_line_N], 0, [width, height]).astype(np.float32)
    return lines_N42


def covered_share(boxes_N42: Boxes, height: int, width: int) -> float:
    """The part of a picture that boxes cover, 0–1; what two of them cover counts once."""
    mask = np.zeros((height, width), dtype=np.uint8)
    for box in boxes_N42:
        # A box ends at edges of pixels; what is filled ends at middles of them.
        middles = box - 0.5 - 0.5 * np.sign(box - box.mean(axis=0))
        cv2.fillConvexPoly(mask, np.round(middles).astype(np.int32), 1)
    return float(mask.mean())


def _box(probabilities_hw: npt.NDArray[np.float32], outline: object, rule: TextRule) -> Boxes:
    """The corners (4, 2) around a region, grown; none of a region that is too small or too weak."""
    none: Boxes = np.zeros((0, 2), dtype=np.float32)
    centre, (first, second), angle = cv2.minAreaRect(outline)  # type: ignore[call-overload]
    if min(first, second) < rule.least_side:
        return none
    if _mean_within(probabilities_hw, cv2.boxPoints((centre, (first, second), angle))) < (
        rule.least_score
    ):
        return none
    margin = rule.growth * first * second / (2 * (first + second))
    sides = (first + 2 * margin, second + 2 * margin)
    if min(sides) < rule.least_side + 2:
        return none
    return np.asarray(cv2.boxPoints((centre, sides, angle)), dtype=np.float32)


def _mean_within(probabilities_hw: npt.NDArray[np.float32], corners_42: npt.ArrayLike) -> float:
    """Mean of the map within a box, its edge included."""
    corners = np.asarray(corners_42)
    edge = np.array(probabilities_hw.shape[::-1]) - 1
    low = np.clip(np.floor(corners.min(axis=0)), 0, edge).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)), 0, edge).astype(int)
    part = probabilities_hw[low[1] : high[1] + 1, low[0] : high[0] + 1]
    mask = np.zeros(part.shape, dtype=np.uint8)
    cv2.fillPoly(mask, [(corners - low).astype(np.int32)], 1)  # type: ignore[list-item]
    return float(part[mask > 0].mean()) if mask.any() else 0.0
