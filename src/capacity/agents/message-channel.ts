// One end of the talk between coordinator and agents over a NATS connection: sends messages in parts, and puts together what
// comes. Core NATS, so that what nobody hears is lost; the beats find that out (agent-link.ts). Main thread.
// The messages of one connection come in the order they were sent, those of both subjects of an agent's too.

import { type Msg, type NatsConnection, RequestError } from "@nats-io/transport-node";
import type { TidemarkError } from "../../errors.ts";
import { AGENT_CLOSE_MS_MAX, AGENT_PART_BYTES_MAX } from "../../limits.ts";
import { encodeMessage, type FromAgent, type ToAgent } from "./agent-messages.ts";
import { describeVersion, encodeParts, PartAssembler, type Sender } from "./message-parts.ts";

export interface ChannelEnd<Received> {
  decode(value: unknown): Received;
  /** `answer` sends back to who asked, where that was a request. */
  onMessage(message: Received, sender: Sender, answer: (message: FromAgent) => void): void;
  /** Of one of ours that cannot be understood: `reason` is a clause that begins with its name. */
  onFault(sender: Sender, reason: string): void;
}

export class MessageChannel<Received> {
  readonly self: Sender;
  private readonly connection: NatsConnection;
  private readonly end: ChannelEnd<Received>;
  private readonly assembler = new PartAssembler();
  private sequence = 0;

  /** The connection stays its giver's. */
  constructor(connection: NatsConnection, self: Sender, end: ChannelEnd<Received>) {
    this.connection = connection;
    this.self = self;
    this.end = end;
  }

  listen(subject: string): void {
    this.connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) this.receive(message);
      },
    });
  }

  /** Throws TidemarkError where it is too large. On a connection that is being made anew it waits for that. */
  send(subject: string, message: ToAgent | FromAgent): void {
    if (this.connection.isClosed()) return;
    for (const part of this.partsOf(message)) this.connection.publish(subject, part);
  }

  /** A short message and the short answer to it. Throws the library's errors: nobody listens, or none came in time. */
  async ask<Answer>(
    subject: string,
    message: ToAgent,
    decode: (value: unknown) => Answer,
    timeoutMs: number,
  ): Promise<Answer> {
    const [part] = this.partsOf(message);
    const { data } = await this.connection.request(subject, part, { timeout: timeoutMs });
    // By itself: it may come between the parts of a longer message of the same sender's.
    const received = new PartAssembler().receive(data);
    if (received.kind === "version") throw new Error(describeVersion(received.sender, received.version));
    if (received.kind !== "whole") throw new Error("the answer cannot be read");
    return decode(received.value);
  }

  /** Whether anybody may be listening there: false only where NATS says that nobody is. The message is heard there. */
  async mayBeHeard(subject: string, message: FromAgent, timeoutMs: number): Promise<boolean> {
    try {
      await this.connection.request(subject, this.partsOf(message)[0], { timeout: timeoutMs });
      return true;
    } catch (error) {
      return !isNobodyThere(error);
    }
  }

  private partsOf(message: ToAgent | FromAgent): Uint8Array[] {
    const bytesMax = this.connection.info?.max_payload ?? AGENT_PART_BYTES_MAX;
    return encodeParts(this.self, this.sequence++, encodeMessage(message), bytesMax);
  }

  private receive(message: Msg): void {
    const received = this.assembler.receive(message.data);
    if (received.kind === "more" || received.kind === "foreign") return;
    const { sender } = received;
    if (received.kind === "version") this.end.onFault(sender, describeVersion(sender, received.version));
    else if (received.kind === "broken")
      this.end.onFault(sender, `${sender.name} sent a message that came in part only`);
    else this.deliver(received.value, sender, message);
  }

  private deliver(value: unknown, sender: Sender, { reply }: Msg): void {
    let message: Received;
    try {
      message = this.end.decode(value);
    } catch (error) {
      this.end.onFault(sender, `${sender.name} sent what is no message: ${(error as TidemarkError).message}`);
      return;
    }
    this.end.onMessage(message, sender, (answer) => {
      if (reply) this.send(reply, answer);
    });
  }
}

/** NATS knows at once where nobody has subscribed, or nobody has any more. */
export function isNobodyThere(error: unknown): boolean {
  return error instanceof RequestError && error.isNoResponders();
}

/** Sends what is still to be sent, and closes: within AGENT_CLOSE_MS_MAX, also where NATS is away and would be waited for. */
export async function closeConnection(connection: NatsConnection): Promise<void> {
  const timer = Promise.withResolvers<void>();
  const timeout = setTimeout(timer.resolve, AGENT_CLOSE_MS_MAX);
  await Promise.race([connection.drain().catch(() => {}), timer.promise]);
  clearTimeout(timeout);
  await connection.close();
}
