/**
 * Which weights of a file go into which weights of a model, and what is left over on either side.
 *
 * Source: VideoMAE, run_class_finetuning.py@14ef8d8: a leading `encoder.` or `backbone.` is dropped, a head of another shape
 * is left out, what matches by name is loaded. Differs: what is not loaded is named, and another shape than that of the head
 * is an error.
 */

import { TubeletError } from '../core/index.ts';
import { listNames } from './rename-weights.ts';
import type { Weight } from './weight.ts';

/**
 * `exact`: every weight of the model must be in the file, nothing else may be. `encoder`: the encoder of a pre-trained or
 * classifying model starts a classifying one; a head is taken only with the normalisation that it was trained behind.
 */
export type LoadRule = 'exact' | 'encoder';

/** A weight of the model that is to be filled. */
export interface WantedWeight {
  readonly name: string;
  readonly shape: readonly number[];
}

/** What goes where; all lists are in the order of model or file. */
export interface LoadPlan {
  /** The weights to load, under the names of the model. */
  readonly loaded: readonly Weight[];
  /** Weights of the model that keep their first values. */
  readonly fresh: readonly string[];
  /** Weights of the file that are not used, under the names of the file. */
  readonly unused: readonly string[];
}

const HEAD_NORM = 'fc_norm.weight';

/**
 * Plans the loading of weights with official names.
 *
 * @throws {TubeletError} TUBE_WEIGHTS_MISMATCH if a shape differs, if weights are missing or left over and the rule is
 * `exact`, or if nothing of the file fits
 */
export function planLoad(
  file: Iterable<Weight>,
  model: Iterable<WantedWeight>,
  rule: LoadRule,
): LoadPlan {
  const wanted = new Map(Array.from(model, ({ name, shape }) => [name, shape]));
  const found = Array.from(file);
  const isForeign = wanted.has(HEAD_NORM) && !found.some(({ name }) => name.endsWith(HEAD_NORM));
  const loaded = new Map<string, Weight>();
  const unused: string[] = [];
  for (const weight of found) {
    const name = rule === 'encoder' ? encoderName(weight.name) : weight.name;
    const shape = wanted.get(name);
    const isSame = shape !== undefined && shape.join() === weight.shape.join();
    const isLeftOut = rule === 'encoder' && isHead(name) && (!isSame || isForeign);
    if (shape === undefined || isLeftOut) {
      unused.push(weight.name);
    } else if (isSame) {
      loaded.set(name, { ...weight, name });
    } else {
      const message = `file has [${weight.shape.join(', ')}], model [${shape.join(', ')}]`;
      throw new TubeletError('TUBE_WEIGHTS_MISMATCH', { names: listNames([weight.name]), message });
    }
  }
  const fresh = Array.from(wanted.keys()).filter((name) => !loaded.has(name));
  refuseGaps(rule, { loaded: loaded.size, fresh, unused });
  const inOrder = Array.from(wanted.keys(), (name) => loaded.get(name));
  return { loaded: inOrder.filter((weight) => weight !== undefined), fresh, unused };
}

/**
 * The name in a classifying model of a weight of a pre-trained encoder. `encoder_to_decoder` starts with `encoder` too but
 * is not of the encoder.
 */
function encoderName(name: string): string {
  return name.replace(/^(?:encoder|backbone)\./, '');
}

function isHead(name: string): boolean {
  return name.startsWith('head.');
}

interface Gaps {
  readonly loaded: number;
  readonly fresh: readonly string[];
  readonly unused: readonly string[];
}

function refuseGaps(rule: LoadRule, { loaded, fresh, unused }: Gaps): void {
  if (rule === 'exact' && fresh.length > 0) throw mismatch(fresh, 'missing in the file');
  if (rule === 'exact' && unused.length > 0) throw mismatch(unused, 'unknown to the model');
  if (loaded === 0) throw mismatch(unused, 'nothing in the file fits the model');
}

function mismatch(names: readonly string[], message: string): TubeletError {
  return new TubeletError('TUBE_WEIGHTS_MISMATCH', { names: listNames(names), message });
}
