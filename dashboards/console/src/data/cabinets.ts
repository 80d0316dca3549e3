import { computed, signal } from '@preact/signals';
import { language } from '../i18n';
import { get } from './api';
import type { Name } from './fleet';
import type { Page } from './system';

interface Cabinet {
  id: string;
  name: Name;
}

const MOST = 1_000; // what one page of the API holds

const cabinets = signal<Cabinet[]>([]);

export async function loadCabinets(): Promise<void> {
  cabinets.value = (await get<Page<Cabinet>>(`/devices?kind=cabinet&limit=${MOST}`)).items;
}

// A supply point's lamps and its cabinet share what follows the first hyphen: lamp-01-017 hangs on cab-01.
const numberOf = (id: string): string => id.slice(id.indexOf('-') + 1);

const byNumber = computed(() => new Map(cabinets.value.map((cabinet) => [numberOf(cabinet.id), cabinet])));

export function supplyName(supply: string): string {
  const cabinet = byNumber.value.get(numberOf(supply));
  if (!cabinet) return supply;
  return `${cabinet.id} ${cabinet.name[language.value === 'en' ? 'en' : 'zh'] ?? ''}`.trim();
}
