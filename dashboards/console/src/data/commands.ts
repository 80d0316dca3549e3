import { signal } from '@preact/signals';
import { get, post } from './api';

export type CommandState =
  | 'created'
  | 'sent'
  | 'accepted'
  | 'applied'
  | 'verified'
  | 'rejected'
  | 'failed'
  | 'expired'
  | 'superseded'
  | 'unconfirmed';

export interface DevicePart {
  device: string;
  gateway: string;
  state: CommandState;
  reason: string;
}

export interface Step {
  state: CommandState;
  time_ms: number;
}

export interface Summary {
  request: string;
  op: string;
  args: Record<string, unknown>;
  by: string;
  reason: string;
  created_ms: number;
  state: CommandState;
  total: number;
  device: string | null; // of a request for one
  states: Partial<Record<CommandState, number>>;
}

export interface Request extends Summary {
  steps: Step[];
  devices: DevicePart[];
}

const FINAL = new Set<CommandState>(['verified', 'rejected', 'failed', 'expired', 'superseded', 'unconfirmed']);
export const isFinal = (state: CommandState): boolean => FINAL.has(state);

export const recent = signal<Summary[]>([]);
export const following = signal<Request | null>(null); // the one this page sent last

export interface Order {
  op: string;
  devices: string[];
  args: Record<string, unknown>;
  reason: string;
}

export async function send(order: Order): Promise<void> {
  const accepted = await post<{ request: string }>('/commands', order, { 'Idempotency-Key': crypto.randomUUID() });
  await follow(accepted.request);
  await refreshCommands();
}

export async function follow(request: string): Promise<void> {
  following.value = await get<Request>(`/commands/${request}`);
}

export async function refreshCommands(): Promise<void> {
  recent.value = (await get<{ items: Summary[] }>('/commands?limit=8')).items;
}
