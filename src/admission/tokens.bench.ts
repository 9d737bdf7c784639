// What finding a token costs: with 1, 10 and 1,000 of them, found and not, beside a SHA-256 of the credential alone,
// which is what the usual way would begin with. One thread; prints nanoseconds of CPU.

import { hash } from "node:crypto";
import { TokenTable } from "./tokens.ts";

export function run(small: boolean): void {
  const finds = small ? 500 : 200_000;
  for (const round of small ? [1] : [1, 2, 3]) {
    for (const count of [1, 10, 1000]) {
      const tokens = Array.from({ length: count }, (_, index) => ({
        name: `n${index}`,
        token: secret(index),
      }));
      const table = new TokenTable(tokens);
      report(round, `the last of ${count}`, findIn(table, secret(count - 1), finds), finds);
      report(round, `none of ${count}`, findIn(table, secret(count), finds), finds);
    }
    report(round, "SHA-256 alone", digestOf(secret(0), finds), finds);
  }
}

function secret(index: number): string {
  return `tm_${String(index).padStart(40, "0")}`;
}

function findIn(table: TokenTable, token: string, finds: number): number {
  const value = new TextEncoder().encode(`Bearer ${token}`);
  const start = cpuMs();
  for (let find = 0; find < finds; find++) table.find(value, 0, value.length);
  return cpuMs() - start;
}

function digestOf(token: string, digests: number): number {
  const value = new TextEncoder().encode(token);
  const start = cpuMs();
  for (let digest = 0; digest < digests; digest++) hash("sha256", value, "buffer");
  return cpuMs() - start;
}

/** CPU time, so that neighbours on the machine cost nothing. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function report(round: number, what: string, spentMs: number, count: number): void {
  process.stdout.write(`round ${round}  ${what.padEnd(22)} ${((spentMs * 1e6) / count).toFixed(1)} ns\n`);
}

if (import.meta.main) run(false);
