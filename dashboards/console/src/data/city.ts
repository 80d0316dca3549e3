import { computed, signal } from '@preact/signals';
import { language } from '../i18n';

export interface City {
  name: Record<string, string>;
  zone: string;
  rate: number;
}

export const city = signal<City>({ name: {}, zone: 'Asia/Shanghai', rate: 1 });
export const cityName = computed(() => city.value.name[language.value === 'en' ? 'en' : 'zh'] ?? 'Lamplighter');

// Civil time runs at its own rate; it is taken over with each frame and continued in between.
const anchor = { civilMs: Number.NaN, atMs: 0 };

export function setCivil(civilMs: number): void {
  anchor.civilMs = civilMs;
  anchor.atMs = performance.now();
}

export function civilNow(): number {
  return anchor.civilMs + (performance.now() - anchor.atMs) * city.value.rate;
}

// Real seconds since a civil moment.
export function realAgeS(civilMs: number): number {
  return civilMs > 0 ? (civilNow() - civilMs) / 1000 / city.value.rate : Number.POSITIVE_INFINITY;
}

// Ticks once a second for everything that shows a time.
export const tick = signal(0);
setInterval(() => {
  tick.value += 1;
}, 1000);
