// What an operator can have wrong between a log and its stream: each is told once, by the setting to change and without a secret;
// the log keeps everything meanwhile, and where it is mended all of it reaches the stream.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createUser } from "@nats-io/nkeys";
import type { NodeConnectionOptions } from "@nats-io/transport-node";
import { openNats } from "../../src/nats/connection.ts";
import { type NatsSettings, NO_CREDENTIALS } from "../../src/nats/nats-settings.ts";
import type { StreamSettings } from "../../src/replica/stream-settings.ts";
import {
  HAS_OPENSSL,
  type MadeCertificate,
  makeCertificate,
  newCertificateFolder,
} from "../support/certificates.ts";
import {
  type NatsNode,
  natsServerMissing,
  startNatsServer,
  stopNatsServers,
} from "../support/nats-server.ts";
import { eventually } from "../support/server-process.ts";
import { closeBeds, lineOf, ReplicaBed, StreamReader } from "./replica-bed.ts";

const PASSWORD = "hunter2@/hunter2";
const TOKEN = "hunter2token";
const LINES = 3;

const folder = newCertificateFolder();
const user = createUser();
const stranger = createUser();
const seedPath = seedFile("user.nk", user);
const strangerPath = seedFile("stranger.nk", stranger);

function seedFile(name: string, keys: ReturnType<typeof createUser>): string {
  const path = join(folder, name);
  writeFileSync(path, `# a user\n${Buffer.from(keys.getSeed()).toString()}\n`);
  return path;
}

/** A server with users, one of whose accounts has no JetStream. */
const USERS = `accounts {
  A { jetstream: enabled, users: [ {user: ann, password: "${PASSWORD}"}, {nkey: ${user.getPublicKey()}} ] }
  B { users: [ {user: bob, password: "${PASSWORD}"} ] }
  C { jetstream: enabled, users: [ {user: eve, password: "${PASSWORD}", permissions: {publish: {deny: ["$JS.API.STREAM.CREATE.>"]}}} ] }
}`;

/** What a server that asks for a certificate says to one who has none: seconds, beside the other tests. */
let refusedByMutual: Promise<unknown>;
let users: NatsNode;
let small: NatsNode;
let withToken: NatsNode;
let secure: NatsNode;
let mutual: NatsNode;
let ours: MadeCertificate;
let theirs: MadeCertificate;
let elsewhere: { certificatePath: string; keyPath: string };

if (natsServerMissing === false) {
  before(async () => {
    const plain = [
      startNatsServer({ config: USERS, jetStream: "max_file_store: 64MiB" }),
      startNatsServer({ config: "max_payload: 8KiB", jetStream: "max_file_store: 64MiB" }),
      startNatsServer({ config: `authorization { token: "${TOKEN}" }` }),
    ] as const;
    if (HAS_OPENSSL) {
      ours = makeCertificate(folder, "ours");
      theirs = makeCertificate(folder, "theirs");
      elsewhere = certificateElsewhere();
      const keys = `cert_file: "${theirs.certificatePath}", key_file: "${theirs.keyPath}"`;
      [secure, mutual] = await Promise.all([
        startNatsServer({ config: `tls { ${keys} }` }),
        startNatsServer({ config: `tls { ${keys}, ca_file: "${ours.certificatePath}", verify: true }` }),
      ]);
    }
    if (HAS_OPENSSL) {
      const settings = { ...NO_CREDENTIALS, servers: [mutual.url], caPath: theirs.certificatePath };
      refusedByMutual = openNats(settings, "test").catch((error: unknown) => error);
    }
    [users, small, withToken] = await Promise.all(plain);
  });
  after(async () => {
    await closeBeds();
    await stopNatsServers();
  });
}

/** For another address than the servers here have. */
function certificateElsewhere(): { certificatePath: string; keyPath: string } {
  const made = { certificatePath: join(folder, "elsewhere.crt"), keyPath: join(folder, "elsewhere.key") };
  const words =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=elsewhere -addext subjectAltName=IP:127.0.0.2";
  execFileSync("openssl", [...words.split(" "), "-keyout", made.keyPath, "-out", made.certificatePath], {
    stdio: "ignore",
  });
  return made;
}

interface Case {
  wrong(): Partial<NatsSettings>;
  stream?: Partial<StreamSettings>;
  said: RegExp;
  right(): Partial<NatsSettings>;
  node(): NatsNode;
  /** How the test itself gets in. */
  own(): NodeConnectionOptions;
}

