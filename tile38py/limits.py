"""Bounds, each with its unit and what it protects. Nothing here is a setting of the user's."""

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

CLIENTS_COUNT_MAX = 50_000  # connections at a time; fewer where the system allows fewer files
FILES_COUNT_RESERVED = 64  # descriptors kept for the log, the configuration, listeners, threads
ACCEPT_BACKLOG_COUNT = 1024  # connections that the system holds while the loop is busy

OUTPUT_BYTES_HIGH = 1 * MIB  # unsent replies above which a connection's requests wait
OUTPUT_BYTES_LOW = 256 * KIB  # unsent replies below which they go on
OUTPUT_BYTES_MAX = 1 * GIB  # unsent replies at which the connection is cut off
INPUT_BYTES_WAITING_MAX = 1 * MIB  # bytes that may arrive after a pause was asked for

LIVE_BYTES_MAX = 16 * MIB  # waiting for one live connection, at which it is cut off
LIVE_BYTES_HIGH = 64 * KIB  # unsent bytes of it above which messages wait, shared, outside
LIVE_BYTES_LOW = 16 * KIB  # unsent bytes below which they go on
PARCEL_BYTES_MAX = 256 * KIB  # of messages for the same listeners that are sent as one
FANOUT_BYTES_MAX = 16 * MIB  # of messages to be handed out, at which publishers have to wait
FANOUT_COUNT_MAX = 256  # listeners served before the event loop gets its turn
FANOUT_STEP_BYTES = 16 * KIB  # of a message; each counts as one more listener
ROUTES_COUNT_MAX = 10_000  # channels whose listeners are remembered
WEBSOCKET_MESSAGE_BYTES_MAX = 1 * MIB  # from a client, which has only short commands to send

HTTP_HEAD_BYTES_MAX = 64 * KIB  # request line and headers
HTTP_BODY_BYTES_MAX = 512 * MIB  # as one argument in RESP

LONG_READ_THREADS_MAX = 4  # at most this many reads leave the event loop at a time

LOAD_CHUNK_BYTES = 1 * MIB  # of the log between two looks at the progress; commands wait so long
COPY_CHUNK_BYTES = 1 * MIB  # of a file while it is copied or summed
PROGRESS_SECONDS = 1.0  # between two reports of the load's progress

SYNC_SECONDS = 1.0  # between two fsyncs under everysec
RETRY_SECONDS = 1.0  # between two tries to write a log that had no room
RESUME_FREE_BYTES_MIN = 1 * MIB  # room on the disk before writes are accepted again

EXPIRE_SECONDS = 0.1  # between two sweeps
EXPIRE_COUNT_MAX = 1000  # objects removed before the event loop gets its turn
ZONE_SECONDS = 60.0  # between two looks at the local time zone, which summer time changes
MEMORY_SECONDS = 4.0  # between two looks at maxmemory
COLLECT_SECONDS = 1.0  # between two looks at autogc

LOG_SAME_COUNT_MAX = 100  # identical messages in a second that are all written
LOG_SAME_STEP = 100  # of those beyond, every so many is written
LOG_TEXTS_COUNT_MAX = 1000  # different messages remembered in a second

STOP_SECONDS_MAX = 1.0  # for clients to take their last replies at a clean stop
