import { useEffect, useRef } from 'preact/hooks';
import { supplyName } from '../data/cabinets';
import { lamps, STATES, type State } from '../data/fleet';
import { type Filter, filter, filtering, found, gatewayNames, NO_FILTER, select, supplies, view } from '../data/selection';
import { figure } from '../format';
import { words } from '../i18n';
import { stateName } from './legend';

const change = (part: Partial<Filter>): void => {
  filter.value = { ...filter.value, ...part };
};

const chosen = (event: Event): string => (event.currentTarget as HTMLInputElement | HTMLSelectElement).value;

export function Filters() {
  const t = words.value;
  const { text, gateway, supply, state } = filter.value;
  const search = useRef<HTMLInputElement>(null);

  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      search.current?.focus();
    };
    addEventListener('keydown', focus);
    return () => removeEventListener('keydown', focus);
  }, []);

  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <div class="segments" role="group" aria-label={t.view}>
        {(['map', 'list'] as const).map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={view.value === name}
            onClick={() => {
              view.value = name;
            }}
          >
            {t[name]}
          </button>
        ))}
      </div>
      <input
        ref={search}
        type="search"
        value={text}
        placeholder={t.search}
        aria-label={t.search}
        aria-keyshortcuts="/"
        maxLength={64}
        onInput={(event) => change({ text: chosen(event) })}
      />
      <Choice
        label={t.gateway}
        value={gateway}
        options={gatewayNames.value}
        onChange={(value) => change({ gateway: value, supply: '' })}
      />
      <Choice label={t.cabinet} value={supply} options={supplies.value} name={supplyName} onChange={(value) => change({ supply: value })} />
      <Choice
        label={t.state}
        value={state}
        options={STATES}
        name={(value) => stateName(value as State)}
        onChange={(value) => change({ state: value as State | '' })}
      />
      {filtering.value && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            filter.value = NO_FILTER;
          }}
        >
          {t.clear}
        </button>
      )}
      <output class="count">{t.found(figure(found.value.length))}</output>
      {filtering.value && found.value.length > 0 && (
        <button type="button" class="plain" onClick={() => select(found.value.map((row) => lamps.value.ids[row] as string))}>
          {t.selectFound(figure(found.value.length))}
        </button>
      )}
    </form>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly string[];
  name?: (value: string) => string;
  onChange: (value: string) => void;
}

function Choice({ label, value, options, name = (text) => text, onChange }: ChoiceProps) {
  return (
    <label class="choice">
      <span class="visually-hidden">{label}</span>
      <select value={value} onChange={(event) => onChange(chosen(event))}>
        <option value="">{`${label}: ${words.value.all}`}</option>
        {options.map((option) => (
          <option key={option} value={option}>
            {name(option)}
          </option>
        ))}
      </select>
    </label>
  );
}
