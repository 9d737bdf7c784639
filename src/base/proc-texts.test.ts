import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  foldersUpTo,
  parseCgroups,
  parseChildren,
  parseColon,
  parseEndedChildrenSeconds,
  parseListenerInodes,
  parseMachineSeconds,
  parseMemoryLimit,
  parseNetstat,
  parseParent,
  parsePortsAvailable,
  parseQuotaCoresOld,
  parseRunSeconds,
  parseSocketLink,
  parseSocketsInUse,
  parseTaskState,
} from "./proc-texts.ts";

describe("processes", () => {
  // Field 3 is the state, 4 the parent, 14 to 17 the ticks: of its own and of its ended children.
  const stat = "77 (a ) S (b) D 12 77 77 0 -1 4194560 1 2 3 4 150 50 700 300 20 0 1 0 99 1000 10\n";

  test("the state and the parent are found behind a name with brackets in it", () => {
    assert.equal(parseTaskState(stat), "D");
    assert.equal(parseParent(stat), 12);
    assert.equal(parseTaskState(null), "");
    assert.ok(Number.isNaN(parseParent(null)));
  });

  test("children that have ended are counted in seconds", () => {
    assert.equal(parseEndedChildrenSeconds(stat), 10);
    assert.ok(Number.isNaN(parseEndedChildrenSeconds(null)));
    assert.ok(Number.isNaN(parseEndedChildrenSeconds("77 (cut) S 1")));
  });

  test("schedstat tells what ran to the nanosecond", () => {
    assert.equal(parseRunSeconds("40673700 32652471 73\n"), 0.0406737);
    assert.ok(Number.isNaN(parseRunSeconds("")));
  });

  test("children are ids between spaces, and none is an empty text", () => {
    assert.deepEqual(parseChildren("12 345 \n".trimEnd()), [12, 345]);
    assert.deepEqual(parseChildren(""), []);
    assert.deepEqual(parseChildren(null), []);
  });

  test("rows with a colon are found by their whole key, in kB or not", () => {
    const io = "rchar: 7\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 1\n";
    assert.equal(parseColon(io, "write_bytes"), 8192);
    assert.equal(parseColon("MemFree:  1 kB\nMemAvailable:   24424 kB\n", "MemAvailable"), 24424 * 1024);
    assert.ok(Number.isNaN(parseColon(io, "bytes")));
    assert.ok(Number.isNaN(parseColon(null, "bytes")));
  });
});

describe("the machine", () => {
  test("CPU of all cores is told by use, and what was stolen apart", () => {
    const text =
      "cpu  700 100 200 3000 1000 50 50 400 60 0\ncpu0 1 0 0 0\ncpu1 1 0 0 0\ncpu10 1 0 0 0\nintr 9 9\n";
    assert.deepEqual(parseMachineSeconds(text), { cores: 3, busy: 11, stolen: 4, idle: 40 });
    assert.equal(parseMachineSeconds(null), null);
    assert.equal(parseMachineSeconds("intr 1\n"), null);
  });

  test("a client may get the ports of the range that are not reserved", () => {
    assert.equal(parsePortsAvailable("32768\t60999\n", "\n"), 28_232);
    assert.equal(parsePortsAvailable("1000\t1009\n", "1002,1008-2000\n"), 7);
    assert.equal(parsePortsAvailable("1000\t1009\n", "1-1003\n"), 6);
    assert.equal(parsePortsAvailable("1000\t1009\n", "8080\n"), 10);
    assert.equal(parsePortsAvailable("1000\t1009\n", null), 10);
    assert.ok(Number.isNaN(parsePortsAvailable(null, null)));
  });
});

