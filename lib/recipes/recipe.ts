/** What a run is told, as plain data: one object per run, sections with one level of values, so that any value can be set by name. */

import type { ClipRecipe, CropRule, FrameRule } from '../load/index.ts';
import type { ModelSize, PixelLoss } from '../model/index.ts';

/** Clips and how they are cut. */
export interface ClipSection {
  readonly numFrames: number;
  /** Stored frames from one frame of a clip to the next; shards are made with a stride of their own. */
  readonly stride: number;
  /** Width and height of a clip in pixels. */
  readonly size: number;
  /** Frames of a token. */
  readonly tubeletFrames: number;
  /** Width and height of a token in pixels. */
  readonly patch: number;
  readonly frames: FrameRule;
  readonly crop: CropRule;
  /** Part of the clips that are mirrored. */
  readonly flip: number;
}

/** How long, how fast, with how much decay. */
export interface OptimizerSection {
  readonly epochs: number;
  readonly warmupEpochs: number;
  /** Clips of a step, before they are repeated; the sum over its micro steps. */
  readonly batchSize: number;
  /** Micro steps of a step. */
  readonly accumulate: number;
  /** Highest learning rate for a batch of 256; it grows with the batch. */
  readonly lr: number;
  /** Last learning rate, for a batch of 256. */
  readonly minLr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly weightDecay: number;
  /** Weight decay at the end; it changes along a cosine. */
  readonly weightDecayEnd: number;
  /** Longest gradient; null for no limit. */
  readonly clipNorm: number | null;
  /** Decay of a moving average of the weights; null for none. */
  readonly emaDecay: number | null;
  readonly seed: number;
}

/** When checkpoints are written and which are kept. */
export interface SaveSection {
  readonly everyEpochs: number;
  /** Also after every so many steps; null for not. */
  readonly everySteps: number | null;
  /** How many of the last are kept, beside the best. */
  readonly keep: number;
}

/** The encoder: a size by name, single numbers of which may be others. */
export interface EncoderSection {
  readonly size: ModelSize;
  /** Null for that of the size; so with depth and heads. */
  readonly width: number | null;
  readonly depth: number | null;
  readonly heads: number | null;
  readonly dropPath: number;
}

/** A run of pre-training. */
export interface PretrainRecipe {
  readonly name: string;
  readonly task: 'pretrain';
  readonly model: EncoderSection & {
    readonly decoderWidth: number;
    readonly decoderDepth: number;
    readonly decoderHeads: number;
  };
  readonly data: ClipSection & {
    readonly mask: 'tube' | 'random' | 'frame';
    readonly maskRatio: number;
    readonly target: 'normalised' | 'pixels';
    /** Samples of an epoch; null for all of them, once. */
    readonly epochSamples: number | null;
    /** Which frames are to be predicted. */
    readonly targetFrames: ClipRecipe['targetFrames'];
  };
  readonly train: OptimizerSection & { readonly loss: PixelLoss };
  readonly save: SaveSection;
}

/** A run of fine-tuning, or of training from scratch. */
export interface FinetuneRecipe {
  readonly name: string;
  readonly task: 'finetune';
  readonly model: EncoderSection & {
    readonly headDropout: number;
    /** Factor of the first weights of the head. */
    readonly headScale: number;
  };
  readonly data: ClipSection & {
    /** Such as `rand-m7-n4-mstd0.5-inc1`; null for none. */
    readonly randAugment: string | null;
    readonly erasing: number;
    /** How often each clip stands in its batch, augmented anew. */
    readonly repeats: number;
    readonly mixupAlpha: number;
    readonly cutmixAlpha: number;
    readonly mixProbability: number;
    readonly mixSwitch: number;
    readonly smoothing: number;
  };
  readonly train: OptimizerSection & {
    /** Factor of the learning rate from one layer to the one below; 1 for none. */
    readonly layerDecay: number;
  };
  readonly test: TestSection;
  readonly save: SaveSection;
}

/** Views of an evaluation. */
export interface TestSection {
  readonly segments: number;
  readonly crops: number;
}

/** A run of linear probing. */
export interface ProbeRecipe {
  readonly name: string;
  readonly task: 'probe';
  readonly model: EncoderSection & {
    /**
     * `encoder`: each token through the encoder's last normalisation, then their mean. `classifier`: their mean, then normalised, as in
     * fine-tuning, which can start from such a probe with its head.
     */
    readonly features: 'encoder' | 'classifier';
  };
  readonly data: ClipSection;
  readonly train: {
    readonly epochs: number;
    readonly warmupEpochs: number;
    readonly batchSize: number;
    readonly lr: number;
    readonly momentum: number;
    readonly weightDecay: number;
    readonly optimizer: 'sgd' | 'lars';
    /** Whether features are normalised over the batch first, without scale and shift. */
    readonly batchNorm: boolean;
    /** How many differently cut clips of each video are kept as features. */
    readonly clipsPerVideo: number;
    readonly seed: number;
  };
  readonly test: TestSection;
}

/** Any recipe. */
export type Recipe = PretrainRecipe | FinetuneRecipe | ProbeRecipe;
