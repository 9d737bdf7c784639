// Every bound of the server in one place, with its unit last in the name and the reason beside it.
// A setting of the operator's (config.ts) may lower or raise some of these; nothing else may.

/** Longest request line plus header section, bytes. Clients of ours send about 200; cookies are not ours. */
export const HEAD_BYTES_MAX = 16 * 1024;
/** Most header fields in one request; each costs a comparison. */
export const HEADER_COUNT_MAX = 100;
/** Longest request target, bytes; our longest route is 8. */
export const TARGET_BYTES_MAX = 4 * 1024;
/** Longest chunk-size line with its extensions, bytes; an extension means nothing to us. */
export const CHUNK_LINE_BYTES_MAX = 256;
/** Longest trailer section, bytes; trailers are read past and ignored. */
export const TRAILER_BYTES_MAX = 4 * 1024;
/** Empty lines tolerated before a request line (RFC 9112, 2.2 asks for at least one). */
export const LEADING_CRLF_MAX = 2;
/** Most body bytes, after framing and after decompression, unless --body-max says otherwise. */
export const BODY_BYTES_MAX_DEFAULT = 1024 * 1024;
/** Answers owed to one connection before it is no longer read: bounds what a pipelining flood can hold. */
export const PIPELINE_DEPTH_MAX = 256;
/** Requests taken from one connection before the others have their turn: 10,000 bad ones in one write held the thread for 90 ms. */
export const REQUESTS_PER_TURN_MAX = 256;
/** Connections that one making of a page (GET /stats, GET /metrics) answers; the others wait for the next turn of the loop. */
export const PAGES_PER_TURN_MAX = 64;

/** Metrics in one batch, unless --batch-max says otherwise. */
export const BATCH_METRICS_MAX_DEFAULT = 1000;
/** Characters (Unicode code points) in a metric's name. */
export const NAME_CHARACTERS_MAX = 255;
/** Tags of one metric. */
export const TAGS_MAX = 32;
/** Latest timestamp, milliseconds since 1970: the last one that a JavaScript Date can hold. */
export const TIMESTAMP_MS_MAX = 8_640_000_000_000_000;
/** Nesting that the decoder will follow before it answers 400; our own shape needs 4. */
export const JSON_DEPTH_MAX = 16;

/** Characters in a client's name (`X-Client-Id`, token names). */
export const CLIENT_NAME_BYTES_MAX = 64;
/** Requests per second and client, unless --rate-limit says otherwise. */
export const RATE_LIMIT_DEFAULT = 10_000;
/** Clients the limiter remembers at once; past it the idlest is forgotten. 8 bytes each. */
export const RATE_LIMIT_CLIENTS_MAX = 65_536;