const ann = { user: "ann", password: PASSWORD };
const ofUsers = {
  node: () => users,
  right: () => ann,
  own: () => ({ user: "ann", pass: PASSWORD }),
};
const ofToken = { node: () => withToken, right: () => ({ token: TOKEN }), own: () => ({ token: TOKEN }) };
const ofSmall = { node: () => small, right: () => ({}), own: () => ({}) };
const ofSecure = {
  node: () => secure,
  right: () => ({ caPath: theirs.certificatePath }),
  own: () =>
    ({ tls: { ca: theirs.certificate, checkServerIdentity: () => undefined } }) as NodeConnectionOptions,
};
const ofMutual = {
  node: () => mutual,
  right: () => ({
    caPath: theirs.certificatePath,
    certificatePath: ours.certificatePath,
    keyPath: ours.keyPath,
  }),
};
const CREDENTIALS =
  /^cannot use NATS at \S+ because it does not take our credentials; try --nats-user and --nats-password, --nats-token, --nats-nkey or --nats-creds/;
const UNVERIFIED =
  /because its certificate cannot be verified; try --nats-ca with the authority that signed it/;

const withoutTls: Record<string, Case> = {
  "a wrong password": { ...ofUsers, wrong: () => ({ ...ann, password: `${PASSWORD}x` }), said: CREDENTIALS },
  "no user at all": { ...ofUsers, wrong: () => ({}), said: CREDENTIALS },
  "a wrong user and password in the URL": {
    ...ofUsers,
    wrong: () => ({ servers: [users.url.replace("//", "//ann:hunter2@")] }),
    right: () => ({ servers: [users.url.replace("//", `//ann:${encodeURIComponent(PASSWORD)}@`)] }),
    said: CREDENTIALS,
  },
  "the seed of a stranger": {
    ...ofUsers,
    wrong: () => ({ nkeyPath: strangerPath }),
    right: () => ({ nkeyPath: seedPath }),
    said: CREDENTIALS,
  },
  "a seed's file that is not there": {
    ...ofUsers,
    wrong: () => ({ nkeyPath: `${seedPath}.none` }),
    right: () => ({ nkeyPath: seedPath }),
    said: /^cannot read --nats-nkey \S+ because there is no such file/,
  },
  "a wrong token": { ...ofToken, wrong: () => ({ token: `${TOKEN}x` }), said: CREDENTIALS },
  "a wrong token in the URL": {
    ...ofToken,
    wrong: () => ({ servers: [withToken.url.replace("//", "//hunter2@")] }),
    right: () => ({ servers: [withToken.url.replace("//", `//${TOKEN}@`)] }),
    said: CREDENTIALS,
  },
  "an account without JetStream": {
    ...ofUsers,
    wrong: () => ({ ...ann, user: "bob" }),
    said: /^cannot use the NATS servers because JetStream is not enabled there; try nats-server -js, or an account that has it/,
  },
  "a user who may not make the stream": {
    ...ofUsers,
    wrong: () => ({ ...ann, user: "eve" }),
    said: /^cannot use the stream \S+ because our user may not; see its permissions for /,
  },
  "an address where nothing listens": {
    ...ofSmall,
    wrong: () => ({ servers: ["nats://127.0.0.1:1"] }),
    said: /^cannot reach NATS at nats:\/\/127\.0\.0\.1:1 because nothing listens there; check the address, and that nats-server runs/,
  },
  "a name that nobody knows": {
    ...ofSmall,
    wrong: () => ({ servers: ["nats://tidemark-has-no-such-host.invalid"] }),
    said: /^cannot reach NATS at \S+ because the name is not known; check the address/,
  },
  "TLS where the server has none": {
    ...ofSmall,
    wrong: () => ({ servers: [small.url.replace("nats:", "tls:")] }),
    said: /because one side speaks TLS and the other does not.*try tls:\/\/ with --nats-ca/,
  },
  "more replicas than there are servers": {
    ...ofSmall,
    wrong: () => ({}),
    stream: { replicas: 3 },
    said: /^cannot make the stream \S+ because the cluster has not 3 servers with JetStream for it; try a smaller --replicas/,
  },
  "more room than the servers have": {
    ...ofSmall,
    wrong: () => ({}),
    stream: { bytesMax: 1024 ** 4 },
    said: /^cannot make the stream \S+ because .*; try a smaller --stream-size, or a larger max_file_store/,
  },
};

