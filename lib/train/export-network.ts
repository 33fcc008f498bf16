/** The network of a run as a file of ONNX, for other programs: frames in, features or scores out. */

import { compile } from '../engine/index.ts';
import type { ExportReport } from '../engine/index.ts';
import { countTokens, positionTable } from '../model/index.ts';
import { clipTubelets, tf } from '../ops/index.ts';
import { IMAGENET_COLOURS } from '../sample/index.ts';
import { findWeights } from './checkpoint.ts';
import type { WeightsChoice } from './checkpoint.ts';
import { loadExactly } from './load-initial.ts';
import { networkOf } from './open-network.ts';
import { readRunConfig } from './run-folder.ts';

/** Options of {@link exportNetwork}. */
export interface ExportNetworkOptions {
  /** The file to write, such as `encoder.onnx`. */
  readonly out: string;
  /** `'encoder'` gives features, `'classifier'` scores of classes. */
  readonly part: NetworkPart;
  /** Which checkpoint. Default `'best'`. */
  readonly which?: WeightsChoice;
  /** Clips of a run; the file is for just so many. Default 1. */
  readonly batchSize?: number;
}

/** What of a network is exported. */
export type NetworkPart = 'encoder' | 'classifier';

/** What was written, and what it takes and gives. */
export interface ExportedNetwork extends ExportReport {
  /** The input `clips`, float32 `[B, T, H, W, 3]`. */
  readonly clips: readonly number[];
  readonly output: { readonly name: 'features' | 'scores'; readonly shape: readonly number[] };
  /** Names of the classes, in the order of the scores; empty for an encoder. */
  readonly classes: readonly string[];
}

/** The parts, for option parsers. */
export const NETWORK_PARTS: readonly NetworkPart[] = ['encoder', 'classifier'];

/**
 * Writes the encoder or the classifier of a run to a file of ONNX' own operators. Input `clips`, float32 `[B, T, H, W, 3]`: RGB
 * frames with values 0 … 255, as decoders give them; normalising and cutting are part of the file. Output `features` `[B, D]`, what
 * {@link writeFeatures} writes, or `scores` `[B, classes]`, before softmax.
 *
 * @throws {TubeletError} TUBE_RUN_NOT_FOUND, TUBE_RUN_DAMAGED, TUBE_WEIGHTS_DAMAGED, TUBE_OUT_NOT_WRITABLE, TUBE_DISK_FULL
 * @throws {RangeError} if a classifier is wanted of a run of pre-training
 */
export async function exportNetwork(
  run: string,
  { out, part, which = 'best', batchSize = 1 }: ExportNetworkOptions,
): Promise<ExportedNetwork> {
  const { model, classes } = await readRunConfig(run);
  const { config } = model;
  const output = part === 'classifier' ? 'scores' : 'features';
  const { shapes, forward } = networkOf(model, output);
  const weights = await loadExactly(shapes, await findWeights(run, which));
  const { numFrames, size, tubelet, encoder } = config;
  const clips = [batchSize, numFrames, size, size, 3];
  const numTokens = countTokens(config);
  const table = positionTable(numTokens, encoder.width);
  await using program = await compile(
    (inputs, parameters) => {
      const tokens = clipTubelets(normalise(inputs['clips'] as tf.Tensor5D), tubelet); // [B, N, P]
      const positions = tf.tensor2d(table, [numTokens, encoder.width]);
      return { [output]: forward(parameters, { tokens, positions }) };
    },
    { inputs: { clips }, state: shapes },
  );
  program.setState(weights);
  const report = await program.exportOnnx(out);
  const width = output === 'scores' ? classes.length : encoder.width;
  return {
    ...report,
    clips,
    output: { name: output, shape: [batchSize, width] },
    classes: output === 'scores' ? classes : [],
  };
}

/** From bytes to what networks see; ImageNet's colours, as everywhere in training. */
function normalise(clips: tf.Tensor5D): tf.Tensor5D {
  const { mean, std } = IMAGENET_COLOURS;
  const scaled = tf.mul(clips, tf.tensor1d(std.map((one) => 1 / (255 * one))));
  return tf.sub(scaled, tf.tensor1d(mean.map((one, colour) => one / (std[colour] ?? 1))));
}
