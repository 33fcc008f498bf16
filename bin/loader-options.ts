/** Flags become the options of a loader. */

import { IMAGENET_COLOURS, PRESETS } from '../lib/index.ts';
import type { LoaderOptions, Preset } from '../lib/index.ts';
import { UsageError } from './flags.ts';
import type { Arguments } from './flags.ts';
import { LOADER_FLAGS } from './loader-flags.ts';
import type { LoaderFlag, OptionName } from './loader-flags.ts';

/** What the parts of an option are while no flag says otherwise. */
const PARTS: Partial<Record<OptionName, object>> = {
  colours: IMAGENET_COLOURS,
  mask: { kind: 'tube', ratio: 0.9 },
  mix: { mixupAlpha: 0, cutmixAlpha: 0, probability: 1, switchProbability: 0.5 },
  views: { segments: 1, crops: 1 },
};

/**
 * Gives the options that the flags of a command say, on top of a preset.
 *
 * @throws {UsageError} if a value cannot be read, or the batch size is missing
 */
export function loaderOptionsFrom(
  args: Arguments,
  flags: readonly LoaderFlag[] = LOADER_FLAGS,
): LoaderOptions {
  const preset = presetFrom(args);
  const options: Partial<Record<OptionName, unknown>> = {
    seed: 0,
    ...(preset === null ? {} : PRESETS[preset]),
  };
  for (const { name, sets, part, read } of flags) {
    const value = read(args, name);
    if (value === null) delete options[sets];
    else if (value !== undefined) {
      const whole = { ...PARTS[sets], ...(options[sets] as object | undefined) };
      options[sets] = part === null ? value : { ...whole, [part]: value };
    }
  }
  dropEmptyMix(args, options);
  const { batchSize } = options;
  if (typeof batchSize !== 'number') throw new UsageError('--batch-size N is missing.');
  return { ...(options as Partial<LoaderOptions>), batchSize };
}

/** Says which of the options that a message names come from the preset and not from the command line; `''` if none. */
export function tellPreset(args: Arguments, message: string): string {
  const preset = presetFrom(args);
  if (preset === null) return '';
  const named = LOADER_FLAGS.filter(
    ({ name, sets, read }) =>
      sets in PRESETS[preset] && read(args, name) === undefined && message.includes(`"${sets}"`),
  );
  const names = [...new Set(named.map(({ sets }) => `"${sets}"`))];
  if (names.length === 0) return '';
  const verb = names.length === 1 ? 'comes' : 'come';
  return ` ${names.join(', ')} ${verb} from "preset" ${preset}.`;
}

function presetFrom(args: Arguments): Preset | null {
  const text = args.text('preset');
  if (text === undefined) return null;
  const names = Object.keys(PRESETS) as Preset[];
  const found = names.find((one) => one === text);
  if (found !== undefined) return found;
  throw new UsageError(`--preset must be one of ${names.join(', ')} (got "${text}").`);
}

/** Both alphas 0 is no mixing. */
function dropEmptyMix(args: Arguments, options: Partial<Record<OptionName, unknown>>): void {
  const { mixupAlpha, cutmixAlpha } = (options.mix ?? {}) as Readonly<Record<string, unknown>>;
  if (options.mix === undefined || mixupAlpha !== 0 || cutmixAlpha !== 0) return;
  for (const name of ['mix-probability', 'mix-switch']) {
    if (args.text(name) !== undefined)
      throw new UsageError(`--${name} needs --mixup or --cutmix above 0.`);
  }
  delete options.mix;
}