const overTls: Record<string, Case> = {
  "no authority": { ...ofSecure, wrong: () => ({}), said: UNVERIFIED },
  "another authority": {
    ...ofSecure,
    wrong: () => ({ caPath: ours.certificatePath }),
    said: UNVERIFIED,
  },
  "a file that is no certificate": {
    ...ofSecure,
    wrong: () => ({ caPath: seedPath }),
    said: /^cannot use --nats-ca \S+ because the file holds no certificate \(PEM\)/,
  },
  "a key that is not the certificate's": {
    ...ofSecure,
    wrong: () => ({ ...ofMutual.right(), keyPath: theirs.keyPath }),
    said: /^cannot use --nats-cert and --nats-key because the key is not the certificate's/,
  },
};

function table(cases: Record<string, Case>): void {
  let serial = 0;
  for (const [what, { wrong, right, node, own, said, stream }] of Object.entries(cases)) {
    const name = `s${serial++}-${Object.keys(cases).length}`;
    test(`${what}: what to change is told once, and when it is changed nothing is missing`, async () => {
      const bed = new ReplicaBed();
      bed.add(LINES);
      bed.run({ servers: [node().url], ...wrong() }, { stream: name, ...stream });
      const { text } = await bed.trouble();
      assert.match(text, said);
      assert.match(text, /; batches stay in the log here until the stream takes them$/);
      assert.equal(bed.linesBehind, LINES);
      await bed.close();
      assert.equal(bed.said.length, 1, JSON.stringify(bed.said));
      bed.run({ servers: [node().url], ...right() }, { stream: name });
      await bed.caughtUp();
      await bed.close();
      assert.doesNotMatch(JSON.stringify(bed.said), /hunter2|\bS[A-Z0-9]{50}/);
      const reader = await StreamReader.open({ servers: node().url, ...own() });
      assert.equal((await reader.metrics(name)).size, LINES);
      await reader.close();
    });
  }
}

describe("with", { skip: natsServerMissing }, () => table(withoutTls));

test("told to end while a server that says nothing is given its time, it does not wait for that", async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket.on("error", () => {})));
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const servers = [`nats://127.0.0.1:${(silent.address() as AddressInfo).port}`];
  const givenUp = openNats({ ...NO_CREDENTIALS, servers }, "test").catch(
    () => "one who began earlier is first",
  );
  await eventually("that one has connected", () => sockets.length === 1);
  const bed = new ReplicaBed();
  bed.add(LINES);
  bed.run({ servers });
  await eventually("it has connected", () => sockets.length === 2);
  const first = await Promise.race([givenUp, bed.close().then(() => "closed")]);
  assert.equal(first, "closed");
  for (const socket of sockets) socket.destroy();
  silent.close();
});

test("a token that the server knew before it was away is told of, and when it knows it again that it is over", {
  skip: natsServerMissing,
}, async () => {
  const known = join(folder, "known.conf");
  const know = (token: string) => writeFileSync(known, `authorization { token: "${token}" }\n`);
  know(TOKEN);
  // Paths in a configuration are from its own folder.
  const node = await startNatsServer({ config: `include "../${basename(folder)}/known.conf"` });
  const bed = new ReplicaBed();
  bed.add(LINES);
  bed.run({ servers: [node.url], token: TOKEN });
  await bed.caughtUp();
  await node.kill();
  await eventually("the loss is told", () => bed.said.length >= 2);
  know("another");
  await node.restart();
  await eventually("the refusal is told", () => bed.said.length >= 3);
  await node.kill();
  know(TOKEN);
  await node.restart();
  await eventually("the end is told", () => bed.said.length >= 4);
  await bed.close();
  const [before, lost, refused, over] = bed.said.map(({ text }) => text);
  assert.equal(before, "replicating");
  assert.match(lost!, /^cannot reach NATS at \S+ because the connection was lost; /);
  assert.match(refused!, CREDENTIALS);
  assert.equal(over, "replicating");
  assert.equal(bed.said.length, 4);
});

const noTls =
  natsServerMissing !== false ? natsServerMissing : HAS_OPENSSL ? false : "openssl is not installed";

describe("over TLS with", { skip: noTls }, () => {
  table(overTls);

  test("a certificate of ours the log is replicated to a server that asks for one", async () => {
    const bed = new ReplicaBed();
    bed.add(LINES);
    bed.run({ servers: [mutual.url.replace("nats:", "tls:")], ...ofMutual.right() });
    await bed.caughtUp();
    await bed.close();
  });

  test("none of ours such a server is told of by the settings that give one", async () => {
    const refused = String(await refusedByMutual);
    assert.match(refused, /--nats-cert and --nats-key where it asks for a certificate/);
  });

  test("a certificate for another address a server is not believed", async () => {
    const keys = `cert_file: "${elsewhere.certificatePath}", key_file: "${elsewhere.keyPath}"`;
    const node = await startNatsServer({ config: `tls { ${keys} }` });
    const settings = { ...NO_CREDENTIALS, servers: [node.url], caPath: elsewhere.certificatePath };
    await assert.rejects(
      openNats(settings, "test"),
      /because its certificate is for another name or address/,
    );
    await node.kill();
  });
});

