"""Inputs and outputs at the bucket: hashes checked, trouble waited out, presigned URLs told to nobody."""

import hashlib
from pathlib import Path

import pytest

from tests.workers.conftest import FakeTime
from tests.workers.control_plane import ControlPlane, lose, say
from workers import storage
from workers.http import NoAnswer
from workers.protocol.claim import StagedFile
from workers.protocol.result import Upload
from workers.storage import StorageFailed

CLIP = bytes(range(256)) * 9000  # more than two chunks


@pytest.fixture
def staged(plane: ControlPlane) -> StagedFile:
    plane.inputs = {"clip": CLIP}
    return plane.claim().files[0]


@pytest.fixture
def grant(plane: ControlPlane) -> Upload:
    url = f"{plane.url}/bucket/out/output_0001.bin?signature=secret"
    return Upload(name="output_0001.bin", url=url, headers={"x-bound": "output_0001.bin", "Content-Type": "video/mp4"})


def test_a_download_is_the_very_bytes(
    plane: ControlPlane, staged: StagedFile, tmp_path: Path, fake_time: FakeTime
) -> None:
    storage.download(staged, tmp_path / "clip")
    assert (tmp_path / "clip").read_bytes() == CLIP
    assert plane.words == ["GET clip"]
    assert fake_time.pauses == []


def test_a_file_without_length_and_hash_is_taken_as_it_comes(
    plane: ControlPlane, staged: StagedFile, tmp_path: Path
) -> None:
    plane.inputs = {"clip": b"anything"}
    storage.download(staged.model_copy(update={"bytes": None, "sha256": None}), tmp_path / "clip")
    assert (tmp_path / "clip").read_bytes() == b"anything"


def swapped(body: bytes) -> bytes:
    return body[:-1] + bytes([body[-1] ^ 1])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (swapped(CLIP), "the bytes do not have the announced hash"),
        (CLIP[:-1], f"{len(CLIP) - 1} bytes came instead of {len(CLIP)}"),
        (CLIP + b"x", f"{len(CLIP) + 1} bytes came instead of {len(CLIP)}"),
        (b"", f"0 bytes came instead of {len(CLIP)}"),
    ],
    ids=["swapped", "short", "long", "empty"],
)
def test_wrong_bytes_are_refused_after_several_tries(
    plane: ControlPlane, staged: StagedFile, tmp_path: Path, fake_time: FakeTime, body: bytes, reason: str
) -> None:
    plane.inputs = {"clip": body}
    with pytest.raises(StorageFailed) as caught:
        storage.download(staged, tmp_path / "clip")
    assert str(caught.value) == f"download of clips[0]: {reason}"
    assert plane.words == ["GET clip"] * 5
    assert fake_time.pauses == pytest.approx([0.3, 0.6, 1.2, 2.4])


def test_trouble_is_waited_out_and_a_broken_piece_is_not_kept(
    plane: ControlPlane, staged: StagedFile, tmp_path: Path, fake_time: FakeTime
) -> None:
    plane.scripts["GET clip"] = [say(503), lose, lambda _: (200, swapped(CLIP)), lambda _: (206, CLIP[:9])]
    storage.download(staged, tmp_path / "clip")
    assert (tmp_path / "clip").read_bytes() == CLIP
    assert plane.words == ["GET clip"] * 5


def test_an_upload_sends_the_file_with_the_headers_of_its_grant(
    plane: ControlPlane, grant: Upload, tmp_path: Path
) -> None:
    path = tmp_path / "output_0001.bin"
    path.write_bytes(CLIP)
    storage.upload(path, grant)
    sent = plane.one("PUT output_0001.bin")
    assert sent.body == CLIP
    assert sent.headers["Content-Length"] == str(len(CLIP))
    assert "Transfer-Encoding" not in sent.headers
    assert sent.headers["Content-Type"] == "video/mp4"
    assert not any(name.startswith("X-Node") for name in sent.headers)


def test_each_try_of_an_upload_sends_the_whole_file(
    plane: ControlPlane, grant: Upload, tmp_path: Path, fake_time: FakeTime
) -> None:
    path = tmp_path / "output_0001.bin"
    path.write_bytes(CLIP)
    plane.scripts["PUT output_0001.bin"] = [say(500), lose, say(503)]
    storage.upload(path, grant)
    assert [len(seen.body) for seen in plane.seen] == [len(CLIP)] * 4
    assert plane.stored == {"output_0001.bin": CLIP}
    assert fake_time.pauses == pytest.approx([0.3, 0.6, 1.2])


def test_a_refused_upload_is_an_error_that_does_not_tell_the_url(
    plane: ControlPlane, grant: Upload, fake_time: FakeTime
) -> None:
    plane.always["PUT output_0001.bin"] = say(403)
    with pytest.raises(StorageFailed) as caught:
        storage.upload_bytes(b"body", grant)
    assert str(caught.value) == "upload of output_0001.bin: the bucket answered 403"
    assert len(plane.seen) == 5
    assert plane.stored == {}


def test_an_absent_bucket_is_an_error_that_does_not_tell_the_url(
    nobody: str, grant: Upload, staged: StagedFile, tmp_path: Path, fake_time: FakeTime
) -> None:
    url = f"{nobody}/bucket/x?signature=secret"
    for action in (
        lambda: storage.upload_bytes(b"body", grant.model_copy(update={"url": url})),
        lambda: storage.download(staged.model_copy(update={"url": url}), tmp_path / "clip"),
    ):
        with pytest.raises(StorageFailed) as caught:
            action()
        assert "secret" not in str(caught.value)
        assert isinstance(caught.value.__cause__, NoAnswer)


def test_sha256_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CLIP)
    assert storage.sha256_of(tmp_path / "file") == hashlib.sha256(CLIP).hexdigest()
    (tmp_path / "file").write_bytes(b"\0")
    assert storage.sha256_of(tmp_path / "file") == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
