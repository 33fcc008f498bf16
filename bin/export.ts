/** `tubelet export`: a trained network as a file of ONNX. */

import { NETWORK_PARTS, exportNetwork } from '../lib/index.ts';
import { UsageError } from './flags.ts';
import type { Command } from './flags.ts';
import { formatBytes, formatFacts } from './format.ts';
import { WEIGHTS_FLAG, required, whichFrom } from './train-flags.ts';

/** The command. */
export const exportCommand: Command = {
  name: 'export',
  usage: 'RUN --part encoder|classifier --out F.onnx',
  summary: 'Writes the encoder or the classifier of a run as ONNX, for other programs.',
  flags: [
    {
      name: 'part',
      value: NETWORK_PARTS.join('|'),
      help: 'encoder: features of clips; classifier: scores of classes (required)',
    },
    { name: 'out', value: 'F.onnx', help: 'the file, replaced if it exists (required)' },
    { name: 'batch-size', value: 'N', help: 'clips that the file takes at once (default: 1)' },
    WEIGHTS_FLAG,
  ],
  notes: [
    'Input "clips": float32 [N, frames, height, width, 3], RGB as decoders give it, 0 to 255; nothing else has to be\nnormalised or cut. Output "features" [N, width], as of `tubelet features`, or "scores" [N, classes], before softmax.',
  ],
  run: async (args) => {
    const run = args.single('RUN');
    const text = required(args, 'part', NETWORK_PARTS.join('|'));
    const part = NETWORK_PARTS.find((one) => one === text);
    if (part === undefined) {
      throw new UsageError(`--part must be one of ${NETWORK_PARTS.join(', ')} (got "${text}").`);
    }
    const out = required(args, 'out', 'F.onnx');
    const batchSize = args.number('batch-size');
    const exported = await exportNetwork(run, {
      out,
      part,
      which: whichFrom(args),
      ...(batchSize === undefined ? {} : { batchSize }),
    });
    if (args.has('json')) {
      process.stdout.write(`${JSON.stringify(exported)}\n`);
      return 0;
    }
    const { clips, output, classes, dataFile, bytes } = exported;
    const facts = formatFacts([
      ['input', `clips [${clips.join(', ')}], RGB, 0 to 255`],
      ['output', `${output.name} [${output.shape.join(', ')}]`],
      ...(classes.length === 0 ? [] : [['classes', classes.join(', ')] as const]),
      ['size', formatBytes(bytes)],
      ...(dataFile === null ? [] : [['constants', dataFile] as const]),
    ]);
    process.stdout.write(`${out}\n${facts}`);
    return 0;
  },
};
