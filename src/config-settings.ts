// The table of the operator's settings: of each its name, shape, default and meaning.
// Flags, environment variables, keys of the file, --help and messages are all read off this table, so that a setting
// is added here and nowhere else (and in ServeConfig). Defaults are written as an operator would and parsed like any
// other value, so that --help cannot say one thing and the program do another.
import type { AckLevel, LogLevel, ServeConfig } from "./config.ts";
import {
  autoOrWholeNumber,
  byteSize,
  byteSizeOrOff,
  directoryPath,
  duration,
  durationOrOff,
  filePathOrNone,
  formatBytes,
  formatDuration,
  forwardTarget,
  hostName,
  natsServers,
  nodeName,
  oneOf,
  onOrOff,
  streamName,
  textOrNone,
  tokenList,
  type ValueSchema,
  wholeNumber,
} from "./config-values.ts";
import {
  BACKLOG_CEILING,
  BACKLOG_DEFAULT,
  BATCH_METRICS_MAX_CEILING,
  BATCH_METRICS_MAX_DEFAULT,
  BODY_BYTES_MAX_CEILING,
  BODY_BYTES_MAX_DEFAULT,
  BODY_BYTES_MAX_FLOOR,
  CONNECTIONS_MAX_CEILING,
  FORWARD_CONNECTIONS_DEFAULT,
  FORWARD_CONNECTIONS_MAX,
  KEEP_ALIVE_TIMEOUT_MS_DEFAULT,
  MEMORY_BYTES_MAX_DEFAULT,
  PARTITIONS_DEFAULT,
  PARTITIONS_MAX,
  RATE_LIMIT_CEILING,
  RATE_LIMIT_DEFAULT,
  SCRUB_BYTES_PER_S_DEFAULT,
  SEGMENT_AGE_MS_CEILING,
  SEGMENT_AGE_MS_MAX,
  SEGMENT_BYTES_CEILING,
  SEGMENT_BYTES_FLOOR,
  SEGMENT_BYTES_MAX,
  THREADS_MAX,
} from "./limits.ts";

export type SettingGroup =
  | "Address"
  | "Storage"
  | "Clients"
  | "Limits"
  | "Replication"
  | "Forwarding"
  | "Other";

