/** The loss of pre-training on videos that are not trained on: one view of each, masks that are the same every time. */

import { compile } from '../engine/index.ts';
import type { CompileOptions, Program } from '../engine/index.ts';
import type { Batch, Loader } from '../load/index.ts';
import { countTokens, positionTable, pretrainLoss, pretrainShapes } from '../model/index.ts';
import type { PixelLoss, PretrainConfig } from '../model/index.ts';
import { ownData } from './batch-data.ts';
import type { StateData } from './checkpoint.ts';

/** What is measured. */
export interface MaskedLossOptions {
  readonly config: PretrainConfig;
  readonly loss: PixelLoss;
  readonly engine?: CompileOptions | undefined;
}

const TENSORS = ['visible', 'target', 'visibleTokens', 'maskedTokens'] as const;

/** Measures the loss; owns a compiled program, which is made for the first batch. */
export class MaskedLoss implements AsyncDisposable {
  readonly #options: MaskedLossOptions;
  #program: Program | null = null;

  constructor(options: MaskedLossOptions) {
    this.#options = options;
  }

  /** Mean over all clips of a loader. */
  async measure(parameters: StateData, loader: Loader): Promise<number> {
    let sum = 0;
    let numClips = 0;
    for await (const batch of loader) {
      const count = batch.keys.length;
      const program = await this.#programFor(batch);
      if (numClips === 0) program.setState(parameters);
      const { loss } = await program.run(this.#inputsOf(batch));
      sum += (loss?.[0] ?? Number.NaN) * count;
      numClips += count;
    }
    return sum / numClips;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program?.dispose();
  }

  /** The program for as many clips as the batch has; the last batch may have fewer than the others. */
  async #programFor(batch: Batch): Promise<Program> {
    const { config, loss, engine } = this.#options;
    const inputs = Object.fromEntries(
      TENSORS.map((name) => {
        const { shape = [], dtype } = batch[name] ?? {};
        return [name, { shape, dtype: dtype === 'int32' ? 'int32' : 'float32' } as const];
      }),
    );
    this.#program ??= await compile(
      (given, state) => ({ loss: pretrainLoss(state, given as never, { ...config, loss }) }),
      {
        inputs: {
          ...inputs,
          ...Object.fromEntries(
            Object.entries(tablesOf(config)).map(([name, { shape }]) => [name, shape]),
          ),
        },
        state: pretrainShapes(config),
      },
      engine,
    );
    return this.#program.withInputs(inputs);
  }

  #inputsOf(batch: Batch): Record<string, Float32Array | Int32Array> {
    const tables = Object.entries(tablesOf(this.#options.config));
    return {
      ...Object.fromEntries(tables.map(([name, { data }]) => [name, data])),
      ...Object.fromEntries(TENSORS.map((name) => [name, ownData(name, batch[name])])),
    };
  }
}

/** Position tables of encoder and decoder. */
function tablesOf(
  config: PretrainConfig,
): Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }> {
  const numTokens = countTokens(config);
  const tableOf = (width: number): { shape: readonly number[]; data: Float32Array } => ({
    shape: [numTokens, width],
    data: positionTable(numTokens, width),
  });
  return {
    encoderPositions: tableOf(config.encoder.width),
    decoderPositions: tableOf(config.decoder.width),
  };
}
