/** The state of a folder in a form that tests can compare. */

import { createHash } from 'node:crypto';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** SHA-256 of every file below a folder, by relative path, hidden files included. */
export async function hashFiles(folder: string): Promise<Record<string, string>> {
  return mapFiles(folder, async (path) =>
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex'),
  );
}

/** Content of every file below a folder, by relative path. */
export async function filesOf(folder: string): Promise<Record<string, Uint8Array>> {
  return mapFiles(folder, (path) => readFile(path));
}

/** Time of the last change of every file below a folder, by relative path. */
export async function changeTimes(folder: string): Promise<Record<string, bigint>> {
  return mapFiles(folder, async (path) => (await stat(path, { bigint: true })).mtimeNs);
}

/** Waits until a condition holds; gives up after a minute. */
export async function until(holds: () => boolean | Promise<boolean>, everyMs = 5): Promise<void> {
  for (let left = 60_000 / everyMs; left > 0; left--) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  throw new Error('waited for a minute in vain');
}

async function mapFiles<T>(
  folder: string,
  map: (path: string) => Promise<T>,
): Promise<Record<string, T>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const found: Record<string, T> = {};
  for (const path of paths) found[path.slice(folder.length + 1)] = await map(path);
  return found;
}
