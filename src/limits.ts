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
/** Answer bytes a connection may leave unread before it is cut: a reader that never reads. */
export const ANSWER_BACKLOG_BYTES_MAX = 256 * 1024;

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
/** Clients the limiter remembers at once; past it the idlest is forgotten. 16 bytes each. */
export const RATE_LIMIT_CLIENTS_MAX = 65_536;

/** Longest time from a request's first byte to the end of its head, milliseconds. */
export const HEAD_TIMEOUT_MS = 10_000;
/** Longest time from the end of the head to the end of the body, milliseconds. */
export const BODY_TIMEOUT_MS = 30_000;
/** How often deadlines are looked at, milliseconds: they are exact to this. */
export const DEADLINE_TICK_MS = 500;
/** Time between a drain's start and the closing of idle connections, milliseconds. */
export const DRAIN_GRACE_MS = 1_000;
/** Whole drain, milliseconds; past it what is left is cut. The promise is 5 s from signal to exit. */
export const DRAIN_MS_MAX = 4_000;

/** Each of a lane's two buffers, bytes. A 1,000-metric batch is about 110 KB of lines. */
export const LANE_BUFFER_BYTES = 8 * 1024 * 1024;
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
