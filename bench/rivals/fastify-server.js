// The rival from npm: the same bounds as a JSON schema, and one append to a file for each batch before the answer.
// It does less than tidemark: no limit per client, no refusal of duplicate keys, no sync, no rotation.
// The append is synchronous because that is the faster one into the page cache: no trip through the thread pool.
// Plain JavaScript, because its types are only there once bench/ is set up. Usage: fastify-server.js PORT FILE
import { openSync, writeSync } from "node:fs";
import Fastify from "fastify";

const [port, path] = process.argv.slice(2);
const descriptor = openSync(path, "a");

const metric = {
  type: "object",
  required: ["name", "value"],
  additionalProperties: false,
  properties: {
    name: { type: "string", minLength: 1, maxLength: 255 },
    value: { type: "number" },
    type: { enum: ["counter", "gauge", "histogram", "summary"], default: "gauge" },
    tags: { type: "object", maxProperties: 32, additionalProperties: { type: "string" } },
    timestamp: { type: "integer", minimum: 0 },
  },
};

const app = Fastify({
  logger: false,
  bodyLimit: 1024 * 1024,
  // Ajv's defaults in Fastify would repair a wrong batch; ours must be refused.
  ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: true } },
});

app.post(
  "/metrics",
  {
    schema: {
      body: {
        type: "object",
        required: ["metrics"],
        additionalProperties: false,
        properties: { metrics: { type: "array", minItems: 1, maxItems: 1000, items: metric } },
      },
      response: {
        200: {
          type: "object",
          properties: { success: { type: "boolean" }, metrics_processed: { type: "integer" } },
        },
      },
    },
  },
  (request, reply) => {
    const client = request.headers["x-client-id"] ?? request.ip;
    const receivedMs = Date.now();
    let lines = "";
    for (const { name, value, type, tags = {}, timestamp = receivedMs } of request.body.metrics) {
      lines += `${JSON.stringify({ ts: timestamp, name, value, type, tags, client })}\n`;
    }
    writeSync(descriptor, lines);
    reply.send({ success: true, metrics_processed: request.body.metrics.length });
  },
);

await app.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });
process.once("SIGTERM", () => process.exit(0));
