"""Bounds, each with its unit and what it protects; of settings also the defaults."""

SECOND_NS = 10**9  # nanoseconds
KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

# Connections
CLIENTS_COUNT_MAX = 50_000  # open connections; fewer if the system allows fewer open files
FILES_COUNT_RESERVED = 64  # file descriptors reserved for the log, the configuration, listeners
REQUEST_SECONDS = 60  # default of request-timeout: for a request to arrive, once it has begun
REQUEST_BYTES_RATE_MIN = 64 * KIB  # per second; large requests get the time that they take so
QUERY_BYTES_MAX = 1 * GIB  # default of client-query-buffer-limit
CLOSE_SECONDS_MAX = 60.0  # for a client to take anything more of its last replies
CLIENT_SWEEP_SECONDS = 1.0  # between two checks for idle clients and slow requests
CLIENT_SWEEP_COUNT_MAX = 1000  # connections checked in one time slice
LIMITED_PIECE_BYTES = 1 * KIB  # of a client's input run at a time while a rate limit is set
RATE_USERS_COUNT_MAX = 10_000  # users whose rates are known; above it, those that rest are dropped
ACCEPT_BACKLOG_COUNT = 1024  # connections that the kernel queues while the event loop is busy
STOP_SECONDS_MAX = 1.0  # at a clean stop, to send clients their last replies

# TLS
TLS_HANDSHAKE_SECONDS_MAX = 10.0  # from the connection to the end of the handshake
TLS_HANDSHAKE_BYTES_MAX = 256 * KIB  # of a client's handshake, certificates included
TLS_READ_BYTES = 16 * KIB  # decrypted per call; a TLS record holds no more

# Write buffers of connections that only get replies
OUTPUT_BYTES_HIGH = 1 * MIB  # high-water mark: above it, no more requests are run
OUTPUT_BYTES_LOW = 256 * KIB  # low-water mark: below it, requests are run again
OUTPUT_BYTES_MAX = 1 * GIB  # the connection is cut above this
INPUT_BYTES_WAITING_MAX = 1 * MIB  # input during a pause; the connection is cut above this
RECEIVED_BYTES_HIGH = 128 * KIB  # of an incomplete request at once: other connections run next

# Live connections and messages to them
LIVE_BYTES_HIGH = 64 * KIB  # high-water mark of the write buffer: above it, messages are queued
LIVE_BYTES_LOW = 16 * KIB  # low-water mark of the write buffer
LIVE_BYTES_MAX = 16 * MIB  # queued messages and write buffer; the connection is cut above this
JOINED_WRITE_BYTES_MAX = 256 * KIB  # messages for the same connections that are joined to one write
SNAPSHOT_VISITS_COUNT_MAX = 500  # objects that one slice of a live fence's snapshot looks at
SNAPSHOT_SLICE_BYTES = 64 * KIB  # of messages in a slice, above which it ends
FANOUT_BYTES_MAX = 16 * MIB  # messages in the fan-out queue; publishers wait above this
FANOUT_COUNT_MAX = 256  # connections that are sent to in one time slice
FANOUT_STEP_BYTES = 16 * KIB  # of a message that count as one connection in a time slice
ROUTES_COUNT_MAX = 10_000  # channels whose subscribers are cached
WEBSOCKET_MESSAGE_BYTES_MAX = 1 * MIB  # a message from a client: only short commands are useful

# HTTP
HTTP_HEAD_BYTES_MAX = 64 * KIB  # request line and headers
HTTP_TRANSACTION_BYTES_MAX = 64 * MIB  # body of a batch that is one transaction
HTTP_BODY_BYTES_MAX = 512 * MIB  # the same bound as an argument in RESP has
TILE_BYTES_ON_LOOP_MAX = 64 * KIB  # of JSON with a tile; larger ones are compressed on a thread

# Work beside other connections
SWITCH_SECONDS = 0.0005  # for which another thread may hold the GIL while the event loop waits
WORK_THREADS_MAX = 4  # handlers that run on threads at the same time
LONG_SCRIPT_THREADS_MAX = 2  # reads with scripts that run on threads at the same time
LONG_READ_THREADS_MAX = 4  # reads of more than some milliseconds that run at the same time
READ_THREADS_COUNT_MAX = 128  # maximum of read-threads
SLICE_COMMANDS_COUNT_MAX = 256  # commands of a handler that run in one time slice

