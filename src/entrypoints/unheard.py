"""For commands: what happens is on record in the database, and the log is the service's."""

from domain.events import Event


class Unheard:
    """`application.ports.environment.EventLog` that writes nothing."""

    def record(self, event: Event) -> None:
        """Nothing."""
