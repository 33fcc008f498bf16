/**
 * Ablations: one value of a run is changed at a time, and what the encoder is worth is measured after each. The questions are those of
 * VideoMAE (Tong et al. 2022, tables 1 and 2, figure 5).
 */

import { checkOneOf } from '../core/index.ts';

/** One setting of a question. */
export interface AblationPoint {
  /** Differs from those of all other points; names the folder of its runs. */
  readonly name: string;
  /** Changes of the pre-training, as `data.maskRatio=0.9`. */
  readonly changes: readonly string[];
  /** Part of the videos that pre-training sees, drawn at random; 0 leaves the weights as they are drawn. Default: 1. */
  readonly videos?: number;
  /** Its line in the chart; points of one line are joined. Default: the only line. */
  readonly line?: string;
  /** Its place along the axis of the chart. Default: a place of its own, with its line's name below it. */
  readonly x?: number;
}

/** One question, asked with a few settings. */
export interface AblationPart {
  readonly name: string;
  readonly title: string;
  /** What the chart's axis counts. */
  readonly axis: string;
  readonly points: readonly AblationPoint[];
}

/** How an encoder is judged. */
export type Readout = 'probe' | 'finetune';

/** An ablation. */
export interface AblationRecipe {
  readonly name: string;
  /** Names of the recipes that are changed and that judge. */
  readonly pretrain: string;
  readonly probe: string;
  readonly finetune: string;
  readonly readouts: readonly Readout[];
  /** Part of the epochs of the pre-training's recipe. */
  readonly length: number;
  /** Runs of each point, with seeds one after the other. */
  readonly seeds: number;
  readonly parts: readonly AblationPart[];
}

const DEPTH: AblationPart = {
  name: 'depth',
  title: 'Decoder depth',
  axis: 'blocks of the decoder',
  points: [1, 2, 4, 8].map((depth) => ({
    name: `depth-${depth}`,
    changes: [`model.decoderDepth=${depth}`],
    x: depth,
  })),
};

const TARGET: AblationPart = {
  name: 'target',
  title: 'Target',
  axis: 'target',
  points: [
    { name: 'target-normalised', changes: ['data.target=normalised'], line: 'normalised' },
    { name: 'target-pixels', changes: ['data.target=pixels'], line: 'pixels' },
  ],
};

const LOSS: AblationPart = {
  name: 'loss',
  title: 'Loss',
  axis: 'loss',
  points: ['mse', 'l1', 'smooth-l1'].map((loss) => ({
    name: `loss-${loss}`,
    changes: [`train.loss=${loss}`],
    line: loss,
  })),
};

const VIDEOS: AblationPart = {
  name: 'videos',
  title: 'Videos of pre-training, for as many steps',
  axis: 'part of the videos',
  points: [0, 0.125, 0.25, 0.5, 1].map((videos) => ({
    name: `videos-${videos}`,
    changes: [],
    videos,
    x: videos,
  })),
};

/** Masks of kinds with their ratios. */
function masks(
  ratios: Readonly<Record<'tube' | 'random' | 'frame', readonly number[]>>,
): AblationPart {
  return {
    name: 'mask',
    title: 'Mask',
    axis: 'part that is masked',
    points: Object.entries(ratios).flatMap(([kind, values]) =>
      values.map((ratio) => ({
        name: `mask-${kind}-${ratio}`,
        changes: [`data.mask=${kind}`, `data.maskRatio=${ratio}`],
        line: kind,
        x: ratio,
      })),
    ),
  };
}

/** On the demo's videos, with its recipes. */
const SMALL_ABLATION: AblationRecipe = Object.freeze({
  name: 'small-ablation',
  pretrain: 'demo-pretrain',
  probe: 'demo-probe',
  finetune: 'demo-finetune',
  readouts: ['probe'],
  length: 0.3,
  seeds: 1,
  parts: [
    masks({ tube: [0.5, 0.75, 0.9], random: [0.5, 0.75, 0.9], frame: [0.5, 0.75] }),
    DEPTH,
    TARGET,
    VIDEOS,
  ],
} as const);

/** The paper's points on SSv2 with ViT-B; not run yet. */
const SSV2_ABLATION: AblationRecipe = Object.freeze({
  name: 'ssv2-ablation',
  pretrain: 'ssv2-pretrain',
  probe: 'ssv2-probe',
  finetune: 'ssv2-finetune',
  readouts: ['finetune'],
  length: 1,
  seeds: 1,
  parts: [
    masks({ tube: [0.5, 0.75, 0.9, 0.95], random: [0.9], frame: [0.875] }),
    DEPTH,
    TARGET,
    LOSS,
    VIDEOS,
  ],
} as const);

/** All ablations. */
export const ABLATIONS: readonly AblationRecipe[] = Object.freeze([SMALL_ABLATION, SSV2_ABLATION]);

/**
 * Finds the ablation of a name.
 *
 * @throws {RangeError} listing the names that there are
 */
export function findAblation(name: string): AblationRecipe {
  const names = ABLATIONS.map((one) => one.name);
  checkOneOf('recipe', name, names);
  return ABLATIONS[names.indexOf(name)] as AblationRecipe;
}
