// Clients of a server that speaks TLS, and what its log says of reloads.

import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { Answer } from "../support/answer.ts";
import { RawConnection } from "../support/raw-client.ts";
import { eventually, type ServerProcess } from "../support/server-process.ts";

/** Rejects where the handshake fails. */
export function openSecure(port: number, options: ConnectionOptions = {}): Promise<RawConnection> {
  return new Promise((resolve, reject) => {
    const settings = { host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] };
    const socket: TLSSocket = connect({ ...settings, allowHalfOpen: true, ...options }, () => {
      socket.off("error", reject);
      resolve(RawConnection.over(socket));
    });
    socket.on("error", reject);
  });
}

/** One request on a connection of its own. */
export async function exchangeSecure(port: number, bytes: string | Uint8Array): Promise<Answer> {
  const connection = await openSecure(port);
  try {
    connection.send(bytes);
    return await connection.answer();
  } finally {
    connection.close();
  }
}

/** Whose certificate a new connection is shown. */
export async function nameShown(port: number): Promise<string> {
  const connection = await openSecure(port);
  const { subject } = (connection.socket as TLSSocket).getPeerCertificate();
  connection.close();
  return String(subject.CN);
}

/** SIGHUP; resolves with the line of the log that says what came of it. */
export async function hangUp(server: ServerProcess): Promise<string> {
  const from = server.error.length;
  server.signal("SIGHUP");
  return eventually("the reload is over", () =>
    server.error
      .slice(from)
      .split("\n")
      .find((line) => /"msg":"(reloaded|cannot reload)/.test(line)),
  );
}