/** Longest time from a request's first byte to the end of its head, milliseconds. */
export const HEAD_TIMEOUT_MS = 10_000;
/** Longest time from the end of the head to the end of the body, milliseconds. */
export const BODY_TIMEOUT_MS = 30_000;
/** Longest time that an answer may stay unread by its client, milliseconds. */
export const WRITE_TIMEOUT_MS = 30_000;
/** Time for the peer's FIN after ours, milliseconds; then the connection is cut. */
export const LINGER_MS = 2_000;
/** Connections beyond the cap that each thread keeps long enough to read their 503: the descriptors kept back have room for these. */
export const REFUSED_CONNECTIONS_MAX = 8;
/** A connection that was idle for less is never closed to make room for another, milliseconds: a flood of connects is quicker. */
export const IDLE_BEFORE_ROOM_MS = 5_000;
/** How often retention looks at the sealed segments, milliseconds. */
export const RETENTION_INTERVAL_MS = 10_000;
/** From the signal to giving up on the drain, milliseconds: DRAIN_MS_MAX, the accept queue, the last sync, and some. */
export const DRAIN_EXIT_MS_MAX = 4_800;
/** How often the main thread looks whether each ingest thread is alive, milliseconds. */
export const THREAD_LOOK_INTERVAL_MS = 500;
/** Looks without a heartbeat before a thread counts as silent: 5 s, ten of its ticks; no turn of a loop takes that long. */
export const THREAD_SILENT_LOOKS_MAX = 10;
/** Processor time that a silent thread must have used to count as spinning, seconds; one that waits for a disk uses none. */
export const THREAD_SPIN_CPU_S_MIN = 2;
/** From the order to end a spinning thread to giving the process up, milliseconds. */
export const THREAD_END_MS_MAX = 5_000;
/** JavaScript heap of an ingest thread, MiB (Node only): 20,000 connections take some 100; past it the thread is replaced, not the process lost. */
export const THREAD_HEAP_MIB_MAX = 512;
/** From an ingest thread's death to its replacement, milliseconds: a thread that dies at once must not spin. */
export const RESTART_DELAY_MS = 100;
/** Threads that are started in a dead one's place, in a row, before the server gives up. */
export const HEIR_STARTS_MAX = 3;
/** From an ingest thread's death until its files are closed, milliseconds: no write that it began may still need their numbers. */
export const LEFT_OPEN_MS = 5_000;
/** How often the limiter forgets idle clients, milliseconds. */
export const LIMITER_SWEEP_INTERVAL_MS = 30_000;
/** How often deadlines are looked at, milliseconds: they are exact to this. */
export const DEADLINE_TICK_MS = 500;
/** Time between a drain's start and the closing of idle connections, milliseconds. */
export const DRAIN_GRACE_MS = 1_000;
/** Between a drain's start and the closing of connections that never sent a request, milliseconds: the last ones taken have theirs on the way. */
export const DRAIN_UNUSED_MS = 2_000;
/** Whole drain, milliseconds; past it what is left is cut. The promise is 5 s from signal to exit. */
export const DRAIN_MS_MAX = 4_000;

/** Each of a lane's two buffers, bytes. A 1,000-metric batch is about 110 KB of lines. */
export const LANE_BUFFER_BYTES = 8 * 1024 * 1024;
/**
 * Wait for its turn that a batch may be given in a lane's queue, milliseconds: past it a refusal serves its client better.
 * At 100 ms a disk of 20 MB/s queues 2 MB, as much as 16 clients with 1,000-metric batches can have under way; one of
 * 170 MB/s never meets it before the two buffers are full. At 50 ms those 16 were refused now and then on a machine that
 * had ten times more to do than it has cores.
 */
export const QUEUE_MS_MAX = 100;
/** Age of the oldest written but not yet synced byte before a background fdatasync starts, milliseconds. */
export const SYNC_INTERVAL_MS = 100;
/** A segment is sealed at this size, bytes. */
export const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;
/** A segment is sealed at this age, milliseconds. */
export const SEGMENT_AGE_MS_MAX = 60 * 60 * 1000;

/** Most ingest threads that --threads takes: the counters' shared regions are laid out for these. */
export const THREADS_MAX = 64;
/** One request in this many has its stages timed. */
export const STAGE_SAMPLE_EVERY = 64;
/** How often the main thread reads the operating system, milliseconds. */
export const PROBE_INTERVAL_MS = 1_000;

