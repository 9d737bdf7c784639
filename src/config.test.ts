// The settings' contract: precedence, every shape's range, one-line messages that name flag and place, no token shown.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  type Environment,
  environmentName,
  type Flags,
  resolveServeConfig,
  SERVE_DEFAULTS,
} from "./config.ts";
import { SETTINGS } from "./config-settings.ts";
import { TidemarkError } from "./errors.ts";
import {
  BATCH_METRICS_MAX_CEILING,
  BODY_BYTES_MAX_CEILING,
  LANE_BUFFER_BYTES,
  LINE_OVERHEAD_BYTES_MAX,
} from "./limits.ts";

const neverRead = (): string => assert.fail("no file was named");
const fromFlags = (flags: Flags) => resolveServeConfig(flags, {}, neverRead);
const fromEnvironment = (environment: Environment) => resolveServeConfig({}, environment, neverRead);
const fromFile = (yaml: string) => resolveServeConfig({ config: "tidemark.yaml" }, {}, () => yaml);

/** The one line that the operator gets. */
function refusalOf(resolve: () => unknown): string {
  try {
    resolve();
  } catch (error) {
    assert.ok(error instanceof TidemarkError, String(error));
    assert.equal(error.exitCode, 2);
    assert.ok(!error.message.includes("\n"), "one line");
    return error.message;
  }
  assert.fail("nothing was refused");
}

