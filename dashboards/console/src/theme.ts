import { effect, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';
const STORED = 'lamplighter.theme';
const ORDER: Theme[] = ['auto', 'light', 'dark'];

export const theme = signal<Theme>((localStorage.getItem(STORED) as Theme | null) ?? 'auto');
export const themeRevision = signal(0); // what draws on a canvas reads its colours afresh

effect(() => {
  const root = document.documentElement;
  if (theme.value === 'auto') delete root.dataset.theme;
  else root.dataset.theme = theme.value;
  localStorage.setItem(STORED, theme.value);
  themeRevision.value = themeRevision.peek() + 1;
});

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  themeRevision.value += 1;
});

export function nextTheme(): void {
  theme.value = ORDER[(ORDER.indexOf(theme.value) + 1) % ORDER.length] as Theme;
}

// The colour a custom property has now, in a form a canvas takes.
export function colour(name: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
