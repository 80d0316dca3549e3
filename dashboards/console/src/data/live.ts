import { signal } from '@preact/signals';
import { BASE, get, signedIn } from './api';
import { loadCabinets } from './cabinets';
import { city, type City, setCivil, tick } from './city';
import { type Delta, lamps, load, take } from './fleet';
import { refreshGateways, refreshTroubles } from './system';

export type Link = 'starting' | 'up' | 'lost';
export const link = signal<Link>('starting');
export const lostAtMs = signal(0);
export const lastDataMs = signal(Number.NaN);

type Frame =
  | { type: 'hello'; version: number; build: string; time_now_ms: number; rate: number }
  | ({ type: 'delta'; kind: string; time_now_ms: number } & Delta)
  | { type: 'beat'; version: number; time_now_ms: number }
  | { type: 'resync' };

const SILENT_AFTER_MS = 6_000;
const MAX_WAIT_MS = 10_000;

let socket: WebSocket | null = null;
let waiting: Delta[] | null = null; // deltas that came before the snapshot they build on
let lastFrameMs = 0;
let attempt = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let build = '';

export function connect(): void {
  clearTimeout(timer);
  const address = new URL(`${BASE}/live?kinds=lamp`, location.href);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  const mine = new WebSocket(address);
  socket = mine;
  lastFrameMs = performance.now();
  mine.onmessage = (message: MessageEvent<string>) => {
    if (mine === socket) void receive(JSON.parse(message.data) as Frame);
  };
  mine.onclose = (event) => {
    if (mine === socket) closed(event.code);
  };
}

async function receive(frame: Frame): Promise<void> {
  lastFrameMs = performance.now();
  if (frame.type === 'hello') {
    newBuild(frame.build);
    city.value = { ...city.value, rate: frame.rate };
    await resync();
  } else if (frame.type === 'resync') {
    await resync();
  } else {
    setCivil(frame.time_now_ms);
    if (frame.type === 'delta') takeDelta(frame);
  }
}

function takeDelta(delta: Delta): void {
  if (isNews(delta)) lastDataMs.value = performance.now();
  if (waiting) waiting.push(delta);
  else if (!take(delta)) void resync();
}

// A lamp that becomes unknown changes, too, and says nothing.
function isNews({ row, time_ms }: Delta): boolean {
  const known = lamps.peek().timeMs;
  return row.some((at, i) => (time_ms[i] as number) > (known[at] ?? 0));
}

// Reads everything afresh, then what came meanwhile.
async function resync(): Promise<void> {
  if (waiting) return;
  waiting = [];
  try {
    await Promise.all([
      load(),
      get<City>('/city').then((found) => (city.value = found)),
      loadCabinets(),
      refreshGateways(),
      refreshTroubles(),
    ]);
    const meanwhile: Delta[] = waiting;
    waiting = null;
    meanwhile.forEach(take);
    attempt = 0;
    link.value = 'up';
    if (Number.isNaN(lastDataMs.value)) lastDataMs.value = performance.now();
  } catch {
    waiting = null;
    socket?.close();
  }
}

function newBuild(found: string): void {
  if (build && found !== build) location.reload();
  build = found;
}

function closed(code: number): void {
  socket = null;
  waiting = null;
  if (code === 4401) {
    signedIn.value = false;
    return;
  }
  if (link.value === 'up' || link.value === 'starting') lostAtMs.value = performance.now();
  if (link.value === 'up') link.value = 'lost';
  attempt += 1;
  const most = Math.min(MAX_WAIT_MS, 500 * 2 ** attempt);
  timer = setTimeout(connect, most / 2 + (Math.random() * most) / 2);
  if (attempt > 2) link.value = 'lost';
}

export function retryNow(): void {
  attempt = 0;
  if (socket) socket.close();
  else connect();
}

// A computer that slept, a network that changed, a server that hangs: all look like silence.
function watch(): void {
  if (socket && performance.now() - lastFrameMs > SILENT_AFTER_MS) {
    const dead = socket;
    socket = null;
    dead.close();
    closed(1006);
  }
}

export function start(): void {
  connect();
  tick.subscribe(watch);
  addEventListener('online', () => link.value === 'lost' && retryNow());
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && link.value === 'lost') retryNow();
  });
}