describe("where a setting comes from", () => {
  test("with nothing given every setting is at its default", () => {
    assert.deepEqual(SERVE_DEFAULTS, {
      host: "127.0.0.1",
      port: 8080,
      dataDirectory: "./data",
      threads: "auto",
      ack: 2,
      writesEach: false,
      rateLimit: 10_000,
      backlog: 4096,
      keepAlive: true,
      keepAliveTimeoutMs: 75_000,
      tlsCertificatePath: "",
      tlsKeyPath: "",
      bodyBytesMax: 1_048_576,
      batchMetricsMax: 1000,
      connectionsMax: "auto",
      memoryBytesMax: 268_435_456,
      tokens: [],
      segmentBytesMax: 67_108_864,
      segmentAgeMsMax: 3_600_000,
      retentionAgeMs: 0,
      retentionBytes: 0,
      scrubBytesPerS: 16_777_216,
      replicate: [],
      stream: "tidemark",
      replicas: 3,
      partitions: 16,
      streamBytesMax: 0,
      streamAgeMsMax: 0,
      node: "",
      natsUser: "",
      natsPassword: "",
      natsToken: "",
      natsNkeyPath: "",
      natsCredsPath: "",
      natsCaPath: "",
      natsCertificatePath: "",
      natsKeyPath: "",
      forward: "",
      forwardName: "prometheus",
      forwardConnections: 4,
      forwardHeaders: "",
      forwardBearerToken: "",
      forwardBearerTokenPath: "",
      forwardBasicAuthPath: "",
      forwardCaPath: "",
      logLevel: "info",
    });
  });

  test("a flag beats the environment, which beats the file, which beats the default", () => {
    const environment = { TIDEMARK_PORT: "2", TIDEMARK_BACKLOG: "2" };
    const read = () => "port: 3\nbacklog: 3\nbatch-max: 3\n";
    const config = resolveServeConfig({ port: "1", config: "x.yaml" }, environment, read);
    assert.equal(config.port, 1);
    assert.equal(config.backlog, 2);
    assert.equal(config.batchMetricsMax, 3);
    assert.equal(config.rateLimit, 10_000);
  });

  test("every setting can come from a flag, from the environment and from the file, with the same meaning", () => {
    const written: Record<string, string> = {
      host: "::1",
      port: "0",
      backlog: "128",
      "keep-alive": "off",
      "keep-alive-timeout": "1.5s",
      data: "/var/lib/tide mark",
      ack: "synced",
      commit: "each",
      "segment-size": "64KiB",
      "segment-age": "90s",
      "retention-age": "30d",
      "retention-size": "1GiB",
      "scrub-rate": "2MiB",
      token: "web=s3cret",
      "tls-cert": "/etc/tide mark/cert.pem",
      "tls-key": "/etc/tide mark/key.pem",
      "rate-limit": "0",
      threads: "4",
      "connections-max": "100",
      "memory-max": "64MB",
      "body-max": "1000000",
      "batch-max": "10",
      replicate: "nats://ann:s3cret@a,b:4223",
      stream: "metrics",
      replicas: "1",
      partitions: "4",
      "stream-size": "1GiB",
      "stream-age": "7d",
      node: "web-1",
      "nats-user": "ann",
      "nats-password": "s3cret",
      "nats-token": "t0ken",
      "nats-nkey": "/etc/tide mark/user.nk",
      "nats-creds": "/etc/tide mark/user.creds",
      "nats-ca": "/etc/tide mark/ca.pem",
      "nats-cert": "/etc/tide mark/nats.pem",
      "nats-key": "/etc/tide mark/nats.key",
      forward: "prometheus=https://ann:s3cret@a/api/v1/write",
      "forward-name": "mimir",
      "forward-connections": "8",
      "forward-headers": "X-Scope-OrgID:t",
      "forward-bearer-token": "t0ken",
      "forward-bearer-token-file": "/etc/tide mark/token",
      "forward-basic-auth-file": "/etc/tide mark/auth",
      "forward-ca": "/etc/tide mark/store-ca.pem",
      "log-level": "debug",
    };
    assert.deepEqual(Object.keys(written).sort(), SETTINGS.map((setting) => setting.name).sort());
    const config = fromFlags(written);
    for (const setting of SETTINGS)
      assert.notDeepEqual(config[setting.key], SERVE_DEFAULTS[setting.key], setting.name);
    const environment = Object.fromEntries(
      Object.entries(written).map(([name, value]) => [environmentName(name), value]),
    );
    assert.deepEqual(fromEnvironment(environment), config);
    const lines = Object.entries(written).map(([name, value]) => `${name}: ${value}`);
    assert.deepEqual(fromFile(lines.join("\n").replace("host: ::1", 'host: "::1"')), config);
  });

  test("the environment can name the file", () => {
    const config = resolveServeConfig({}, { TIDEMARK_CONFIG: "/etc/t.yaml" }, (path) => {
      assert.equal(path, "/etc/t.yaml");
      return "port: 9";
    });
    assert.equal(config.port, 9);
  });

  test("an empty variable is the same as none, and an empty file as no file", () => {
    assert.deepEqual(fromEnvironment({ TIDEMARK_PORT: "", TIDEMARK_CONFIG: "" }), SERVE_DEFAULTS);
    assert.deepEqual(fromFile(""), SERVE_DEFAULTS);
    assert.deepEqual(fromFile("# nothing yet\n"), SERVE_DEFAULTS);
  });
});

