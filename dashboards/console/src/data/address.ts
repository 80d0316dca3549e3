import { signal } from '@preact/signals';

export const PAGES = ['street', 'incidents', 'plans', 'fleet'] as const;
export type PageName = (typeof PAGES)[number];

const query = (): URLSearchParams => new URLSearchParams(location.search);

const pageFromAddress = (): PageName => {
  const named = query().get('page');
  return PAGES.find((name) => name === named) ?? 'street';
};

export const page = signal<PageName>(pageFromAddress());
export const incident = signal(query().get('incident') ?? ''); // the one whose detail is shown

export function go(to: PageName): void {
  if (to === page.value) return;
  history.pushState(null, '', location.href); // the effect on the address then rewrites the new entry
  page.value = to;
}

addEventListener('popstate', () => {
  incident.value = query().get('incident') ?? '';
  page.value = pageFromAddress();
});
