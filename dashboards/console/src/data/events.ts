import { BASE } from './api';
import { follow, following, isFinal, refreshCommands } from './commands';
import { refreshIncidents } from './incidents';
import { link } from './live';
import { refreshGateways, refreshTroubles } from './system';

// Bursts become one reading: at most one every `pauseMs`, and always one after the last.
function calmly(work: () => Promise<void>, pauseMs: number): () => void {
  let pending = false;
  let busy = false;
  const run = async (): Promise<void> => {
    busy = true;
    pending = false;
    await work().catch(() => undefined); // the banner tells of a lost server; the next event reads again
    setTimeout(() => {
      busy = false;
      if (pending) void run();
    }, pauseMs);
  };
  return () => {
    pending = true;
    if (!busy) void run();
  };
}

const gatewaysChanged = calmly(refreshGateways, 1_000);
const troublesChanged = calmly(refreshTroubles, 1_000);
const incidentsChanged = calmly(refreshIncidents, 1_000);
const commandsChanged = calmly(refreshCommands, 1_000);
const followed = calmly(async () => {
  const request = following.peek();
  if (request && !isFinal(request.state)) await follow(request.request);
}, 100);

let source: EventSource | null = null;

function listen(): void {
  source?.close();
  source = new EventSource(`${BASE}/events`);
  source.addEventListener('command', () => {
    followed();
    commandsChanged();
  });
  source.addEventListener('gateway', gatewaysChanged);
  source.addEventListener('alarm', troublesChanged);
  source.addEventListener('incident', incidentsChanged);
  source.addEventListener('missed', () =>
    [followed, commandsChanged, gatewaysChanged, troublesChanged, incidentsChanged].forEach((read) => read()),
  );
}

// Events follow the live stream's fate: opened when it is up, closed while it is lost, so that one banner tells both.
export function start(): void {
  link.subscribe((state) => {
    if (state === 'up') {
      listen();
      commandsChanged();
      incidentsChanged();
      followed();
    } else {
      source?.close();
      source = null;
    }
  });
}
