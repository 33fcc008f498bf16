/**
 * From a recipe's clips to the options of the loader and the shape of the network. Shards of layout `tubelets` hold finished clips: what
 * chooses frames and squares (`stride`, `frames`, `crop`) says nothing there, and what changes pixels must be off.
 */

import { TubeletError } from '../core/index.ts';
import type { LoaderOptions, ShardClips } from '../load/index.ts';
import type { EncoderConfig } from '../model/index.ts';
import type { ClipSection, Recipe, TestSection } from '../recipes/index.ts';

/** The part of the loader's options that a clip section decides. */
type ClipOptions = Pick<
  LoaderOptions,
  'numFrames' | 'stride' | 'size' | 'tubelet' | 'frames' | 'crop' | 'flip'
>;

/** Which frames and pixels of the shards make a clip in training, and how they are cut into tokens. */
export function clipOptions(clip: ClipSection, shards: ShardClips): ClipOptions {
  const { stride, frames, crop, flip } = clip;
  const shape = clipConfig(clip);
  return shards.hasFrames ? { ...shape, stride, frames, crop, flip } : shape;
}

/** Options for looking at test views, which are cut along the long side, whatever the training does. */
export function viewOptions(
  clip: ClipSection,
  views: TestSection,
  shards: ShardClips,
): Partial<LoaderOptions> {
  const shared = { ...clipConfig(clip), onError: 'missing', remainder: 'uneven' } as const;
  if (!shards.hasFrames) return { ...shared, shuffle: 'none' };
  const frames = clip.frames === 'uniform' ? ('uniform' as const) : ('dense' as const);
  const { segments, crops } = views;
  return { ...shared, stride: clip.stride, frames, views: { segments, crops } };
}

/** Shape of the clips of a network. */
export function clipConfig(
  clip: ClipSection,
): Pick<EncoderConfig, 'numFrames' | 'size' | 'tubelet'> {
  const { numFrames, size, tubeletFrames, patch } = clip;
  return { numFrames, size, tubelet: [tubeletFrames, patch, patch] };
}

/**
 * Views of each video in an evaluation: those that are wanted, but of a finished clip the one that there is.
 *
 * @throws {TubeletError} TUBE_CLIPS_DIFFER if several are asked for by name
 */
export function viewsOf(
  shards: ShardClips,
  own: TestSection,
  asked: TestSection | undefined,
): TestSection {
  if (shards.hasFrames) return asked ?? own;
  if (asked !== undefined && asked.segments * asked.crops > 1) {
    const message = `finished clips have 1 x 1 views, not ${asked.segments} x ${asked.crops}`;
    throw new TubeletError('TUBE_CLIPS_DIFFER', { message });
  }
  return { segments: 1, crops: 1 };
}

/**
 * Checks that shards with finished clips hold those that a recipe wants; shards with frames always can give them.
 *
 * @throws {TubeletError} TUBE_CLIPS_DIFFER, saying what to set
 */
export function checkClips(data: Recipe['data'], shards: ShardClips): void {
  checkShape(data, shards);
  const changes = shards.hasFrames ? [] : pixelChanges(data);
  if (changes.length === 0) return;
  const message = `finished clips stay as they are: ${settingsText(changes)}`;
  throw new TubeletError('TUBE_CLIPS_DIFFER', { message });
}

/**
 * Checks the shape of finished clips alone, for evaluations, which change no pixels.
 *
 * @throws {TubeletError} TUBE_CLIPS_DIFFER, saying what to set
 */
export function checkShape(clip: ClipSection, { stored }: ShardClips): void {
  if (stored === null) return;
  const [numFrames, height, width] = stored.clipShape;
  const [tubeletFrames, patch] = stored.tubelet;
  const has = { numFrames, size: width, tubeletFrames, patch };
  const changes = Object.entries(has).flatMap(([name, value]) =>
    clip[name as keyof typeof has] === value ? [] : [`${name}=${value}`],
  );
  const isSquare = height === width;
  if (changes.length === 0 && isSquare) return;
  throw new TubeletError('TUBE_CLIPS_DIFFER', {
    has: `${numFrames}x${height}x${width} in ${stored.tubelet.join('x')}`,
    wanted: `${clip.numFrames}x${clip.size}x${clip.size} in ${clip.tubeletFrames}x${clip.patch}x${clip.patch}`,
    message: isSquare ? settingsText(changes) : 'a network needs square clips',
  });
}

/** Settings under which a recipe changes no pixels and needs no others. */
function pixelChanges(data: Recipe['data']): string[] {
  return [
    ...(data.flip > 0 ? ['flip=0'] : []),
    ...('erasing' in data && data.erasing > 0 ? ['erasing=0'] : []),
    ...('targetFrames' in data && data.targetFrames === 'double' ? ['targetFrames=own'] : []),
    ...('randAugment' in data && data.randAugment !== null ? ['randAugment=none'] : []),
  ];
}

function settingsText(changes: readonly string[]): string {
  return changes.map((one) => `--set data.${one}`).join(' ');
}
