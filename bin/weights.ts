/** `tubelet weights`: what is in a file of weights, and the same weights in another form. */

import { convertWeights, displayPath, inspectWeights } from '../lib/index.ts';
import type { ConvertedWeights, ModelKind, NameStyle, WeightsInspection } from '../lib/index.ts';
import { UsageError } from './flags.ts';
import type { Arguments, Command } from './flags.ts';
import { formatBytes, formatCount, formatFacts, formatTable } from './format.ts';

/** Names in a line; `--json` has all. */
const NAMES_SHOWN = 4;

/** The command. */
export const weightsCommand: Command = {
  name: 'weights',
  usage: 'convert IN OUT --names official|hf [--for pretrain|finetune] | inspect FILE',
  summary: 'Reads safetensors and .pth files: lists their weights, or writes them as safetensors.',
  flags: [
    {
      name: 'names',
      value: 'STYLE',
      help: 'official: those of VideoMAE; hf: those of Hugging Face',
    },
    {
      name: 'for',
      value: 'KIND',
      option: 'purpose',
      help: 'finetune: take the encoder out of a pre-trained model (default: as it is)',
    },
    { name: 'force', help: 'replace OUT if it exists' },
  ],
  notes: [
    'A .pth file is a program in the eyes of Python. Here it is never run: a file that names anything\nbut tensors, plain containers and harmless options is refused.',
    'The hash is over names, shapes and values, so that a .pth and its conversion under the same names\nhave the same.',
  ],
  run,
};

async function run(args: Arguments): Promise<number> {
  const [action, ...paths] = args.positionals;
  if (action === 'inspect') return runInspect(args, paths);
  if (action === 'convert') return runConvert(args, paths);
  const got = action === undefined ? 'nothing' : `"${action}"`;
  throw new UsageError(`weights needs convert or inspect (got ${got}).`);
}

async function runInspect(args: Arguments, [path, extra]: readonly string[]): Promise<number> {
  if (path === undefined) throw new UsageError('FILE is missing.');
  if (extra !== undefined) throw new UsageError(`Unexpected argument "${extra}".`);
  for (const name of ['names', 'for', 'force']) {
    if (args.has(name) || args.text(name) !== undefined) {
      throw new UsageError(`--${name} does not go with inspect.`);
    }
  }
  const inspection = await inspectWeights(path);
  process.stdout.write(
    args.has('json') ? `${JSON.stringify(inspection)}\n` : inspectionText(inspection),
  );
  return 0;
}

async function runConvert(
  args: Arguments,
  [input, output, extra]: readonly string[],
): Promise<number> {
  if (input === undefined) throw new UsageError('IN is missing.');
  if (output === undefined) throw new UsageError('OUT is missing.');
  if (extra !== undefined) throw new UsageError(`Unexpected argument "${extra}".`);
  const names = args.text('names');
  const purpose = args.text('for');
  if (names === undefined) throw new UsageError('--names official|hf is missing.');
  // The library checks both values.
  const converted = await convertWeights(input, output, {
    names: names as NameStyle,
    ...(purpose === undefined ? {} : { purpose: purpose as ModelKind }),
    overwrite: args.has('force'),
  });
  process.stdout.write(
    args.has('json')
      ? `${JSON.stringify({ out: output, ...converted })}\n`
      : convertedText(output, converted),
  );
  return 0;
}

function inspectionText(inspection: WeightsInspection): string {
  const { path, format, bytes, names, kind, metadata, weights } = inspection;
  const facts = formatFacts([
    ['format', format],
    ['size', formatBytes(bytes)],
    ['model', kind === null ? 'not a VideoMAE' : `${kind}, ${String(names)} names`],
    ['weights', formatCount(weights.length)],
    ['parameters', formatCount(inspection.numParameters)],
    ['sha256', inspection.sha256 ?? 'some values are of a type that cannot be read'],
    ...Object.entries(metadata).map(([key, text]): [string, string] => [
      displayPath(key),
      displayPath(text),
    ]),
  ]);
  const table = formatTable([
    ['weight', 'type', 'shape'],
    ...weights.map(({ name, dtype, shape }) => [displayPath(name), dtype, `[${shape.join(', ')}]`]),
  ]);
  return `${path}\n${facts}\n${table}`;
}

function convertedText(output: string, converted: ConvertedWeights): string {
  const { from, to, unused, missing } = converted;
  const facts = formatFacts([
    ['from', `${from.kind}, ${from.names} names`],
    ['to', `${to.kind}, ${to.names} names`],
    ['weights', formatCount(converted.numWeights)],
    ['parameters', formatCount(converted.numParameters)],
    ['left out', listText(unused)],
    ...(missing.length === 0 ? [] : [['to be learned', listText(missing)] as const]),
    ['sha256', converted.sha256],
  ]);
  return `${output}\n${facts}`;
}

/** The first few names, and how many there are. */
function listText(names: readonly string[]): string {
  if (names.length === 0) return 'nothing';
  const shown = displayPath(names.slice(0, NAMES_SHOWN).join(', '));
  const more = names.length - NAMES_SHOWN;
  return more > 0 ? `${shown} and ${formatCount(more)} more` : shown;
}
