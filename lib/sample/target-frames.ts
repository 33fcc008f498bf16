/**
 * Which frames pre-training has to predict, as the paper ablates it: those of the clip, the one in its middle, or twice as many.
 *
 * Source: VideoMAE (Tong et al. 2022), table on input and target ("centre frame", "2T x tau/2"). How masked tokens share the centre
 * frame is not said there; here each predicts its patch at its own place, so that every kind of mask has its number of targets.
 */

import { tokenShape } from './tubelets.ts';
import type { TubeletShape } from './tubelets.ts';
import type { ClipShape } from './clip-buffer.ts';

/**
 * `'own'` are the frames that the tokens hold. With `'center'` every masked token has the patch of the middle frame at its place, p × p × 3
 * values; with `'double'` also the frames half a stride later, 2t × p × p × 3 values.
 */
export type TargetFrames = 'own' | 'center' | 'double';

const LENGTHS: Readonly<Record<TargetFrames, (frames: number) => number>> = {
  own: (frames) => frames,
  center: () => 1,
  double: (frames) => 2 * frames,
};

/** The names of all choices, for option parsers. */
export const TARGET_FRAMES: readonly TargetFrames[] = Object.keys(LENGTHS) as TargetFrames[];

/** Values of the target of one token. */
export function targetLength(frames: TargetFrames, [t, p, q]: TubeletShape): number {
  return LENGTHS[frames](t) * p * q * 3;
}

/** Cuts the patches of the middle frame, number T/2 rounded down, out of tokens `[N, P]`. Shape: uint8 `[N / slots, p · p · 3]`. */
export function centerPatches(
  tokens: Uint8Array,
  shape: ClipShape,
  tubelet: TubeletShape,
): Uint8Array {
  const [numTokens, tokenBytes] = tokenShape(shape, tubelet);
  const [t, p, q] = tubelet;
  const middle = Math.floor(shape[0] / 2);
  const numPlaces = (numTokens * t) / shape[0];
  const patchBytes = p * q * 3;
  const patches = new Uint8Array(numPlaces * patchBytes);
  for (let place = 0; place < numPlaces; place++) {
    const token = Math.floor(middle / t) * numPlaces + place;
    const start = token * tokenBytes + (middle % t) * patchBytes;
    patches.set(tokens.subarray(start, start + patchBytes), place * patchBytes);
  }
  return patches;
}
