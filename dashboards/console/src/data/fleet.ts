import { computed, signal } from '@preact/signals';
import { language } from '../i18n';
import { get } from './api';
import { setCivil } from './city';

// The lamps as typed columns: row i of every column is one lamp. Unknown numbers are NaN.
export const STATES = ['unknown', 'off', 'lit', 'fault'] as const;
export type State = (typeof STATES)[number];
export const UNKNOWN = 0;
export const OFF = 1;
export const LIT = 2;
export const FAULT = 3;
export const GONE = 4; // no gateway serves it any more; its row stays, and is shown nowhere

export type Name = Record<string, string>;

export interface Fleet {
  version: number;
  ids: string[];
  gateway: string[];
  rows: Map<string, number>;
  names: Name[];
  name: number[]; // which of the names
  order: number[]; // rows by id
  latitude: Float64Array;
  longitude: Float64Array;
  state: Uint8Array;
  level: Float32Array;
  power: Float32Array;
  timeMs: Float64Array;
}

export interface Columns {
  version: number;
  time_now_ms: number;
  ids: string[];
  gateway: string[];
  names: Name[];
  name: number[];
  latitude: (number | null)[];
  longitude: (number | null)[];
  state: number[];
  time_ms: number[];
  values: Record<string, (number | null)[]>;
}

export interface Delta {
  version: number;
  row: number[];
  state: number[];
  time_ms: number[];
  values: Record<string, (number | null)[]>;
}

const numbers = (column: (number | null)[] | undefined, length: number): number[] =>
  column ? column.map((value) => value ?? Number.NaN) : new Array<number>(length).fill(Number.NaN);

const sorted = (ids: string[]): number[] =>
  [...ids.keys()].sort((a, b) => ((ids[a] as string) < (ids[b] as string) ? -1 : 1));

export function build(columns: Columns): Fleet {
  const n = columns.ids.length;
  return {
    version: columns.version,
    ids: columns.ids,
    gateway: columns.gateway,
    rows: new Map(columns.ids.map((id, row) => [id, row])),
    names: columns.names,
    name: columns.name,
    order: sorted(columns.ids),
    latitude: Float64Array.from(numbers(columns.latitude, n)),
    longitude: Float64Array.from(numbers(columns.longitude, n)),
    state: Uint8Array.from(columns.state),
    level: Float32Array.from(numbers(columns.values.level_percent, n)),
    power: Float32Array.from(numbers(columns.values.power_w, n)),
    timeMs: Float64Array.from(columns.time_ms),
  };
}

// Applies a delta in place; false when it names a row this fleet has not, so that it must be read afresh.
export function apply(fleet: Fleet, delta: Delta): boolean {
  const { row, state, time_ms, values } = delta;
  const { level_percent: level, power_w: power } = values;
  for (let i = 0; i < row.length; i += 1) {
    const at = row[i] as number;
    if (at >= fleet.ids.length) return false;
    fleet.state[at] = state[i] as number;
    fleet.timeMs[at] = time_ms[i] as number;
    if (level) fleet.level[at] = level[i] ?? Number.NaN;
    if (power) fleet.power[at] = power[i] ?? Number.NaN;
  }
  fleet.version = delta.version;
  return true;
}

export const EMPTY: Fleet = build({
  version: -1,
  time_now_ms: 0,
  ids: [],
  gateway: [],
  names: [],
  name: [],
  latitude: [],
  longitude: [],
  state: [],
  time_ms: [],
  values: {},
});

// `lamps` changes when the lamps themselves do; `revision` also with every delta.
export const lamps = signal<Fleet>(EMPTY);
export const loaded = signal(false);
export const revision = signal(0);

export async function load(): Promise<void> {
  const columns = await get<Columns>('/latest?kind=lamp');
  setCivil(columns.time_now_ms);
  lamps.value = build(columns);
  loaded.value = true;
  revision.value += 1;
}

export function take(delta: Delta): boolean {
  if (delta.version <= lamps.value.version) return true;
  const fits = apply(lamps.value, delta);
  revision.value += 1;
  return fits;
}

export interface Totals {
  total: number;
  count: [number, number, number, number];
  powerW: number;
}

export function totalsOf(fleet: Fleet, rows?: Iterable<number>): Totals {
  const totals: Totals = { total: 0, count: [0, 0, 0, 0], powerW: 0 };
  for (const row of rows ?? fleet.ids.keys()) {
    if (fleet.state[row] === GONE) continue;
    totals.total += 1;
    totals.count[fleet.state[row] as 0 | 1 | 2 | 3] += 1;
    const power = fleet.power[row] as number;
    if (fleet.state[row] !== UNKNOWN && power === power) totals.powerW += power;
  }
  return totals;
}

export const totals = computed(() => {
  void revision.value;
  return totalsOf(lamps.value);
});

// Lamps are named for their supply point: lamp-01-017 hangs on lamp-01.
export const supplyOf = (id: string): string => id.slice(0, id.lastIndexOf('-'));

export function nameOf(fleet: Fleet, row: number): string {
  return fleet.names[fleet.name[row] as number]?.[language.value === 'en' ? 'en' : 'zh'] ?? '';
}