# Loading and copying the log
LOAD_CHUNK_BYTES = 4 * MIB  # loaded per call of the engine; clients wait so long for LOADING
COPY_CHUNK_BYTES = 1 * MIB  # read per step when a file is copied or summed up
PROGRESS_SECONDS = 1.0  # between two reports of a load's progress

# Writing the log
SYNC_SECONDS = 1.0  # between two fsyncs under everysec
RETRY_SECONDS = 1.0  # between two attempts to write after the disk was full
RESUME_FREE_BYTES_MIN = 1 * MIB  # free disk space from which writes are accepted again

# Writing the log
LOG_LOOP_BYTES_MAX = 4 * MIB  # pending bytes that are written on the event loop: about 1 ms
LOG_WRITE_BYTES_MAX = 256 * KIB  # of one write on a thread: the kernel lets others run in between
LOG_PIECE_BYTES_MIN = 64 * KIB  # of one append that are written without being joined with others

# Rewriting the log, backups
SHRINK_PIECE_BYTES = 4 * MIB  # of a rewrite made and written per step
SHRINK_SYNC_BYTES = 32 * MIB  # of a rewrite between two fsyncs, so that the last one is short
SHRINK_SWAP_BYTES_MAX = 256 * KIB  # of the old log copied while the journal is paused
SHRINK_CHECK_SECONDS = 10.0  # between two checks whether an automatic rewrite is due
SHRINK_BACKOFF_SECONDS_MIN = 60.0  # between two automatic rewrites; doubled after each failure
SHRINK_BACKOFF_SECONDS_MAX = 3600.0  # upper bound of that backoff
SHRINK_STOP_SECONDS_MAX = 5.0  # to cancel a rewrite when the server stops
BACKUP_NAME_COUNT_MAX = 64  # characters in a backup's name

# Periodic work
EXPIRE_SECONDS = 0.1  # between two sweeps for expired objects
EXPIRE_COUNT_MAX = 1000  # objects removed in one time slice
FENCE_UPKEEP_COUNT_MAX = 1000  # objects whose visits to fences are due, in one time slice
ZONE_SECONDS = 60.0  # between two updates of the local time zone, for daylight saving time
MEMORY_SECONDS = 1.0  # between two measurements of memory; the engine counts in between
COLLECT_SECONDS = 1.0  # between two checks whether a garbage collection is due
COLLECT_SECONDS_MAX = 600.0  # a collection is not postponed for longer than this
COLLECT_PAUSE_FACTOR = 1000  # a collection's duration times this passes before the next one
COLLECT_WAITING_COUNT_MAX = 10_000  # collection is postponed while more hook messages wait
COLLECT_NEVER = 1_000_000_000  # threshold that disables the interpreter's own full collections

# Slow log
SLOWLOG_MICROSECONDS = 10_000  # default of slowlog-log-slower-than
SLOWLOG_COUNT = 128  # default of slowlog-max-len
SLOWLOG_COUNT_MAX = 10_000  # maximum of slowlog-max-len; an entry takes a few KiB at most

# Users
USERS_COUNT_MAX = 100_000  # users of ACL SETUSER
ACL_LOG_COUNT_MAX = 128  # entries of ACL LOG
ACL_LOG_SAME_SECONDS = 60  # within which equal refusals are one entry
LOGIN_WINDOW_SECONDS = 60  # in which the failed logins of an address are counted
LOGIN_FAILURES_COUNT_FREE = 10  # failed logins in that time whose replies aren't delayed
LOGIN_DELAY_SECONDS = 0.25  # between the replies to later ones
LOGIN_DELAY_SECONDS_MAX = 10.0  # by which a reply is delayed at most
LOGIN_ADDRESSES_COUNT_MAX = 10_000  # addresses whose failures are counted

# Scripts
EVENT_WINDOW_MILLISECONDS_MAX = 24 * 3_600_000  # maximum of event-window
BUSY_MILLISECONDS = 1000  # default of busy-reply-threshold: a script that may write ends after it
BUSY_MILLISECONDS_MAX = 3_600_000  # maximum of busy-reply-threshold

# The server's log
LOG_SAME_COUNT_MAX = 100  # identical messages in a second that are all written
LOG_SAME_STEP = 100  # above that count, one message in so many is written
REFUSAL_LOG_SECONDS = 1.0  # between two lines about refused connections
LOG_TEXTS_COUNT_MAX = 1000  # different messages that are counted in a second

