// The thread that replicates the log. It is the only place of the server that loads NATS code, and it starts only where
// --replicate asks for it. Told to close, it brings the last lines on their way, stores its cursors and says that it is done.

import { hostname } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { realClock } from "../base/clock.ts";
import { LanePositions } from "../follow/lane-positions.layout.ts";
import { REPLICA_CHECK_MS } from "../limits.ts";
import { realFiles } from "../log/files.ts";
import { Replicator } from "../replica/replicator.ts";
import { FollowerFigures } from "../telemetry/follower-figures.layout.ts";
import type { FromFollower, ReplicaSettings } from "./messages.ts";

const { config, dataFolder, positions, orphans, telemetry } = workerData as ReplicaSettings;
const FIGURES_INTERVAL_MS = 250;

const lanes = Array.from({ length: positions.byteLength / LanePositions.bytes }, (_, lane) => ({
  lane,
  positions: new LanePositions(positions, lane),
  end: 0,
}));

const replicator = new Replicator({
  nats: {
    servers: config.replicate,
    user: config.natsUser,
    password: config.natsPassword,
    token: config.natsToken,
    nkeyPath: config.natsNkeyPath,
    credsPath: config.natsCredsPath,
    caPath: config.natsCaPath,
    certificatePath: config.natsCertificatePath,
    keyPath: config.natsKeyPath,
  },
  stream: {
    stream: config.stream,
    replicas: config.replicas,
    partitions: config.partitions,
    bytesMax: config.streamBytesMax,
    ageMsMax: config.streamAgeMsMax,
  },
  node:
    config.node === ""
      ? hostname()
          .replace(/[^A-Za-z0-9_-]/g, "_")
          .slice(0, 64) || "node"
      : config.node,
  dataFolder,
  lanes: [...lanes, ...orphans.map(({ lane, end }) => ({ lane, positions: null, end }))],
  files: realFiles,
  clock: realClock,
  checkMs: REPLICA_CHECK_MS,
  log: (level, text, fields) => tell({ kind: "log", level, text, fields }),
});

const figures = new FollowerFigures(telemetry);
const timer = setInterval(() => figures.write(replicator.figures()), FIGURES_INTERVAL_MS);

parentPort!.on("message", async () => {
  await replicator.close();
  clearInterval(timer);
  tell({ kind: "closed" });
});
replicator.runInBackground();

function tell(message: FromFollower): void {
  parentPort!.postMessage(message);
}
