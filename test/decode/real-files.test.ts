import { differencesOf } from '../helpers/compare-with-facts.ts';
import { filesOfSet, testVideos } from '../helpers/videos.ts';

const SETS = [
  'wagon',
  'overhead',
  'survfight',
  'wlasl8',
  'wlaslpool',
  'gmdcsa24',
  'aslgestures',
  'mousebehaviour',
  'gridlips',
  'classics',
  'variety',
  'damaged',
  'broken',
];

for (const set of SETS) {
  testVideos(`frames, sizes, times and colours of every file of ${set}`, async (t, videos) => {
    const differences: string[] = [];
    for (const path of filesOfSet(videos, set)) {
      differences.push(...(await differencesOf(videos, path)));
    }
    t.deepEqual(differences, []);
  });
}

testVideos('no set is left out', async (t, { facts }) => {
  const sets = new Set(Object.keys(facts).map((path) => path.split('/')[0]));
  t.deepEqual(sets, new Set(SETS));
});
