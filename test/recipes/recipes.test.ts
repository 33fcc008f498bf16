import test from 'ava';
import { PRESETS } from '../../lib/load/index.ts';
import { RECIPES, changeRecipe, findRecipe } from '../../lib/recipes/index.ts';
import { scaleRate } from '../../lib/train/schedule.ts';

test('names are distinct, and recipes are found by task and name', (t) => {
  const names = RECIPES.map(({ name }) => name);
  t.is(new Set(names).size, names.length);
  for (const recipe of RECIPES) t.is(findRecipe(recipe.task, recipe.name), recipe);
  t.throws(() => findRecipe('pretrain', 'k400-finetune'), {
    instanceOf: RangeError,
    message: /k400-pretrain, /,
  });
});

test('values of the paper stand where they belong', (t) => {
  const k400 = findRecipe('pretrain', 'k400-pretrain');
  t.is(scaleRate(k400.train.lr, k400.train.batchSize), 6e-4);
  t.is(scaleRate(k400.train.minLr, k400.train.batchSize), 4e-5);
  t.deepEqual([k400.train.beta1, k400.train.beta2, k400.data.maskRatio], [0.9, 0.95, 0.9]);
  t.is(findRecipe('pretrain', 'ucf101-pretrain').data.maskRatio, 0.75);
  t.is(findRecipe('pretrain', 'hmdb51-pretrain').train.epochs, 4800);
  const ssv2 = findRecipe('finetune', 'ssv2-finetune');
  t.deepEqual([ssv2.data.flip, ssv2.data.frames, ssv2.test.segments], [0, 'uniform', 2]);
  t.is(findRecipe('finetune', 'ucf101-finetune').train.layerDecay, 0.7);
  const { randAugment } = findRecipe('finetune', 'k400-finetune-script').data;
  t.is(randAugment, PRESETS.finetune.randAugment!);
  for (const { task, name, train } of RECIPES) {
    if (task === 'probe') continue;
    t.is(train.batchSize % train.accumulate, 0, name);
    if (task === 'finetune') t.is((train.batchSize / train.accumulate) % 2, 0, name);
  }
});

test('names that stand for something must be known', (t) => {
  const pretraining = findRecipe('pretrain', 'small-pretrain');
  for (const assignment of ['model.size=XL', 'train.loss=l2']) {
    t.throws(() => changeRecipe(pretraining, [assignment]), {
      instanceOf: RangeError,
      message: /"set" must give (model.size|train.loss) one of /,
    });
  }
  const probing = findRecipe('probe', 'small-probe');
  t.throws(() => changeRecipe(probing, ['train.optimizer=adam']), { message: /sgd, lars/ });
  t.is(changeRecipe(probing, ['train.optimizer=lars']).train.optimizer, 'lars');
});

test('single values are set by name and keep their type', (t) => {
  const recipe = findRecipe('finetune', 'k400-finetune');
  const changed = changeRecipe(recipe, [
    'train.lr=3e-4',
    'data.randAugment=none',
    'train.clipNorm=1',
    'data.crop=center',
  ]);
  t.is(changed.train.lr, 3e-4);
  t.is(changed.data.randAugment, null);
  t.is(changed.train.clipNorm, 1);
  t.is(changed.data.crop, 'center');
  t.is(recipe.train.lr, 1e-3);
  t.is(changeRecipe(changed, ['data.randAugment=rand-m5-n2']).data.randAugment, 'rand-m5-n2');
  t.is(changeRecipe(changed, ['train.clipNorm=none']).train.clipNorm, null);
  for (const wrong of [
    'train.lr',
    'lr=1',
    'train.rate=1',
    'train.lr=fast',
    'train.lr=',
    'name=x',
    'train.lr=none',
    'train.lr.x=2',
    'task.length=2',
  ]) {
    t.throws(() => changeRecipe(recipe, [wrong]), { instanceOf: RangeError }, wrong);
  }
});
