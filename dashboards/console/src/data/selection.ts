import { computed, signal } from '@preact/signals';
import { incident, page } from './address';
import { GONE, lamps, revision, STATES, type State, supplyOf } from './fleet';

export interface Filter {
  text: string;
  gateway: string;
  supply: string;
  state: State | '';
}

export const NO_FILTER: Filter = { text: '', gateway: '', supply: '', state: '' };
export const filter = signal<Filter>(fromAddress());
export const selected = signal<ReadonlySet<string>>(new Set());
export const view = signal<'map' | 'list'>(new URLSearchParams(location.search).get('view') === 'list' ? 'list' : 'map');

function fromAddress(): Filter {
  const query = new URLSearchParams(location.search);
  const state = query.get('state') ?? '';
  return {
    text: query.get('text') ?? '',
    gateway: query.get('gateway') ?? '',
    supply: query.get('supply') ?? '',
    state: (STATES as readonly string[]).includes(state) ? (state as State) : '',
  };
}

// Page, filters and view stand in the address, so that a page can be passed on.
export function intoAddress(): void {
  const query = new URLSearchParams(Object.entries(filter.value).filter(([, value]) => value));
  if (view.value === 'list') query.set('view', 'list');
  if (page.value !== 'street') query.set('page', page.value);
  if (page.value === 'incidents' && incident.value) query.set('incident', incident.value);
  const text = query.toString();
  history.replaceState(null, '', text ? `?${text}` : location.pathname);
}

export const filtering = computed(() => Object.values(filter.value).some(Boolean));

export const found = computed<number[]>(() => {
  const fleet = lamps.value;
  const { text, gateway, supply, state } = filter.value;
  const wantedState = state ? STATES.indexOf(state) : -1;
  if (wantedState >= 0) void revision.value;
  const needle = text.trim().toLowerCase();
  const called = needle ? fleet.names.map((name) => Object.values(name).some((word) => word.toLowerCase().includes(needle))) : [];
  const rows: number[] = [];
  for (const row of fleet.order) {
    const id = fleet.ids[row] as string;
    if (fleet.state[row] === GONE) continue;
    if (gateway && fleet.gateway[row] !== gateway) continue;
    if (supply && supplyOf(id) !== supply) continue;
    if (wantedState >= 0 && fleet.state[row] !== wantedState) continue;
    if (needle && !id.includes(needle) && !called[fleet.name[row] as number]) continue;
    rows.push(row);
  }
  return rows;
});

export const gatewayNames = computed(() => [...new Set(lamps.value.gateway)].filter(Boolean).sort());

export const supplies = computed(() => {
  const { ids, gateway } = lamps.value;
  const wanted = filter.value.gateway;
  return [...new Set(ids.filter((_, row) => (wanted ? gateway[row] === wanted : gateway[row])).map(supplyOf))].sort();
});

export function select(ids: Iterable<string>): void {
  selected.value = new Set(ids);
}

export function toggle(id: string): void {
  const next = new Set(selected.value);
  if (!next.delete(id)) next.add(id);
  selected.value = next;
}

export const selectedRows = computed(() => {
  const { rows } = lamps.value;
  return [...selected.value].map((id) => rows.get(id)).filter((row): row is number => row !== undefined);
});
