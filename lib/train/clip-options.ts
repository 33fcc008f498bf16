/** From a recipe's clips to the options of the loader and the shape of the network. */

import type { LoaderOptions } from '../load/index.ts';
import type { EncoderConfig } from '../model/index.ts';
import type { ClipSection } from '../recipes/index.ts';

/** Which frames and pixels, and how they are cut into tokens. */
export function clipOptions(
  clip: ClipSection,
): Pick<LoaderOptions, 'numFrames' | 'stride' | 'size' | 'tubelet' | 'frames' | 'crop' | 'flip'> {
  const { numFrames, stride, size, tubeletFrames, patch, frames, crop, flip } = clip;
  return {
    numFrames,
    stride,
    size,
    tubelet: [tubeletFrames, patch, patch],
    frames,
    crop,
    flip,
  };
}

/** Options for looking at test views, which are cut along the long side, whatever the training does. */
export function viewOptions(
  clip: ClipSection,
  views: { readonly segments: number; readonly crops: number },
): Partial<LoaderOptions> {
  const { crop: _crop, flip: _flip, frames, ...rest } = clipOptions(clip);
  const rule = frames === 'uniform' ? ('uniform' as const) : ('dense' as const);
  return {
    ...rest,
    frames: rule,
    views: { segments: views.segments, crops: views.crops },
    onError: 'missing',
    remainder: 'uneven',
  };
}

/** Shape of the clips of a network. */
export function clipConfig(
  clip: ClipSection,
): Pick<EncoderConfig, 'numFrames' | 'size' | 'tubelet'> {
  const { numFrames, size, tubeletFrames, patch } = clip;
  return { numFrames, size, tubelet: [tubeletFrames, patch, patch] };
}