// What the operator may set, where the setting has bounds of its own (config.ts).
/** Most that --body-max takes, bytes: with the lines' own keys a batch must still fit one empty lane buffer. */
export const BODY_BYTES_MAX_CEILING = 4 * 1024 * 1024;
/** Least that --body-max takes, bytes: below it one ordinary metric would not fit. */
export const BODY_BYTES_MAX_FLOOR = 1024;
/** Most that --batch-max takes; see BODY_BYTES_MAX_CEILING. */
export const BATCH_METRICS_MAX_CEILING = 20_000;
/** What a stored line can hold beyond the metric's own bytes: keys, type, a default time, a client's name. Bytes. */
export const LINE_OVERHEAD_BYTES_MAX = 200;
/** Most that --rate-limit takes, requests per second: the limiter's step is then one microsecond. */
export const RATE_LIMIT_CEILING = 1_000_000;
/** Listen queue asked of the kernel, unless --backlog says otherwise; the kernel caps it at net.core.somaxconn. */
export const BACKLOG_DEFAULT = 4096;
/** Most that --backlog takes: somaxconn itself was 16 bits wide for most of its life. */
export const BACKLOG_CEILING = 65_535;
/** Idle time of a connection before it is closed, unless --keep-alive-timeout says otherwise, milliseconds. */
export const KEEP_ALIVE_TIMEOUT_MS_DEFAULT = 75_000;
/** Most connections that --connections-max takes: the kernel's usual ceiling on one process's descriptors. */
export const CONNECTIONS_MAX_CEILING = 1_048_576;
/** Bytes in flight over all threads, unless --memory-max says otherwise. */
export const MEMORY_BYTES_MAX_DEFAULT = 256 * 1024 * 1024;
/** Smallest segment that --segment-size takes, bytes: each costs two files and two synced directory entries. */
export const SEGMENT_BYTES_FLOOR = 64 * 1024;
/** Largest segment that --segment-size takes, bytes: recovery reads the last one whole. */
export const SEGMENT_BYTES_CEILING = 2 * 1024 * 1024 * 1024;
/** Longest age that --segment-age takes, milliseconds: a week, well inside what one timer can hold (24 days). */
export const SEGMENT_AGE_MS_CEILING = 7 * 24 * 60 * 60 * 1000;
/** Most tokens; each request without a match is compared with every one of them. */
export const TOKENS_MAX = 1_000;
/** Longest secret of a token, bytes. */
export const TOKEN_BYTES_MAX = 512;
/** How long a starter waits for the holder of a data folder to say who it is, milliseconds. */
export const LOCK_ANSWER_MS_MAX = 2_000;
/** How long a starter waits for another starter to win or withdraw, milliseconds. */
export const LOCK_CONTEST_MS_MAX = 10_000;

/** Requests that one lane holds between append and answer; 65,536 of them fit no buffer of small batches twice over. */
export const LANE_WAITERS_MAX = 131_072;
/** Segments of a lane that may be on their way to being sealed at once; past it commits wait, so that a slow sync bounds what is dirty. */
export const LANE_SEALING_MAX = 4;
/** Time between two commits that try whether a full or failing disk takes bytes again, milliseconds. */
export const DISK_PROBE_INTERVAL_MS = 250;
/** What recovery reads at a time, bytes. */
export const RECOVERY_BLOCK_BYTES = 1024 * 1024;
/** New segments that recovery makes of one that is damaged in places; past it the good parts share the last. Each costs some syncs. */
export const SEGMENT_SPLITS_MAX = 256;
/** What the scrub reads at a time, bytes: a checksum over it takes the main thread under 0.1 ms. */
export const SCRUB_BLOCK_BYTES = 256 * 1024;
/** What the scrub reads in a second, unless --scrub-rate says otherwise, bytes: 1.3 TB a day, a few percent of a disk. */
export const SCRUB_BYTES_PER_S_DEFAULT = 16 * 1024 * 1024;
/** From the start of one round of the scrub to that of the next, milliseconds: a day, or at once where a round takes longer. */
export const SCRUB_INTERVAL_MS = 24 * 60 * 60 * 1000;
/** Places of damage that the scrub remembers, so as to tell of each once; past it no more are told. */
export const SCRUB_FOUND_MAX = 10_000;
/** Longest line that recovery takes for one, bytes: a line never outgrows the lane's buffer it was written in. */
export const LINE_BYTES_MAX = LANE_BUFFER_BYTES;