describe("what a bad value is told", () => {
  test("the message names the flag, the value and the allowed range", () => {
    assert.equal(
      refusalOf(() => fromFlags({ port: "70000" })),
      "cannot use --port 70000 because it must be a whole number from 0 to 65535",
    );
  });

  test("the message says which variable or which key of which file the value came from", () => {
    assert.match(
      refusalOf(() => fromEnvironment({ TIDEMARK_PORT: "x" })),
      /^cannot use --port x from TIDEMARK_PORT because /,
    );
    assert.match(
      refusalOf(() => fromFile("rate-limit: [5]")),
      /^cannot use --rate-limit \[5\] from rate-limit in tidemark.yaml because /,
    );
  });

  const refused: Record<string, string[]> = {
    host: ["", "a b", "http://x", "x".repeat(254)],
    port: ["-1", "65536", "1.5", "0x10", "1e3", "", " ", "9".repeat(30)],
    backlog: ["0", "65536"],
    "keep-alive": ["yes", "1", ""],
    "keep-alive-timeout": ["75", "0s", "999ms", "2d", "-1s", "1 year", "off", "1.0001s "],
    data: ["", "a\0b"],
    ack: ["Written", "2", "none", "toString", "Replicated", "4"],
    commit: ["Group", "1", "off"],
    "segment-size": ["1KiB", "3GiB", "0", "off"],
    "segment-age": ["8d", "0", "5"],
    "retention-age": ["59s", "1", "10000d"],
    "retention-size": ["1", "2PiB"],
    "scrub-rate": ["1", "2TiB"],
    "rate-limit": ["-1", "1000001", "10/s", "off"],
    threads: ["0", "65", "Auto", ""],
    "connections-max": ["0", "none"],
    "memory-max": ["1KiB", "2TiB", "half", "0.3B", "1.0000000001MiB"],
    "body-max": ["1023", "5MiB", "1 M iB", "1mib/s", "Infinity"],
    "batch-max": ["0", "20001"],
    replicate: ["localhost", "http://a", "nats://", "nats://a b", "nats://a,", "nats://a:port", "tls://a/b"],
    stream: ["", "a.b", "a b", "*", ">", "x".repeat(65)],
    replicas: ["0", "6", "three"],
    partitions: ["0", "257"],
    "stream-size": ["1", "2PiB", "much"],
    "stream-age": ["59s", "1", "10000d"],
    node: ["a.b", "a b", "*", "x".repeat(65)],
    "nats-nkey": ["a\0b"],
    "nats-creds": ["a\0b"],
    "nats-ca": ["a\0b"],
    "nats-cert": ["a\0b"],
    "nats-key": ["a\0b"],
    forward: ["http://a/api/v1/write", "influx=http://a/write", "prometheus=a", "prometheus=http://a b"],
    "forward-name": ["", "a b", "x".repeat(65)],
    "forward-connections": ["0", "65", "x"],
    "forward-bearer-token-file": ["a\0b"],
    "forward-basic-auth-file": ["a\0b"],
    "forward-ca": ["a\0b"],
    "log-level": ["verbose", "INFO", "__proto__"],
  };
  for (const [name, values] of Object.entries(refused)) {
    test(`--${name} refuses what is outside its range`, () => {
      for (const value of values) {
        const message = refusalOf(() => fromFlags({ [name]: value }));
        assert.ok(message.startsWith(`cannot use --${name} `), message);
        assert.match(message, / because it must be /);
      }
    });
  }

  test("a long or unprintable value is shown bounded and on one line", () => {
    const message = refusalOf(() => fromFlags({ threads: `1\n${"9".repeat(10_000)}\u001b[2J` }));
    assert.ok(message.length < 250, message);
    assert.ok(!message.includes("\u001b"), message);
  });

  test("batch, body and memory limits are checked together", () => {
    const message = refusalOf(() => fromFlags({ "body-max": "4MiB", "memory-max": "8MiB" }));
    for (const flag of ["--memory-max 8MiB", "--body-max 4MiB", "--batch-max 1000"]) {
      assert.ok(message.includes(flag), message);
    }
    assert.equal(fromFlags({ "body-max": "4MiB", "memory-max": "16MiB" }).bodyBytesMax, 4 * 1024 ** 2);
  });

  test("the largest batch that can be allowed fits an empty lane buffer", () => {
    const lineBytesMax = BODY_BYTES_MAX_CEILING + BATCH_METRICS_MAX_CEILING * LINE_OVERHEAD_BYTES_MAX;
    assert.ok(lineBytesMax <= LANE_BUFFER_BYTES, `${lineBytesMax} > ${LANE_BUFFER_BYTES}`);
  });

  test("a total that is kept cannot be smaller than one file", () => {
    assert.match(
      refusalOf(() => fromFlags({ "retention-size": "32MiB" })),
      /--retention-size 32MiB .* --segment-size 64MiB/,
    );
  });

  test("any text for any setting is either taken or refused in one line", () => {
    const names = SETTINGS.map((setting) => setting.name);
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.string({ unit: "binary" }), (name, value) => {
        try {
          fromFlags({ [name]: value });
        } catch (error) {
          assert.ok(error instanceof TidemarkError && !/[\r\n]/.test(error.message), String(error));
        }
      }),
    );
  });
});

