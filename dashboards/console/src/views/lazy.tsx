import { type Signal, signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { words } from '../i18n';

type Loaded = ComponentType | 'failed' | null;

// A page whose code is fetched when somebody first looks at it.
export function lazily(load: () => Promise<ComponentType>): ComponentType {
  const found: Signal<Loaded> = signal<Loaded>(null);
  let asked = false;
  const ask = (): void => {
    asked = true;
    found.value = null;
    load().then(
      (page) => {
        found.value = page;
      },
      () => {
        found.value = 'failed';
      },
    );
  };
  return () => {
    if (!asked) ask();
    const Page = found.value;
    const t = words.value;
    if (Page === null) return <p class="waiting">{t.loading}</p>;
    if (Page !== 'failed') return <Page />;
    return (
      <p class="waiting" role="alert">
        {t.pageFailed}{' '}
        <button type="button" onClick={ask}>
          {t.retryNow}
        </button>
      </p>
    );
  };
}
