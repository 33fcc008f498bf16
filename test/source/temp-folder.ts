/** Temporary folders with files for the tests of `source`. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { openSource } from '../../lib/source/index.ts';
import type { Source, SourceOptions, VideoRef } from '../../lib/source/index.ts';

/** Makes a folder with the given files, which is removed after the test; a list of names makes empty files. */
export async function makeFolder(
  t: ExecutionContext,
  files: Readonly<Record<string, string | Buffer>> | readonly string[] = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tubelet-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const entries = Array.isArray(files)
    ? files.map((name: string) => [name, ''] as const)
    : Object.entries(files as Readonly<Record<string, string | Buffer>>);
  for (const [name, content] of entries) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

/** Opens a source that is closed after the test. */
export async function open(
  t: ExecutionContext,
  path: string,
  options: SourceOptions = {},
): Promise<Source> {
  const source = await openSource(path, options);
  t.teardown(() => source[Symbol.asyncDispose]());
  return source;
}

/** Writes a list, opens it, and reads all of it. */
export async function readListText(
  t: ExecutionContext,
  text: string | Buffer,
  options: SourceOptions & { readonly name?: string } = {},
): Promise<{ source: Source; videos: VideoRef[] }> {
  const { name = 'list.txt', ...rest } = options;
  const folder = await makeFolder(t, { [name]: text });
  const source = await open(t, join(folder, name), rest);
  return { source, videos: await source.read(0, source.numVideos) };
}
