// A fleet in steps of one second: nodes that store and follow, streams that take and hold, drains that empty. No time, no
// network, no randomness of its own: what is offered and what fails is told from outside, and the rest follows.
//
//     offered ─▶ node: fresh ──┐                          ┌─▶ drain ─▶ drained
//                  └─ refused  ├─▶ stream: partitions ────┤
//               node: late ────┘    (fresh first)         └─▶ drain …
//
// What a second brought and the stream did not take becomes late; late goes when fresh is through. Metrics are counted, never
// looked at, so duplicates and order are not in it: test/cluster has those.
import { partitionOf } from "../../../src/replica/stream-settings.ts";
import { nodeName, streamOf } from "../plan.ts";
import type { DaySettings } from "./day-settings.ts";
import type { Failure } from "./failures.ts";
import { assertBalance, emptyTally, type Tally } from "./tally.ts";

/** Of what its disk takes when it is well. */
const SLOW_DISK_SHARE = 0.2;
const REPLICAS = 3;

export class Fleet {
  readonly tally: Tally = emptyTally();
  /** Seconds of streams that could be reached and still did not take all that the second brought. */
  secondsFreshWaited = 0;
  private readonly settings: DaySettings;
  private second = -1;

  // By node.
  private readonly fresh: Float64Array;
  private readonly late: Float64Array;
  /** What the follower thread has done in this second. */
  private readonly followedNow: Float64Array;
  private readonly awayUntil: Float64Array;
  private readonly slowUntil: Float64Array;
  private readonly cellOf: Int32Array;
  private readonly lanePartitions: Int32Array;

  // By cell; by cell and partition; by cell and drain.
  private readonly streamed: Float64Array;
  private readonly electingUntil: Float64Array;
  private readonly leaders: Int32Array;
  private readonly assignAt: Float64Array;
  private readonly held: Float64Array;
  private readonly owners: Int32Array;
  private readonly drainAwayUntil: Float64Array;
  private readonly drainedBy: Float64Array;
  private readonly drainLoad: Float64Array;
  /** What the stream took in each of the last seconds, which its servers may not have synced; of that, answered `replicated`. */
  private readonly unsynced: Float64Array;
  private readonly unsyncedReplicated: Float64Array;

  // By cluster; by cluster and server.
  private readonly clusterAwayUntil: Float64Array;
  private readonly serverAwayUntil: Float64Array;

  constructor(settings: DaySettings) {
    const { nodes, lanesPerNode, cells, partitions, drainsPerCell, clusters, serversPerCluster } = settings;
    this.settings = settings;
    this.fresh = new Float64Array(nodes);
    this.late = new Float64Array(nodes);
    this.followedNow = new Float64Array(nodes);
    this.awayUntil = new Float64Array(nodes);
    this.slowUntil = new Float64Array(nodes);
    this.cellOf = Int32Array.from({ length: nodes }, (_, node) => streamOf(node, { nodes, streams: cells }));
    this.lanePartitions = Int32Array.from({ length: nodes * lanesPerNode }, (_, index) =>
      partitionOf(nodeName(Math.floor(index / lanesPerNode)), index % lanesPerNode, partitions),
    );
    this.streamed = new Float64Array(cells);
    this.electingUntil = new Float64Array(cells);
    this.leaders = new Int32Array(cells);
    this.assignAt = new Float64Array(cells);
    this.held = new Float64Array(cells * partitions);
    this.owners = new Int32Array(cells * partitions).fill(-1);
    this.drainAwayUntil = new Float64Array(cells * drainsPerCell);
    this.drainedBy = new Float64Array(cells * drainsPerCell);
    this.drainLoad = new Float64Array(drainsPerCell);
    this.unsynced = new Float64Array(cells * settings.syncSeconds);
    this.unsyncedReplicated = new Float64Array(cells * settings.syncSeconds);
    this.clusterAwayUntil = new Float64Array(clusters);
    this.serverAwayUntil = new Float64Array(clusters * serversPerCluster);
  }

  get onNodes(): number {
    return sum(this.late);
  }

  get inStreams(): number {
    return sum(this.streamed);
  }