describe("sizes and times", () => {
  test("sizes take binary and decimal units in any case, and a bare number is bytes", () => {
    const bytesOf = (text: string) => fromFlags({ "segment-size": text }).segmentBytesMax;
    assert.equal(bytesOf("1MiB"), 1_048_576);
    assert.equal(bytesOf("1mib"), 1_048_576);
    assert.equal(bytesOf("1.5 MiB"), 1_572_864);
    assert.equal(bytesOf("1MB"), 1_000_000);
    assert.equal(bytesOf("100KB"), 100_000);
    assert.equal(bytesOf("100000b"), 100_000);
    assert.equal(bytesOf("100000"), 100_000);
    assert.equal(bytesOf("1GiB"), 1_073_741_824);
  });

  test("times take ms, s, m, h and d", () => {
    const msOf = (text: string) => fromFlags({ "segment-age": text }).segmentAgeMsMax;
    assert.deepEqual(
      ["1500ms", "2s", "3m", "1.5h", "1d"].map(msOf),
      [1500, 2000, 180_000, 5_400_000, 86_400_000],
    );
  });

  test("off and 0 keep everything", () => {
    assert.equal(fromFlags({ "retention-age": "off" }).retentionAgeMs, 0);
    assert.equal(fromFlags({ "retention-age": "0" }).retentionAgeMs, 0);
    assert.equal(fromFile("retention-size: 0").retentionBytes, 0);
    assert.equal(fromFile("retention-size: false").retentionBytes, 0);
  });
});

describe("tokens", () => {
  const both = [
    { name: "web", token: "s3cret" },
    { name: "db-1", token: "a.b~c+d/e==" },
  ];

  test("several come from a repeated flag, from one variable, from a map and from a list", () => {
    assert.deepEqual(fromFlags({ token: ["web=s3cret", "db-1=a.b~c+d/e=="] }).tokens, both);
    assert.deepEqual(fromEnvironment({ TIDEMARK_TOKEN: "web=s3cret,db-1=a.b~c+d/e==" }).tokens, both);
    assert.deepEqual(fromEnvironment({ TIDEMARK_TOKEN: " web=s3cret\n  db-1=a.b~c+d/e==\n" }).tokens, both);
    assert.deepEqual(fromFile("token:\n  web: s3cret\n  db-1: a.b~c+d/e==\n").tokens, both);
    assert.deepEqual(fromFile("token: [web=s3cret, db-1=a.b~c+d/e==]").tokens, both);
  });

  const SECRET = "hunter2hunter2";
  const wrong: Record<string, unknown> = {
    "no name": SECRET,
    "an empty name": `=${SECRET}`,
    "an empty token": `${SECRET}=`,
    "nothing but padding for a token": `${SECRET}==`,
    "a name outside its alphabet": `we/b=${SECRET}`,
    "a name too long": `${"n".repeat(65)}=${SECRET}`,
    "a token too long": `web=${SECRET.repeat(40)}`,
    "a token that no header can carry": `web=${SECRET}\u00e9`,
    "a name twice": [`web=${SECRET}`, "web=other"],
    "one token under two names": [`web=${SECRET}`, `db=${SECRET}`],
  };
  for (const [what, value] of Object.entries(wrong)) {
    test(`${what} is refused and no part of it is shown`, () => {
      const flag = Array.isArray(value) ? value : [String(value)];
      for (const resolve of [
        () => fromFlags({ token: flag }),
        () => fromEnvironment({ TIDEMARK_TOKEN: flag.join(" ") }),
        () => fromFile(JSON.stringify({ token: value })),
      ]) {
        const message = refusalOf(resolve);
        assert.ok(message.startsWith("cannot use --token (not shown)"), message);
        assert.ok(!message.includes("hunter2"), message);
      }
    });
  }

  test("a file that is not YAML is refused by line and column, without quoting it", () => {
    const message = refusalOf(() => fromFile(`token:\n  web: ${SECRET}\n db: "${SECRET}`));
    assert.match(message, /^cannot read --config tidemark.yaml because line \d+, column \d+ is not YAML/);
    assert.ok(!message.includes("hunter2"), message);
  });
});

