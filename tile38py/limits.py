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

SWITCH_SECONDS = 0.0005  # for which another thread may keep the interpreter from the event loop
LONG_READ_THREADS_MAX = 4  # at most this many reads leave the event loop at a time

LOAD_CHUNK_BYTES = 4 * MIB  # of the log between two looks at the progress; commands wait so long
COPY_CHUNK_BYTES = 1 * MIB  # of a file while it is copied or summed
PROGRESS_SECONDS = 1.0  # between two reports of the load's progress

SYNC_SECONDS = 1.0  # between two fsyncs under everysec
RETRY_SECONDS = 1.0  # between two tries to write a log that had no room
RESUME_FREE_BYTES_MIN = 1 * MIB  # room on the disk before writes are accepted again

SHRINK_PIECE_BYTES = 4 * MIB  # of a rewrite that are made and written at a time
SHRINK_SYNC_BYTES = (
    32 * MIB
)  # of a rewrite after which it is synced, lest the disk choke at its end
SHRINK_SWAP_BYTES_MAX = 256 * KIB  # of the old log that are copied while nobody may write
SHRINK_LOOK_SECONDS = 10.0  # between two looks whether the log is to be rewritten by itself
SHRINK_PAUSE_SECONDS_MIN = 60.0  # between two starts by itself; doubled with each failure
SHRINK_PAUSE_SECONDS_MAX = 3600.0  # what that grows to
SHRINK_STOP_SECONDS_MAX = 5.0  # for a rewrite to give up when the server stops
BACKUP_NAME_COUNT_MAX = 64  # characters of a backup's name

EXPIRE_SECONDS = 0.1  # between two sweeps
EXPIRE_COUNT_MAX = 1000  # objects removed before the event loop gets its turn
ZONE_SECONDS = 60.0  # between two looks at the local time zone, which summer time changes
MEMORY_SECONDS = 4.0  # between two looks at maxmemory
COLLECT_SECONDS = 1.0  # between two looks at autogc, and at whether cycles should be looked for
COLLECT_SECONDS_MAX = 600.0  # without such a look while it would hold up everybody
COLLECT_PAUSE_FACTOR = 1000  # a look that took so long isn't repeated for this many times as long
COLLECT_WAITING_COUNT_MAX = 10_000  # messages of hooks, above which it would
COLLECT_NEVER = 1_000_000_000  # in place of the interpreter's own threshold

SLOWLOG_MICROSECONDS = 10_000  # from which on commands are slow unless a setting says otherwise
SLOWLOG_COUNT = 128  # of them that are kept unless a setting says otherwise
SLOWLOG_COUNT_MAX = 10_000  # that a setting may ask for; each takes some KiB at most

LOG_SAME_COUNT_MAX = 100  # identical messages in a second that are all written
LOG_SAME_STEP = 100  # of those beyond, every so many is written
LOG_TEXTS_COUNT_MAX = 1000  # different messages remembered in a second

STOP_SECONDS_MAX = 1.0  # for clients to take their last replies at a clean stop

FOLLOWER_PIECE_BYTES = 256 * KIB  # of the log, read at a time for a follower that is behind
FOLLOWER_READ_THREADS_MAX = 2  # at most this many such reads at a time
FOLLOWER_MESSAGES_BYTES_MAX = 16 * MIB  # waiting for one lagging follower, beyond are dropped
FOLLOWER_MESSAGE_BYTES = 100  # what a waiting message occupies besides its text
FOLLOWER_STUCK_SECONDS_MAX = 60.0  # without taking a byte that waits, at which it is cut off
FOLLOWER_CHECK_SECONDS = 1.0  # between two looks for those

HOOK_FLUSH_SECONDS = 0.5  # between two writes of the hook queue: what a kill -9 can lose or repeat
HOOK_SWEEP_SECONDS = 1.0  # between two looks for events that are too old
HOOK_TTL_SECONDS = 30  # what an event may wait unless hook-queue-ttl says otherwise
HOOK_QUEUE_BYTES_MAX = 256 * MIB  # of waiting events unless hook-queue-max-size says otherwise
HOOK_MEMORY_BYTES_MAX = 16 * MIB  # of waiting events kept in memory, too; the rest is read again
HOOK_QUEUE_BYTES_SLACK = 16 * MIB  # above that for a moment, until the oldest have left the file
HOOK_FLUSH_COUNT_MAX = 4096  # events written in one transaction
HOOK_STEP_COUNT_MAX = 128  # events or hooks handled before the event loop gets its turn
HOOK_LOAD_COUNT_MAX = 2048  # events read back at a time, over all hooks that need some
HOOK_LOAD_COUNT_MIN = 4  # but so many for each
HOOK_LOAD_BYTES_MAX = 4 * MIB  # bytes at which such a read ends
HOOK_EVENT_BYTES = 200  # what an event occupies besides its text
HOOK_SWEEP_COUNT_MAX = 1000  # events looked at before the event loop gets its turn
HOOK_BATCH_COUNT_MAX = 2048  # events handed to an endpoint at a time
HOOK_BATCH_BYTES_MAX = 2 * MIB  # bytes at which such a batch ends
HOOK_SHARE_COUNT_MAX = 64  # events of one hook in a batch while other hooks wait, too
HOOK_LANES_COUNT_MAX = 32  # lists of URLs that begin a batch before the event loop gets its turn
HOOK_NARROW_FACTOR = 32  # by which batches shrink while nothing of them arrives
HOOK_SUSPECTS_COUNT_MAX = 16  # hooks of an endpoint that are sent alone while nothing arrives
HOOK_PROBLEMS_COUNT_MAX = 20  # endpoints that can't be used, logged after a start
HOOK_KNOWN_COUNT_MAX = 1000  # lists of URLs that delivery remembers
HOOK_RETRY_SECONDS = 0.5  # before a refused event or a dead endpoint is tried again
HOOK_RETRY_SECONDS_MAX = 4.0  # what the pause grows to while an endpoint stays dead
HOOK_RETRY_COUNT_STEADY = 10  # failures in a row before the pause grows
HOOK_FATE_COUNT_MAX = 200  # characters of an endpoint's error that are kept

