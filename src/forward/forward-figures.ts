// What a forwarder says of itself: for GET /metrics, and as lines like those of the log, which it sends along to the store.

export interface ForwardFigures {
  /** flowing: the store takes; waiting: it has no room or is away; refused: a setting is wrong. */
  state: "flowing" | "waiting" | "refused";
  /** That the store has taken since the start, the forwarder's own among them. */
  samples: number;
  /** In the log and not taken yet. */
  lagLines: number;
  /** Age of the oldest of these that has been read, by its timestamp. */
  lagMs: number;
  requests: number;
  retries: number;
  resends: number;
  sentBytes: number;
  /** Lines by the store's status. */
  deadLetters: Record<string, number>;
  droppedLetterFiles: number;
}

interface Sample {
  name: string;
  type: "counter" | "gauge";
  help: string;
  value: number;
  tags?: Record<string, string>;
}

export function samplesOf(figures: ForwardFigures): Sample[] {
  const { state, deadLetters } = figures;
  const counter = (name: string, help: string, value: number): Sample => ({
    name,
    type: "counter",
    help,
    value,
  });
  const gauge = (name: string, help: string, value: number): Sample => ({ name, type: "gauge", help, value });
  return [
    gauge(
      "tidemark_forward_up",
      "1 where the store takes, 0 where it is away, has no room, or refuses.",
      state === "flowing" ? 1 : 0,
    ),
    gauge(
      "tidemark_forward_lag_lines",
      "Lines of the log that the store has not taken yet.",
      figures.lagLines,
    ),
    gauge("tidemark_forward_lag_ms", "Age of the oldest line under way, by its timestamp.", figures.lagMs),
    counter("tidemark_forward_samples_total", "Samples that the store has taken.", figures.samples),
    counter("tidemark_forward_requests_total", "Requests to the store.", figures.requests),
    counter(
      "tidemark_forward_retries_total",
      "Requests that were not taken and were tried again.",
      figures.retries,
    ),
    counter(
      "tidemark_forward_resends_total",
      "Times that the store had been away and lines were sent again.",
      figures.resends,
    ),
    counter("tidemark_forward_sent_bytes_total", "Bodies of requests, compressed.", figures.sentBytes),
    counter(
      "tidemark_forward_dropped_letter_files_total",
      "Files of dead letters deleted to make room.",
      figures.droppedLetterFiles,
    ),
    ...Object.entries(deadLetters).map(
      ([status, value]): Sample => ({
        name: "tidemark_forward_dead_letters_total",
        type: "counter",
        help: "Lines set aside because the store refuses them, by its status.",
        value,
        tags: { status },
      }),
    ),
  ];
}

/** The text format of Prometheus, 0.0.4. */
export function exposition(figures: ForwardFigures): string {
  let text = "";
  let before = "";
  for (const { name, type, help, value, tags } of samplesOf(figures)) {
    if (name !== before) text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    before = name;
    const labels = Object.entries(tags ?? {}).map(([tag, word]) => `${tag}="${word}"`);
    text += `${name}${labels.length > 0 ? `{${labels.join(",")}}` : ""} ${value}\n`;
  }
  return text;
}

/** As lines of the log, of a client `tidemark`. */
export function linesOf(
  figures: ForwardFigures,
  tags: Readonly<Record<string, string>>,
  nowMs: number,
): string {
  return samplesOf(figures)
    .map(({ name, type, value, tags: own }) =>
      JSON.stringify({ ts: nowMs, name, value, type, tags: { ...tags, ...own }, client: "tidemark" }),
    )
    .map((line) => `${line}\n`)
    .join("");
}