/** Largest Zstandard window that a body may ask for, as a power of two: 8 MiB, what RFC 8878 3.1.1.1.2 asks decoders to support. */
export const ZSTD_WINDOW_LOG_MAX = 23;
/**
 * A compressed body may be this part of --body-max: its time grows with what goes in, not with what comes out. 1 MiB of
 * empty Huffman blocks held the thread for 110 to 160 ms, a quarter of it for 28 to 40; metrics shrink to a tenth.
 */
export const CODED_BODY_DIVISOR = 4;
/** What a compressed body may be in any case, bytes: a small one shrinks little. */
export const CODED_BODY_BYTES_FLOOR = 64 * 1024;
/** Commits from this size on are written past the page cache, bytes: below it a write of its own costs more than fresh pages. */
export const DIRECT_BYTES_MIN = 128 * 1024;
/** Lines of the operator's log that wait for a standard error that takes none, bytes; about 400 lines. */
export const LOG_WAITING_BYTES_MAX = 64 * 1024;
/** Bytes of a segment that its index may lag behind, apart from a sync's time: what it does not cover is slow to recover. */
export const INDEX_FLUSH_BYTES = 4 * 1024 * 1024;

// Past one machine: followers of the log, the stream, and the stores.
/** Longest time for a connection to a NATS server, milliseconds. */
export const NATS_CONNECT_MS_MAX = 5_000;
/** Between two tries to reach a NATS server again, milliseconds; the library adds jitter. */
export const NATS_RECONNECT_MS = 250;
/** Lines in one block of a follower, bytes: large enough that a round trip to three servers is not what stops it. */
export const FOLLOW_BLOCK_BYTES_MAX = 512 * 1024;
/** Stretches of a lane that a follower has left for later; past it the oldest wait no longer. Each outage makes one. */
export const FOLLOW_LATE_MAX = 64;
/** How often a follower looks for more where nobody waits for it, milliseconds. */
export const FOLLOW_POLL_MS = 50;
/** Fresh lines older than this are left for later, once there are FOLLOW_JUMP_LINES_MIN of them, milliseconds. */
export const FOLLOW_FRESH_MS_MAX = 500;
/** Fewer lines than this are done sooner than left for later: about two blocks. */
export const FOLLOW_JUMP_LINES_MIN = 10_000;
/** Between two writes of a follower's cursors, milliseconds: what a crash makes it follow twice. */
export const FOLLOW_SAVE_MS = 1_000;
/** Between two tries of a follower after an error, milliseconds: doubling from the one to the other, with jitter. */
export const FOLLOW_RETRY_MS_MIN = 100;
export const FOLLOW_RETRY_MS_MAX = 5_000;
/** Parts of a stream, unless --partitions says otherwise: enough drains for what one stream takes. */
export const PARTITIONS_DEFAULT = 16;
/** Most that --partitions takes: each is a consumer of its own, and a cluster has some thousands of those. */
export const PARTITIONS_MAX = 256;
/** Longest wait of a batch for the stream's acknowledgement, milliseconds: an election of a new leader takes 2 to 5 s. */
export const REPLICATED_MS_MAX = 10_000;
/** Longest wait for the acknowledgement of one publish before it is tried again, milliseconds. */
export const PUBLISH_MS_MAX = 5_000;
/** Between two looks after what the stream has acknowledged and the drains have stored, milliseconds. */
export const REPLICA_CHECK_MS = 5_000;
/** How long a drain's record must have covered lines before the node looks for them no more, milliseconds: NATS servers sync each two minutes. */
export const REPLICA_SETTLED_MS = 150_000;
/** How often lines are sent again that the stream has lost, before that is left to the operator. */
export const REPLICA_CHECK_TRIES_MAX = 3;
/** Time that the follower is given for the last lines after a drain, milliseconds. */
export const FOLLOW_LAST_MS_MAX = 500;
/** What a client is told to wait where the stream is away, milliseconds: some tries to reach it. */
export const REPLICA_RETRY_MS = 2_000;

