// The listen queue: connections that the kernel has finished and the server has not accepted. Where it is full, the
// kernel drops the handshake and the client tries again a second later. A server that does not accept (no descriptor, no
// free worker, no time) fills any queue: then the queue is a symptom. It is the cause where the server would have had the
// time: a burst longer than the queue. Pure.

import { coarseShareText, countText, msUnitText, shareText } from "../report/figures.ts";
import { NO_PREDICTION, predictAsked, predictShorter } from "./gain.ts";
import type { Reading } from "./reading.ts";
import { flagsFor, type Opinion, type Rule } from "./suspect-rule.ts";
import {
  CONNECT_RETRIED_MS,
  CONNECT_RETRIED_SHARE,
  CONNECT_RETRIED_TIME_SHARE,
  OVERFLOWS_MIN,
  OVERFLOWS_SHARE,
  QUEUE_FULL,
  QUEUE_NEAR,
  QUEUE_TURN_MS_MAX,
  THREAD_NEAR,
} from "./thresholds.ts";

/** What --backlog is by default, and what most kernels allow since 5.4. */
const BACKLOG_ADVISED = 4096;

export const LISTEN_QUEUE: Rule = {
  id: "listen-queue",
  title: "the listen queue",
  restsOn: ({ evidence }) => [
    { what: "the kernel's ListenOverflows", value: evidence.listenOverflows },
    { what: "the length of the accept queue", value: evidence.acceptQueueMax },
    { what: "the cap of the accept queue", value: evidence.acceptQueueCap },
  ],
  judge: judgeListenQueue,
};

interface Signs {
  readonly overflows: number | null;
  readonly isOverflowing: boolean;
  readonly queueRatio: number | null;
  /** The queue was near its cap in half of the samples: nobody emptied it. */
  readonly isNeverEmptied: boolean;
  readonly retries: Retries;
  readonly isRetried: boolean;
  /** Share of the clients' time that went into second tries. */
  readonly retriedShare: number;
  /** Time in which the server answers every client once, milliseconds. */
  readonly turnMs: number;
}

interface Retries {
  readonly connects: number;
  readonly slow: number;
  readonly slowMsSum: number;
}

function judgeListenQueue(reading: Reading): Opinion {
  const signs = signsOf(reading);
  const pros: string[] = [];
  const cons: string[] = [];
  const { evidence, load } = reading;
  if (signs.overflows !== null) {
    const drops =
      evidence.listenDrops === null ? "" : ` and ListenDrops by ${countText(evidence.listenDrops)}`;
    const sentence = `ListenOverflows grew by ${countText(signs.overflows)}${drops} while ${countText(load.connections.opened)} connections were opened.`;
    (signs.overflows > 0 ? pros : cons).push(sentence);
  }
  if (signs.queueRatio !== null) {
    const sentence = `The accept queue held at most ${countText(evidence.acceptQueueMax)} of ${countText(evidence.acceptQueueCap)}${medianText(reading)}.`;
    (signs.queueRatio >= QUEUE_NEAR ? pros : cons).push(sentence);
  }
  if (signs.isRetried) pros.push(retriedText(signs, load.errors.connect_timeout));
  else if (signs.retries.connects > 0)
    cons.push(
      `Of ${countText(signs.retries.connects)} connects ${countText(signs.retries.slow)} took ${CONNECT_RETRIED_MS} ms or longer, the time of a handshake that is tried again.`,
    );
  // Packets do not get lost on the way to this machine itself: what is tried again there was dropped at the queue.
  const isDropped = (signs.isOverflowing || signs.overflows === null) && signs.isRetried;
  const isSeen = signs.isOverflowing && (signs.isRetried || (signs.queueRatio ?? 0) >= QUEUE_FULL);
  const isHarm = !reading.level.objective.met || signs.retriedShare >= CONNECT_RETRIED_TIME_SHARE;
  const isBurst = isHarm && (isSeen || (isDropped && reading.isWayLossless));
  const symptom = isBurst ? symptomText(reading, signs) : null;
  if (symptom !== null) cons.push(symptom);
  const isConfirmed = isBurst && symptom === null;
  if (isConfirmed) pros.push(...acceptsText(reading, signs));
  const isHinted = signs.isRetried || (signs.overflows ?? 0) > 0 || (signs.queueRatio ?? 0) >= QUEUE_NEAR;
  const prediction = isConfirmed ? predictQueue(reading, signs) : NO_PREDICTION;
  return {
    verdict: isConfirmed ? "confirmed" : isHinted ? "possible" : "ruled-out",
    weight: isConfirmed ? 0.88 : isBurst ? 0.5 : 0.3,
    for: [...pros, ...prediction.sentences],
    against: cons,
    predicted: prediction.factor,
    ...advice(reading),
  };
}

function signsOf(reading: Reading): Signs {
  const { evidence, load } = reading;
  const { listenOverflows: overflows, acceptQueueMax, acceptQueueCap, acceptQueueMedian } = evidence;
  const hasCap = acceptQueueCap !== null && acceptQueueCap > 0;
  const queueRatio = hasCap && acceptQueueMax !== null ? Math.min(1, acceptQueueMax / acceptQueueCap) : null;
  const retries = retriesOf(reading);
  const lost = retries.slow + load.errors.connect_timeout;
  const tried = retries.connects + load.errors.connect_timeout;
  const clientsMs = load.plan.clients * load.seconds * 1e3;
  const lostMs = retries.slowMsSum + load.errors.connect_timeout * load.plan.timeoutMs;
  const retriedShare = clientsMs > 0 ? Math.min(1, lostMs / clientsMs) : 0;
  const isLongRetried = retriedShare >= CONNECT_RETRIED_TIME_SHARE;
  return {
    overflows,
    isOverflowing:
      overflows !== null &&
      overflows >= OVERFLOWS_MIN &&
      (overflows >= OVERFLOWS_SHARE * load.connections.opened || isLongRetried),
    queueRatio,
    isNeverEmptied: hasCap && acceptQueueMedian !== null && acceptQueueMedian / acceptQueueCap >= QUEUE_FULL,
    retries,
    isRetried: lost > 0 && (lost >= CONNECT_RETRIED_SHARE * tried || isLongRetried),
    retriedShare,
    turnMs: load.rate > 0 ? (load.plan.clients / load.rate) * 1e3 : Number.POSITIVE_INFINITY,
  };
}