  /** Of the fullest node's --retention-size, and of the fullest stream's size. */
  get fullest(): { node: number; stream: number } {
    return {
      node: Math.max(...this.late) / this.settings.nodeHoldMax,
      stream: Math.max(...this.streamed) / this.settings.streamHoldMax,
    };
  }

  /** What the nodes that publish to a cluster still have to send. */
  onNodesOf(cluster: number): number {
    let total = 0;
    for (let node = 0; node < this.settings.nodes; node++)
      if (this.cellOf[node]! % this.settings.clusters === cluster) total += this.late[node]!;
    return total;
  }

  /** One second. Throws where a sum does not hold. */
  step(offered: number, failures: readonly Failure[]): void {
    this.second++;
    for (const failure of failures) if (isOrderly(failure)) this.begin(failure);
    this.offer(offered);
    for (const failure of failures) if (!isOrderly(failure)) this.begin(failure);
    for (let cell = 0, node = 0; cell < this.settings.cells; cell++) {
      let end = node;
      while (end < this.settings.nodes && this.cellOf[end] === cell) end++;
      const isFlowing = this.isFlowing(cell);
      this.publish(cell, node, end, isFlowing);
      if (isFlowing) this.drain(cell);
      node = end;
    }
    this.check();
  }

  private begin(failure: Failure): void {
    const { second, settings } = this;
    switch (failure.kind) {
      case "node-lost":
        this.wipe(failure.node);
        this.awayUntil[failure.node] = second + failure.seconds;
        return;
      case "node-restart":
      case "node-away":
        this.awayUntil[failure.node] = Math.max(this.awayUntil[failure.node]!, second + failure.seconds);
        return;
      case "disk-slow":
        this.slowUntil[failure.node] = second + failure.seconds;
        return;
      case "election":
        this.electingUntil[failure.cell] = second + settings.electionSeconds;
        return;
      case "server-away":
        this.serverAwayUntil[failure.cluster * settings.serversPerCluster + failure.server] =
          second + failure.seconds;
        return;
      case "cluster-away":
        this.clusterAwayUntil[failure.cluster] = second + failure.seconds;
        return;
      case "drain-away":
      case "drain-lost":
        this.beginDrainAway(failure.cell, failure.drain, failure.seconds, failure.kind === "drain-lost");
        return;
      case "power-cut":
        this.cutPower(failure.cluster);
        return;
    }
  }

  private beginDrainAway(cell: number, drain: number, seconds: number, isLost: boolean): void {
    const { drainsPerCell, leaseSeconds } = this.settings;
    const index = cell * drainsPerCell + drain;
    this.drainAwayUntil[index] = this.second + seconds;
    this.assignAt[cell] = this.second + leaseSeconds;
    if (!isLost) return;
    this.tally.drained -= this.drainedBy[index]!;
    this.tally.lostDrained += this.drainedBy[index]!;
    this.drainedBy[index] = 0;
  }

  /** What a majority had not synced is gone, or all that is there where that is less. */
  private cutPower(cluster: number): void {
    const { cells, clusters, syncSeconds, partitions, electionSeconds } = this.settings;
    for (let cell = cluster; cell < cells; cell += clusters) {
      const recent = this.unsynced.subarray(cell * syncSeconds, (cell + 1) * syncSeconds);
      const replicated = this.unsyncedReplicated.subarray(cell * syncSeconds, (cell + 1) * syncSeconds);
      const share = Math.min(1, sum(recent) / Math.max(1, this.streamed[cell]!));
      let lost = 0;
      for (let index = cell * partitions; index < (cell + 1) * partitions; index++) {
        const gone = Math.floor(this.held[index]! * share);
        this.held[index]! -= gone;
        lost += gone;
      }
      this.streamed[cell]! -= lost;
      this.tally.lostInStream += lost;
      this.tally.lostReplicated += Math.floor((lost * sum(replicated)) / Math.max(1, sum(recent)));
      this.electingUntil[cell] = this.second + electionSeconds;
    }
  }

