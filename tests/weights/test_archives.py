"""Members come out by their own names; paths, links, bombs and broken archives do no harm."""

import io
import stat
import tarfile
import zipfile

import pytest

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.weights.archives import extract_member, is_archive, members


def _zip(path, entries, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


def _tar(path, entries):
    with tarfile.open(path, "w:gz") as archive:
        for info, data in entries:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    "inner", ["../../evil.bin", "/etc/evil.bin", "a\\..\\evil.bin", "d/evil.bin"]
)
def test_the_inner_path_does_not_decide_where_a_member_lands(tmp_path, inner):
    archive = _zip(tmp_path / "a.zip", [(inner, b"data")])
    target = tmp_path / "out" / "wanted.bin"
    extract_member(archive, "evil.bin", target, most_bytes=100)
    assert target.read_bytes() == b"data"
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["a.zip", "wanted.bin"]


def test_tar_members_come_out_alike(tmp_path):
    archive = _tar(tmp_path / "a.tar.gz", [(tarfile.TarInfo("../x/w.bin"), b"data")])
    extract_member(archive, "w.bin", tmp_path / "w", most_bytes=4)
    assert (tmp_path / "w").read_bytes() == b"data"
    assert members(archive) == [("w.bin", 4)]


def test_links_and_folders_are_no_members(tmp_path):
    link = tarfile.TarInfo("w.bin")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    tarred = _tar(tmp_path / "a.tar.gz", [(link, b"")])
    zipped = tmp_path / "a.zip"
    info = zipfile.ZipInfo("w.bin")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr(info, "/etc/passwd")
        archive.writestr("folder/", "")
    for path in (tarred, zipped):
        assert members(path) == []
        with pytest.raises(InputUnreadable, match="found 0"):
            extract_member(path, "w.bin", tmp_path / "w", most_bytes=100)
    assert not (tmp_path / "w").exists()


def test_a_bomb_is_stopped_at_the_bound_and_leaves_nothing(tmp_path):
    archive = _zip(tmp_path / "a.zip", [("w.bin", b"\0" * 50_000_000)])
    assert archive.stat().st_size < 100_000
    with pytest.raises(InputUnreadable, match="at most 1,000 bytes"):
        extract_member(archive, "w.bin", tmp_path / "w", most_bytes=1000)
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]


def test_two_members_of_one_name_are_ambiguous(tmp_path):
    archive = _zip(tmp_path / "a.zip", [("a/w.bin", b"1"), ("b/w.bin", b"2")])
    with pytest.raises(InputUnreadable, match="found 2"):
        extract_member(archive, "w.bin", tmp_path / "w", most_bytes=100)


def test_a_damaged_or_foreign_file_is_unreadable(tmp_path):
    archive = _zip(tmp_path / "a.zip", [("w.bin", bytes(range(256)) * 40)], zipfile.ZIP_STORED)
    data = bytearray(archive.read_bytes())
    data[200] ^= 255
    archive.write_bytes(data)
    with pytest.raises(InputUnreadable, match=r"a\.zip"):
        extract_member(archive, "w.bin", tmp_path / "w", most_bytes=100_000)
    (tmp_path / "b.zip").write_bytes(b"<html>not found</html>")
    with pytest.raises(InputUnreadable, match=r"b\.zip"):
        members(tmp_path / "b.zip")
    assert not (tmp_path / "w").exists()


def test_a_checkpoint_is_not_taken_for_an_archive(tmp_path):
    assert is_archive(tmp_path / "buffalo_l.ZIP")
    assert not is_archive(tmp_path / "syncnet.pth")