export interface Setting<K extends keyof ServeConfig = keyof ServeConfig> {
  readonly key: K;
  /** The flag without its dashes; the key in the file; with TIDEMARK_ and in capitals the environment variable. */
  readonly name: string;
  /** What --help shows behind the flag. */
  readonly placeholder: string;
  readonly group: SettingGroup;
  /** As an operator would write it. */
  readonly byDefault: string;
  readonly schema: ValueSchema<ServeConfig[K]>;
  readonly help: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const ACK_LEVELS: Readonly<Record<string, AckLevel>> = { accepted: 1, written: 2, synced: 3, replicated: 4 };
const LOG_LEVELS: Readonly<Record<LogLevel, LogLevel>> = {
  trace: "trace",
  debug: "debug",
  info: "info",
  warn: "warn",
  error: "error",
  silent: "silent",
};

/** Checks that the schema fits the key that it fills. `usage` is "name PLACEHOLDER". */
function setting<K extends keyof ServeConfig>(
  group: SettingGroup,
  usage: string,
  entry: Pick<Setting<K>, "key" | "byDefault" | "schema" | "help">,
): Setting {
  const [name = "", placeholder = ""] = usage.split(" ");
  return { ...entry, name, placeholder, group };
}

/** How to reach NATS. Secrets are better given by the environment or the file: other users of a machine can read flags. */
const NATS_SETTINGS: readonly Setting[] = [
  setting("Replication", "nats-user NAME", {
    key: "natsUser",
    byDefault: "",
    schema: textOrNone,
    help: "user of the NATS cluster",
  }),
  setting("Replication", "nats-password TEXT", {
    key: "natsPassword",
    byDefault: "",
    schema: textOrNone,
    help: "its password; better in the environment or the file",
  }),
  setting("Replication", "nats-token TEXT", {
    key: "natsToken",
    byDefault: "",
    schema: textOrNone,
    help: "or a token; better in the environment or the file",
  }),
  setting("Replication", "nats-nkey FILE", {
    key: "natsNkeyPath",
    byDefault: "",
    schema: filePathOrNone,
    help: "or a file with an nkey seed",
  }),
  setting("Replication", "nats-creds FILE", {
    key: "natsCredsPath",
    byDefault: "",
    schema: filePathOrNone,
    help: "or a credentials file (JWT and seed)",
  }),
  setting("Replication", "nats-ca FILE", {
    key: "natsCaPath",
    byDefault: "",
    schema: filePathOrNone,
    help: "the authority of the cluster's certificates (PEM)",
  }),
  setting("Replication", "nats-cert FILE", {
    key: "natsCertificatePath",
    byDefault: "",
    schema: filePathOrNone,
    help: "a certificate of this server's own (PEM), where the cluster asks for one",
  }),
  setting("Replication", "nats-key FILE", {
    key: "natsKeyPath",
    byDefault: "",
    schema: filePathOrNone,
    help: "its private key (PEM)",
  }),
];

/** As the flags of `tidemark forward`, which sends the log of a folder without a server. */
const FORWARD_SETTINGS: readonly Setting[] = [
  setting("Forwarding", "forward prometheus=URL", {
    key: "forward",
    byDefault: "",
    schema: forwardTarget,
    help: "send the log to this store by Prometheus' remote write; a user and password may stand before an @",
  }),
  setting("Forwarding", "forward-name NAME", {
    key: "forwardName",
    byDefault: "prometheus",
    schema: streamName,
    help: "names the cursor and the dead letters; another store, another name",
  }),
  setting("Forwarding", "forward-connections N", {
    key: "forwardConnections",
    byDefault: `${FORWARD_CONNECTIONS_DEFAULT}`,
    schema: wholeNumber(1, FORWARD_CONNECTIONS_MAX),
    help: "requests under way at once; a series keeps to one of them",
  }),
  setting("Forwarding", "forward-headers TEXT", {
    key: "forwardHeaders",
    byDefault: "",
    schema: textOrNone,
    help: "'Name: value' of every request, a line each, such as X-Scope-OrgID",
  }),
  setting("Forwarding", "forward-bearer-token TEXT", {
    key: "forwardBearerToken",
    byDefault: "",
    schema: textOrNone,
    help: "a token for the store; better in the environment or the file",
  }),
  setting("Forwarding", "forward-bearer-token-file FILE", {
    key: "forwardBearerTokenPath",
    byDefault: "",
    schema: filePathOrNone,
    help: "or a file with it, read again when the store says 401",
  }),
  setting("Forwarding", "forward-basic-auth-file FILE", {
    key: "forwardBasicAuthPath",
    byDefault: "",
    schema: filePathOrNone,
    help: "or a file with user:password",
  }),
  setting("Forwarding", "forward-ca FILE", {
    key: "forwardCaPath",
    byDefault: "",
    schema: filePathOrNone,
    help: "the authority of the store's certificate (PEM)",
  }),
];

/** In the order of --help. */
export const SETTINGS: readonly Setting[] = [
  setting("Address", "host ADDRESS", {
    key: "host",
    byDefault: "127.0.0.1",
    schema: hostName,
    help: "address to listen on; 0.0.0.0 or :: for all",
  }),
  setting("Address", "port N", {
    key: "port",
    byDefault: "8080",
    schema: wholeNumber(0, 65_535),
    help: "port to listen on; 0 for any free one",
  }),
  setting("Address", "backlog N", {
    key: "backlog",
    byDefault: `${BACKLOG_DEFAULT}`,
    schema: wholeNumber(1, BACKLOG_CEILING),
    help: "connections that may wait to be accepted; the kernel caps it at net.core.somaxconn",
  }),
  setting("Address", "keep-alive on|off", {
    key: "keepAlive",
    byDefault: "on",
    schema: onOrOff,
    help: "whether a connection may carry more than one request",
  }),
  setting("Address", "keep-alive-timeout TIME", {
    key: "keepAliveTimeoutMs",
    byDefault: formatDuration(KEEP_ALIVE_TIMEOUT_MS_DEFAULT),
    schema: duration(1_000, DAY_MS),
    help: "close a connection that was idle this long",
  }),
  setting("Address", "tls-cert FILE", {
    key: "tlsCertificatePath",
    byDefault: "",
    schema: filePathOrNone,
    help: "speak TLS with this certificate, or chain of them (PEM); read again on SIGHUP",
  }),
  setting("Address", "tls-key FILE", {
    key: "tlsKeyPath",
    byDefault: "",
    schema: filePathOrNone,
    help: "the certificate's private key (PEM, not encrypted)",
  }),

  setting("Storage", "data FOLDER", {
    key: "dataDirectory",
    byDefault: "./data",
    schema: directoryPath,
    help: "where batches are stored; made where it is not there",
  }),
  setting("Storage", "ack LEVEL", {
    key: "ack",
    byDefault: "written",
    schema: oneOf(ACK_LEVELS),
    help: "what an answer of 200 promises: accepted (it is in memory), written (it survives the server's death), synced (it survives a power cut) or replicated (it survives the loss of this machine; needs --replicate)",
  }),
  setting("Storage", "commit group|each", {
    key: "writesEach",
    byDefault: "group",
    schema: oneOf({ group: false, each: true }),
    help: "group: batches that arrive together share a write; each: a write for every batch, slower, to compare with",
  }),
  setting("Storage", "segment-size SIZE", {
    key: "segmentBytesMax",
    byDefault: formatBytes(SEGMENT_BYTES_MAX),
    schema: byteSize(SEGMENT_BYTES_FLOOR, SEGMENT_BYTES_CEILING),
    help: "begin a new file at this size",
  }),
  setting("Storage", "segment-age TIME", {
    key: "segmentAgeMsMax",
    byDefault: formatDuration(SEGMENT_AGE_MS_MAX),
    schema: duration(1_000, SEGMENT_AGE_MS_CEILING),
    help: "begin a new file at this age",
  }),
  setting("Storage", "retention-age TIME", {
    key: "retentionAgeMs",
    byDefault: "off",
    schema: durationOrOff(60_000, 3650 * DAY_MS),
    help: "delete files older than this",
  }),
  setting("Storage", "retention-size SIZE", {
    key: "retentionBytes",
    byDefault: "off",
    schema: byteSizeOrOff(1024 ** 2, 1024 ** 5),
    help: "delete the oldest files beyond this total",
  }),
  setting("Storage", "scrub-rate SIZE", {
    key: "scrubBytesPerS",
    byDefault: formatBytes(SCRUB_BYTES_PER_S_DEFAULT),
    schema: byteSizeOrOff(1024, 1024 ** 4),
    help: "bytes of closed files that are read again each second, to find damage; 0 for none",
  }),

  setting("Clients", "token NAME=TOKEN", {
    key: "tokens",
    byDefault: "",
    schema: tokenList,
    help: "admit only clients that show such a token; may be repeated. Other users of a machine can read flags: prefer the environment or the file",
  }),
  setting("Clients", "rate-limit N", {
    key: "rateLimit",
    byDefault: `${RATE_LIMIT_DEFAULT}`,
    schema: wholeNumber(0, RATE_LIMIT_CEILING),
    help: "requests per second and client; 0 for no limit",
  }),

  setting("Limits", "threads N", {
    key: "threads",
    byDefault: "auto",
    schema: autoOrWholeNumber(1, THREADS_MAX),
    help: "threads that take requests; auto fits them to the cores",
  }),
  setting("Limits", "connections-max N", {
    key: "connectionsMax",
    byDefault: "auto",
    schema: autoOrWholeNumber(1, CONNECTIONS_MAX_CEILING),
    help: "open connections; auto fits them to the descriptor limit",
  }),
  setting("Limits", "memory-max SIZE", {
    key: "memoryBytesMax",
    byDefault: formatBytes(MEMORY_BYTES_MAX_DEFAULT),
    schema: byteSize(1024 ** 2, 1024 ** 4),
    help: "bytes of requests in flight",
  }),
  setting("Limits", "body-max SIZE", {
    key: "bodyBytesMax",
    byDefault: formatBytes(BODY_BYTES_MAX_DEFAULT),
    schema: byteSize(BODY_BYTES_MAX_FLOOR, BODY_BYTES_MAX_CEILING),
    help: "bytes of one body, after decompression",
  }),
  setting("Limits", "batch-max N", {
    key: "batchMetricsMax",
    byDefault: `${BATCH_METRICS_MAX_DEFAULT}`,
    schema: wholeNumber(1, BATCH_METRICS_MAX_CEILING),
    help: "metrics in one batch",
  }),

  setting("Replication", "replicate URL", {
    key: "replicate",
    byDefault: "",
    schema: natsServers,
    help: "send the log to a stream of this NATS cluster: nats://a,b,c; a user and password may stand before an @, other secrets in the settings below",
  }),
  setting("Replication", "stream NAME", {
    key: "stream",
    byDefault: "tidemark",
    schema: streamName,
    help: "the JetStream stream; made where it is not there",
  }),
  setting("Replication", "replicas N", {
    key: "replicas",
    byDefault: "3",
    schema: wholeNumber(1, 5),
    help: "servers that hold each block",
  }),
  setting("Replication", "partitions N", {
    key: "partitions",
    byDefault: `${PARTITIONS_DEFAULT}`,
    schema: wholeNumber(1, PARTITIONS_MAX),
    help: "parts of the stream that drains share among them; the same for all who use the stream",
  }),
  setting("Replication", "stream-size SIZE", {
    key: "streamBytesMax",
    byDefault: "off",
    schema: byteSizeOrOff(1024 ** 2, 1024 ** 5),
    help: "most that the stream holds; past it blocks stay in the logs of the nodes",
  }),
  setting("Replication", "stream-age TIME", {
    key: "streamAgeMsMax",
    byDefault: "off",
    schema: durationOrOff(60_000, 3650 * DAY_MS),
    help: "drop blocks older than this though no drain has stored them",
  }),
  setting("Replication", "node NAME", {
    key: "node",
    byDefault: "",
    schema: nodeName,
    help: "this server's name in the stream (the machine's)",
  }),
  ...NATS_SETTINGS,
  ...FORWARD_SETTINGS,

  setting("Other", "log-level LEVEL", {
    key: "logLevel",
    byDefault: "info",
    schema: oneOf(LOG_LEVELS),
    help: "trace, debug, info, warn, error or silent",
  }),
];
