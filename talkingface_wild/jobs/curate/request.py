"""What ``tfw curate`` and ``talkingface_wild.curate`` ask for."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from talkingface_wild.core.language_names import check_tag, parse_languages
from talkingface_wild.core.request import OPTION, SHOWN_DEFAULT, Request
from talkingface_wild.pipelines.sources.collect import SourceChoice


def _tags(languages: Any) -> tuple[str, ...] | None:
    """Checked tags of ``ar,de`` or of a sequence; None for all."""
    if languages is None or isinstance(languages, str):
        return None if languages is None else parse_languages(languages)
    return tuple(check_tag(str(tag)) for tag in languages)


class CurateRequest(Request):
    """A run of curation in one folder; the same request again goes on where it stopped."""

    EXAMPLES: ClassVar = (
        "tfw curate --langs all --recipe demo --out demo_out",
        "tfw curate --langs all --recipe demo --out demo_out --plan",
        "tfw curate --langs de,fr --recipe demo --engine local --out demo_two",
    )

    languages: Annotated[tuple[str, ...] | None, BeforeValidator(_tags)] = Field(
        None, json_schema_extra={OPTION: "--langs", SHOWN_DEFAULT: "all"}
    )
    """all, or tags such as ar,de,en"""
    recipe: str | None = None
    """Name or YAML file. Default: the folder's own recipe, else talkingface_wild."""
    sources: tuple[str, ...] = ()
    """A folder, a list (txt, csv, jsonl, parquet), a video or a link; may be given often."""
    out: Path = Path("talkingface_wild_data")
    """Folder of the data set."""
    engine: Literal["ray", "local"] = "ray"
    """ray (this machine, or the cluster in RAY_ADDRESS) or local"""
    workers: int | None = Field(None, ge=1)
    """Workers per pool; default: one per core."""
    hours_per_language: float | None = Field(None, ge=0)
    """Stop a language at so many hours of kept clips."""
    limit: int | None = Field(None, ge=1)
    """Take the first so many sources."""
    settings: tuple[str, ...] = Field((), json_schema_extra={OPTION: "--set"})
    """stage.field=value or gates.NAME=bound"""
    retry_failed: bool = False
    """Try again what failed."""
    score_all: bool = False
    """Measure rejected clips too."""
    fresh: bool = False
    """Forget what was measured and begin anew."""
    commercial_only: bool = False
    """Refuse weights whose licence does not allow commercial use."""
    compact: bool | None = None
    """Leave columns without any value out of clips/; kept up until the other is given."""

    @property
    def recipe_settings(self) -> tuple[str, ...]:
        """All that changes the recipe."""
        if self.hours_per_language is None:
            return self.settings
        return (*self.settings, f"targets.hours_per_language={self.hours_per_language}")

    @property
    def source_choice(self) -> SourceChoice:
        """Which sources are taken up."""
        return SourceChoice(self.sources, self.languages, self.limit)
