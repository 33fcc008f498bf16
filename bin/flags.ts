/** One table of flags per command: it parses the command line and prints the help. */

import { parseArgs } from 'node:util';

/** A flag of a command. */
export interface Flag {
  /** Name without dashes. */
  readonly name: string;
  /** What stands behind it in the help, such as `N`; flags without one are switches. */
  readonly value?: string;
  readonly help: string;
  /** Names of the options of the API that it sets, if these are other words; used to translate messages. */
  readonly option?: string | readonly string[];
  /** Heading that it stands under in the help, with those before and after it. */
  readonly group?: string;
  /** Whether it may be given several times. */
  readonly isRepeatable?: boolean;
}

/** A command of the program. */
export interface Command {
  readonly name: string;
  /** Arguments after the name, for the help. */
  readonly usage: string;
  readonly summary: string;
  /** Paragraphs below the flags. */
  readonly notes?: readonly string[];
  readonly flags: readonly Flag[];
  /** Whether stdout carries a stream: the command sees to its errors itself, and what is for machines goes to stderr. */
  readonly isStream?: boolean;
  /** Runs the command and gives the exit code. */
  readonly run: (args: Arguments, signal: AbortSignal) => Promise<number>;
}

/** The user's mistake on the command line: exit code 2. */
export class UsageError extends Error {}

type FlagValues = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

/** A parsed command line. */
export class Arguments {
  readonly positionals: readonly string[];
  readonly #values: FlagValues;

  constructor(values: FlagValues, positionals: readonly string[]) {
    this.#values = values;
    this.positionals = positionals;
  }

  /** Whether a switch is set. */
  has(name: string): boolean {
    return this.#values[name] === true;
  }

  /** Value of a flag, if given. */
  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** Value of a flag as a number, if given. */
  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isNaN(value)) throw new UsageError(`--${name} must be a number (got "${text}").`);
    return value;
  }

  /** Values of a flag that may be given several times; empty if it is not. */
  list(name: string): readonly string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** The only positional argument. */
  single(what: string): string {
    const [first, second] = this.positionals;
    if (first === undefined) throw new UsageError(`${what} is missing.`);
    if (second !== undefined) throw new UsageError(`Unexpected argument "${second}".`);
    return first;
  }
}

/** Flags that every command has. */
const COMMON: readonly Flag[] = [
  { name: 'json', help: 'print the result as one JSON object on stdout' },
  { name: 'quiet', help: 'no progress on stderr' },
  { name: 'verbose', help: 'print the stack of an error' },
  { name: 'help', help: 'print this help' },
];

/**
 * Parses the arguments after the name of a command.
 *
 * @throws {UsageError} for an unknown flag or a missing value
 */
export function parseFlags(command: Command, argv: readonly string[]): Arguments {
  const options = Object.fromEntries(
    allFlags(command).map(({ name, value, isRepeatable = false }) => [
      name,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        multiple: isRepeatable,
      },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    return new Arguments(values, positionals);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** The help page of a command. */
export function helpOf(command: Command): string {
  const { name, usage, summary, notes = [] } = command;
  const rows = allFlags(command).map((flag) => ({
    left: `--${flag.name}${flag.value === undefined ? '' : ` ${flag.value}`}`,
    help: flag.help,
    group: flag.group,
  }));
  const width = Math.max(...rows.map(({ left }) => left.length));
  const lines = rows.flatMap(({ left, help, group }, i) => {
    const line = `  ${left.padEnd(width)}  ${help}`;
    return group === rows[i - 1]?.group ? [line] : ['', `${group ?? 'Of every command'}:`, line];
  });
  const isGrouped = rows.some(({ group }) => group !== undefined);
  return [
    `tubelet ${name} ${usage}`,
    '',
    summary,
    ...(isGrouped ? lines : ['', ...lines]),
    ...notes.flatMap((note) => ['', note]),
    '',
  ].join('\n');
}

/** The flags of a command and those of all; where names meet, the command's own. */
function allFlags({ flags }: Command): readonly Flag[] {
  const own = new Set(flags.map(({ name }) => name));
  return [...flags, ...COMMON.filter(({ name }) => !own.has(name))];
}

/** Puts the flags of the command line into a message that names options of the API; values, `(got "…")`, stay. */
export function translateOptions({ flags }: Command, message: string): string {
  return message.replaceAll(/(?<!\(got )"([a-z][A-Za-z.]*)"/g, (quoted, option: string) => {
    const flag = flags.find((one) => [one.option ?? toCamelCase(one.name)].flat().includes(option));
    return flag === undefined ? quoted : `--${flag.name}`;
  });
}

function toCamelCase(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
