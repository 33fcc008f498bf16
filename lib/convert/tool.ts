/** Which program made a dataset; stored in it. */

import { readFileSync } from 'node:fs';

/** Name and version of this package. */
export const TOOL: { readonly name: string; readonly version: string } = {
  name: 'tubelet',
  version: readVersion(),
};

/** The version stands in package.json, above the folder of the compiled code. */
function readVersion(): string {
  for (const place of ['../../../package.json', '../../package.json']) {
    try {
      const text = readFileSync(new URL(place, import.meta.url), 'utf8');
      const { name, version } = JSON.parse(text) as { name?: string; version?: string };
      if (name === 'tubelet' && version !== undefined) return version;
    } catch {
      // Not there: the other place.
    }
  }
  return 'unknown';
}
