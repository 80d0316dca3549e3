import { STATES, type State, totals } from '../data/fleet';
import { figure } from '../format';
import { words } from '../i18n';

export function stateName(state: State): string {
  const t = words.value;
  return { unknown: t.stateUnknown, off: t.stateOff, lit: t.stateLit, fault: t.stateFault }[state];
}

// The same shapes as on the map.
export function StateMark({ state }: { state: State }) {
  return (
    <svg class={`mark ${state}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      {state === 'lit' && <circle cx="6" cy="6" r="4.5" />}
      {state === 'off' && <rect x="2.5" y="2.5" width="7" height="7" />}
      {state === 'unknown' && <circle cx="6" cy="6" r="4" fill="none" />}
      {state === 'fault' && <path d="M6 1 11 10H1Z" />}
    </svg>
  );
}

export function StateText({ state }: { state: State }) {
  return (
    <span class="state">
      <StateMark state={state} />
      {stateName(state)}
    </span>
  );
}

export function Legend() {
  const { count } = totals.value;
  return (
    <ul class="legend" aria-label={words.value.legend}>
      {([2, 1, 3, 0] as const).map((index) => (
        <li key={index}>
          <StateText state={STATES[index]} />
          <b>{figure(count[index])}</b>
        </li>
      ))}
    </ul>
  );
}