// Load from many machines: agents, and who coordinates them.
/** Between two beats of coordinator and agent, milliseconds: what an agent's death is noticed by. */
export const AGENT_BEAT_MS = 500;
/** Silence from which either counts the other as dead, milliseconds: a machine that is short of processor time pauses a process for a second or two. */
export const AGENT_SILENCE_MS_MAX = 5_000;
/** As AGENT_SILENCE_MS_MAX, where NATS itself says that nobody listens there any more: two beats in a row, for a connection may be made anew. */
export const AGENT_GONE_MS_MAX = 900;
/** Wait for --agents-min agents to appear, unless --agents-wait says otherwise, milliseconds: a runtime starts within one or two. */
export const AGENTS_WAIT_MS_MAX = 10_000;
/** Longest wait that --agents-wait takes, milliseconds: machines that are started for the run need some minutes. */
export const AGENTS_WAIT_MS_CEILING = 3_600_000;
/** Without a new agent for so long the search for agents ends, milliseconds: an answer takes one way there and back. */
export const AGENTS_GATHER_MS = 400;
/** Most agents of one run: each has its part of the coordinator's memory and a beat of its own. */
export const AGENTS_MAX = 64;
/** Time for an agent to say yes or no to being claimed, milliseconds. */
export const AGENT_ANSWER_MS_MAX = 5_000;
/** Time for an agent to be ready, milliseconds: opening connections takes up to 10 s by itself. */
export const AGENT_PREPARE_MS_MAX = 20_000;
/** Past the end of a plan an agent has handed in its counts, milliseconds: a drain takes 1 s, and an hour's time line some more. */
export const AGENT_COUNTS_MS_MAX = 15_000;
/** From the word to the common start, milliseconds, beside twice the way to the farthest agent. */
export const AGENT_START_DELAY_MS = 100;
/** Readings of an agent's clock before a start; the quickest counts. */
export const AGENT_CLOCK_READINGS = 8;
/** Largest message between coordinator and agent, bytes: a day's time line of a thread has 12 MB. */
export const AGENT_MESSAGE_BYTES_MAX = 64 * 1024 * 1024;
/** For the last messages to a NATS that may be away, milliseconds, before a process ends without. */
export const AGENT_CLOSE_MS_MAX = 1_000;
/** Part of a message that goes in one of NATS's, bytes: these may have 1 MiB unless the server says otherwise. */
export const AGENT_PART_BYTES_MAX = 256 * 1024;
/** From a follower thread's death to its replacement, milliseconds. */
export const FOLLOWER_RESTART_MS = 1_000;
/** JavaScript heap of a follower thread, MiB (Node only): blocks and messages lie outside of it. */
export const FOLLOWER_HEAP_MIB_MAX = 128;

