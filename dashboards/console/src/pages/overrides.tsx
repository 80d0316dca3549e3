import { useSignal } from '@preact/signals';
import { Refused } from '../data/api';
import { civilNow, tick } from '../data/city';
import { endOverride, type Override, overrides } from '../data/lighting';
import { mayLight } from '../data/session';
import { figure, percent, shortDate, span } from '../format';
import { words } from '../i18n';
import { pageWords } from '../i18n/pages';
import { Panel } from './panel';

export function OverridesPanel() {
  const t = pageWords.value;
  const trouble = useSignal('');
  const found = overrides.value;
  return (
    <Panel title={t.overrides}>
      {!found && words.value.loading}
      {found?.length === 0 && <p class="empty">{t.noOverrides}</p>}
      <ul class="lines overrides">
        {found?.map((one) => (
          <Line
            key={one.id}
            one={one}
            fail={(what) => {
              trouble.value = what;
            }}
          />
        ))}
      </ul>
      <p role="alert" class="refusal">
        {trouble.value}
      </p>
    </Panel>
  );
}

function Line({ one, fail }: { one: Override; fail: (what: string) => void }) {
  void tick.value;
  const t = pageWords.value;
  const busy = useSignal(false);
  const end = async (): Promise<void> => {
    if (busy.value) return; // the button stays focusable meanwhile, so that the keyboard is not lost
    busy.value = true;
    fail('');
    try {
      await endOverride(one.id, t.resumed);
    } catch (error) {
      fail(error instanceof Refused ? error.message : words.value.errNetwork);
    } finally {
      busy.value = false;
    }
  };
  return (
    <li>
      <b class="numbers">{percent(one.level_percent)}</b>
      <span>
        {one.emergency && <span class="badge urgent">{t.emergency}</span>} {t.overrideLamps(figure(one.lamps))}{' '}
        <span class="numbers">{t.until(shortDate(one.until_ms), span(one.until_ms - civilNow()))}</span>{' '}
        {!one.in_force && <span class="badge alert">{t.waits}</span>}
        <small>
          {t.byWhom(one.by.replace('token:', ''))} · {one.reason}
        </small>
      </span>
      {mayLight() && (
        <button type="button" aria-disabled={busy.value} onClick={() => void end()}>
          {one.in_force ? t.resume : t.withdraw}
        </button>
      )}
    </li>
  );
}
