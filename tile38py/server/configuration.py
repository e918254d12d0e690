"""Writes the configuration file at the start, and logs what is wrong with it."""

from tile38py.clock import stamp_text
from tile38py.errors import StartError, reason_of
from tile38py.server.core import Core
from tile38py.server.logs import Log, notice


def save_configuration(core: Core, log: Log) -> None:
    """Give the file the content that it should have. Raises StartError if the disk fails."""
    file, left_out = core.config_file, core.config.left_out
    text = core.config.file_text()
    if text == file.read():
        return
    if not file.is_writable():
        notice(log, "The configuration file is read-only: no setting is kept")
        if left_out:
            log.error("Not understood in the configuration file: %s", left_out)
        return
    try:
        if left_out:
            # It may be a typing error: lose nothing.
            copy = file.keep_copy(f"config.kept-{stamp_text(core.clock.now_ns())}")
            log.error("Left out of the configuration file: %s; it is kept in %s", left_out, copy)
        file.write(text)
    except OSError as error:
        raise StartError(f"configuration file: {reason_of(error)}") from error
