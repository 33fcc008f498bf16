/** Turns a file of weights into a safetensors file under the names that are wanted. */

import { access } from 'node:fs/promises';
import { TubeletError, checkOneOf } from '../core/index.ts';
import { hashWeights } from './inspect-weights.ts';
import { MODEL_KINDS, NAME_STYLES, detectNames } from './names.ts';
import type { ModelKind, NameStyle } from './names.ts';
import { openWeights } from './open-weights.ts';
import { renameWeights } from './rename-weights.ts';
import type { Weight } from './weight.ts';
import { countValues } from './weight.ts';
import { writeSafetensors } from './write-safetensors.ts';

/** Settings of {@link convertWeights}. */
export interface ConvertWeightsOptions {
  readonly names: NameStyle;
  /** Default: the kind of the file. `finetune` takes the encoder out of a pre-trained model. */
  readonly purpose?: ModelKind;
  /** Replaces a file that exists. Default: false. */
  readonly overwrite?: boolean;
}

/** What was converted. */
export interface ConvertedWeights {
  readonly from: { readonly names: NameStyle; readonly kind: ModelKind };
  readonly to: { readonly names: NameStyle; readonly kind: ModelKind };
  readonly numWeights: number;
  readonly numParameters: number;
  /** Official names of the weights that were left out. */
  readonly unused: readonly string[];
  /** Official names of the weights of a classifier that a pre-trained model does not have. */
  readonly missing: readonly string[];
  /** The print of {@link hashWeights} of what was written. */
  readonly sha256: string;
}

/** Parts of a pre-trained model that a classifier starts from; it has a norm of its own in place of the encoder's. */
const ENCODER_PARTS = /^encoder\.(?=patch_embed\.|blocks\.)/;

/** Weights that every classifier starts anew. */
const CLASSIFIER_PARTS = ['fc_norm.weight', 'fc_norm.bias', 'head.weight', 'head.bias'];

/**
 * Converts safetensors files and checkpoints of PyTorch. Holds one weight in memory at a time.
 *
 * @throws {RangeError} if an option is not one of the valid values
 * @throws {TubeletError} TUBE_OUT_EXISTS, TUBE_WEIGHTS_MISMATCH if the names are not those of a VideoMAE or a classifier is
 * wanted as a pre-trained model, and as {@link openWeights} and {@link writeSafetensors}
 */
export async function convertWeights(
  input: string,
  output: string,
  { names, purpose, overwrite = false }: ConvertWeightsOptions,
): Promise<ConvertedWeights> {
  checkOneOf('names', names, NAME_STYLES);
  if (purpose !== undefined) checkOneOf('purpose', purpose, MODEL_KINDS);
  if (!overwrite) await refuseExisting(output);
  await using file = await openWeights(input);
  const detected = detectNames(file.weights.map(({ name }) => name));
  if (detected === null) throw mismatch(input, 'names are not those of a VideoMAE');
  const { style, kind } = detected;
  const wanted = purpose ?? kind;
  if (kind === 'finetune' && wanted === 'pretrain') {
    throw mismatch(input, 'a classifier has no decoder to pre-train with');
  }
  const official = renameWeights(file.weights, { kind, from: style, to: 'official' });
  const { used, unused } = wanted === kind ? { used: official, unused: [] } : takeEncoder(official);
  const renamed = renameWeights(used, { kind: wanted, from: 'official', to: names });
  // Transformers reads no file that does not say that its values came from PyTorch's order of axes.
  await writeSafetensors(output, renamed, { metadata: { ...file.metadata, format: 'pt' } });
  return {
    from: { names: style, kind },
    to: { names, kind: wanted },
    numWeights: renamed.length,
    numParameters: renamed.reduce((sum, { shape }) => sum + countValues(shape), 0),
    unused,
    missing: wanted === kind ? [] : CLASSIFIER_PARTS,
    sha256: await hashWeights(renamed),
  };
}

function takeEncoder(weights: readonly Weight[]): {
  readonly used: readonly Weight[];
  readonly unused: readonly string[];
} {
  const used = weights
    .filter(isOfEncoder)
    .map((weight) => Object.assign({}, weight, { name: weight.name.replace(ENCODER_PARTS, '') }));
  return { used, unused: weights.filter((weight) => !isOfEncoder(weight)).map(({ name }) => name) };
}

function isOfEncoder({ name }: Weight): boolean {
  return ENCODER_PARTS.test(name);
}

async function refuseExisting(path: string): Promise<void> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (exists) throw new TubeletError('TUBE_OUT_EXISTS', { path });
}

function mismatch(path: string, message: string): TubeletError {
  return new TubeletError('TUBE_WEIGHTS_MISMATCH', { path, message });
}
