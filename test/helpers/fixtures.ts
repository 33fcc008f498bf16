/** Small files that lie in `test/fixtures`, each with the script that made it. */

import { join } from 'node:path';
import { projectRoot } from './videos.ts';

/** Absolute path of a fixture. */
export function fixturePath(name: string): string {
  return join(projectRoot(), 'test', 'fixtures', name);
}
