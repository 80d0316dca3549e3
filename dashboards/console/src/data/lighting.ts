import { signal } from '@preact/signals';
import { call, get } from './api';
import type { Change } from './lamp';
import type { Page } from './system';

export interface Running {
  gateway: string;
  plan: number;
  version: number;
  published_ms: number;
  told_version: number;
  running: boolean;
}

export interface Plan {
  number: number;
  state: 'draft' | 'validated' | 'published';
  author: string;
  reason: string;
  created_ms: number;
  approvals: string[];
  problems: { severity: string }[];
}

export interface Road {
  id: string;
  name: string;
  road_class: string;
}

export interface RoadNight {
  road: string;
  lamps: number;
  nights: { lamps: string[]; changes: Change[] }[];
  without_plan: string[];
}

export interface Rate {
  key: string;
  lamps: number;
  reported_percent: number | null;
  worst_percent: number | null;
  best_percent: number | null;
  dark_lamps: number;
  unknown_lamps: number;
}

export interface Rates {
  night: string;
  start_ms: number;
  items: Rate[];
}

export interface Override {
  id: string;
  in_force: boolean;
  level_percent: number;
  emergency: boolean;
  until_ms: number;
  by: string;
  reason: string;
  lamps: number;
}

export const versions = signal<Running[] | null>(null);
export const plans = signal<Plan[] | null>(null);
export const roads = signal<Road[] | null>(null);
export const road = signal('');
export const roadNight = signal<RoadNight | null>(null);
export const rates = signal<Rates | null | 'none'>(null); // none: no whole night was looked at yet
export const overrides = signal<Override[] | null>(null);

const ROADS = 1_000; // what one page of the API holds

export async function readPlans(): Promise<void> {
  const [given, all] = await Promise.all([
    get<{ items: Running[] }>('/plans/versions'),
    get<{ items: Plan[] }>('/plans?limit=10'),
  ]);
  versions.value = given.items;
  plans.value = all.items;
}

export async function readRoads(): Promise<void> {
  const found = (await get<Page<Road>>(`/roads?limit=${ROADS}`)).items;
  roads.value = found;
  if (!road.peek()) road.value = found[0]?.id ?? '';
}

export async function readRoad(): Promise<void> {
  const id = road.peek();
  if (!id) return;
  const found = await get<RoadNight>(`/roads/${encodeURIComponent(id)}/tonight`);
  if (road.peek() === id) roadNight.value = found;
}

export async function readRates(): Promise<void> {
  const { items } = await get<{ items: { night: string; over: boolean }[] }>('/rates/nights?limit=3');
  const last = items.find((night) => night.over);
  rates.value = last ? await get<Rates>(`/rates?night=${last.night}&by=class`) : 'none';
}

export async function readOverrides(): Promise<void> {
  overrides.value = (await get<{ items: Override[] }>('/overrides')).items;
}

export async function endOverride(id: string, reason: string): Promise<void> {
  await call('DELETE', `/overrides/${encodeURIComponent(id)}`, { reason });
  await readOverrides();
}
