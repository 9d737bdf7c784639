// Every bound of the diagnosis, with the reason beside it: to tune a rule, change it here. Ratios are of 1.
// Two bounds for most resources: at the first the suspect is possible, at the second it is confirmed; below both it is
// ruled out, provided that every source it rests on is known. Between them lies what samples four times a second miss.

// Harm: what makes a level miss its objective.
/** Least share of requests that counts as harm where the objective allows more or says nothing. */
export const HARM_SHARE_MIN = 0.01;
/** A cause that accounts for this share of the failures is the cause of them: refused bodies fail as resets too. */
export const FAILURES_EXPLAINED_MIN = 0.3;
/** A level with less success says nothing of how rate grows with clients. */
export const CURVE_SUCCESS_MIN = 0.9;

// Descriptors.
/** At a limit of 128 two descriptors are often in passing use, so 95 % is the limit itself. */
export const DESCRIPTORS_FULL = 0.95;
/** The next limit, not yet this one. */
export const DESCRIPTORS_NEAR = 0.8;

// The listen queue.
/** A dropped SYN is sent again after 1 s (RFC 6298, 2.1), 100 ms of which are given to coarse timers. */
export const CONNECT_RETRIED_MS = 900;
/** Share of the connects that were retried from which the waits are more than stray ones. */
export const CONNECT_RETRIED_SHARE = 0.005;
/** The same as a share of the clients' time: few connects, where those that get through are quick and many. */
export const CONNECT_RETRIED_TIME_SHARE = 0.05;
/** Overflows that count: fewer may be another server's in the same network namespace. */
export const OVERFLOWS_MIN = 3;
/** Share of the opened connections that overflows must come to. */
export const OVERFLOWS_SHARE = 0.005;
/** A queue that was never seen fuller than this, and never overflowed, is not short. */
export const QUEUE_NEAR = 0.5;
/** The fullest queue as samples see it: bursts drain between two of them. */
export const QUEUE_FULL = 0.9;
/** If the server could answer all clients once within this time, a queue that held them all would beat a retried SYN. Milliseconds. */
export const QUEUE_TURN_MS_MAX = 250;

// Processor.
/** A thread this busy sleeps only between two bursts of requests; noise of the machine takes the rest. */
export const THREAD_PINNED = 0.85;
/** Worth naming as the next limit. */
export const THREAD_NEAR = 0.6;
/** Time ready to run without a core, of the thread's time: from here on the core is what is short, not the thread. */
export const THREAD_WAITS = 0.15;
/** Running and waiting together: a thread that never sleeps. */
export const THREAD_WANTS = 0.85;
/** A thread that runs less than this is not at its limit however long it waits for its turn. */
export const THREAD_WANTS_RATIO_MIN = 0.3;
/** The rest of 100 % is lost in the ramp and in the samples at both ends. */
export const MACHINE_FULL = 0.92;
export const MACHINE_NEAR = 0.8;
/** Share of all cores that others may use for the server still to be what fills them; interrupts are among the others. */
export const OTHERS_SHARE_MAX = 0.35;
/** Share of the machine's used cores that must be the target's for it to be what fills them. */
export const TARGET_SHARE_MIN = 0.25;
/** All threads together near one core while none is: one lock lets only one run (Python's). */
export const ONE_CORE_BAND: readonly [number, number] = [0.88, 1.25];

// CPU that is taken away.
/** Periods throttled: 5 % delays one request in twenty by a whole period. */
export const THROTTLED_CONFIRMED = 0.05;
export const THROTTLED_POSSIBLE = 0.01;
/** Cores used by neither side; below it are the system's own threads and interrupts. */
export const OTHERS_CORES = 0.3;
/** As above where no lighter level tells a rival from interrupts, which grow with the load. */
export const OTHERS_CORES_ALONE = 0.45;
/** Share of the time in which its hottest thread had work that it waited for a core, beside a rival. */
export const OTHERS_WAIT = 0.3;
/** Where the generator waits for a core as well, somebody disturbs the whole measurement, and not the server in particular. */
export const OTHERS_GENERATOR_WAIT = 0.2;
/** Share stolen by the hypervisor: 10 to 25 % is the weather on a shared machine and slows everybody alike. */
export const STOLEN_POSSIBLE = 0.3;
export const STOLEN_CONFIRMED = 0.45;

