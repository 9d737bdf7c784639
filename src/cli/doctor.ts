// `tidemark doctor`: what this machine's settings allow, before any server is started. The flags and the help; the round
// itself is src/capacity/doctor's, loaded only when the flags are good.
import os from "node:os";
import { Command, Option } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { TidemarkError } from "../errors.ts";
import { CONNECTIONS_MAX_CEILING } from "../limits.ts";

/** As the server's. */
const DATA_DEFAULT = "./data";

const EXAMPLES = `
Example:
  $ tidemark doctor --data /var/lib/tidemark --clients 5000

It writes a few small files to the data folder, or to the nearest folder above
that exists, syncs them, and removes them again: at most 64 MiB and 3 s. Nothing
else is touched, and no server is needed.

Exit code 0: nothing is bad (there may be warnings); 1: something is; 2: a flag
is wrong.
`;

interface DoctorFlags {
  readonly data?: string;
  readonly clients?: number;
  readonly json?: true;
}

export function doctorCommand(): Command {
  return new Command("doctor")
    .description("Say what this machine's settings allow, and how to mend what is too small.")
    .usage("[flags]")
    .allowExcessArguments(false)
    .option("--data <FOLDER>", `where the server would store (${DATA_DEFAULT})`)
    .addOption(new Option("--clients <N>", "connections it has to hold; less is bad").argParser(parseClients))
    .option("--json", "print JSON, with the commands for Linux and for macOS")
    .addHelpOption(new Option("-h, --help", "print this help"))

    .addHelpText("after", EXAMPLES)
    .action(runDoctor);
}

function parseClients(text: string): number {
  const clients = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (clients >= 1 && clients <= CONNECTIONS_MAX_CEILING) return clients;
  throw new TidemarkError(
    `cannot use --clients ${text} because it must be a whole number from 1 to ${CONNECTIONS_MAX_CEILING}; try --clients 1000`,
    2,
  );
}

async function runDoctor(flags: DoctorFlags): Promise<void> {
  if (flags.data === "") {
    throw new TidemarkError("cannot look at --data because it is empty; try --data ./data", 2);
  }
  const { examine, exitCodeOf, runTrials } = await import("../capacity/doctor/doctor.ts");
  const { openMachine } = await import("../capacity/doctor/machine.ts");
  const machine = openMachine();
  const question = { dataFolder: flags.data ?? DATA_DEFAULT, clients: flags.clients ?? null };
  const { bun, node } = process.versions;
  const runtime =
    bun === undefined ? ({ name: "Node", version: node } as const) : ({ name: "Bun", version: bun } as const);
  const circumstances = { runtime, kernelRelease: os.release(), cores: os.availableParallelism() };
  const trials = await runTrials(machine, question);
  const examination = examine(machine, question, circumstances, trials);
  process.exitCode = exitCodeOf(examination);
  if (flags.json) {
    const { examinationJson } = await import("../capacity/doctor/doctor-json.ts");
    const answer = examinationJson(examination, packageJson.version);
    process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
    return;
  }
  const { formatExamination } = await import("../capacity/doctor/doctor-text.ts");
  const heading = `tidemark ${packageJson.version} doctor on ${os.hostname()}: ${os.type()} ${os.arch()}`;
  process.stdout.write(formatExamination(examination, heading, hasColours()));
}

/** Only on a terminal, and not where NO_COLOR asks for none. */
function hasColours(): boolean {
  return process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb";
}
