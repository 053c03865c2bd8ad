"""The contracts are what the lock file says; change both together, on purpose."""

from purple.contracts.lock import LOCK, text


def test_the_lock_file_is_up_to_date() -> None:
    assert LOCK.read_text() == text(), "run `python -m purple.contracts.lock`, and see that old campaigns still replay"
