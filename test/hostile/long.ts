// Hostile clients by the thousand, with the server's real patience: `npm run attack -- hostile --seed N`, on the runtime
// that runs this file. It runs in a network name space of its own where that is allowed, with socket buffers as small as
// those of clients far away: on the loopback interface the kernel takes 2.5 MiB of answers that nobody reads.

import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { recordRun } from "../reliability/record.ts";
import { stopServers } from "../support/server-process.ts";
import { attackAll, type Finding, rowsOf } from "./attack.ts";

const INSIDE = "TIDEMARK_HOSTILE_INSIDE";
const BUFFERS = "4096 16384 65536";

const { values } = parseArgs({
  options: {
    clients: { type: "string", default: "4000" },
    seed: { type: "string", default: `${Date.now() % 2 ** 32}` },
  },
});
const clients = Number(values.clients);
const seed = Number(values.seed);
if (!Number.isSafeInteger(clients) || clients < 1 || !Number.isSafeInteger(seed) || seed < 0) {
  console.error(
    "cannot use --clients or --seed because they must be whole numbers; try --clients 4000 --seed 1",
  );
  process.exit(2);
}
const isInside = process.env[INSIDE] !== undefined;
if (!isInside && spawnSync("unshare", ["-n", "true"]).status === 0) {
  const settings = ["tcp_wmem", "tcp_rmem"].map((name) => `echo '${BUFFERS}' > /proc/sys/net/ipv4/${name}`);
  const script = ["ip link set lo up", ...settings, 'exec "$@"'].join(" && ");
  const words = [process.execPath, process.argv[1]!, "--clients", `${clients}`, "--seed", `${seed}`];
  const child = spawnSync("unshare", ["-n", "sh", "-c", script, "sh", ...words], {
    env: { ...process.env, [INSIDE]: "1" },
    stdio: "inherit",
  });
  process.exit(child.status ?? 1);
}

const startedMs = performance.now();
const findings: Finding[] = [];
try {
  await attackAll(clients, seed, (finding) => {
    findings.push(finding);
    console.error(`${finding.holds ? "holds" : "DOES NOT HOLD"}: ${finding.kind}: ${finding.measured}`);
  });
} catch (error) {
  console.error(`seed ${seed}: ${error}`);
  process.exitCode = 1;
}
await stopServers();
const rows = rowsOf(findings);
const command = `npm run attack -- hostile --clients ${clients} --seed ${seed}`;
recordRun("hostile", command, (performance.now() - startedMs) / 1e3, rows);
if (!rows.every(({ holds }) => holds)) {
  console.error(`seed ${seed}: something does not hold`);
  process.exitCode = 1;
}
process.exit();