  /** Evenly over the nodes that are there. */
  private offer(offered: number): void {
    const { tally, second } = this;
    const { nodes } = this.settings;
    tally.offered += offered;
    let there = 0;
    for (let node = 0; node < nodes; node++) if (this.awayUntil[node]! <= second) there++;
    if (there === 0) {
      tally.refusedUnreachable += offered;
      return;
    }
    const each = Math.floor(offered / there);
    let rest = offered - each * there;
    for (let node = 0; node < nodes; node++) {
      if (this.awayUntil[node]! > second) continue;
      this.take(node, each + (rest > 0 ? 1 : 0));
      rest--;
    }
  }

  private take(node: number, offered: number): void {
    const { tally, second } = this;
    const { ingestMax, nodeHoldMax } = this.settings;
    if (this.isReplicated(node) && !this.isFlowing(this.cellOf[node]!)) {
      tally.refusedReplica += offered;
      return;
    }
    const most = this.slowUntil[node]! > second ? Math.floor(ingestMax * SLOW_DISK_SHARE) : ingestMax;
    const within = Math.min(offered, most);
    const stored = Math.min(within, nodeHoldMax - this.late[node]!);
    tally.refusedBusy += offered - within;
    tally.refusedFull += within - stored;
    tally.stored += stored;
    this.fresh[node] = stored;
  }

  /** With what this second brought, none of which the stream has. */
  private wipe(node: number): void {
    const lost = this.fresh[node]! + this.late[node]!;
    if (this.isReplicated(node)) this.tally.lostUnanswered += lost;
    else this.tally.lostWritten += lost;
    this.fresh[node] = 0;
    this.late[node] = 0;
  }

  private publish(cell: number, from: number, end: number, isFlowing: boolean): void {
    const { streamMax, streamHoldMax, syncSeconds } = this.settings;
    const slot = cell * syncSeconds + (this.second % syncSeconds);
    this.unsynced[slot] = 0;
    this.unsyncedReplicated[slot] = 0;
    let room = isFlowing ? Math.min(streamMax, streamHoldMax - this.streamed[cell]!) : 0;
    room -= this.send(cell, from, end, this.fresh, room, slot, true);
    let [isLate, isWaiting] = [false, false];
    for (let node = from; node < end; node++) {
      const left = this.fresh[node]!;
      if (left > 0) {
        this.late[node]! += left;
        this.fresh[node] = 0;
        isWaiting = true;
        if (this.isReplicated(node)) this.tally.storedUnanswered += left;
      }
      isLate ||= this.late[node]! > 0;
    }
    if (isWaiting && isFlowing) this.secondsFreshWaited++;
    if (isLate && room > 0) this.send(cell, from, end, this.late, room, slot, false);
  }

  /** As much of `queue` as there is room for, shared by what each node could send. Says how much. */
  private send(
    cell: number,
    from: number,
    end: number,
    queue: Float64Array,
    room: number,
    slot: number,
    isFresh: boolean,
  ): number {
    let wanted = 0;
    for (let node = from; node < end; node++) wanted += this.sendable(node, queue);
    if (wanted === 0 || room <= 0) return 0;
    const share = Math.min(1, room / wanted);
    let sent = 0;
    for (let node = from; node < end; node++) {
      const want = this.sendable(node, queue);
      const count = share === 1 ? want : Math.floor(want * share);
      if (count === 0) continue;
      queue[node]! -= count;
      this.followedNow[node]! += count;
      this.spread(cell, node, count);
      sent += count;
      if (!isFresh || !this.isReplicated(node)) continue;
      this.tally.answeredReplicated += count;
      this.unsyncedReplicated[slot]! += count;
    }
    this.streamed[cell]! += sent;
    this.unsynced[slot]! += sent;
    return sent;
  }

  private sendable(node: number, queue: Float64Array): number {
    if (this.awayUntil[node]! > this.second) return 0;
    return Math.min(queue[node]!, this.settings.followerMax - this.followedNow[node]!);
  }

