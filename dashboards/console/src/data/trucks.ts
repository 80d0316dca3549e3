import { signal } from '@preact/signals';
import { get, Refused } from './api';
import type { Page } from './system';

export type Cell = number | boolean | string | null;
export type LimitState =
  | 'waiting'
  | 'sent'
  | 'in_effect'
  | 'not_in_effect'
  | 'releasing'
  | 'outlived'
  | 'released'
  | 'failed'
  | 'superseded'
  | 'foreign';

export interface Truck {
  truck: string;
  plate: string;
  company: string;
  trip: string;
  age_s: number | null; // real seconds; null: none since the start
  values: Record<string, Cell>;
  limits: Partial<Record<'speed' | 'lift', LimitState>>;
  violations: string[];
}

export interface Violation {
  id: string;
  truck: string;
  company: string;
  class: string;
  score: number;
  first_ms: number;
  last_ms: number | null; // null: it goes on
}

export interface Limit {
  id: string;
  truck: string;
  what: 'speed' | 'lift';
  state: LimitState;
  limit_kmh: number | null;
  until_ms: number | null;
  detail: string;
}

const MOST = 50;

export const supervised = signal(true); // false: this controller has no fleet
export const trucks = signal<Truck[] | null>(null);
export const violations = signal<Page<Violation> | null>(null);
export const limits = signal<Page<Limit> | null>(null);

export async function readFleet(): Promise<void> {
  try {
    const [all, candidates, inForce] = await Promise.all([
      get<{ items: Truck[] }>('/fleet/positions'),
      get<Page<Violation>>(`/fleet/violations?state=candidate&limit=${MOST}`),
      get<Page<Limit>>(`/fleet/limits?in_force=true&limit=${MOST}`),
    ]);
    trucks.value = all.items;
    violations.value = candidates;
    limits.value = inForce;
    supervised.value = true;
  } catch (error) {
    if (error instanceof Refused && error.status === 404) supervised.value = false;
    else throw error;
  }
}
