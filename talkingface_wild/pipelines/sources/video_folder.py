"""Finds the videos below a folder by their suffix; sub-folders named by a language give it."""

import os
from collections import Counter
from pathlib import Path

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.language_names import UNKNOWN
from talkingface_wild.pipelines.sources.entry import ListedVideo, is_wanted, skipped

_MEDIA = """
.mp4 .m4v .mov .mkv .webm .avi .ts .mts .m2ts .mpg .mpeg .m2v .wmv .asf .flv .f4v .ogv .ogm .3gp
.3g2 .mxf .vob .divx .rm .rmvb .y4m .nut
"""
MEDIA = frozenset(_MEDIA.split())
"""Suffixes that name a video."""

_CODES = """
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de
dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id
ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu
lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu
rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr
ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
TWO_LETTERS = frozenset(_CODES.split())
"""The two-letter language codes (ISO 639-1). Not every short name is one: ``raw/``, ``src/``."""

THREE_LETTERS = frozenset(("arb", "arz", "ary", "apc", "cmn", "yue", "nan", "fil", "haw", "ckb"))
"""Three-letter codes that are understood without being asked for by ``--langs``."""


def read_folder(
    folder: Path, languages: tuple[str, ...] | None
) -> tuple[list[ListedVideo], list[str]]:
    """The videos below ``folder`` sorted by path, and notes on what was left out and why.

    ``folder/<language>/…`` gives the language; for all other files it is the one language asked
    for, else ``und``. Linked folders and hidden files are passed over. Raises InputUnreadable when
    the folder cannot be listed or holds no video.
    """
    entries: list[ListedVideo] = []
    notes: list[str] = []
    other: Counter[str] = Counter()
    aside: Counter[str] = Counter()
    alone = languages[0] if languages is not None and len(languages) == 1 else UNKNOWN
    names = _files(folder, notes)
    for name in names:
        suffix = os.path.splitext(name)[1].lower()
        if suffix not in MEDIA:
            aside[suffix or "no suffix"] += 1
        elif not _is_text(name):
            notes.append(f"{folder}: {os.fsencode(name)!r} is no UTF-8 name; it is left out.")
        else:
            language = folder_language(Path(name), languages) or alone
            if is_wanted(language, languages):
                entries.append(ListedVideo(language, path=name, root=str(folder.absolute())))
            else:
                other[language] += 1
    if not entries and not other:
        raise InputUnreadable(
            f"Expected videos below {folder}, found none among {len(names)} files; "
            f"give the folder that holds them (known suffixes: {' '.join(sorted(MEDIA))})."
        )
    if aside:
        listed = ", ".join(f"{number} {suffix}" for suffix, number in sorted(aside.items()))
        notes.append(f"{folder}: left out files that are no videos by their suffix ({listed}).")
    return entries, notes + skipped(other, languages, str(folder))


def folder_language(name: Path, languages: tuple[str, ...] | None) -> str | None:
    """The language that the first sub-folder of a relative path names, if it names one."""
    if len(name.parts) < 2:
        return None
    tag = name.parts[0].lower().replace("_", "-")
    first = tag.split("-")[0]
    named = first in TWO_LETTERS or first in THREE_LETTERS or tag in (languages or ())
    return tag if named and tag.replace("-", "").isalnum() else None


def _files(folder: Path, notes: list[str]) -> list[str]:
    """Relative paths of all visible files below ``folder``, sorted by their bytes."""

    def report(error: OSError) -> None:
        if Path(error.filename or "") == folder:
            raise InputUnreadable(
                f"Expected a folder of videos in {folder}, found that it cannot be listed "
                f"({error.strerror}); check its name and permissions."
            ) from error
        notes.append(f"{error.filename}: this folder cannot be listed ({error.strerror}).")

    names: list[str] = []
    for here, folders, files in os.walk(folder, onerror=report):
        folders[:] = [name for name in folders if not name.startswith(".")]
        names.extend(
            os.path.relpath(os.path.join(here, name), folder)
            for name in files
            if not name.startswith(".")
        )
    return sorted(names, key=os.fsencode)


def _is_text(name: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in name)
