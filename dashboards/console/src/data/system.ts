import { signal } from '@preact/signals';
import { get } from './api';

export interface Gateway {
  gateway: string;
  enrolled: boolean;
  online: boolean | null;
  version: string;
  devices: number;
  health: null | {
    time: number;
    spool: { waiting: number };
    buses: { bus: string; wire: string; connected: boolean; silent?: number }[];
  };
}

export interface Alarm {
  key: string;
  text: string;
  time_ms: number;
}

export interface DeadLetter {
  id: number;
  gateway: string;
  reason: string;
  detail: string;
  time_ms: number;
}

export interface Page<T> {
  items: T[];
  total: number;
}

export const gateways = signal<Gateway[]>([]);
export const alarms = signal<Alarm[]>([]);
export const deadLetters = signal<Page<DeadLetter>>({ items: [], total: 0 });

export async function refreshGateways(): Promise<void> {
  gateways.value = (await get<Page<Gateway>>('/gateways')).items;
}

export async function refreshTroubles(): Promise<void> {
  const [raised, letters] = await Promise.all([
    get<Page<Alarm>>('/alarms'),
    get<Page<DeadLetter>>('/dead-letters?limit=20'),
  ]);
  alarms.value = raised.items;
  deadLetters.value = letters;
}
