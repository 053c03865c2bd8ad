"""Undos: what is open, running one, telling people of one that keeps failing."""

from temporalio import activity

from activities.errors import told
from activities.heartbeat import beating
from activities.outcome import RECEIVER_ATTEMPTS
from purple.contracts import names
from purple.contracts.campaigns import CampaignRef
from purple.contracts.undos import OpenUndos, RunUndo, UndoAlarm, UndoOutcome
from purple.domain.errors import ReceiverAwayError
from purple.services.notifying import Notifying
from purple.services.undoing import Undoing
from purple.services.undos import Undos


class OpenUndoActivities:
    """What is to be undone."""

    def __init__(self, undos: Undos) -> None:
        self._undos = undos

    @activity.defn(name=names.OPEN_UNDOS)
    async def open_undos(self, ref: CampaignRef) -> OpenUndos:
        """See `Undos.open_of`."""
        with told():
            async with beating():
                return await self._undos.open_of(ref)


class UndoActivities:
    """Runs one undo, beside the tools."""

    def __init__(self, undoing: Undoing) -> None:
        self._undoing = undoing

    @activity.defn(name=names.UNDO)
    async def undo(self, request: RunUndo) -> UndoOutcome:
        """See `Undoing.run`."""
        with told():
            async with beating():
                return await self._undoing.run(request, lambda _: None)


class AlarmActivities:
    """Tells people."""

    def __init__(self, notifying: Notifying) -> None:
        self._notifying = notifying

    @activity.defn(name=names.UNDO_ALARM)
    async def alarm(self, request: UndoAlarm) -> None:
        """See `Notifying.alarm`; a receiver that stays away is given up, for the campaign tells of it too."""
        with told():
            async with beating():
                try:
                    await self._notifying.alarm(request)
                except ReceiverAwayError:
                    if activity.info().attempt < RECEIVER_ATTEMPTS:
                        raise
