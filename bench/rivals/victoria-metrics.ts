// VictoriaMetrics, single node, as Debian packages it: a time-series store of the same trade. It answers once a
// batch is parsed and in memory (what we call accepted), and writes to disk behind that.
import { join } from "node:path";
import { awaitListening, type Contender, findFreePort, type RunningServer } from "../contender.ts";
import { spawnPinned } from "../pinned.ts";
import { findProgram } from "../programs.ts";
import { encodeImport, encodeInflux } from "../workload.ts";

const missing = () => (findProgram("victoria-metrics") === null ? "victoria-metrics is not installed" : null);

export const victoriaMetricsImport: Contender = {
  id: "victoria-metrics",
  label: "VictoriaMetrics /api/v1/import",
  target: "/api/v1/import",
  contentType: "application/json",
  encode: encodeImport,
  missing,
  start,
};

export const victoriaMetricsWrite: Contender = {
  id: "victoria-metrics",
  label: "VictoriaMetrics /write",
  target: "/write?precision=ms",
  contentType: "text/plain",
  encode: encodeInflux,
  missing,
  start,
};

// influxSkipSingleField keeps a series' name what it is in the other formats, without "_value" behind it.
async function start(folder: string): Promise<RunningServer> {
  const port = await findFreePort();
  const command = [
    findProgram("victoria-metrics")!,
    `-httpListenAddr=127.0.0.1:${port}`,
    `-storageDataPath=${join(folder, "data")}`,
    "-retentionPeriod=10y",
    "-influxSkipSingleField",
    "-loggerLevel=ERROR",
  ];
  const child = spawnPinned("server", command, { stdio: ["ignore", "ignore", "inherit"] });
  await awaitListening(child, port, "victoria-metrics");
  return { child, port };
}