describe("replication", () => {
  test("an answer that waits for the stream needs a stream", () => {
    assert.equal(
      refusalOf(() => fromFlags({ ack: "replicated" })),
      "cannot use --ack replicated because the log is not replicated; give --replicate nats://… too",
    );
    assert.equal(fromFlags({ ack: "replicated", replicate: "nats://a" }).ack, 4);
  });

  test("a certificate for the cluster needs its key, and a key its certificate", () => {
    for (const alone of ["nats-cert", "nats-key"]) {
      const message = refusalOf(() => fromFlags({ [alone]: "x.pem" }));
      assert.match(message, /^cannot use --nats-cert or --nats-key alone because .*; give both$/);
    }
    assert.equal(fromFlags({ "nats-cert": "x.pem", "nats-key": "y.pem" }).natsKeyPath, "y.pem");
  });

  test("one setting names all servers of a cluster, and keeps what is before an @", () => {
    assert.deepEqual(fromFlags({ replicate: "tls://ann:s3cret@a, b:4223" }).replicate, [
      "tls://ann:s3cret@a",
      "tls://b:4223",
    ]);
  });

  test("no message shows a secret of the cluster's or the store's, wherever it was written", () => {
    const SECRET = "hunter2hunter2";
    const wrong: Record<string, unknown> = {
      replicate: `nats://ann:${SECRET}@a b`,
      "nats-password": [SECRET],
      "nats-token": [SECRET],
      forward: `prometheus=http://ann:${SECRET}@a b`,
      "forward-headers": [SECRET],
      "forward-bearer-token": [SECRET],
    };
    for (const [name, value] of Object.entries(wrong)) {
      const message = refusalOf(() => fromFile(JSON.stringify({ [name]: value })));
      assert.ok(message.startsWith(`cannot use --${name} (not shown) from ${name} in `), message);
      assert.ok(!message.includes("hunter2"), message);
    }
    const fromTheEnvironment = refusalOf(() =>
      fromEnvironment({ TIDEMARK_REPLICATE: `nats://${SECRET}@a b` }),
    );
    assert.ok(!fromTheEnvironment.includes("hunter2"), fromTheEnvironment);
    const together = refusalOf(() => fromFlags({ replicate: `nats://${SECRET}@a`, "nats-cert": "x.pem" }));
    assert.ok(!together.includes("hunter2"), together);
  });
});

describe("the file", () => {
  test("a key that is no setting is refused by name", () => {
    assert.match(
      refusalOf(() => fromFile("prot: 80")),
      /^cannot use prot in tidemark.yaml because there is no such setting; try one of host, port, /,
    );
    assert.match(
      refusalOf(() => fromFile("__proto__: 80")),
      /no such setting/,
    );
    assert.match(
      refusalOf(() => fromFile("config: other.yaml")),
      /no such setting/,
    );
  });

  test("a key that is there twice, a list and an alias are refused", () => {
    assert.match(
      refusalOf(() => fromFile("port: 1\nport: 2")),
      /line 2, .*duplicate key/,
    );
    assert.match(
      refusalOf(() => fromFile("- port: 1")),
      /must be lines of/,
    );
    assert.match(
      refusalOf(() => fromFile("port: &a 1\nbacklog: *a")),
      /aliases/,
    );
  });

  test("a file that cannot be read is refused with the reason", () => {
    const read = (code: string) => () => {
      throw Object.assign(new Error("the long text of the runtime"), { code });
    };
    assert.equal(
      refusalOf(() => resolveServeConfig({ config: "no.yaml" }, {}, read("ENOENT"))),
      "cannot read --config no.yaml because there is no such file",
    );
    assert.match(
      refusalOf(() => resolveServeConfig({ config: "x" }, {}, read("EACCES"))),
      /because EACCES$/,
    );
  });
});
