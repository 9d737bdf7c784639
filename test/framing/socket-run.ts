// Sends attacks to the running server itself, over sockets: the answers must be as many as its own connection gives in
// this process, the canary's where it is there, and the connection must end where it ends there. Every answer is looked
// at for bytes that no answer may hold: what a request put in must not come out raw.

import { isUtf8 } from "node:buffer";
import { type Answer, readAnswer } from "../support/answer.ts";
import { RawConnection, StillWaiting } from "../support/raw-client.ts";
import { type Attack, attackOf } from "./mutator.ts";
import type { AttackRange } from "./proxy-run.ts";
import { type RoutedReading, readAsRouted } from "./routed-reading.ts";

export interface SocketTally {
  mutations: number;
  answers: number;
  errors: number;
  /** Streams that the server read otherwise than its parser does alone. */
  otherwise: string[];
  /** Answers with a control character, raw bytes, or an error that is not JSON. */
  unclean: string[];
}

const STREAMS_AT_ONCE = 64;
/** For an answer or an end that must come. */
const ANSWER_MS_MAX = 20_000;
/** What looks wrong is looked at again: on a busy machine an answer may be later than that. */
const LOOKS_MAX = 3;

export async function attackServer(port: number, range: AttackRange): Promise<SocketTally> {
  const tally: SocketTally = { mutations: 0, answers: 0, errors: 0, otherwise: [], unclean: [] };
  let next = range.from;
  const stream = async (): Promise<void> => {
    while (next < range.to) await attack(port, attackOf(range.seed, next++), range.seed, tally);
  };
  await Promise.all(Array.from({ length: STREAMS_AT_ONCE }, stream));
  return tally;
}

async function attack(port: number, sent: Attack, seed: number, tally: SocketTally): Promise<void> {
  const expected = readAsRouted(sent.bytes);
  let answered = await answersTo(port, sent.bytes, expected);
  for (let looks = 1; looks < LOOKS_MAX && faultOf(answered, expected) !== ""; looks++)
    answered = await answersTo(port, sent.bytes, expected);
  const { answers } = answered;
  const what = `seed ${seed}, attack ${sent.index} (${sent.what})`;
  const say = (fault: string) => `${what}: ${fault}; sent: ${JSON.stringify(sent.bytes.toString("latin1"))}`;
  tally.mutations++;
  tally.answers += answers.length;
  const found = faultOf(answered, expected);
  if (found !== "") tally.otherwise.push(say(found));
  for (const answer of answers) {
    if (answer.status >= 400) tally.errors++;
    const unclean = uncleanIn(answer);
    if (unclean !== "") tally.unclean.push(say(`${unclean}: ${JSON.stringify(answer)}`));
  }
}

function faultOf({ answers, hasEnded, unread }: Answered, expected: RoutedReading): string {
  if (answers.length !== expected.answers) return `${answers.length} answers, not ${expected.answers}`;
  if (hasEnded !== (expected.standing === "closed"))
    return `the connection was ${hasEnded ? "closed" : "kept"}, not ${expected.standing}`;
  if (unread > 0) return `${unread} bytes after the last answer`;
  const strange = answers.findIndex(
    ({ body }, at) => body.includes('"healthy"') && expected.heads[at]?.isHealth !== true,
  );
  return strange < 0 ? "" : `answer ${strange} is the canary's, and should not be`;
}

interface Answered {
  readonly answers: Answer[];
  readonly hasEnded: boolean;
  readonly unread: number;
}

/** Sends the bytes in two pieces; every final answer, and whether the server ended the connection by itself. */
async function answersTo(port: number, bytes: Buffer, expected: RoutedReading): Promise<Answered> {
  const connection = await RawConnection.open(port);
  try {
    connection.send(bytes.subarray(0, bytes.length >> 1));
    connection.send(bytes.subarray(bytes.length >> 1));
    const answers: Answer[] = [];
    while (answers.length < expected.answers) {
      const isHead = expected.heads[answers.length]?.isHead;
      let answer = await connection.answerOrEnd(isHead === true, ANSWER_MS_MAX);
      // A fault in the head of a HEAD is answered without a body, as far as its method was read.
      if (answer === null && isHead === undefined) answer = await connection.answerOrEnd(true, ANSWER_MS_MAX);
      if (answer === null) break;
      if (answer.status !== 100) answers.push(answer);
    }
    if (expected.standing === "closed") await connection.ended(ANSWER_MS_MAX);
    const hasEnded = connection.ending !== null;
    connection.finish();
    await connection.ended(ANSWER_MS_MAX);
    // What waited for the rest of a request need not be answered once there is no rest; 100 Continue may have come.
    while (readAnswer(connection.unread, 0, false)?.answer.status === 100)
      connection.unread = connection.unread.subarray(readAnswer(connection.unread, 0, false)!.end);
    return { answers, hasEnded, unread: connection.unread.length };
  } catch (error) {
    if (!(error instanceof StillWaiting)) throw error;
    return { answers: [], hasEnded: false, unread: connection.unread.length };
  } finally {
    connection.close();
  }
}

/** What an answer holds that none may, or "". */
export function uncleanIn(answer: Answer): string {
  if (!/^[\x20-\x7e\r\n]*$/.test(answer.head)) return "a head that is not printable ASCII";
  if (/\r(?!\n)|(?<!\r)\n/.test(answer.head)) return "a bare CR or LF in the head";
  if (answer.status < 400 || answer.body === "") return "";
  if (!isUtf8(Buffer.from(answer.body)) || /[\p{Cc}\ufffd]/u.test(answer.body))
    return "a control character or broken UTF-8 in an error's body";
  try {
    const { error, ...others } = JSON.parse(answer.body) as { error: unknown };
    if (typeof error !== "string" || Object.keys(others).length > 0)
      return 'an error that is not {"error":"…"}';
    return /\p{Cc}/u.test(error) ? "a control character in an error's text" : "";
  } catch {
    return "an error that is not JSON";
  }
}
