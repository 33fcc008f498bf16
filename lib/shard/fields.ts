/** Typed access to data that came from a disk: every getter either gives a value of its type or reports the problem. */

/** Throws the error that fits the caller: a coded one for data that was read, a `RangeError` for data that was passed in. */
export type Fail = (problem: string) => never;

/** The {@link Fail} for data that a caller passes in. */
export const refuse: Fail = (problem) => {
  throw new RangeError(`${problem}.`);
};

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** The fields of one map; unknown fields are ignored, wrong and missing ones reported through {@link Fail}. */
export interface Fields {
  /** The value of a field as it is, `undefined` if absent. */
  get(name: string): unknown;
  text(name: string): string;
  textOrNull(name: string): string | null;
  /** A safe integer within inclusive bounds; the default lower bound is 0. */
  integer(name: string, bounds?: Bounds): number;
  integerOrNull(name: string, bounds?: Bounds): number | null;
  /** A finite number within inclusive bounds. */
  number(name: string, bounds?: Bounds): number;
  list(name: string): readonly unknown[];
  integers(name: string, bounds?: Bounds): readonly number[];
  numbers(name: string): readonly number[];
  texts(name: string): readonly string[];
  map(name: string): Fields;
  maps(name: string): Fields[];
  /** The names of all fields. */
  names(): string[];
}

/** Opens a value as a map; `where` names it in reports. */
export function readFields(value: unknown, where: string, fail: Fail): Fields {
  if (!isMap(value)) return fail(`${where} is not a map`);
  const get = (name: string): unknown => (Object.hasOwn(value, name) ? value[name] : undefined);
  const wrong = (name: string, wanted: string): never => fail(`${where}: ${name} is not ${wanted}`);
  const fields: Fields = {
    get,
    text(name) {
      const text = get(name);
      return typeof text === 'string' ? text : wrong(name, 'a text');
    },
    textOrNull: (name) => (get(name) === null ? null : fields.text(name)),
    integer(name, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}) {
      const number = get(name);
      return isInteger(number, min, max) ? number : wrong(name, `an integer ${min} … ${max}`);
    },
    integerOrNull: (name, bounds) => (get(name) === null ? null : fields.integer(name, bounds)),
    number(name, { min = -Infinity, max = Infinity } = {}) {
      const number = get(name);
      return isFiniteNumber(number) && number >= min && number <= max
        ? number
        : wrong(name, `a number ${min} … ${max}`);
    },
    list(name) {
      const list: unknown = get(name);
      return Array.isArray(list) ? list : wrong(name, 'a list');
    },
    integers(name, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}) {
      const list = fields.list(name);
      return list.every((item) => isInteger(item, min, max))
        ? list
        : wrong(name, `a list of integers ${min} … ${max}`);
    },
    numbers(name) {
      const list = fields.list(name);
      return list.every(isFiniteNumber) ? list : wrong(name, 'a list of finite numbers');
    },
    texts(name) {
      const list = fields.list(name);
      return list.every((item) => typeof item === 'string') ? list : wrong(name, 'a list of texts');
    },
    map: (name) => readFields(get(name), `${where}.${name}`, fail),
    maps: (name) =>
      fields.list(name).map((item, i) => readFields(item, `${where}.${name}[${i}]`, fail)),
    names: () => Object.keys(value),
  };
  return fields;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value)
  );
}

function isInteger(value: unknown, min: number, max: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}

function isFiniteNumber(value: unknown): value is number {
  return Number.isFinite(value);
}
