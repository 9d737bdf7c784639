// What a delivered message says of itself in its reply subject, and the acknowledgement, which is a message to that.
//
//     $JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>.<consumer sequence>.<time>.<pending>
//     $JS.ACK.<domain>.<account>.<stream>.… as above ….<pending>.<random>       of newer servers (ADR-15)
//
// An acknowledgement that is lost is no harm: the block comes again and is drained already.

import type { Msg, NatsConnection } from "@nats-io/transport-node";

export interface Delivery {
  /** In the stream. */
  sequence: number;
  /** Messages behind it that this consumer has not delivered yet. */
  pending: number;
}

export function deliveryOf({ reply }: Msg): Delivery {
  const tokens = (reply ?? "").split(".");
  const from = tokens.length === 9 ? 2 : 4;
  return { sequence: Number(tokens[from + 3]) || 0, pending: Number(tokens[from + 6]) || 0 };
}

export function acknowledge(connection: NatsConnection, message: Msg): void {
  tell(connection, message, "+ACK");
}

/** Somebody else may have it at once. */
export function refuse(connection: NatsConnection, message: Msg): void {
  tell(connection, message, "-NAK");
}

function tell(connection: NatsConnection, { reply }: Msg, word: string): void {
  try {
    if (reply !== undefined) connection.publish(reply, word);
  } catch {
    // the connection is being closed
  }
}
