// The architectures that the origin went through, as settings of today's server, so that its phase table can be measured
// again on one machine: one thread and a connection for each request, then 8 threads, then 16 with keep-alive.
// What the origin's report does not say of a phase is left as it was in the phase before.

export interface Phase {
  /** For names of levels: "phase-6". */
  readonly id: string;
  /** "Phase 6". */
  readonly title: string;
  readonly architecture: string;
  /** For `serve`; none for today's default. */
  readonly flags: readonly string[];
  /** Whether its clients keep their connections, as the server lets them. */
  readonly keepAlive: boolean;
  /** As the report this project started from gives it; success with 100 clients, 0 to 1. Null for what came after it. */
  readonly origin: { readonly rate: number; readonly success_100: number } | null;
}

export const PHASES: readonly Phase[] = [
  {
    id: "phase-1-3",
    title: "Phase 1–3",
    architecture: "one thread, no keep-alive, a write for each request, a backlog of 10",
    flags: ["--threads", "1", "--keep-alive", "off", "--backlog", "10", "--commit", "each"],
    keepAlive: false,
    origin: { rate: 200, success_100: 0.802 },
  },
  {
    id: "phase-6",
    title: "Phase 6",
    architecture: "8 threads, no keep-alive, a write for each request, a backlog of 10",
    flags: ["--threads", "8", "--keep-alive", "off", "--backlog", "10", "--commit", "each"],
    keepAlive: false,
    // "95%+" there.
    origin: { rate: 1_500, success_100: 0.95 },
  },
  {
    id: "phase-7",
    title: "Phase 7",
    // Its writes had gone to a thread of their own by then; its backlog of 1,024 was cut to 128 by the kernel.
    architecture: "16 threads, keep-alive, writes in groups, a backlog of 128",
    flags: ["--threads", "16", "--keep-alive", "on", "--backlog", "128", "--commit", "group"],
    keepAlive: true,
    origin: { rate: 2_000, success_100: 1 },
  },
  {
    id: "today",
    title: "Today",
    architecture: "today's defaults: threads fitted to the cores, keep-alive, writes in groups",
    flags: [],
    keepAlive: true,
    origin: null,
  },
];
