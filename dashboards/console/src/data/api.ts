import { signal } from '@preact/signals';
import { words } from '../i18n';

export const BASE = '/api/v1';
export const signedIn = signal<boolean | null>(null);

export interface Fault {
  field: string;
  rule: string;
  detail: string;
}

// A refusal of the server (RFC 9457), in its own words.
export class Refused extends Error {
  constructor(
    readonly status: number,
    detail: string,
    readonly faults: Fault[] = [],
  ) {
    super(detail);
  }
}

export class Unreachable extends Error {}

export async function call<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const init: RequestInit = { method, headers: { ...headers }, signal: AbortSignal.timeout(15_000) };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { ...headers, 'Content-Type': 'application/json' };
  }
  let answer: Response;
  try {
    answer = await fetch(BASE + path, init);
  } catch {
    throw new Unreachable(words.value.errNetwork);
  }
  if (!answer.ok) throw await refusal(answer);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

async function refusal(answer: Response): Promise<Refused> {
  if (answer.status === 401) signedIn.value = false;
  try {
    const problem = (await answer.json()) as { detail?: string; errors?: Fault[] };
    return new Refused(answer.status, problem.detail ?? answer.statusText, problem.errors);
  } catch {
    return new Refused(answer.status, answer.statusText);
  }
}

export const get = <T>(path: string): Promise<T> => call<T>('GET', path);
export const post = <T>(path: string, body?: unknown, headers?: Record<string, string>): Promise<T> =>
  call<T>('POST', path, body, headers);
