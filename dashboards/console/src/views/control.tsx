import { useSignal } from '@preact/signals';
import { Refused } from '../data/api';
import { civilNow, tick } from '../data/city';
import { type Order, send } from '../data/commands';
import { lamps, revision, totalsOf, UNKNOWN } from '../data/fleet';
import { selected, selectedRows } from '../data/selection';
import { mayCommand } from '../data/session';
import { clockTime, figure, percent, watts } from '../format';
import { words } from '../i18n';

const PRESETS = [0, 30, 50, 70, 100];
const MINUTES = [10, 30, 60, 120, 480];

export function Control() {
  const t = words.value;
  const level = useSignal(50);
  const minutes = useSignal(120);
  const reason = useSignal('');
  const busy = useSignal(false);
  const trouble = useSignal('');
  const asking = useSignal<Omit<Order, 'devices' | 'reason'> | null>(null);
  void tick.value;

  const devices = [...selected.value];
  const many = devices.length > 1;
  const until = civilNow() + minutes.value * 60_000;

  const order = async (op: string, args: Record<string, unknown>): Promise<void> => {
    if (busy.value) return; // the button stays focusable meanwhile, so that the keyboard is not lost
    busy.value = true;
    trouble.value = '';
    asking.value = null;
    try {
      await send({ op, devices, args, reason: reason.value.trim() || t.reasonManual });
    } catch (error) {
      trouble.value = error instanceof Refused ? error.message : t.errNetwork;
    } finally {
      busy.value = false;
    }
  };

  // What acts on many lamps is asked once more; what acts on one goes at once.
  const ask = (op: string, args: Record<string, unknown>): void => {
    if (many) asking.value = { op, args };
    else void order(op, args);
  };

  const set = (): void => ask('light.set', { level_percent: level.value, until: Math.round(until) });

  if (!mayCommand()) return <p class="hint">{t.noRight}</p>;
  return (
    <section class="control" aria-label={t.control}>
      <div class="level">
        <label for="level">{t.setLevel}</label>
        <span class="level-number">
          <input
            type="number"
            min="0"
            max="100"
            step="1"
            aria-label={t.setLevel}
            value={level.value}
            onInput={(event) => {
              level.value = Math.min(100, Math.max(0, Math.round(event.currentTarget.valueAsNumber || 0)));
            }}
          />
          %
        </span>
      </div>
      <input
        id="level"
        type="range"
        min="0"
        max="100"
        step="5"
        value={level.value}
        style={{ '--filled': `${level.value}%` }}
        aria-valuetext={percent(level.value)}
        onInput={(event) => {
          level.value = event.currentTarget.valueAsNumber;
        }}
      />
      <div class="presets" role="group" aria-label={t.presets}>
        {PRESETS.map((preset) => (
          <button
            key={preset}
            type="button"
            aria-pressed={level.value === preset}
            onClick={() => {
              level.value = preset;
            }}
          >
            {preset === 0 ? t.off : preset === 100 ? t.full : percent(preset)}
          </button>
        ))}
      </div>
      <div class="row">
        <label>
          {t.duration}
          <select
            value={minutes.value}
            onChange={(event) => {
              minutes.value = Number(event.currentTarget.value);
            }}
          >
            {MINUTES.map((count) => (
              <option key={count} value={count}>
                {count < 60 ? t.durationMinutes(figure(count)) : t.durationHours(figure(count / 60))}
              </option>
            ))}
          </select>
        </label>
        <span class="hint numbers">{Number.isNaN(until) ? '' : t.until(clockTime(until))}</span>
      </div>
      <label class="reason">
        {t.reason}
        <input
          type="text"
          maxLength={200}
          placeholder={t.reasonManual}
          value={reason.value}
          onInput={(event) => {
            reason.value = event.currentTarget.value;
          }}
        />
      </label>
      {many && <Preview level={level.value} />}
      {asking.value ? (
        <div class="confirm" role="alertdialog" aria-label={t.confirmGroup(figure(devices.length))}>
          <p>{t.confirmGroup(figure(devices.length))}</p>
          <button
            type="button"
            class="primary"
            ref={(button) => button?.focus()}
            onClick={() => asking.value && void order(asking.value.op, asking.value.args)}
          >
            {t.confirm}
          </button>
          <button
            type="button"
            onClick={() => {
              asking.value = null;
            }}
          >
            {t.cancel}
          </button>
        </div>
      ) : (
        <>
          <button type="button" class="primary send" aria-disabled={busy.value} onClick={set}>
            {busy.value ? t.sending : many ? t.groupSend(figure(devices.length)) : `${t.send} ${percent(level.value)}`}
          </button>
          <div class="secondary">
            <button type="button" aria-disabled={busy.value} onClick={() => ask('light.resume', {})}>
              {t.resume}
            </button>
            <button type="button" aria-disabled={busy.value} onClick={() => ask('light.identify', { seconds: 30 })}>
              {t.identify}
            </button>
          </div>
        </>
      )}
      <p role="alert" class="refusal">
        {trouble.value}
      </p>
    </section>
  );
}

function Preview({ level }: { level: number }) {
  const t = words.value;
  void revision.value;
  const rows = selectedRows.value;
  const { powerW } = totalsOf(lamps.value, rows);
  const unknown = rows.filter((row) => lamps.value.state[row] === UNKNOWN).length;
  return (
    <p class="preview">
      {t.groupPreview(figure(rows.length), percent(level), watts(powerW))} {unknown > 0 && t.groupUnknown(figure(unknown))}
    </p>
  );
}
