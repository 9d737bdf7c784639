// How to reach a NATS cluster: what an operator can say of it, whichever command asks. Secrets come from the URL, the
// environment or a file; none of them is ever in a message or in the log.

export interface NatsSettings {
  /** One or more of a cluster's servers, as nats://host:port, or tls://host:port; the rest are found through them. */
  servers: string[];
  /** "" for none. */
  user: string;
  password: string;
  token: string;
  /** The path of a file that holds an nkey seed; "" for none. */
  nkeyPath: string;
  /** The path of a credentials file (a JWT and its seed); "" for none. */
  credsPath: string;
  /** The path of the authority's certificate (PEM) that signed the servers'; "" for the system's. */
  caPath: string;
  /** The path of a certificate of our own (PEM) and of its key, where the servers ask for one; "" for none. */
  certificatePath: string;
  keyPath: string;
}

export const NATS_DEFAULT_PORT = 4222;

export const NO_CREDENTIALS: Omit<NatsSettings, "servers"> = {
  user: "",
  password: "",
  token: "",
  nkeyPath: "",
  credsPath: "",
  caPath: "",
  certificatePath: "",
  keyPath: "",
};

/**
 * The servers in "nats://a,b:4223" or "nats://a,nats://b": the scheme of the first counts for those without one. Null where
 * that is no list of addresses. A user and password in a URL are kept in it, percent-encoded as they are.
 */
export function parseServers(text: string): string[] | null {
  const parts = text.split(",").map((part) => part.trim());
  const scheme = /^(nats|tls):\/\//.exec(parts[0] ?? "")?.[0];
  if (scheme === undefined) return null;
  const servers: string[] = [];
  for (const part of parts) {
    const url = /^[a-z]+:\/\//.test(part) ? part : `${scheme}${part}`;
    if (!isServer(url)) return null;
    servers.push(url.replace(/\/$/, ""));
  }
  return servers;
}

function isServer(url: string): boolean {
  const parts =
    /^(?:nats|tls):\/\/(?:([^\s/@]+)@)?(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?\/?$/.exec(url);
  if (parts === null || Number(parts[2] ?? NATS_DEFAULT_PORT) > 65_535) return false;
  try {
    decodeURIComponent(parts[1] ?? "");
    return true;
  } catch {
    return false;
  }
}

/** The servers without what stands before an "@": for messages. */
export function showServers(servers: readonly string[]): string {
  return servers.map((server) => server.replace(/\/\/[^@]*@/, "//")).join(",");
}