// The log on its way to a Prometheus-compatible store (forward/).
/** Lines in one block, bytes: its turn takes some 4 ms, then the sockets have theirs. */
export const FORWARD_BLOCK_BYTES_MAX = 256 * 1024;
/** Lines read and not yet taken, bytes for each sample of every connection's request: one under way, and one that fills. */
export const FORWARD_WINDOW_BYTES_PER_SAMPLE = 256;
/** Series whose labels are kept encoded, and bytes for these and their keys; some 200 bytes a series. */
export const FORWARD_CACHE_SERIES_MAX = 32_768;
export const FORWARD_CACHE_BYTES = 6 * 1024 * 1024;
/** Connections to the store, unless --connections says otherwise. */
export const FORWARD_CONNECTIONS_DEFAULT = 4;
/** Most that --connections takes: each has its own part of the series, and a request under way. */
export const FORWARD_CONNECTIONS_MAX = 64;
/** Samples in one request, unless --batch-samples says otherwise; Prometheus itself sends 500 to 2,000. */
export const FORWARD_BATCH_SAMPLES_DEFAULT = 2_000;
/** Most that --batch-samples takes: some 6 MB before compression; stores take 32 MB and more. */
export const FORWARD_BATCH_SAMPLES_MAX = 50_000;
/** Between two requests of a connection that are not full, milliseconds: a quiet log is no reason for many small requests. */
export const FORWARD_LINGER_MS = 200;
/** Longest wait for a request's answer, unless --timeout says otherwise, milliseconds; as Prometheus has it. */
export const FORWARD_TIMEOUT_MS_DEFAULT = 30_000;
/** Between two tries where a setting is wrong (401, 403, 404, a redirect), milliseconds: somebody has to come and change it. */
export const FORWARD_SETTINGS_RETRY_MS = 15_000;
/** Longest Retry-After that is kept to, milliseconds: a longer one is more likely a mistake than a wish. */
export const FORWARD_RETRY_AFTER_MS_MAX = 60 * 60 * 1000;
/** Kept of an answer that is no yes, bytes. */
export const FORWARD_ANSWER_BYTES_MAX = 256;
/** Time that requests under way are given at the end, milliseconds. */
export const FORWARD_CLOSE_MS_MAX = 5_000;
/** Silence after which a connection says something, so that the store does not close it, milliseconds; stores wait for a minute. */
export const FORWARD_BEAT_MS = 20_000;
/** One file of dead letters, bytes, and how many of them are kept. */
export const DEAD_LETTER_BYTES_MAX = 64 * 1024 * 1024;
export const DEAD_LETTER_FILES_MAX = 4;
/** Between two reports of a forwarder about itself, milliseconds. */
export const FORWARD_REPORT_MS = 10_000;

// Drains of the stream.
/** Lines that share one commit of a drain, bytes: a sync and a compare-and-set each take milliseconds. */
export const DRAIN_GROUP_BYTES_MAX = 2 * 1024 * 1024;
/** Blocks that share one commit of a drain: those of quiet lanes have a few lines each. */
export const DRAIN_GROUP_MESSAGES_MAX = 1_000;
/** Messages of a partition that a drain has been given and not stored yet, bytes; one request asks for so many. */
export const DRAIN_PULL_BYTES = 2 * 1024 * 1024;
/** A request for messages ends after this, milliseconds, and is made again. */
export const DRAIN_PULL_MS_MAX = 30_000;
/** While a request waits its server says so, milliseconds; two of these missed and it is made again. */
export const DRAIN_PULL_HEARTBEAT_MS = 2_000;
/** Without a message or a heartbeat for so long a consumer is made anew, milliseconds: servers have been seen with one that nobody leads. */
export const DRAIN_CONSUMER_SILENT_MS = 15_000;
/** Before a request is made again that was refused, milliseconds. */
export const DRAIN_PULL_RETRY_MS = 250;
/** A block that is not acknowledged is delivered again after this, milliseconds: a sync and a commit take some of them. */
export const DRAIN_ACK_MS_MAX = 30_000;
/** Longest wait for an answer of the bucket or the stream, milliseconds. */
export const DRAIN_REQUEST_MS_MAX = 2_000;
/** How often a drain says that it lives and looks at the others, milliseconds. */
export const DRAIN_BEAT_MS = 1_000;
/** Looks with the same beat before a drain counts as dead: 4 s, longer than a machine under load keeps a process waiting. */
export const DRAIN_SILENT_LOOKS = 4;
/** Looks with the same beat before it is taken off the list: ten minutes. */
export const DRAIN_FORGET_LOOKS = 600;
/** How often a drain tells its figures where there are any, milliseconds. */
export const DRAIN_FIGURES_MS = 10_000;
/** From the signal to leaving what is not committed as it is, milliseconds; the promise is 5 s to the exit. */
export const DRAIN_CLOSE_MS_MAX = 4_000;
/** Of that, for what is new (Node only): it would otherwise fill up to 48 MiB before it is looked at. */
export const FOLLOWER_YOUNG_MIB_MAX = 2;
