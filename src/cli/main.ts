// The command line's entry, run by Bun or Node alike: finds the command, loads only that one, and turns every failure
// into an exit code: 0 done, 1 the world failed us, 2 the operator asked for something that cannot be.
// An error of ours for a person is one line; anything else is a bug and comes with its stack.
import { Command, CommanderError } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { printable } from "../base/printable.ts";
import { TidemarkError } from "../errors.ts";

interface CommandEntry {
  readonly summary: string;
  /** Loads the command's file, which knows its flags and how to run it. */
  readonly load: () => Promise<Command>;
}

const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  serve: {
    summary: "take batches of metrics over HTTP and store them",
    load: async () => (await import("./serve.ts")).serveCommand(),
  },
  drain: {
    summary: "store the blocks of a stream that serve --replicate fills",
    load: async () => (await import("./drain.ts")).drainCommand(),
  },
  forward: {
    summary: "send the log to a Prometheus-compatible store",
    load: async () => (await import("./forward.ts")).forwardCommand(),
  },
  load: {
    summary: "send requests to an HTTP server and tell what came of them",
    load: async () => (await import("./load.ts")).loadCommand(),
  },
  agent: {
    summary: "make a share of a load that is coordinated from elsewhere",
    load: async () => (await import("./agent.ts")).agentCommand(),
  },
  capacity: {
    summary: "find how much a server takes, and what stops it there",
    load: async () => (await import("./capacity.ts")).capacityCommand(),
  },
  verify: {
    summary: "read a data folder against its checksums",
    load: async () => (await import("./verify.ts")).verifyCommand(),
  },
  doctor: {
    summary: "say what this machine's settings mean for a server's capacity",
    load: async () => (await import("./doctor.ts")).doctorCommand(),
  },
};

function versionText(): string {
  const runtime = process.versions.bun ? `Bun ${process.versions.bun}` : `Node ${process.versions.node}`;
  return `tidemark ${packageJson.version} (${runtime})`;
}

async function buildProgram(words: readonly string[]): Promise<Command> {
  const program = new Command("tidemark")
    .description(packageJson.description)
    .version(versionText(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .configureHelp({ showGlobalOptions: false })
    .configureOutput({ writeErr: () => {} })
    .exitOverride();
  const wanted = words[0] === "help" ? words[1] : words[0];
  for (const [name, entry] of Object.entries(COMMANDS)) {
    const command = name === wanted ? await entry.load() : new Command(name);
    program.addCommand(command.summary(entry.summary).copyInheritedSettings(program));
  }
  return program;
}

/** The text for a wrong command line; commander's own, on one line, and never with what stands behind a "=". */
function describeUsage(error: CommanderError, words: readonly string[]): string {
  const command = words.find((word) => Object.hasOwn(COMMANDS, word));
  const seeHelp = `see tidemark ${command === undefined ? "" : `${command} `}--help`;
  if (error.code === "commander.help")
    return `cannot do anything because no known command was given; ${seeHelp}`;
  if (error.code === "commander.excessArguments") {
    return `cannot use the words behind ${command ?? "tidemark"} because every setting is a flag (--name value); ${seeHelp}`;
  }
  const reason = error.message
    .replace(/^error: /, "")
    .replace(/'(-[^'=]*)=.*'/s, "'$1'")
    .replace(/\s+/g, " ");
  return `cannot use the command line because of ${reason}; ${seeHelp}`;
}

function reportFailure(error: unknown, words: readonly string[]): number {
  if (isClosedPipe(error)) return 0;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    process.stderr.write(`${printable(describeUsage(error, words))}\n`);
    return 2;
  }
  if (error instanceof TidemarkError) {
    process.stderr.write(`${printable(error.message, "\n")}\n`);
    return error.exitCode;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${printable(text, "\n")}\n`);
  return 1;
}

/** Whoever read our output has seen enough (`tidemark serve --help | head`). Bun throws this, Node emits it. */
function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === "EPIPE";
}

async function main(words: readonly string[]): Promise<void> {
  process.stdout.on("error", (error) => {
    if (!isClosedPipe(error)) throw error;
  });
  try {
    const program = await buildProgram(words);
    // With nothing to do, what there is to do is the most useful answer.
    await program.parseAsync(words.length === 0 ? ["--help"] : words, { from: "user" });
  } catch (error) {
    process.exitCode = reportFailure(error, words);
  }
}

if (import.meta.main) await main(process.argv.slice(2));
