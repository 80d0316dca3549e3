import { computed, effect, signal } from '@preact/signals';
import { en } from './en';
import { type Dictionary, zh } from './zh';

export type Language = 'zh-CN' | 'en';
const STORED = 'lamplighter.language';
const DICTIONARIES: Record<Language, Dictionary> = { 'zh-CN': zh, en };

function initial(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === 'zh-CN' || stored === 'en') return stored;
  return navigator.language.toLowerCase().startsWith('en') ? 'en' : 'zh-CN';
}

export const language = signal<Language>(initial());
export const words = computed<Dictionary>(() => DICTIONARIES[language.value]);

effect(() => {
  document.documentElement.lang = language.value;
  document.title = words.value.app;
  localStorage.setItem(STORED, language.value);
});

export function switchLanguage(): void {
  language.value = language.value === 'en' ? 'zh-CN' : 'en';
}