# Leader: log streams to followers
FOLLOWER_PIECE_BYTES = 256 * KIB  # of the log read per step for a lagging follower
FOLLOWER_READ_THREADS_MAX = 2  # such reads that run at the same time
FOLLOWER_MESSAGES_BYTES_MAX = 16 * MIB  # queued for a lagging follower; later ones are dropped
FOLLOWER_MESSAGE_BYTES = 100  # memory of a queued message besides its text
FOLLOWER_STUCK_SECONDS_MAX = 60.0  # without progress of its write buffer; then it is cut
FOLLOWER_CHECK_SECONDS = 1.0  # between two checks for such followers

# Hook queue and delivery
HOOK_FLUSH_SECONDS = 0.5  # between two writes of the queue; a kill -9 loses or repeats so much
HOOK_SWEEP_SECONDS = 1.0  # between two sweeps for expired events
HISTORY_BYTES_MAX = 1024 * MIB  # of a history without a bound of its own
HISTORY_MEMORY_BYTES_MAX = 64 * MIB  # events that the file lacks; above it, the oldest are dropped
HISTORY_EVENT_BYTES = 100  # for which an event counts besides its message
HISTORY_FLUSH_COUNT_MAX = 4096  # events written in one transaction
HISTORY_PAGE_COUNT_MAX = 256  # events read or sent at a time
HISTORY_PAGE_BYTES_MAX = 256 * KIB  # bytes at which such a read ends
REPLAY_AHEAD_COUNT_MAX = 2048  # events of a replay that wait in the hook's queue
REPLAY_PAUSE_SECONDS = 0.05  # until a replay looks again whether there is room
HISTORY_SWEEP_SECONDS = 60.0  # between two sweeps for events that are too old
EVENT_STREAM_HEARTBEAT_SECONDS = 15.0  # between two comments in Server-Sent Events
HOOK_PROGRESS_SECONDS = 5.0  # between log entries of deliveries; a fail-over repeats so much
HOOK_TTL_SECONDS = 30  # default of hook-queue-ttl
HOOK_QUEUE_BYTES_MAX = 256 * MIB  # default of hook-queue-max-size
HOOK_MEMORY_BYTES_MAX = 16 * MIB  # waiting events kept in memory; others are read from the file
HOOK_QUEUE_BYTES_SLACK = 16 * MIB  # excess over hook-queue-max-size until the oldest are deleted
HOOK_FLUSH_COUNT_MAX = 4096  # events written in one transaction
HOOK_STEP_COUNT_MAX = 128  # events or hooks handled in one time slice
HOOK_LOAD_COUNT_MAX = 2048  # events read from the file at a time, over all hooks
HOOK_LOAD_COUNT_MIN = 4  # but at least so many for each hook
HOOK_LOAD_BYTES_MAX = 4 * MIB  # bytes at which such a read ends
HOOK_EVENT_BYTES = 200  # memory of an event besides its text
HOOK_SWEEP_COUNT_MAX = 1000  # events checked for expiry in one time slice
HOOK_BATCH_COUNT_MAX = 2048  # events in a batch
HOOK_BATCH_BYTES_MAX = 2 * MIB  # bytes at which a batch ends
HOOK_SHARE_COUNT_MAX = 64  # events of one hook in a batch while other hooks wait
HOOK_DELIVERY_QUEUES_COUNT_MAX = 32  # delivery queues that start a batch in one time slice
HOOK_NARROW_FACTOR = 32  # divides the size of batches while an endpoint delivers nothing
HOOK_SUSPECTS_COUNT_MAX = 16  # hooks of such an endpoint that are tried alone
HOOK_PROBLEMS_COUNT_MAX = 20  # unusable endpoints that are logged after a start
HOOK_KNOWN_COUNT_MAX = 1000  # lists of URLs that are cached
HOOK_RETRY_SECONDS = 0.5  # backoff of a refused event or an endpoint that is down
HOOK_RETRY_SECONDS_MAX = 4.0  # upper bound of that backoff
HOOK_RETRY_AFTER_SECONDS_MAX = 3600.0  # for which a busy endpoint may ask to be left alone
HOOK_RETRY_COUNT_STEADY = 10  # failures in a row before the backoff grows
HOOK_FATE_COUNT_MAX = 200  # characters kept of an endpoint's error

