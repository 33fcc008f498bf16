/** `tubelet doctor`: which engines run here, how fast, and what to install for more. */

import { cpus, totalmem } from 'node:os';
import { TOOL, diagnoseEngines } from '../lib/index.ts';
import type { EngineReport } from '../lib/index.ts';
import type { Arguments, Command } from './flags.ts';
import { formatBytes, formatFacts, formatTable } from './format.ts';

const PROBLEM_CHARACTERS = 100;

/** The command. */
export const doctorCommand: Command = {
  name: 'doctor',
  usage: '',
  summary: 'Shows which engines can train here, measures them, and says what to install for more.',
  flags: [],
  run,
};

async function run(args: Arguments, signal: AbortSignal): Promise<number> {
  const isQuiet = args.has('quiet') || args.has('json');
  const diagnosis = await diagnoseEngines({
    signal,
    onEngine: (name) => {
      if (!isQuiet) process.stderr.write(`doctor: trying ${name}\n`);
    },
  });
  const machine = {
    tubelet: TOOL.version,
    node: process.version,
    system: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
  };
  const isFine = diagnosis.chosen !== 'none';
  if (args.has('json')) {
    process.stdout.write(`${JSON.stringify({ isFine, machine, ...diagnosis })}\n`);
    return isFine ? 0 : 1;
  }
  const facts: [string, string][] = [
    ['tubelet', machine.tubelet],
    ['Node.js', `${machine.node} on ${machine.system}`],
    ['processor', `${machine.cpu}, ${machine.cores} cores`],
    ['memory', formatBytes(machine.memoryBytes)],
    ['engine', `${diagnosis.chosen} (${diagnosis.why})`],
  ];
  process.stdout.write(`${formatFacts(facts)}\n`);
  process.stdout.write(`${formatTable(diagnosis.engines.map(row))}\n`);
  for (const { name, note, install, problem } of diagnosis.engines) {
    const state = problem === null ? note : `${note}; ${shorten(problem)}`;
    process.stdout.write(`\n${name}: ${state}\n`);
    if (install !== null) process.stdout.write(`  to have it: ${install}\n`);
  }
  return isFine ? 0 : 1;
}

function row({ name, version, productsGflops }: EngineReport): string[] {
  return [`  ${name}`, version ?? '–', productsGflops === null ? '–' : `${productsGflops} GFLOP/s`];
}

/** One line of what may be a native library's whole complaint. */
function shorten(problem: string): string {
  const line = problem.replaceAll(/\s+/gu, ' ');
  return line.length > PROBLEM_CHARACTERS ? `${line.slice(0, PROBLEM_CHARACTERS)}…` : line;
}