  private spread(cell: number, node: number, count: number): void {
    const { lanesPerNode, partitions } = this.settings;
    const each = Math.floor(count / lanesPerNode);
    let rest = count - each * lanesPerNode;
    for (let lane = 0; lane < lanesPerNode; lane++) {
      const index = cell * partitions + this.lanePartitions[node * lanesPerNode + lane]!;
      this.held[index]! += each + (rest > 0 ? 1 : 0);
      rest--;
    }
  }

  private drain(cell: number): void {
    const { partitions, drainsPerCell, drainMax } = this.settings;
    this.assign(cell);
    if (this.streamed[cell] === 0) return;
    const [first, end] = [cell * partitions, (cell + 1) * partitions];
    this.drainLoad.fill(0);
    for (let index = first; index < end; index++)
      if (this.owners[index]! >= 0) this.drainLoad[this.owners[index]!]! += this.held[index]!;
    for (let index = first; index < end; index++) {
      const owner = this.owners[index]!;
      if (owner < 0 || this.drainAwayUntil[cell * drainsPerCell + owner]! > this.second) continue;
      const load = this.drainLoad[owner]!;
      const count = load <= drainMax ? this.held[index]! : Math.floor((this.held[index]! * drainMax) / load);
      this.held[index]! -= count;
      this.streamed[cell]! -= count;
      this.drainedBy[cell * drainsPerCell + owner]! += count;
      this.tally.drained += count;
    }
  }

  /** Partitions go evenly to the drains that are there, once leases have run out. */
  private assign(cell: number): void {
    const { partitions, drainsPerCell, leaseSeconds } = this.settings;
    if (this.assignAt[cell]! > this.second) return;
    const there: number[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (let drain = 0; drain < drainsPerCell; drain++) {
      const until = this.drainAwayUntil[cell * drainsPerCell + drain]!;
      if (until <= this.second) there.push(drain);
      else next = Math.min(next, until + leaseSeconds);
    }
    this.assignAt[cell] = next;
    for (let partition = 0; partition < partitions; partition++)
      this.owners[cell * partitions + partition] = there.length === 0 ? -1 : there[partition % there.length]!;
  }

  /** The cluster can be reached, a majority of the stream's servers is there, and one of them leads. */
  private isFlowing(cell: number): boolean {
    const { clusters, serversPerCluster, electionSeconds } = this.settings;
    const { second } = this;
    const cluster = cell % clusters;
    if (this.clusterAwayUntil[cluster]! > second) return false;
    const isThere = (replica: number) =>
      this.serverAwayUntil[cluster * serversPerCluster + ((cell + replica) % serversPerCluster)]! <= second;
    let there = 0;
    for (let replica = 0; replica < REPLICAS; replica++) if (isThere(replica)) there++;
    if (there * 2 <= REPLICAS) return false;
    if (!isThere(this.leaders[cell]!)) {
      this.leaders[cell] = [0, 1, 2].find(isThere)!;
      this.electingUntil[cell] = second + electionSeconds;
    }
    return this.electingUntil[cell]! <= second;
  }

  private isReplicated(node: number): boolean {
    return node % this.settings.replicatedEvery === 0;
  }

  private check(): void {
    this.followedNow.fill(0);
    const { cells, partitions, nodeHoldMax, streamHoldMax } = this.settings;
    for (let cell = 0; cell < cells; cell++) {
      const held = sum(this.held.subarray(cell * partitions, (cell + 1) * partitions));
      if (held !== this.streamed[cell])
        throw new Error(`a stream has ${this.streamed[cell]}, its partitions ${held}`);
      if (held > streamHoldMax) throw new Error(`a stream has ${held}, more than ${streamHoldMax}`);
    }
    for (const late of this.late)
      if (!(late >= 0 && late <= nodeHoldMax)) throw new Error(`a node has ${late} of ${nodeHoldMax}`);
    assertBalance(this.tally, this.onNodes, this.inStreams, this.second);
  }
}

/** It begins between two seconds: a server that is stopped answers what it has taken. All else breaks into one. */
function isOrderly({ kind }: Failure): boolean {
  return kind === "node-restart" || kind === "disk-slow";
}

function sum(values: Float64Array): number {
  let total = 0;
  for (let index = 0; index < values.length; index++) total += values[index]!;
  return total;
}