describe("a stream", { skip: natsServerMissing }, () => {
  let reader: StreamReader;
  before(async () => {
    reader = await StreamReader.open({ servers: small.url });
  });
  after(() => reader?.close());

  test("with other settings is told of by all that differ, and used when asked for as it is", async () => {
    const first = new ReplicaBed();
    first.add(LINES);
    first.run({ servers: [small.url] }, { stream: "other" });
    await first.caughtUp();
    await first.close();
    const bed = new ReplicaBed();
    bed.add(LINES);
    const asked = { stream: "other", partitions: 4, bytesMax: 2_097_152, ageMsMax: 60_000 };
    bed.run({ servers: [small.url] }, asked);
    const { text } = await bed.trouble();
    assert.match(
      text,
      /^cannot use the stream other because it has partitions 2 instead of 4, size off instead of 2097152B, age off instead of 60000ms; try --replicas, --partitions, --stream-size and --stream-age as it has them, or another --stream/,
    );
    await bed.close();
    bed.run({ servers: [small.url] }, { stream: "other" });
    await bed.caughtUp();
    await bed.close();
  });

  test("whose subjects another one has is told of", async () => {
    await reader.manager.streams.add({ name: "squatter", subjects: ["taken.>"], storage: "memory" });
    const bed = new ReplicaBed();
    bed.add(LINES);
    bed.run({ servers: [small.url] }, { stream: "taken" });
    const { text } = await bed.trouble();
    assert.match(
      text,
      /^cannot make the stream taken because another stream takes its subjects; try another --stream/,
    );
    await reader.manager.streams.delete("squatter");
    await bed.caughtUp();
    await bed.close();
    assert.equal((await reader.metrics("taken")).size, LINES);
  });

  test("that is full is told of once, drops nothing, and takes the rest as soon as there is room", async () => {
    const bed = new ReplicaBed();
    for (let segment = 0; segment < 8; segment++) bed.add(70, 300);
    bed.run({ servers: [small.url] }, { stream: "full", bytesMax: 16_384 });
    const { text } = await bed.trouble();
    assert.match(
      text,
      /^cannot add to the stream full because it is full; try more drains, or a larger --stream-size or JetStream store/,
    );
    const found = new Set<string>();
    const empty = async (): Promise<void> => {
      const { state } = await reader.manager.streams.info("full");
      for (const name of (await reader.metrics("full")).keys()) found.add(name);
      if (state.messages > 0) await reader.manager.streams.purge("full", { seq: state.last_seq + 1 });
    };
    await eventually("all has gone through", async () => {
      await empty();
      return bed.linesBehind === 0;
    });
    await empty();
    await bed.close();
    assert.equal(found.size, 8 * 70);
  });

  test("whose server takes only small messages gets the blocks in parts, and a line that is larger is set aside", async () => {
    const bed = new ReplicaBed();
    bed.add(300);
    bed.add(1, 40_000);
    bed.add(300);
    bed.run({ servers: [small.url] }, { stream: "small" });
    await bed.caughtUp();
    await bed.close();
    const metrics = await reader.metrics("small");
    assert.equal(metrics.size, 600);
    assert.equal(metrics.has("line.300"), false);
    assert.equal(bed.deadLetters(), lineOf(300, 40_000));
    const { text, fields } = await bed.trouble();
    assert.match(text, /^a line is too large for the NATS servers .*; raise max_payload there$/);
    assert.deepEqual(fields, { lane: 0, line: 300, bytes: 40_000, max_payload: 8_192 });
    let next = 0;
    for (const { from, end } of await reader.blocks("small")) {
      assert.equal(from, next, "who counts waits for no number");
      next = end;
    }
    assert.equal(next, 601);
  });

  test("whose server takes next to nothing has every line set aside, and its numbers covered", async () => {
    const node = await startNatsServer({ config: "max_payload: 900" });
    const bed = new ReplicaBed();
    bed.add(LINES);
    bed.run({ servers: [node.url] });
    await bed.caughtUp();
    await bed.close();
    assert.equal(bed.deadLetters(), [0, 1, 2].map((line) => lineOf(line)).join(""));
    await node.kill();
  });
});