// A pool of workers.
/** Share of the clients that were never answered while others were. */
export const STARVED_SHARE = 0.05;
/** Answers each served client got at least, so that a short level does not look like a full pool. */
export const SERVED_ANSWERS_MIN = 3;
/** The number of served clients in two levels agrees within this share and one. */
export const SERVED_AGREES = 0.1;
/** Share of the starved clients whose requests must lie unread in the server. */
export const HELD_SHARE = 0.5;
/** Rate that grows less than this while clients double is flat; one that shrinks more than this has another cause. */
export const RATE_FLAT = 1.25;
export const RATE_SHRINKS = 0.8;
/** Rate that grows by this while clients double shows that no fixed number is served. */
export const RATE_GROWS = 1.5;
/** Share of the clients whose requests lie unread, in the median, though the server has time. */
export const UNREAD_SHARE = 0.2;
export const UNREAD_MIN = 2;
/** Cores that the whole server may use and still count as idle: one lock lets a server use one core at most. */
export const IDLE_CORES = 0.75;
/** Latency ÷ clients stays the same within this factor. */
export const LATENCY_PROPORTIONAL = 1.5;
/** Clients that must be compared with the fewest, as a factor. */
export const CLIENTS_SPREAD = 4;

// Storage.
/** Share of the median latency that the mean write or sync takes, from which it is the path's longest part. */
export const STORAGE_SHARE = 0.4;
export const STORAGE_SHARE_POSSIBLE = 0.2;
/** A request waits for the rest of the one that is under way, half of it on average, and for its own. */
export const TURNS_WAITED = 1.5;
/** Time spent in writes or syncs, of all time. */
export const WRITE_BUSY = 0.7;
export const SYNC_BUSY = 0.6;
/** Longest batch queue seen, of its limit. */
export const QUEUE_BYTES_FULL = 0.9;
/** Shortest write or sync, milliseconds, that can matter to a client: below it, it is a part of the CPU's work. */
export const STORAGE_MS_MIN = 2;
/** Share of the samples with a thread in uninterruptible sleep, or of the time with somebody waiting for the disk. */
export const DISK_WAITS = 0.3;
export const DISK_WAITS_NOT = 0.05;

// Memory.
export const MEMORY_BUDGET_FULL = 0.95;
/** Resident bytes of the control group's limit. */
export const MEMORY_LIMIT_FULL = 0.95;
export const MEMORY_LIMIT_NEAR = 0.85;
export const MEMORY_PRESSURE_CONFIRMED = 0.1;
export const MEMORY_PRESSURE_POSSIBLE = 0.03;
/** Growth that would use up what is available within this many seconds. */
export const MEMORY_SLOPE_HORIZON_S = 120;

// Pauses.
/** A loop that never lagged longer had no long collection. */
export const LOOP_LAG_MS_QUIET = 30;
export const LOOP_LAG_MS_LONG = 100;

// Stalls of the target.
/** Shorter silences come with the scheduler and with the hypervisor. */
export const STALL_MS_LONG = 100;
/** Share of a level that was silent, from which the p99 of its requests is that of the silence. */
export const SILENT_SHARE_MIN = 0.01;
/** Gaps between stalls that must be seen, over all levels, before a period can be spoken of. */
export const STALL_GAPS_MIN = 3;
/** Share by which a gap may differ from the period (or from a whole multiple of it, for one that was missed). */
export const STALL_PERIOD_WITHIN = 0.08;
/** The same for how long they last: what recurs does the same each time. */
export const STALL_LENGTH_WITHIN = 0.4;
/** CPU seconds that the rest of the level must have used for the silences to be compared with: ticks are 10 ms. */
export const STALL_CPU_S_MIN = 0.3;
/** Share of the gaps, and of the lengths, that must fit. */
export const STALL_PERIOD_FITS = 0.75;
/** Share of its usual CPU time below which the target did nothing during the silences. */
export const STALL_IDLE = 0.4;
/** Share of its usual CPU time above which it was at work during them. */
export const STALL_WORKED = 0.7;

// The generator.
export const GENERATOR_BUSY = 0.9;
/** Waiting for a core, and busy and waiting together, from which it could not ask as fast as it wanted. */
export const GENERATOR_WAITS = 0.25;
export const GENERATOR_WANTS = 0.75;
/** Lateness of its own that is a part of the figures, milliseconds, and as a share of the latency at p99. */
export const SEND_LAG_MS_LATE = 5;
export const SEND_LAG_SHARE = 0.2;
export const SEND_LAG_MS_POSSIBLE = 1;
/** Share of the latency's p99 that is the generator's lateness, from which the miss is its own. */
export const LATENESS_EXPLAINED_MIN = 0.5;

// Client ports.
export const PORTS_NEAR = 0.85;

// The network.
/** Segments sent again, of the requests. */
export const RETRANSMITS_SHARE = 0.01;

/** A predicted factor below this says nothing. */
export const GAIN_MIN = 1.02;
