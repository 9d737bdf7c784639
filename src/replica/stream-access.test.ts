// What an operator reads of an error of JetStream, by the texts that servers of version 2.10 and later give it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { describePublishFailure } from "./stream-access.ts";

const settings = { stream: "lines", replicas: 3, partitions: 16, bytesMax: 0, ageMsMax: 0 };

function errorOf(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

const ANSWERS_NOT = /^cannot reach the stream lines because no server answers for it/;
const FULL = /^cannot add to the stream lines because it is full; .*--stream-size or JetStream store$/;
const told: Record<string, [error: unknown, said: RegExp]> = {
  "a stream that has its bytes": [errorOf("JetStreamApiError", "maximum bytes exceeded"), FULL],
  "a stream that has its messages": [errorOf("JetStreamApiError", "maximum messages exceeded"), FULL],
  "a server whose store is full": [errorOf("JetStreamApiError", "insufficient resources"), FULL],
  "an account that has what it may": [
    errorOf("JetStreamApiError", "resource limits exceeded for account"),
    FULL,
  ],
  "a stream that may hold more than there is": [
    errorOf("JetStreamApiError", "insufficient storage resources available"),
    /^cannot make the stream lines because the servers have not as much room .* smaller --stream-size/,
  ],
  "one server where three are needed": [
    errorOf("JetStreamApiError", "replicas > 1 not supported in non-clustered mode"),
    /^cannot make the stream lines because the cluster has not 3 servers .* smaller --replicas/,
  ],
  "too few servers that are up": [
    errorOf("JetStreamApiError", "no suitable peers for placement, insufficient resources"),
    /smaller --replicas/,
  ],
  "another stream's subjects": [
    errorOf("JetStreamApiError", "subjects overlap with an existing stream"),
    /because another stream takes its subjects; try another --stream$/,
  ],
  "a server without JetStream": [
    errorOf("JetStreamNotEnabled", "jetstream is not enabled"),
    /try nats-server -js/,
  ],
  "a user without permission": [
    errorOf("PermissionViolationError", 'Permissions Violation for Publish to "lines.0.a.0"'),
    /because our user may not; see its permissions for lines\.> and \$JS\.API\.>$/,
  ],
  "nobody who answers": [errorOf("NoRespondersError", "no responders: 'lines.0.a.0'"), ANSWERS_NOT],
  "nobody who answers in time": [errorOf("TimeoutError", "timeout"), ANSWERS_NOT],
  "a cluster without a leader": [
    errorOf("JetStreamApiError", "JetStream system temporarily unavailable"),
    ANSWERS_NOT,
  ],
  "what nobody has foreseen": [
    errorOf("Error", "the moon is full"),
    /^cannot add to the stream lines because of Error the moon is full$/,
  ],
  "what is no error": ["a text", /because of a text$/],
};

describe("a failure of the stream", () => {
  for (const [what, [error, said]] of Object.entries(told)) {
    test(`by ${what} is told with what to change`, () => {
      assert.match(describePublishFailure(error, settings), said);
    });
  }
});
