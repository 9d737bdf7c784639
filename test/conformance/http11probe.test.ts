// Http11Probe's cases (probe-run.ts) against a running server; the verdicts, one test a case.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { RawConnection } from "../support/raw-client.ts";
import { get } from "../support/requests.ts";
import { type ServerProcess, startServer, stopServers } from "../support/server-process.ts";
import { type Observed, observeProbes, PROBE_CORPUS, probeFault, readProbeCases } from "./probe-run.ts";
import { isSuccess } from "./probe-verdict.ts";

const cases = readProbeCases();
const isHere = cases.length > 0;

let observed: Map<string, Observed>;
let server: ServerProcess;

after(stopServers);

// Bun says nothing of a skipped group that holds no test: the skip is a test of its own.
if (!isHere) test("Http11Probe", { skip: `${PROBE_CORPUS} is not here` }, () => {});

describe("Http11Probe", { skip: isHere ? false : `${PROBE_CORPUS} is not here` }, () => {
  before(
    async () => {
      server = await startServer(["--threads", "1"]);
      observed = await observeProbes(cases, server.port);
    },
    { timeout: 60_000 },
  );

  for (const probe of cases.filter(({ scored }) => scored)) {
    test(`${probe.id}: ${probe.description}`, () => {
      assert.equal(probeFault(probe, observed.get(probe.id)!), "");
    });
  }

  test("the cases that are not scored are answered or closed too, each with at most one answer", () => {
    for (const probe of cases.filter(({ scored }) => !scored)) {
      const seen = observed.get(probe.id)!;
      assert.notEqual(seen.outcome, "timeout", probe.id);
      if (isSuccess(seen.outcome)) assert.ok(seen.next === 200 || seen.next === "close", probe.id);
      assert.equal(seen.leftOver, "", probe.id);
    }
  });

  test("the server is well afterwards", async () => {
    assert.equal(server.hasExited, false, server.error);
    const connection = await RawConnection.open(server.port);
    connection.send(get("/health"));
    assert.equal((await connection.answer()).status, 200);
    connection.close();
  });
});
