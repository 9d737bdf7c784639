// How a message between coordinator and agent travels: as JSON, cut into parts that each fit one message of NATS's, with a
// line in front of each. Pure.
//
//   tidemark-agents/1 3f0c… rack-4 17 0 3\n{"kind":"done","tal      version, the sender's id and name, which of its
//   tidemark-agents/1 3f0c… rack-4 17 1 3\nlies":[{"latency":[…      messages this is, which part, of how many
//
// The line keeps its form in every version, so that each side can tell who speaks another one, and say so. The version
// counts up with every change of what is behind the line, and of what a plan means: shares of two versions would add up to
// figures of neither. NATS keeps the order of one sender's messages, so parts are put together in the order they come in,
// and a gap gives the whole message up.

import { TidemarkError } from "../../errors.ts";
import { AGENT_MESSAGE_BYTES_MAX, AGENT_PART_BYTES_MAX } from "../../limits.ts";

export const AGENTS_VERSION = 1;
export const NAME_LENGTH_MAX = 64;
/** Senders whose messages are put together at one time; the one that was heard longest ago gives way. */
const SENDERS_MAX = 128;
const PARTS_MAX = Math.ceil(AGENT_MESSAGE_BYTES_MAX / 1024);
const HEAD_BYTES_MAX = 256;
const NEWLINE = 10;
const HEAD =
  /^tidemark-agents\/(\d{1,9}) ([0-9a-f]{1,32}) ([A-Za-z0-9._-]{1,64}) (\d{1,15}) (\d{1,6}) (\d{1,6})$/;

export interface Sender {
  readonly id: string;
  readonly name: string;
}

/** `id` is a UUID; what cannot stand in a name becomes "-". */
export function newSender(id: string, name: string): Sender {
  const plain = name.replace(/[^A-Za-z0-9._-]/g, "-").slice(0, NAME_LENGTH_MAX);
  return { id: id.replaceAll("-", ""), name: plain === "" ? "unnamed" : plain };
}

export type ReceivedPart =
  /** Not the last one yet. */
  | { readonly kind: "more" }
  | { readonly kind: "whole"; readonly sender: Sender; readonly value: unknown }
  /** From nobody that speaks this: left alone. */
  | { readonly kind: "foreign" }
  | { readonly kind: "version"; readonly sender: Sender; readonly version: number }
  /** A part is missing, or what they make is no JSON. */
  | { readonly kind: "broken"; readonly sender: Sender };

/** Throws TidemarkError past AGENT_MESSAGE_BYTES_MAX. `bytesMax`: what a message of NATS's may have. */
export function encodeParts(
  sender: Sender,
  sequence: number,
  value: unknown,
  bytesMax = AGENT_PART_BYTES_MAX,
): Uint8Array[] {
  const body = Buffer.from(JSON.stringify(value), "utf8");
  if (body.length > AGENT_MESSAGE_BYTES_MAX)
    throw new TidemarkError(
      `cannot send ${body.length} bytes between coordinator and agent because ${AGENT_MESSAGE_BYTES_MAX} are the most; try a smaller --payload, or a shorter --duration`,
    );
  const pieceBytes = Math.min(bytesMax, AGENT_PART_BYTES_MAX) - HEAD_BYTES_MAX;
  const parts = Math.max(1, Math.ceil(body.length / pieceBytes));
  return Array.from({ length: parts }, (_, part) => {
    const { id, name } = sender;
    const head = `tidemark-agents/${AGENTS_VERSION} ${id} ${name} ${sequence} ${part} ${parts}\n`;
    return Buffer.concat([
      Buffer.from(head, "latin1"),
      body.subarray(part * pieceBytes, (part + 1) * pieceBytes),
    ]);
  });
}

interface Assembly {
  readonly sequence: number;
  readonly parts: number;
  readonly pieces: Uint8Array[];
  bytes: number;
}

/** Puts parts together, of many senders at a time. It copies what it keeps. */
export class PartAssembler {
  private readonly assemblies = new Map<string, Assembly>();

  receive(bytes: Uint8Array): ReceivedPart {
    const end = bytes.subarray(0, HEAD_BYTES_MAX).indexOf(NEWLINE);
    const head = end < 0 ? null : HEAD.exec(Buffer.from(bytes.subarray(0, end)).toString("latin1"));
    if (head === null) return { kind: "foreign" };
    const sender = { id: head[2]!, name: head[3]! };
    const [version, sequence, part, parts] = [head[1], head[4], head[5], head[6]].map(Number) as [
      number,
      number,
      number,
      number,
    ];
    if (version !== AGENTS_VERSION) return { kind: "version", sender, version };
    const piece = Uint8Array.from(bytes.subarray(end + 1));
    const assembly = this.assemblyFor(sender, sequence, part, parts);
    if (assembly === null) return { kind: "broken", sender };
    assembly.pieces.push(piece);
    assembly.bytes += piece.length;
    if (assembly.bytes > AGENT_MESSAGE_BYTES_MAX) {
      this.assemblies.delete(sender.id);
      return { kind: "broken", sender };
    }
    if (part < parts - 1) return { kind: "more" };
    this.assemblies.delete(sender.id);
    try {
      return { kind: "whole", sender, value: JSON.parse(Buffer.concat(assembly.pieces).toString("utf8")) };
    } catch {
      return { kind: "broken", sender };
    }
  }

  /** The message that this part continues, or begins; null where there is a gap. */
  private assemblyFor(sender: Sender, sequence: number, part: number, parts: number): Assembly | null {
    const before = this.assemblies.get(sender.id);
    this.assemblies.delete(sender.id);
    let assembly: Assembly | null = null;
    if (part === 0 && parts >= 1 && parts <= PARTS_MAX) assembly = { sequence, parts, pieces: [], bytes: 0 };
    else if (before?.sequence === sequence && before.parts === parts && before.pieces.length === part)
      assembly = before;
    if (assembly === null) return null;
    // Set again, so that it is the youngest.
    this.assemblies.set(sender.id, assembly);
    if (this.assemblies.size > SENDERS_MAX) this.assemblies.delete(this.assemblies.keys().next().value!);
    return assembly;
  }
}

export function describeVersion({ name }: Sender, version: number): string {
  return `${name} speaks version ${version} of the agents' messages and this tidemark version ${AGENTS_VERSION}; run the same tidemark on all machines`;
}
