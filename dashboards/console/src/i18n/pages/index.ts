import { computed } from '@preact/signals';
import { language } from '..';
import type { Widened } from '../zh';
import { en } from './en';
import { zh } from './zh';

export type PageWords = Widened<typeof zh>;
export const pageWords = computed<PageWords>(() => (language.value === 'en' ? en : zh));
