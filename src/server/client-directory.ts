// HOT: Whose request is this? Turns a head into a Client: the name as it goes into the line, and its hash for the limiter.
// One per ingest thread. With tokens configured only a token names a client; without, X-Client-Id does, else a hash of
// Authorization, else the peer's address. What a connection showed last is remembered on it, so that the same header
// is neither hashed nor compared with every secret again; names seen lately are remembered in a bounded map.

import type { ClientHash } from "../admission/client-hash.ts";
import { isClientName, nameFromAddress, nameFromAuthorization } from "../admission/client-name.ts";
import type { TokenTable } from "../admission/tokens.ts";
import { copyBytes } from "../base/bytes.ts";
import { REFUSAL, type Refusal } from "../errors.ts";
import type { RequestHead } from "../http/request-head.ts";

/** Names remembered by a thread; when full all are forgotten and learnt again. About 150 bytes each. */
const NAMES_MAX = 4_096;

export interface Client {
  /** The name as bytes, ready to stand between quotes in JSON. */
  readonly json: Uint8Array;
  readonly hashLow: number;
  readonly hashHigh: number;
}

/** What the directory remembers on a connection. */
export interface Credentials {
  client: Client | null;
  /** The Authorization value that `client` came from. */
  authorization: Uint8Array | null;
  /** The client that the peer's address stands for, once it was needed. */
  addressClient: Client | null;
  /** The tokens under which it was remembered; what was learnt under others counts for nothing. */
  generation: number;
}

export class ClientDirectory {
  /** Why find() returned null. */
  refusal: Refusal = REFUSAL.unauthorized;

  private tokens: TokenTable | null = null;
  private tokenClients: readonly Client[] = [];
  private generation = 0;
  private readonly names = new Map<number, Client>();
  private readonly hash: ClientHash;

  constructor(tokens: TokenTable | null, hash: ClientHash) {
    this.hash = hash;
    this.useTokens(tokens);
  }

  /** From the next request on, on open connections too. */
  useTokens(tokens: TokenTable | null): void {
    this.tokens = tokens;
    this.tokenClients = tokens === null ? [] : tokens.names.map((name) => this.clientOf(name));
    this.generation++;
  }

  /** The client of this request, or null with `refusal` set. The bytes are not kept. */
  find(
    credentials: Credentials,
    head: RequestHead,
    bytes: Uint8Array,
    peer: { remoteAddress(): string },
  ): Client | null {
    if (credentials.generation !== this.generation) this.forget(credentials);
    if (this.tokens !== null) return this.fromToken(this.tokens, credentials, head, bytes);
    if (head.clientIdStart >= 0)
      return this.fromName(credentials, bytes, head.clientIdStart, head.clientIdEnd);
    if (head.authorizationStart >= 0) return this.fromAuthorization(credentials, head, bytes);
    if (credentials.addressClient === null)
      credentials.addressClient = this.clientOf(nameFromAddress(peer.remoteAddress()));
    return credentials.addressClient;
  }

  private forget(credentials: Credentials): void {
    credentials.client = null;
    credentials.authorization = null;
    credentials.generation = this.generation;
  }

  private fromToken(
    tokens: TokenTable,
    credentials: Credentials,
    head: RequestHead,
    bytes: Uint8Array,
  ): Client | null {
    const { authorizationStart: start, authorizationEnd: end } = head;
    this.refusal = REFUSAL.unauthorized;
    if (start < 0) return null;
    if (isSame(credentials.authorization, bytes, start, end)) return credentials.client;
    const index = tokens.find(bytes, start, end);
    if (index < 0) return null;
    credentials.authorization = copyBytes(bytes, start, end);
    credentials.client = this.tokenClients[index]!;
    return credentials.client;
  }

  private fromName(credentials: Credentials, bytes: Uint8Array, start: number, end: number): Client | null {
    if (credentials.client !== null && isSame(credentials.client.json, bytes, start, end))
      return credentials.client;
    if (!isClientName(bytes, start, end)) {
      this.refusal = REFUSAL.client_id;
      return null;
    }
    const { hash } = this;
    hash.hash(bytes, start, end);
    let client = this.names.get(hash.low);
    if (client === undefined || !isSame(client.json, bytes, start, end)) {
      client = { json: copyBytes(bytes, start, end), hashLow: hash.low, hashHigh: hash.high };
      if (this.names.size >= NAMES_MAX) this.names.clear();
      this.names.set(hash.low, client);
    }
    credentials.authorization = null;
    credentials.client = client;
    return client;
  }

  private fromAuthorization(credentials: Credentials, head: RequestHead, bytes: Uint8Array): Client | null {
    const { authorizationStart: start, authorizationEnd: end } = head;
    if (!isSame(credentials.authorization, bytes, start, end)) {
      credentials.client = this.clientOf(nameFromAuthorization(bytes, start, end));
      credentials.authorization = copyBytes(bytes, start, end);
    }
    return credentials.client;
  }

  private clientOf(name: string): Client {
    const json = Buffer.from(JSON.stringify(name).slice(1, -1));
    this.hash.hash(json, 0, json.length);
    return { json, hashLow: this.hash.low, hashHigh: this.hash.high };
  }
}

function isSame(kept: Uint8Array | null, bytes: Uint8Array, start: number, end: number): boolean {
  if (kept === null || kept.length !== end - start) return false;
  for (let i = 0; i < kept.length; i++) if (kept[i] !== bytes[start + i]) return false;
  return true;
}
