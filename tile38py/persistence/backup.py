"""BACKUP: writes a snapshot of the data as a log, to a folder with which a server can start."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tile38py import errors
from tile38py.errors import reason_of
from tile38py.interfaces import Clock
from tile38py.interfaces.files import BackupFolder
from tile38py.interfaces.rewriting import Backup, Rewrite, SnapshotSource
from tile38py.persistence.shrink import CANCELLED, RewriteTarget, write_data


@dataclass(slots=True)
class BackupMaker:
    """Makes backups, one at a time."""

    data: SnapshotSource
    folder: BackupFolder
    clock: Clock
    is_closed: bool = False  # cancels the running backup
    _running: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, name: str) -> Callable[[], Backup]:
        """Take a snapshot now. Return the function that writes it, on a thread."""
        rewrite = self.data.rewrite(self.clock.now_ns())
        objects = self.data.statistics()["num_objects"]

        def work() -> Backup:
            if not self._running.acquire(blocking=False):
                raise errors.backup_running()
            try:
                path, size = self._write(name, rewrite)
            except FileExistsError:
                raise errors.backup_exists(name) from None
            except OSError as error:
                raise errors.backup_failed(reason_of(error)) from error
            finally:
                self._running.release()
            return Backup(path, size, objects)

        return work

    def _write(self, name: str, rewrite: Rewrite) -> tuple[str, int]:
        target = RewriteTarget(self.folder.create(name))
        try:
            if not write_data(rewrite, target, lambda: self.is_closed, lambda: None):
                raise errors.backup_failed(CANCELLED)
            target.file.close()
            return self.folder.finish(name), target.size
        except (OSError, errors.CommandError):
            target.file.close()
            self.folder.sweep()
            raise
