import test from 'ava';
import { convertCommand } from '../../bin/convert.ts';
import { translateOptions } from '../../bin/flags.ts';
import { runCli } from '../helpers/cli.ts';

for (const [message, shown] of [
  ['"shortSide" must be 1.', '--short-side must be 1.'],
  ['"timeoutSeconds" must be 1.', '--timeout must be 1.'],
  ['"layout" must be a (got "size").', '--layout must be a (got "size").'],
  ['"unheardOf" is odd.', '"unheardOf" is odd.'],
] as const) {
  test(`${message} is shown as ${shown}`, (t) => {
    t.is(translateOptions(convertCommand, message), shown);
  });
}

for (const [flags, shown] of [
  [['--frames', '16'], '--frames does not go with layout frames.'],
  [['--codec', 'raw', '--quality', '90'], '--quality does not go with codec raw.'],
  [['--root', '.'], '--root needs a list of videos.'],
  [['--form', 'csv'], '--form needs a list of videos.'],
  [['--split', 'a.b'], '--split without a --name may have'],
  [['--layout', 'tubelets', '--tubelet', '2x16x8'], '--tubelet must be as high as it is wide'],
] as const) {
  test(`convert ${flags.join(' ')}: ${shown}`, async (t) => {
    const { code, stderr } = await runCli('convert', '.', '--out', 'none', '--dry-run', ...flags);
    t.is(code, 2);
    t.true(stderr.startsWith(shown), stderr);
  });
}
