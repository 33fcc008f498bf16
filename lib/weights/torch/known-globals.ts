/**
 * The names that a pickle may mention, and what stands for a call of them. Python would import and run whatever is named;
 * here a name that is not in these tables ends the reading, and nothing is ever run.
 */

import { WeightsFault } from '../weights-fault.ts';
import { isDict, isSequence, isTensor, makeDict, typeOf } from './pickle-value.ts';
import type { PickleGlobal, PickleValue, TorchStorage, TorchTensor } from './pickle-value.ts';

/** Storage classes of PyTorch and the types of their values. */
const STORAGES: ReadonlyMap<string, string> = new Map([
  ['torch.DoubleStorage', 'F64'],
  ['torch.FloatStorage', 'F32'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
]);

/** More axes than PyTorch has. */
const MAX_AXES = 64;

type Call = (args: readonly PickleValue[]) => PickleValue;

/** What stands for a call of a name. */
const CALLS: ReadonlyMap<string, Call> = new Map<string, Call>([
  ['torch._utils._rebuild_tensor', makeTensor],
  ['torch._utils._rebuild_tensor_v2', makeTensor],
  ['torch._utils._rebuild_parameter', ([data]) => checkTensor(data)],
  ['torch._utils._rebuild_parameter_with_state', ([data]) => checkTensor(data)],
  ['torch._tensor._rebuild_from_type_v2', makeFromType],
  ['torch.Size', ([items]) => ({ type: 'tuple', items: isSequence(items) ? items.items : [] })],
  ['collections.OrderedDict', makeOrderedDict],
  ['collections.defaultdict', makeDict],
  ['collections.Counter', makeDict],
  ...['builtins', '__builtin__'].flatMap((module): [string, Call][] => [
    [`${module}.set`, makeList],
    [`${module}.frozenset`, makeList],
    [`${module}.list`, makeList],
    [`${module}.dict`, makeDict],
  ]),
]);

/** Things of training runs that are no weights; they become records that do nothing. */
const INERT: ReadonlySet<string> = new Set([
  'argparse.Namespace',
  'types.SimpleNamespace',
  'pathlib.Path',
  'pathlib.PosixPath',
  'pathlib.PurePosixPath',
  'pathlib.WindowsPath',
  'pathlib.PureWindowsPath',
  'datetime.datetime',
  'datetime.timedelta',
  'copyreg._reconstructor',
  'copy_reg._reconstructor',
  '_codecs.encode',
  'numpy.dtype',
  'numpy.ndarray',
  'numpy.core.multiarray.scalar',
  'numpy.core.multiarray._reconstruct',
  'numpy._core.multiarray.scalar',
  'numpy._core.multiarray._reconstruct',
  'numpy.core.numeric._frombuffer',
  'numpy._core.numeric._frombuffer',
  'torch.device',
  'torch.nn.parameter.Parameter',
  'deepspeed.runtime.fp16.loss_scaler.LossScaler',
  'deepspeed.runtime.fp16.loss_scaler.DynamicLossScaler',
  ...['builtins', '__builtin__'].flatMap((module) =>
    ['int', 'float', 'bool', 'str', 'bytes', 'bytearray', 'tuple', 'object', 'long'].map(
      (name) => `${module}.${name}`,
    ),
  ),
  ...[
    'float64',
    'float32',
    'float16',
    'bfloat16',
    'int64',
    'int32',
    'int16',
    'int8',
    'uint8',
    'bool',
  ].map((name) => `torch.${name}`),
]);

/** Harmless, but tensors of kinds that have no counterpart here. */
const UNSUPPORTED =
  /^torch\.(?:(?:_utils|_tensor)\._rebuild_\w+|\w+Storage|storage\.\w+Storage|serialization\._get_layout)$/;

/**
 * Admits a name.
 *
 * @throws {WeightsFault} TUBE_WEIGHTS_UNSAFE naming it, or TUBE_WEIGHTS_UNSUPPORTED
 */
export function admitGlobal(module: string, member: string): PickleGlobal {
  const name = `${module}.${member}`;
  if (CALLS.has(name) || STORAGES.has(name) || INERT.has(name)) return { type: 'global', name };
  if (UNSUPPORTED.test(name)) {
    throw new WeightsFault(
      `${name} is a kind of tensor that cannot be read`,
      'TUBE_WEIGHTS_UNSUPPORTED',
      name,
    );
  }
  throw new WeightsFault(`it would run ${name}`, 'TUBE_WEIGHTS_UNSAFE', name);
}

/** What stands for a call of a name with arguments; a call of a record that does nothing gives another one. */
export function standInFor(
  callee: PickleValue | undefined,
  args: readonly PickleValue[],
): PickleValue {
  if (typeOf(callee) === 'inert') return callee ?? null;
  if (!isGlobal(callee)) throw new WeightsFault('something that is no function is called');
  const call = CALLS.get(callee.name);
  return call === undefined ? { type: 'inert', name: callee.name } : call(args);
}

/**
 * The storage that a persistent id names: `('storage', class, key, place, number of values, …)`.
 *
 * @throws {WeightsFault} for any other id
 */
export function makeStorage(id: PickleValue | undefined): TorchStorage {
  const [kind, storage, key, , numValues] = isSequence(id) ? id.items : [];
  const dtype = isGlobal(storage) ? STORAGES.get(storage.name) : undefined;
  if (kind !== 'storage' || dtype === undefined || typeof key !== 'string' || !isSize(numValues)) {
    throw new WeightsFault('a persistent id is not that of a storage');
  }
  return { type: 'storage', key, dtype, numValues };
}

function isGlobal(value: PickleValue | undefined): value is PickleGlobal {
  return typeOf(value) === 'global';
}

/** `(storage, offset, size, strides, …)`; must stay inside its storage and not repeat values of it. */
function makeTensor([storage, offset, size, stride]: readonly PickleValue[]): TorchTensor {
  const shape = isSequence(size) ? size.items : null;
  const strides = isSequence(stride) ? stride.items : null;
  if (
    !isStorage(storage) ||
    !isSize(offset) ||
    shape?.every(isSize) !== true ||
    strides?.every(isSize) !== true ||
    shape.length !== strides.length ||
    shape.length > MAX_AXES
  ) {
    throw new WeightsFault('a tensor has no proper storage, shape or strides');
  }
  const numValues = shape.reduce((product, length) => product * length, 1);
  const last = shape.reduce(
    (sum, length, axis) => sum + (length - 1) * (strides[axis] ?? 0),
    offset,
  );
  if (numValues > 0 && (numValues > storage.numValues || last >= storage.numValues)) {
    throw new WeightsFault(`a tensor of [${shape.join(', ')}] is larger than its storage`);
  }
  if (!Number.isSafeInteger(numValues)) throw new WeightsFault('a tensor is beyond reason');
  return { type: 'tensor', storage, offset, shape: [...shape], strides: [...strides] };
}

/** `(function, type, arguments, attributes)`: a tensor that carries attributes. */
function makeFromType([callee, , args]: readonly PickleValue[]): PickleValue {
  return checkTensor(standInFor(callee, isSequence(args) ? args.items : []));
}

function checkTensor(value: PickleValue | undefined): TorchTensor {
  if (!isTensor(value)) throw new WeightsFault('a parameter is no tensor');
  return value;
}

function makeOrderedDict([pairs]: readonly PickleValue[]): PickleValue {
  const dict = makeDict();
  if (isDict(pairs)) for (const [key, value] of pairs.entries) dict.entries.set(key, value);
  if (!isSequence(pairs)) return dict;
  for (const pair of pairs.items) {
    const [key = null, value = null] = isSequence(pair) ? pair.items : [];
    dict.entries.set(key, value);
  }
  return dict;
}

function makeList([items]: readonly PickleValue[]): PickleValue {
  return { type: 'list', items: isSequence(items) ? [...items.items] : [] };
}

function isStorage(value: PickleValue | undefined): value is TorchStorage {
  return typeOf(value) === 'storage';
}

function isSize(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
