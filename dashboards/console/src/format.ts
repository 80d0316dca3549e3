import { computed } from '@preact/signals';
import { city } from './data/city';
import { language, words } from './i18n';

// What is not known is written as a dash with its word for screen readers, never as zero.
export const DASH = '–';

const number = computed(() => ({
  whole: new Intl.NumberFormat(language.value, { maximumFractionDigits: 0 }),
  one: new Intl.NumberFormat(language.value, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
  two: new Intl.NumberFormat(language.value, { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
  short: new Intl.NumberFormat(language.value, { maximumFractionDigits: 2 }),
}));

const dates = computed(() => {
  const zone = { timeZone: city.value.zone, hourCycle: 'h23' } as const;
  return {
    clock: new Intl.DateTimeFormat(language.value, { ...zone, hour: '2-digit', minute: '2-digit' }),
    seconds: new Intl.DateTimeFormat(language.value, { ...zone, hour: '2-digit', minute: '2-digit', second: '2-digit' }),
    day: new Intl.DateTimeFormat(language.value, { ...zone, month: 'short', day: 'numeric', weekday: 'short' }),
    date: new Intl.DateTimeFormat(language.value, { ...zone, month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit' }),
    full: new Intl.DateTimeFormat(language.value, { ...zone, dateStyle: 'medium', timeStyle: 'short' }),
  };
});

export type Digits = 'whole' | 'one' | 'two' | 'short';

export function known(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}

export function figure(value: number, digits: Digits = 'whole'): string {
  return number.value[digits].format(value);
}

export function quantity(value: number | null | undefined, unit: string, digits: Digits = 'whole'): string {
  return known(value) ? `${figure(value, digits)}${unit === '%' ? '' : '\u202f'}${unit}` : DASH;
}

export const percent = (value: number | null | undefined): string => quantity(value, '%');

export function watts(value: number | null | undefined): string {
  if (!known(value)) return DASH;
  return Math.abs(value) >= 10_000 ? quantity(value / 1000, 'kW', 'one') : quantity(value, 'W', 'whole');
}

export const clockTime = (ms: number): string => dates.value.clock.format(ms);
export const secondsTime = (ms: number): string => dates.value.seconds.format(ms);
export const day = (ms: number): string => dates.value.day.format(ms);
export const shortDate = (ms: number): string => dates.value.date.format(ms);
export const fullTime = (ms: number): string => dates.value.full.format(ms);

const units = computed(() => {
  const of = (unit: string): Intl.NumberFormat =>
    new Intl.NumberFormat(language.value, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 0 });
  return { day: of('day'), hour: of('hour'), minute: of('minute'), second: of('second') };
});

// A stretch of time in its two largest units.
export function span(ms: number): string {
  if (ms < 60_000) return units.value.second.format(Math.max(0, Math.round(ms / 1000)));
  const minutes = Math.round(ms / 60_000);
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
  const { day: d, hour: h, minute: m } = units.value;
  if (days) return hours ? `${d.format(days)} ${h.format(hours)}` : d.format(days);
  if (hours) return rest ? `${h.format(hours)} ${m.format(rest)}` : h.format(hours);
  return m.format(rest);
}

export function ago(seconds: number): string {
  const t = words.value;
  if (!Number.isFinite(seconds)) return t.never;
  if (seconds < 100) return t.seconds(figure(Math.max(0, Math.round(seconds))));
  if (seconds < 5400) return t.minutes(figure(Math.round(seconds / 60)));
  return t.hours(figure(Math.round(seconds / 3600)));
}
