import { civilNow, tick } from '../data/city';
import type { Change } from '../data/lamp';
import { clockTime, figure, percent } from '../format';
import { words } from '../i18n';
import { winnerName } from './why';

const DAY_MS = 86_400_000;
const HOURS = [0, 6, 12, 18, 24];

const wanted = (change: Change): string =>
  change.level_percent === null ? words.value.winOwn : percent(Math.round(change.level_percent));

// Another step of a program that asks for the same is no change to a person.
const isSame = (change: Change, before: Change | undefined): boolean =>
  before !== undefined && before.level_percent === change.level_percent && before.why.winner === change.why.winner;

// A night from noon to noon as steps; the same in words below it.
export function NightChart({ what, changes: every }: { what: string; changes: Change[] }) {
  const t = words.value;
  const changes = every.filter((change, i) => !isSame(change, every[i - 1]));
  const first = changes[0];
  if (!first) return null;
  const { start_ms: start } = first;
  const at = (ms: number): number => (100 * (ms - start)) / DAY_MS;
  const spoken = changes.map((change) => `${clockTime(change.start_ms)} ${wanted(change)}`).join(', ');
  return (
    <div class="night">
      <div class="steps" role="img" aria-label={t.tonightLabel(what, spoken)}>
        <span class="top">{percent(100)}</span>
        <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
          <path class="grid" d="M0 50H100M25 0V100M50 0V100M75 0V100" />
          <path class="area" d={`${outline(changes, at)}L100 100L0 100Z`} />
          <path class="line" d={outline(changes, at)} />
        </svg>
        <Now at={at} />
        <ul>
          {HOURS.map((hour) => (
            <li key={hour} style={{ left: `${(100 * hour) / 24}%` }}>
              {clockTime(start + hour * 3_600_000)}
            </li>
          ))}
        </ul>
      </div>
      <details>
        <summary>{t.tonightChanges(figure(changes.length))}</summary>
        <ol>
          {changes.map((change) => (
            <li key={change.start_ms}>
              <time class="numbers">{clockTime(change.start_ms)}</time>
              <b class="numbers">{wanted(change)}</b>
              <span>
                {winnerName(change.why.winner)}
                {change.why.program && change.why.winner === 'program' ? ` · ${change.why.program}` : ''}
              </span>
            </li>
          ))}
        </ol>
      </details>
    </div>
  );
}

function outline(changes: Change[], at: (ms: number) => number): string {
  const height = (change: Change | undefined): number => 100 - (change?.level_percent ?? 0);
  const steps = changes.slice(1).map((change) => `H${at(change.start_ms).toFixed(2)}V${height(change).toFixed(1)}`);
  return `M0 ${height(changes[0]).toFixed(1)}${steps.join('')}H100`;
}

function Now({ at }: { at: (ms: number) => number }) {
  void tick.value;
  const left = at(civilNow());
  if (!(left >= 0 && left <= 100)) return null;
  return (
    <span class={`now ${left > 85 ? 'early' : ''}`} style={{ left: `${left}%` }}>
      <small>{words.value.now}</small>
    </span>
  );
}
