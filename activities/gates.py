"""The steps of the gates of hosts."""

from temporalio import activity

from activities.errors import told
from activities.heartbeat import beating
from purple.contracts import names
from purple.contracts.gates import GateRef, GateTurn
from purple.services.gatekeeping import Gatekeeping


class GateActivities:
    """Turns."""

    def __init__(self, gatekeeping: Gatekeeping) -> None:
        self._gatekeeping = gatekeeping

    @activity.defn(name=names.GATE_TURN)
    async def turn(self, gate: GateRef) -> GateTurn:
        """See `Gatekeeping.turn`."""
        with told():
            async with beating():
                return await self._gatekeeping.turn(gate, again=activity.info().attempt > 1)