# Endpoints
ENDPOINT_CONNECT_SECONDS_MAX = 5.0  # to connect, shake hands and log in
ENDPOINT_SEND_SECONDS_MAX = 5.0  # to send a batch, unless a scheme has its own deadline
ENDPOINT_CLOSE_SECONDS_MAX = 2.0  # to flush and close a connection
ENDPOINT_IDLE_SECONDS_MAX = 30.0  # without a batch; then the connection is closed
ENDPOINT_BATCHES_COUNT_MAX = 256  # batches in flight on a connection that allows several
ENDPOINT_TARGETS_COUNT_MAX = 10_000  # topics or queues that a connection caches as declared
ENDPOINT_FIRST_SECONDS = 0.001  # between two first attempts to connect, over all endpoints
ENDPOINT_REPEAT_SECONDS = 0.005  # between two attempts after failures, over all endpoints
ENDPOINT_NAMES_COUNT_MAX = 256  # host names looked up at the same time, on a thread each
ENDPOINT_URLS_ACCEPTED_COUNT_MAX = 4096  # accepted URLs that are cached
ENDPOINT_SWEEP_SECONDS = 1.0  # between two sweeps for idle connections
PRODUCER_LIFETIME_SECONDS_MAX = 1800.0  # of a Kafka producer, however busy it is

# Follower: connection to the leader
ACKNOWLEDGE_SECONDS = 0.002  # between two acknowledgements to a leader
LEADER_CONNECT_SECONDS_MAX = 2.0  # to connect to a leader
LEADER_PROBE_SECONDS_MAX = 2.0  # for FOLLOW to check a leader before it replies
LEADER_REPLY_SECONDS_MAX = 10.0  # for a leader to reply
LEADER_REPLY_BYTES_MAX = 1 * MIB  # of a leader's reply; that to SERVER, the largest, has some KiB
LEADER_REPLY_COUNT_MAX = 1024  # values in a leader's reply
LEADER_DIGEST_BYTES_MAX = 64 * MIB  # summed up per request: Tile38 takes no writes meanwhile
LEADER_DIGEST_BYTES_RATE_MIN = 20 * MIB  # per second; the slowest expected rate of that
LEADER_IDLE_SECONDS = 10  # TCP keep-alive: silence before a probe, and between two probes
LEADER_DEAD_SECONDS_MAX = 30  # TCP keep-alive: without an answer; then the leader is gone
LEADER_BUFFER_BYTES = 2 * MIB  # read buffer of a leader's stream

# Follower: sessions
FOLLOW_BACKOFF_SECONDS = 1.0  # between two sessions
FOLLOW_BACKOFF_SECONDS_MAX = 8.0  # upper bound of the backoff while sessions receive nothing
FOLLOW_BACKOFF_COUNT_STEADY = 5  # such sessions in a row before the backoff grows
FOLLOW_RESUME_SECONDS_MAX = 10.0  # after a clean end, for which a follower counts as caught up
FOLLOW_DISK_BACKOFF_SECONDS = 10.0  # after the disk failed during a full copy, which starts anew
FOLLOW_AUDIT_SECONDS = 60.0  # between two audits of our log
FOLLOW_AUDIT_AGAIN_SECONDS = 5.0  # before a failed audit is repeated
FOLLOW_CHAIN_COUNT_MAX = 8  # followers that are asked for their leader, one after the other
FOLLOW_SLICE_BYTES = 64 * KIB  # of the stream run in one time slice
FOLLOW_LONG_BYTES_MIN = 256 * KIB  # of the stream whose geometries are parsed on a thread first
FOLLOW_COPY_BYTES = 1 * MIB  # of the stream run per step of a full copy, on a thread
FOLLOW_COMMAND_BYTES_MAX = 1 * GIB  # of one command in a leader's stream
FOLLOW_STALL_SECONDS_MAX = 30.0  # without a byte although the leader has more to send
FOLLOW_THREADS_MAX = 2  # threads of a follower: digests, full copies, freeing old data

# Metrics listener
METRICS_CLIENTS_COUNT_MAX = 16  # connections at a time
METRICS_FOLLOWERS_COUNT_MAX = 64  # followers that have labels of their own
METRICS_REQUEST_SECONDS_MAX = 10.0  # for a client to send its request, and to take the reply
METRICS_SCRAPE_SECONDS_MAX = 30.0  # to make the reply, with the wait for earlier scrapes