ENDPOINT_CONNECT_SECONDS_MAX = 5.0  # for a connection, its handshake and its login
ENDPOINT_SEND_SECONDS_MAX = 5.0  # for one batch, unless a scheme says otherwise
ENDPOINT_CLOSE_SECONDS_MAX = 2.0  # for a connection to be flushed and closed
ENDPOINT_IDLE_SECONDS_MAX = 30.0  # without a send before the connection is closed
ENDPOINT_BATCHES_COUNT_MAX = 256  # under way at a time on a connection that takes several
ENDPOINT_TARGETS_COUNT_MAX = 10_000  # topics, queues … that a connection remembers as declared
ENDPOINT_FIRST_SECONDS = 0.001  # between two first tries to connect, over all endpoints
ENDPOINT_REPEAT_SECONDS = 0.005  # between two tries of any that failed before
ENDPOINT_NAMES_COUNT_MAX = 256  # of hosts, looked up at a time with a thread each
ENDPOINT_URLS_ACCEPTED_COUNT_MAX = 4096  # that SETHOOK needn't check again
ENDPOINT_SWEEP_SECONDS = 1.0  # between two looks for idle connections
PRODUCER_LIFETIME_SECONDS_MAX = 1800.0  # of a Kafka producer, however busy it is

LINK_CONNECT_SECONDS_MAX = 2.0  # for a connection to a leader
LINK_PROBE_SECONDS_MAX = 2.0  # for what FOLLOW asks a leader before it answers
LINK_REPLY_SECONDS_MAX = 10.0  # for a leader's reply
LINK_REPLY_BYTES_MAX = 1 * MIB  # of a leader's reply; the largest is SERVER's, some KiB
LINK_REPLY_COUNT_MAX = 1024  # values in a leader's reply
LINK_DIGEST_BYTES_MAX = 64 * MIB  # that a leader sums up at a time: to a Tile38 nobody may write
LINK_DIGEST_BYTES_RATE_MIN = 20 * MIB  # a second, at which a leader sums up its log
LINK_IDLE_SECONDS = 10  # of silence after which the system asks whether the leader is there
LINK_DEAD_SECONDS_MAX = 30  # without an answer of its system, after which it is gone
LINK_BUFFER_BYTES = 2 * MIB  # of a leader's stream that arrive while we are busy with earlier ones
FOLLOW_PAUSE_SECONDS = 1.0  # between two sessions with a leader
FOLLOW_PAUSE_SECONDS_MAX = 8.0  # what that grows to while they bring nothing
FOLLOW_PAUSE_COUNT_STEADY = 5  # such sessions in a row before it grows
FOLLOW_AUDIT_SECONDS = 60.0  # between two proofs that a follower's log is its leader's
FOLLOW_AUDIT_AGAIN_SECONDS = 5.0  # before one that failed is tried again
FOLLOW_CHAIN_COUNT_MAX = 8  # followers that are asked whom they follow, one after the other
FOLLOW_DISK_PAUSE_SECONDS = 10.0  # the same after the disk took no copy: the next begins anew
FOLLOW_SLICE_BYTES = 64 * KIB  # of the stream run before the event loop gets its turn
FOLLOW_COPY_BYTES = 1 * MIB  # of the stream run at a time on a thread
FOLLOW_COMMAND_BYTES_MAX = 1 * GIB  # of one command in a leader's stream
FOLLOW_STALL_SECONDS_MAX = 30.0  # without a byte although the leader has some to send
FOLLOW_THREADS_MAX = 2  # for what a follower does beside the event loop: sum up, load, run, free

METRICS_CLIENTS_COUNT_MAX = 16  # scrapers at a time
METRICS_REQUEST_SECONDS_MAX = 10.0  # for a scraper to ask, and to take the answer
METRICS_SCRAPE_SECONDS_MAX = 30.0  # for the answer to be made, scrapes before it included
