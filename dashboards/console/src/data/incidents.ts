import { signal } from '@preact/signals';
import { language } from '../i18n';
import { get, post } from './api';
import { incident } from './address';
import type { Name } from './fleet';
import type { Page } from './system';

export type IncidentState = 'raised' | 'acknowledged' | 'shelved' | 'in_work' | 'cleared' | 'closed';

export interface Element {
  kind: string;
  id: string;
}

export interface Evidence {
  name: string;
  words: Name;
  value: number | null;
  expected: number | null;
  sigma: number | null;
  samples: number;
  unit: string;
}

export interface Incident {
  id: string;
  element: Element;
  class: string;
  name: Name;
  confidence: number;
  alternatives: { class: string; name: Name; probability: number }[];
  state: IncidentState;
  severity: number;
  onset_ms: number;
  raised_ms: number;
  changed_ms: number;
  due_ms: number | null;
  overdue: boolean;
  trip_ms: number | null;
  action: Name;
  part: Name;
  settle: Name | null;
  evidence: Evidence[];
  members: number;
  testable: boolean;
  acknowledged_by: string | null;
  shelved_until_ms: number | null;
  order: string | null;
  closed_by: string | null;
  note: string | null;
  isolation: null | { circuits: string[]; state: string; text: string };
  trials: { state: string; time_ms: number; who: string; text: string }[];
}

export const MOST = 200; // as many as one sees through; the rest is counted

// What the header counts: cleared ones wait for nobody.
const WRONG_NOW = 'state=raised&state=acknowledged&state=in_work';

export type Show = 'open' | 'closed';
export const show = signal<Show>('open');
export const leastSeverity = signal(1);

export const incidents = signal<Page<Incident> | null>(null); // as chosen by `show` and `leastSeverity`
export const openCount = signal<{ total: number; urgent: boolean }>({ total: 0, urgent: false });
export const detail = signal<Incident | null>(null);
export const explanation = signal<string[]>([]);

const inLanguage = (name: Name): string => name[language.value === 'en' ? 'en' : 'zh'] ?? '';
export const said = (name: Name | null): string => (name ? inLanguage(name) : '');

export async function refreshIncidents(): Promise<void> {
  const open = await get<Page<Incident>>(`/incidents?${WRONG_NOW}&order=severity&limit=1`);
  openCount.value = { total: open.total, urgent: (open.items[0]?.severity ?? 0) >= 4 };
  if (listening) await Promise.all([refreshList(), refreshDetail()]);
}

let listening = false;

// The list is read only while somebody looks at it.
export function listen(on: boolean): void {
  listening = on;
}

export async function refreshList(): Promise<void> {
  const query = new URLSearchParams({ order: 'severity', limit: String(MOST), severity: String(leastSeverity.peek()) });
  if (show.peek() === 'closed') query.set('state', 'closed');
  incidents.value = await get<Page<Incident>>(`/incidents?${query}`);
}

export async function refreshDetail(): Promise<void> {
  const id = incident.peek();
  if (!id) return;
  const path = `/incidents/${encodeURIComponent(id)}`;
  const [found, told] = await Promise.all([
    get<Incident>(path),
    get<{ lines: string[] }>(`${path}/explanation?language=${language.peek() === 'en' ? 'en' : 'zh'}`),
  ]);
  if (incident.peek() !== id) return;
  detail.value = found;
  explanation.value = told.lines;
}

export type Act = 'acknowledge' | 'close' | 'test';

export async function act(id: string, what: Act, reason: string): Promise<void> {
  await post(`/incidents/${encodeURIComponent(id)}/${what}`, { reason });
  await refreshIncidents();
}
