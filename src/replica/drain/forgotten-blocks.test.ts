import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DrainContext } from "./drain-context.ts";
import { countForgotten } from "./forgotten-blocks.ts";

/** A cluster that says so of partition 3. */
function count(
  subjects: Record<string, number>,
  num_pending: number,
  num_ack_pending: number,
): Promise<number> {
  const manager = {
    streams: {
      info: async (_stream: string, { subjects_filter }: { subjects_filter: string }) => {
        assert.equal(subjects_filter, "lines.3.>");
        return { state: { subjects } };
      },
    },
    consumers: {
      info: async (_stream: string, consumer: string) => {
        assert.equal(consumer, "drain-3");
        return { num_pending, num_ack_pending };
      },
    },
  } as unknown as DrainContext["manager"];
  return countForgotten({ manager, stream: "lines" }, 3);
}

describe("blocks of a quiet partition are forgotten", () => {
  test("where the stream has them and the consumer neither has them to deliver nor waits for them", async () => {
    assert.equal(await count({ "lines.3.web1.0": 4, "lines.3.web2.1": 2 }, 0, 0), 6);
  });

  test("and not where the consumer still has something to do, or the stream has none", async () => {
    assert.equal(await count({ "lines.3.web1.0": 4 }, 1, 0), 0);
    assert.equal(await count({ "lines.3.web1.0": 4 }, 0, 1), 0);
    assert.equal(await count({}, 0, 0), 0);
  });
});
