import { pageWords } from '../i18n/pages';

export const SEVERITIES = [5, 4, 3, 2, 1] as const;

const SHAPES: Record<number, string> = {
  5: 'M4 1H10L13 4V10L10 13H4L1 10V4Z',
  4: 'M7 1 13.5 12.5H.5Z',
  3: 'M7 .5 13.5 7 7 13.5 .5 7Z',
  2: 'M2 2H12V12H2Z',
  1: 'M7 2A5 5 0 1 1 6.99 2Z',
};

export function severityName(severity: number): string {
  const t = pageWords.value;
  return [t.severity1, t.severity2, t.severity3, t.severity4, t.severity5][severity - 1] ?? String(severity);
}

// A shape, a word and a colour: each alone is enough.
export function Severity({ severity }: { severity: number }) {
  return (
    <span class={`severity s${severity}`}>
      <svg viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">
        <path d={SHAPES[severity] ?? SHAPES[1]} />
      </svg>
      {severityName(severity)}
    </span>
  );
}
