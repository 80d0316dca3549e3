import { signal } from '@preact/signals';
import { call, Refused, signedIn } from './api';

export interface Session {
  name: string;
  rights: string[];
}

export const session = signal<Session | null>(null);

export const mayCommand = (): boolean => session.value?.rights.includes('command') ?? false;

// Plans and levels by hand: a right of their own, which commanding includes.
export const mayLight = (): boolean => mayCommand() || (session.value?.rights.includes('lighting') ?? false);

// The link printed at start carries the token behind '#', where no server log sees it; it is exchanged for a cookie.
export async function open(): Promise<void> {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token) {
    history.replaceState(null, '', location.pathname + location.search);
    await signIn(token);
    return;
  }
  await adopt(() => call<Session | undefined>('GET', '/session'));
}

export async function signIn(token: string): Promise<void> {
  await adopt(() => call<Session>('POST', '/session', undefined, { Authorization: `Bearer ${token}` }));
}

async function adopt(ask: () => Promise<Session | undefined>): Promise<void> {
  try {
    const found = await ask();
    session.value = found ?? null;
    signedIn.value = found !== undefined;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    signedIn.value = false;
  }
}