/** Connects that took as long as a second try takes, where most were quick: a slow network slows them all. */
function retriesOf({ load }: Reading): Retries {
  const connects = load.connect.count();
  let slow = 0;
  let slowMsSum = 0;
  load.connect.forEachBucket((upTo, count) => {
    const ms = upTo / 1e6;
    if (ms < CONNECT_RETRIED_MS) return;
    slow += count;
    slowMsSum += ms * count;
  });
  return { connects, slow, slowMsSum };
}

function retriedText({ retries, retriedShare }: Signs, timeouts: number): string {
  const { connects, slow } = retries;
  const never = timeouts > 0 ? `, and ${countText(timeouts)} were never made` : "";
  return `Of ${countText(connects)} connects ${countText(slow)} took ${CONNECT_RETRIED_MS} ms or longer${never}: a dropped handshake is tried again after 1 s. Waiting for that took ${coarseShareText(retriedShare)} of the clients' time.`;
}

/** Why the queue is only a symptom; null where it is not. */
function symptomText(reading: Reading, signs: Signs): string | null {
  const { load, processor } = reading;
  const starved = load.plan.clients - load.connections.clientsAnswered;
  if (signs.isNeverEmptied && load.plan.keepAlive && starved > 0)
    return "The server left the queue full throughout and did not accept from it: a longer queue would only hold more clients that are not served.";
  if (processor.isSaturated === true && !(signs.turnMs <= QUEUE_TURN_MS_MAX))
    return `The processor was the limit meanwhile, and one turn of all clients takes ${msUnitText(signs.turnMs)} at this rate: a longer queue would only make them wait in it.`;
  return null;
}

function acceptsText(reading: Reading, signs: Signs): string[] {
  const { processor } = reading;
  if (processor.isSaturated === false && (processor.threadRatio ?? 1) < THREAD_NEAR)
    return [
      `The server had time to accept: its busiest thread used ${shareText(processor.threadRatio)} of a core.`,
    ];
  if (Number.isFinite(signs.turnMs) && signs.turnMs <= QUEUE_TURN_MS_MAX)
    return [
      `At this rate a queue that held all clients would be through in ${msUnitText(signs.turnMs)}, much sooner than a second try.`,
    ];
  return [];
}

function predictQueue(reading: Reading, signs: Signs) {
  const { load } = reading;
  if (load.requests === 0) return NO_PREDICTION;
  if (reading.level.kind !== "unpaced") return predictAsked(reading);
  const turn = (load.plan.clients * load.seconds * 1e3) / load.requests;
  const waited = signs.retries.slowMsSum / load.requests;
  const sum = `a client takes ${msUnitText(turn)} a request, of which ${msUnitText(Math.min(waited, turn))} is waiting for a second handshake`;
  return predictShorter(reading, turn, waited, sum);
}

function medianText({ evidence }: Reading): string {
  return evidence.acceptQueueMedian === null
    ? ""
    : `, ${countText(evidence.acceptQueueMedian)} in the median`;
}

function advice(reading: Reading): Pick<Opinion, "check" | "fix" | "remedy"> {
  const { evidence, port } = reading;
  const asked = evidence.acceptQueueAsked;
  const allowed = evidence.somaxconn;
  const isKernelsCap = allowed !== null && asked !== null && asked > allowed;
  const kernelFix = `sysctl -w net.core.somaxconn=${BACKLOG_ADVISED} (macOS: sysctl -w kern.ipc.somaxconn=${BACKLOG_ADVISED}), then start the server again`;
  const backlog = Math.min(allowed ?? BACKLOG_ADVISED, BACKLOG_ADVISED);
  const ownFix = `--backlog ${backlog}${allowed !== null && allowed < BACKLOG_ADVISED ? `, and ${kernelFix}` : ""}`;
  const foreignFix = `a longer backlog in the server's listen() (nginx: listen … backlog=${BACKLOG_ADVISED}), and where the kernel caps it ${kernelFix}`;
  return {
    check:
      `Linux: ss -ltn 'sport = :${port}' — Recv-Q is the queue, Send-Q its cap; nstat -az TcpExtListenOverflows ` +
      `TcpExtListenDrops before and after: growth means dropped handshakes. macOS: netstat -Lan | grep '[.]${port} '; netstat -s -p tcp | grep 'listen queue'`,
    fix: isKernelsCap
      ? `The server asks for ${countText(asked)} and the kernel caps it at net.core.somaxconn = ${countText(allowed)}: ${kernelFix}`
      : reading.target.isTidemark
        ? ownFix
        : foreignFix,
    remedy: isKernelsCap
      ? {
          kind: "none",
          why: "the cap is the kernel's net.core.somaxconn, which is the administrator's to change",
        }
      : flagsFor(
          reading,
          ["--backlog", String(backlog)],
          "the backlog of a server that is not ours is set where it listens",
        ),
  };
}
