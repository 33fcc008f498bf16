#!/usr/bin/env node
/** The command line: finds the command, runs it, turns its end into an exit code (0 done, 1 failed, 2 wrong use, 130 interrupted). */

import { TOOL } from '../lib/index.ts';
import { ablateCommand } from './ablate.ts';
import { convertCommand } from './convert.ts';
import { demoCommand } from './demo.ts';
import { doctorCommand } from './doctor.ts';
import { UsageError, helpOf, parseFlags, translateOptions } from './flags.ts';
import type { Command } from './flags.ts';
import { formatFacts } from './format.ts';
import { exportCommand } from './export.ts';
import { evaluateCommand, featuresCommand, reconstructCommand } from './evaluate.ts';
import { finetuneCommand, scratchCommand } from './finetune.ts';
import { inspectCommand } from './inspect.ts';
import { pretrainCommand } from './pretrain.ts';
import { probeCommand } from './probe.ts';
import { pipeCommand } from './pipe.ts';
import { planCommand } from './plan.ts';
import { errorJson, printFailure } from './report-error.ts';
import { verifyCommand } from './verify.ts';
import { weightsCommand } from './weights.ts';

const COMMANDS: readonly Command[] = [
  convertCommand,
  inspectCommand,
  verifyCommand,
  planCommand,
  pipeCommand,
  weightsCommand,
  doctorCommand,
  pretrainCommand,
  probeCommand,
  finetuneCommand,
  scratchCommand,
  evaluateCommand,
  featuresCommand,
  reconstructCommand,
  exportCommand,
  ablateCommand,
  demoCommand,
];

// A reader that goes away (`| head`) is no error.
let isStream = false;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (!isStream) process.exit(error.code === 'EPIPE' ? 0 : 1);
});
// Nor does a conversion end because nobody looks at its progress any more.
process.stderr.on('error', () => undefined);
process.exitCode = await main(process.argv.slice(2));

async function main([name, ...argv]: string[]): Promise<number> {
  if (name === '--version' || name === '-v' || name === 'version') {
    process.stdout.write(`${TOOL.name} ${TOOL.version}\n`);
    return 0;
  }
  const isHelp = name === undefined || name === '--help' || name === '-h' || name === 'help';
  const wanted = name === 'help' && argv[0] !== undefined ? argv[0] : name;
  const command = COMMANDS.find((one) => one.name === wanted);
  if (isHelp) {
    process.stdout.write(command === undefined ? overview() : helpOf(command));
    return name === undefined ? 2 : 0;
  }
  if (command === undefined) {
    process.stderr.write(`There is no command "${name}".\n\n${overview()}`);
    return 2;
  }
  return runCommand(command, argv);
}

async function runCommand(command: Command, argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(helpOf(command));
    return 0;
  }
  const interruption = listenForInterruption();
  isStream = command.isStream === true;
  try {
    return await command.run(parseFlags(command, argv), interruption.signal);
  } catch (error) {
    if (interruption.signal.aborted) return endInterrupted(interruption.exitCode());
    const machine = argv.includes('--json') ? `${JSON.stringify(errorJson(error))}\n` : '';
    if (!isStream) process.stdout.write(machine);
    const code = explain(command, error, argv.includes('--verbose'));
    if (isStream) process.stderr.write(machine);
    return code;
  }
}

/** What a reader that stands still has not taken would keep the process. */
function endInterrupted(code: number): number {
  if (process.stdout.writableLength > 0) process.exit(code);
  return code;
}

/** Tells people about an error and gives the exit code. */
function explain(command: Command, error: unknown, withStack: boolean): number {
  if (!isWrongUse(error)) {
    printFailure(error, withStack);
    return 1;
  }
  process.stderr.write(`${translateOptions(command, error.message)}\n`);
  process.stderr.write(`See: tubelet ${command.name} --help\n`);
  return 2;
}

/** The user's mistake: one of the command line, or a value that the API refuses by naming its option. */
function isWrongUse(error: unknown): error is Error {
  return (
    error instanceof UsageError || (error instanceof RangeError && error.message.startsWith('"'))
  );
}

/** The first Ctrl-C or SIGTERM asks the command to stop, the second ends the program. */
function listenForInterruption(): {
  readonly signal: AbortSignal;
  readonly exitCode: () => number;
} {
  const controller = new AbortController();
  let code = 130;
  const stop = (name: NodeJS.Signals): void => {
    code = name === 'SIGTERM' ? 143 : 130;
    if (controller.signal.aborted) process.exit(code);
    controller.abort(new Error(`stopped by ${name}`));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return { signal: controller.signal, exitCode: () => code };
}

function overview(): string {
  const commands = formatFacts(COMMANDS.map(({ name, summary }) => [name, summary]));
  return `tubelet ${TOOL.version}: folders of raw videos become training-ready shards\n\n${commands}\ntubelet COMMAND --help tells more.\n`;
}
