import { computed, signal } from '@preact/signals';
import { get, Refused } from './api';
import { civilNow } from './city';
import { following, isFinal } from './commands';
import { lamps, revision } from './fleet';
import { selected } from './selection';

// The one lamp in the drawer, read in full whenever its newest reading changes.
export interface Device {
  id: string;
  kind: string;
  gateway: string | null;
  profile: string;
  address: string;
  name: Record<string, string>;
  latitude: number | null;
  longitude: number | null;
  state: string;
  time_ms: number;
  quality: string[];
  values: Record<string, number>;
  override: null | { level_percent: number; until: number; request: string; by: string };
}

export interface History {
  startMs: number;
  endMs: number;
  time_ms: number[];
  values: Record<string, (number | null)[]>;
}

export const WINNERS = [
  'emergency',
  'override',
  'scene',
  'adaptive',
  'program',
  'default',
  'own',
  'photocell',
  'fail-safe',
] as const;
export type Winner = (typeof WINNERS)[number];

export interface Reason {
  winner: Winner;
  source: string;
  until_ms: number | null;
  beat: Winner[];
  program: string;
  program_percent: number | null;
  unused: string[];
  asked_percent: number | null;
  virtual_percent: number;
  constant_percent: number;
}

export interface Decision {
  lamp: string;
  level_percent: number | null; // null: its own schedule
  why: Reason;
  plan_version: number | null;
  told_version: number;
  reported_desired_percent: number | null;
  reported_by: Winner | null;
  agrees: boolean | null;
  open_circuit: string | null; // its contactor, where that is open by plan
}

export interface Change {
  start_ms: number;
  level_percent: number | null;
  why: Reason;
}

export interface Night {
  lamp: string;
  changes: Change[];
}

export const decision = signal<Decision | null>(null);
export const night = signal<Night | null>(null);
export const device = signal<Device | null>(null);
export const history = signal<History | null>(null);
export const hours = signal(6);

const POINTS = 240;

const theOne = computed(() => (selected.value.size === 1 ? ([...selected.value][0] as string) : ''));

const newest = computed(() => {
  void revision.value;
  const row = lamps.value.rows.get(theOne.value);
  return row === undefined ? 0 : (lamps.value.timeMs[row] as number);
});

async function readDevice(id: string): Promise<void> {
  const found = await get<Device>(`/devices/${id}/latest`);
  if (theOne.peek() === id) device.value = found;
}

async function readDecision(id: string): Promise<void> {
  const found = await get<Decision>(`/lamps/${id}/why`);
  if (theOne.peek() === id) decision.value = found;
}

// Without a plan there is no night to show.
async function readNight(id: string): Promise<void> {
  if (decision.peek()?.plan_version == null) return;
  const found = await get<Night>(`/lamps/${id}/tonight`);
  if (theOne.peek() === id) night.value = found;
}

async function readHistory(id: string, span: number): Promise<void> {
  const end = Math.round(civilNow());
  const window = Math.max(60, Math.round((span * 3600) / POINTS));
  const query = new URLSearchParams({
    quantities: 'level_percent,power_w',
    start: String(end - span * 3_600_000),
    end: String(end),
    window: String(window),
  });
  const found = await get<Omit<History, 'startMs' | 'endMs'>>(`/devices/${id}/history?${query}`);
  if (theOne.peek() === id) history.value = { ...found, startMs: end - span * 3_600_000, endMs: end };
}

const quietly = (work: Promise<void>): void => {
  work.catch((error: unknown) => {
    if (error instanceof Refused) device.value = null; // the banner tells of a lost server
  });
};

const HISTORY_PAUSE_MS = 4_000;
let historyReadMs = 0;

export function start(): void {
  theOne.subscribe((id) => {
    if (device.peek()?.id !== id) {
      device.value = null;
      history.value = null;
      decision.value = null;
      night.value = null;
    }
    historyReadMs = 0;
  });
  hours.subscribe(() => {
    historyReadMs = 0;
    read();
  });
  newest.subscribe(read);
  following.subscribe((request) => {
    if (request && isFinal(request.state)) read();
  });
}

function read(): void {
  const id = theOne.peek();
  if (!id) return;
  quietly(readDevice(id));
  const decided = readDecision(id);
  quietly(decided);
  const now = performance.now();
  if (historyReadMs && now - historyReadMs < HISTORY_PAUSE_MS) return;
  historyReadMs = now;
  quietly(readHistory(id, hours.peek()));
  quietly(decided.then(() => readNight(id)));
}