describe("sockets", () => {
  test("those in use are told for both families", () => {
    assert.equal(parseSocketsInUse("sockets: used 16\nTCP: inuse 21 orphan 0 tw 4321 alloc 1 mem 374\n"), 21);
    assert.equal(parseSocketsInUse("TCP6: inuse 3\nUDP6: inuse 0\n"), 3);
    assert.ok(Number.isNaN(parseSocketsInUse(null)));
  });

  test("what was sent again is in the group Tcp", () => {
    const text = "Tcp: RtoAlgorithm RetransSegs\nTcp: 1 11923\nUdp: InDatagrams\nUdp: 7\n";
    assert.equal(parseNetstat(text, "Tcp", "RetransSegs"), 11_923);
    assert.ok(Number.isNaN(parseNetstat(text, "Tcp", "InDatagrams")));
  });

  test("only what listens on the port is a listener of it", () => {
    const rest = "00000000:00000000 00:00000000 00000000     0        0";
    const table =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n" +
      `   0: 0100007F:1F90 00000000:0000 0A ${rest} 4711 1 0 100 0 0 10 0\n` +
      `   1: 0100007F:0050 00000000:0000 0A ${rest} 4712 1 0 100 0 0 10 0\n` +
      `   2: 0100007F:1F90 0100007F:8000 01 ${rest} 4713 1 0 20 4 30 10 -1\n`;
    assert.deepEqual(parseListenerInodes(table, 8080), [4711]);
    assert.deepEqual(parseListenerInodes(null, 8080), []);
  });

  test("a link to a socket is told from other links", () => {
    assert.equal(parseSocketLink("socket:[4711]"), 4711);
    assert.equal(parseSocketLink("pipe:[4711]"), null);
    assert.equal(parseSocketLink(null), null);
  });
});

describe("control groups", () => {
  const mounts =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n" +
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n" +
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n" +
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n";

  test("a process's folders are found in every hierarchy, wherever it is mounted", () => {
    const groups = parseCgroups("4:memory:/\n2:cpu,cpuacct:/jobs/a\n0::/user.slice\n", mounts);
    assert.deepEqual(
      groups.map(({ version, folder }) => [version, folder]),
      [
        [1, "/sys/fs/cgroup/cpu,cpuacct/jobs/a"],
        [1, "/sys/fs/cgroup/memory"],
        [2, "/sys/fs/cgroup/unified/user.slice"],
      ],
    );
    assert.deepEqual(groups[0]!.controllers, ["cpu", "cpuacct"]);
  });

  test("in a container, whose mount begins at its own group, the path is not doubled", () => {
    const mount = "32 31 0:29 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n";
    assert.equal(parseCgroups("2:cpu:/docker/abc/sub\n", mount)[0]!.folder, "/sys/fs/cgroup/cpu/sub");
    assert.equal(
      parseCgroups("2:cpu:/docker/abcdef\n", mount)[0]!.folder,
      "/sys/fs/cgroup/cpu/docker/abcdef",
    );
  });

  test("a group outside of what may be seen has no folder", () => {
    assert.deepEqual(parseCgroups("0::/../other\n", mounts), []);
    assert.deepEqual(parseCgroups(null, mounts), []);
    assert.deepEqual(parseCgroups("0::/a\n", null), []);
  });

  test("the folders above one end at the mount", () => {
    assert.deepEqual(foldersUpTo("/g", "/g/a/b"), ["/g/a/b", "/g/a", "/g"]);
    assert.deepEqual(foldersUpTo("/g", "/g"), ["/g"]);
  });

  test("no quota and no limit are Infinity, unread ones NaN", () => {
    assert.equal(parseQuotaCoresOld("50000\n", "100000\n"), 0.5);
    assert.equal(parseQuotaCoresOld("-1\n", "100000\n"), Number.POSITIVE_INFINITY);
    assert.ok(Number.isNaN(parseQuotaCoresOld(null, null)));
    assert.equal(parseMemoryLimit("9223372036854771712\n"), Number.POSITIVE_INFINITY);
    assert.equal(parseMemoryLimit("max\n"), Number.POSITIVE_INFINITY);
    assert.equal(parseMemoryLimit("1048576\n"), 1_048_576);
    assert.ok(Number.isNaN(parseMemoryLimit(null)));
  });
});
