// The listen queue, the client ports and the table of connections, from recorded settings.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkClientPorts, checkConntrack } from "./check-client-ports.ts";
import { checkListenQueue } from "./check-listen-queue.ts";
import { BARE, commandsOf, linux, macos } from "./machine-bed.ts";

const ANY = { clients: null };
const TCP = "/proc/sys/net/ipv4";
const CONNTRACK = "/proc/sys/net/netfilter/nf_conntrack";

describe("the listen queue", () => {
  test("as long as the server asks for is fine", () => {
    const finding = checkListenQueue(linux(), ANY, 2);
    assert.equal(finding.verdict, "ok");
    assert.equal(finding.mend, null);
    assert.deepEqual(finding.bounds, [{ kind: "connects-at-once", amount: 4096 }]);
  });

  test("cut at somaxconn is a warning with both commands", () => {
    const finding = checkListenQueue(linux({ "/proc/sys/net/core/somaxconn": "128\n" }), ANY, 2);
    assert.equal(finding.verdict, "warn");
    assert.match(finding.means, /^128 connects may wait.*asks for 4,096 and is cut/);
    assert.deepEqual(commandsOf(finding, "linux").slice(0, 2), [
      "sudo sysctl net.core.somaxconn=4096",
      "echo net.core.somaxconn=4096 | sudo tee -a /etc/sysctl.d/60-tidemark.conf",
    ]);
    assert.equal(commandsOf(finding, "macos")[0], "sudo sysctl kern.ipc.somaxconn=4096");
  });

  test("is bounded by half-open connections only while SYN cookies are off", () => {
    const short = { [`${TCP}/tcp_max_syn_backlog`]: "512\n" };
    assert.equal(checkListenQueue(linux(short), ANY, 1).verdict, "ok");
    const finding = checkListenQueue(linux({ ...short, [`${TCP}/tcp_syncookies`]: "0\n" }), ANY, 1);
    assert.equal(finding.verdict, "warn");
    assert.equal(finding.bounds[0]!.amount, 512);
    assert.equal(commandsOf(finding, "linux")[0], "sudo sysctl net.ipv4.tcp_syncookies=1");
  });

  test("that resets clients when it is full is a warning", () => {
    const finding = checkListenQueue(linux({ [`${TCP}/tcp_abort_on_overflow`]: "1\n" }), ANY, 1);
    assert.equal(finding.verdict, "warn");
    assert.match(finding.means, /resets clients/);
  });

  test("too short for all clients at once says what to ask for", () => {
    assert.equal(checkListenQueue(linux(), { clients: 8_192 }, 2).verdict, "ok");
    const finding = checkListenQueue(linux(), { clients: 8_193 }, 2);
    assert.equal(finding.verdict, "warn");
    assert.equal(commandsOf(finding, "linux")[0], "sudo sysctl net.core.somaxconn=8192");
    assert.equal(commandsOf(finding, "linux").at(-1), "tidemark serve --backlog 8192");
  });

  test("on macOS is 128 unless somebody raised it", () => {
    const finding = checkListenQueue(macos(), ANY, 1);
    assert.equal(finding.verdict, "warn");
    assert.equal(finding.found, "kern.ipc.somaxconn 128");
    const raised = macos({ "sysctl -n kern.ipc.somaxconn": "4096\n" });
    assert.equal(checkListenQueue(raised, { clients: 4_096 }, 8).verdict, "ok");
    assert.equal(checkListenQueue(raised, { clients: 4_097 }, 8).verdict, "warn");
  });

  test("is unknown where the setting cannot be read", () => {
    assert.equal(checkListenQueue(BARE, ANY, 1).verdict, "unknown");
  });
});

describe("client ports", () => {
  test("bound the connections from here, and with 60 s of time-wait the new ones a second", () => {
    const finding = checkClientPorts(linux(), ANY);
    assert.equal(finding.verdict, "ok");
    assert.deepEqual(finding.bounds, [
      { kind: "connections-from-one-host", amount: 28_232 },
      { kind: "connects-per-second", amount: 28_232 / 60 },
    ]);
    assert.match(finding.means, /470 new ones a second \(on loopback 28,000\)/);
  });

  test("that are reserved are no client's", () => {
    const machine = linux({ [`${TCP}/ip_local_reserved_ports`]: "40000-40099\n" });
    assert.equal(checkClientPorts(machine, ANY).bounds[0]!.amount, 28_132);
  });

  test("are given back after a second with tcp_tw_reuse 1, which needs timestamps", () => {
    const reused = { [`${TCP}/tcp_tw_reuse`]: "1\n" };
    assert.equal(checkClientPorts(linux(reused), ANY).bounds[1]!.amount, 28_232);
    const without = linux({ ...reused, [`${TCP}/tcp_timestamps`]: "0\n" });
    assert.equal(checkClientPorts(without, ANY).bounds[1]!.amount, 28_232 / 60);
  });

  test("too few are a warning with the command: other machines' clients have ports of their own", () => {
    const machine = linux({ [`${TCP}/ip_local_port_range`]: "40000\t40099\n" });
    for (const wish of [ANY, { clients: 101 }]) {
      const finding = checkClientPorts(machine, wish);
      assert.equal(finding.verdict, "warn");
      assert.equal(commandsOf(finding, "linux")[0], 'sudo sysctl net.ipv4.ip_local_port_range="15000 65535"');
    }
    assert.equal(checkClientPorts(machine, { clients: 100 }).verdict, "ok");
  });

  test("on macOS wait for twice the segment lifetime", () => {
    const finding = checkClientPorts(macos(), ANY);
    assert.match(finding.found, /^49152 to 65535: 16,384 ports, 30 s in time-wait$/);
    assert.equal(finding.bounds[1]!.amount, 16_384 / 30);
  });

  test("are unknown where the range cannot be read", () => {
    assert.equal(checkClientPorts(BARE, ANY).verdict, "unknown");
  });
});

describe("the table of connections", () => {
  const table = (most: number, used: number) =>
    linux({ [`${CONNTRACK}_max`]: `${most}\n`, [`${CONNTRACK}_count`]: `${used}\n` });

  test("is not mentioned where there is none", () => {
    assert.equal(checkConntrack(linux(), ANY), null);
  });

  test("bounds nothing while no rule tracks anything", () => {
    const finding = checkConntrack(table(262_144, 0), ANY);
    assert.equal(finding?.verdict, "ok");
    assert.deepEqual(finding?.bounds, []);
  });

  test("bounds connections by its room, and new ones by how long it remembers", () => {
    const finding = checkConntrack(table(262_144, 144), ANY);
    assert.equal(finding?.verdict, "ok");
    assert.deepEqual(finding?.bounds, [
      { kind: "connections", amount: 262_000 },
      { kind: "connects-per-second", amount: 262_144 / 120 },
    ]);
  });

  test("nearly full is bad, and filling a warning", () => {
    assert.equal(checkConntrack(table(65_536, 50_000), ANY)?.verdict, "warn");
    const finding = checkConntrack(table(65_536, 65_000), ANY);
    assert.equal(finding?.verdict, "bad");
    assert.equal(commandsOf(finding, "linux")[0], "sudo sysctl net.netfilter.nf_conntrack_max=131072");
    assert.equal(checkConntrack(table(4_096, 96), { clients: 4_001 })?.verdict, "bad");
  });
});
