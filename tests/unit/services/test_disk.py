"""A disk that is full is a part that is away: what waits for it is tried again."""

import errno

import pytest

from purple.domain.capacity import Capacity
from purple.domain.errors import DiskFullError
from purple.services import workshop
from purple.services.workshop import Workshop, scratch_folder


def test_hardly_any_room_is_a_full_disk_also_where_nothing_was_written_yet(tmp_path, monkeypatch) -> None:
    place = Workshop(tmp_path / "not/yet", Capacity(1, 512))
    place.check_disk()
    monkeypatch.setattr(workshop, "LEAST_FREE", 1 << 62)
    with pytest.raises(DiskFullError, match="disk is full"):
        place.check_disk()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
async def test_no_room_for_what_is_written_is_told_as_such(tmp_path, number) -> None:
    with pytest.raises(DiskFullError):
        async with scratch_folder(tmp_path, "upload"):
            raise OSError(number, "no room")
    assert list(tmp_path.iterdir()) == []


async def test_other_trouble_stays_what_it_is(tmp_path) -> None:
    with pytest.raises(PermissionError):
        async with scratch_folder(tmp_path, "upload"):
            raise PermissionError(errno.EACCES, "not allowed")
